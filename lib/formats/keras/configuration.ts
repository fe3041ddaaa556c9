// A Keras configuration that stands apart from its weights: the text of model.to_json().

import { kindOf } from "../../base/kind.ts";
import { isRecord, parseJson } from "../../files/json.ts";
import { openFile } from "../../files/open.ts";
import type { Source } from "../../files/source.ts";
import { asFileError, UnreadableFileError, within } from "../../files/unreadable.ts";
import { type Configured, MODEL_RULE } from "../format.ts";
import { kerasModelOf } from "./model.ts";

/** A configuration as it is given: its text or what it says, or where it stands. */
export type KerasConfiguration = Source | Readonly<Record<string, unknown>>;

/**
 * The model of a configuration.
 *
 * @throws {UnreadableFileError} where it is none, or has a layer that is not read.
 */
export async function configuredModel(given: KerasConfiguration): Promise<Configured> {
  if (typeof given === "string" && /^\s*[{"]/.test(given)) {
    return within("config", () => modelIn(textIn(given)));
  }
  if (typeof given === "string" || given instanceof URL || isBytes(given)) {
    return await openFile(given as Source, ({ bytes }) => modelIn(parseJson(bytes)));
  }
  if (isRecord(given)) {
    return within("config", () => modelIn(textIn(JSON.stringify(given))));
  }
  throw new TypeError(
    `Cannot load a model: config must be the text of Keras's to_json(), what it says, or a path, ` +
      `but ${kindOf(given)} was given`,
  );
}

function isBytes(value: unknown): boolean {
  return value instanceof Uint8Array || value instanceof ArrayBuffer;
}

function textIn(text: string): unknown {
  return parseJson(new TextEncoder().encode(text));
}

function modelIn(value: unknown): Configured {
  if (typeof value === "string") return modelIn(textIn(value)); // json.dump(model.to_json(), file)
  if (!isRecord(value) || value.class_name === undefined) {
    const rule = "it must be the text of Keras's model.to_json()";
    const found = isRecord(value)
      ? `its keys are ${Object.keys(value).slice(0, 8)}`
      : kindOf(value);
    throw new UnreadableFileError(rule, found);
  }
  const version = versionOf(value);
  const parsed = asFileError(MODEL_RULE, () => kerasModelOf(value, version));
  return { parsed, version };
}

/** Keras 3 writes modules instead of its version: read as the newest of it. */
function versionOf({ keras_version: version, module }: Readonly<Record<string, unknown>>): string {
  if (typeof version === "string") return version;
  return typeof module === "string" ? "3" : "";
}
