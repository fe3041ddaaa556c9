// A Keras model by its configuration and its writer's version.

import { UnreadableFileError } from "../../files/unreadable.ts";
import type { LoadedModel } from "../build_model.ts";
import { lettersOf } from "../conversion.ts";
import { fromKeras1 } from "./keras1.ts";
import { type KerasModel, kerasModel } from "./config.ts";
import { isKeras1, kerasWriter } from "./version.ts";

/**
 * The model that a configuration tells of.
 *
 * @throws {UnreadableFileError} where the version is not told, or the model is none that is read.
 */
export function kerasModelOf(config: unknown, version: string): KerasModel {
  const rule = "its keras_version must tell how to read it";
  if (version === "") throw new UnreadableFileError(rule, "the version is not there");
  return kerasModel(isKeras1(version) ? fromKeras1(config) : config, kerasWriter(version));
}

/** What the log says of a file of Keras. */
export function kerasProvenance(version: string, format?: string): LoadedModel["provenance"] {
  const gateOrder = lettersOf("keras");
  return {
    framework: "Keras",
    ...(format && { format }),
    ...(version && { version }),
    gateOrder,
    notes: [],
  };
}
