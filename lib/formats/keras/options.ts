// Every name that Keras 2, Keras 3 or TF.js gives to a layer's options: one that no generation knows
// is a damaged or foreign one, and passing over it would compute something else.

import { didYouMean } from "../../base/names.ts";
import { isRecord } from "../../files/json.ts";
import { UnreadableFileError } from "../../files/unreadable.ts";
import { names } from "../../layers/kind.ts";
import { kindOfLayer } from "../../layers/table.ts";

/** What every layer may have. */
const EVERY = names(
  "name trainable dtype batch_input_shape batchInputShape activity_regularizer",
);
/** Of what stands in a layer's place: an input. */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  InputLayer: names("batch_shape sparse ragged optional"),
};

const MODEL = names(
  "class_name config module registered_name build_config compile_config shared_object_id " +
    "keras_version backend",
);
const MODEL_CONFIG = names(
  "name trainable dtype layers build_input_shape input_layers output_layers",
);
const LAYER = names(
  "class_name config name inbound_nodes module registered_name build_config shared_object_id",
);

/**
 * Throws where a layer's record or its options have a name that no Keras knows, or where its class
 * is the author's own with a built-in's name.
 *
 * @param part `{ class_name, config, … }`
 * @param place what messages call the layer
 */
export function checkLayerRecord(part: Readonly<Record<string, unknown>>, place: string): void {
  const { class_name: className, config } = part;
  if (isModel(className)) { // a model within a model
    checkModelRecord(part, [...MODEL, ...LAYER], place);
    return;
  }
  checkNames(part, LAYER, "what stands beside its options must be known", place);
  checkKerasOwn(part, place);
  if (typeof className !== "string" || !isRecord(config)) return;
  const own = kindOfLayer(className)?.options ??
    (Object.hasOwn(OTHERS, className) ? OTHERS[className] : undefined);
  if (own === undefined) return; // a class that is not read, or an operation of a mask
  checkNames(
    config,
    [...EVERY, ...own],
    `its options must be those of Keras's ${className}`,
    place,
  );
}

/** Whether a class is that of a model. */
export function isModel(className: unknown): boolean {
  return className === "Sequential" || className === "Functional" || className === "Model";
}

/** The same for a model's own record. */
export function checkModelRecord(
  model: Readonly<Record<string, unknown>>,
  known: readonly string[] = MODEL,
  place?: string,
): void {
  const rule = "what it tells of the model must be known";
  checkNames(model, known, rule, place);
  checkKerasOwn(model, place);
  if (isRecord(model.config)) checkNames(model.config, MODEL_CONFIG, rule, place);
}

function checkNames(
  given: Readonly<Record<string, unknown>>,
  known: readonly string[],
  rule: string,
  place?: string,
): void {
  const stray = Object.keys(given).find((key) => !known.includes(key));
  if (stray === undefined) return;
  const state = `the name is ${JSON.stringify(stray)}${didYouMean(stray, known)}`;
  throw new UnreadableFileError(rule, state, place === undefined ? {} : { source: place });
}

/** Keras 3 keeps the module and the registered name of a class: `mine>Dense` is not Keras's. */
export function isKerasOwn(part: Readonly<Record<string, unknown>>): boolean {
  const { module = null, registered_name: registered = null, class_name: className } = part;
  const isKeras = module === null || typeof module === "string" &&
      /^(tf_|tensorflow\.(python\.)?)?keras(\.|$)/.test(module);
  return isKeras && (registered === null || registered === className);
}

function checkKerasOwn(part: Readonly<Record<string, unknown>>, place?: string): void {
  if (isKerasOwn(part)) return;
  const { module, registered_name: registered, class_name: className } = part;
  const shown = `${JSON.stringify(registered ?? className)} of module ${JSON.stringify(module)}`;
  const rule =
    "its classes must be Keras's own: what another one computes does not stand in a file";
  throw new UnreadableFileError(
    rule,
    `the class is ${shown.slice(0, 200)}`,
    place === undefined ? {} : { source: place },
  );
}
