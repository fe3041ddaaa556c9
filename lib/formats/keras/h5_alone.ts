// The recurrent layers of a .h5 alone: of a whole model, or of weights.

import type { Hdf5File } from "../../files/hdf5.ts";
import { asFileError } from "../../files/unreadable.ts";
import { kindOfLayer } from "../../layers/table.ts";
import type { Converted } from "../conversion.ts";
import { fromKeras1 } from "./keras1.ts";
import { keras1Leaves } from "./keras1_weights.ts";
import { conversion, groupIn, isLegacy, jsonIn, textAt } from "./h5.ts";
import { kerasProvenance } from "./model.ts";
import { leavesOf } from "./node.ts";
import { toldRecurrent } from "./recurrent.ts";
import { isKeras1, kerasWriter, VERSION_UNTOLD } from "./version.ts";
import { legacyLeaves, legacyWeights } from "./legacy.ts";
import { nestedLine } from "../python_lines.ts";
import type { RecurrentParts, UntoldActivations } from "../recurrent_part.ts";
import { stemOf, untoldIn } from "../untold_recurrent.ts";

/** Each recurrent layer, by the configuration or by the names and shapes of its arrays. */
export function h5Recurrent(file: Hdf5File, untold: UntoldActivations): RecurrentParts {
  return asFileError("it must be a model that Keras saved", () => {
    return isLegacy(file) ? legacyRecurrent(file, untold) : weightsRecurrent(file, untold);
  });
}

function legacyRecurrent(file: Hdf5File, untold: UntoldActivations): RecurrentParts {
  const version = textAt(file, "keras_version") || VERSION_UNTOLD;
  const text = textAt(file, "model_config");
  const given = text === "" ? {} : jsonIn("model_config", text);
  const isFirst = isKeras1(version);
  const grouped = legacyWeights(file, groupIn(file));
  const asKeras = conversion(file, grouped, version);
  let stored: ReadonlyMap<string, readonly Converted[]> = grouped;
  const config = isFirst && text !== "" ? fromKeras1(given) : given;
  const told = toldRecurrent(config, kerasWriter(version), (listed) => {
    stored = isFirst ? keras1Leaves(grouped, listed) : legacyLeaves(grouped, listed);
    return (placed) => asKeras(placed, stored.get(placed.name) ?? []);
  });
  const known = new Set(
    leavesOf(told.listed).filter(({ className }) => kindOfLayer(className) !== undefined)
      .map(({ name }) => name),
  );
  const inside = [...stored].filter(([layer]) => !known.has(layer)).flatMap(([layer, own]) => {
    const named = new Map(own.map((array) => [array.from, array.tensor]));
    return untoldIn(named, untold).map((one) => {
      const name = stemOf(one.group, layer);
      return { ...one, name, input: nestedLine(name.split("/"), false) };
    });
  });
  return { ...told, parts: [...told.parts, ...inside], provenance: kerasProvenance(version) };
}

/** By the groups of .weights.h5. */
function weightsRecurrent(file: Hdf5File, untold: UntoldActivations): RecurrentParts {
  const parts = untoldIn(file.arrays, untold).map((one) => {
    const name = namesIn(file, one.group);
    return { ...one, name, input: nestedLine(name.split("/"), false) };
  });
  const version = textAt(file, "keras_version");
  return { parts, unread: [], provenance: kerasProvenance(version, ".weights.h5") };
}

/** `layers/functional/layers/lstm`: the names that the groups of layers have as attributes. */
function namesIn({ attributes }: Hdf5File, group: string): string {
  const steps = group.split("/");
  const names = steps.flatMap((step, k) => {
    if (step === "layers" || step === "_layer_checkpoint_dependencies") return [];
    const name = attributes.get(`${steps.slice(0, k + 1).join("/")}/vars`)?.get("name");
    return typeof name === "string" && steps[k - 1] === "layers" ? name : step;
  });
  return names.join("/");
}
