// What a model is asked to be, checked before anything is made of it.

import { amongNames } from "../base/names.ts";
import { checkOptions, type KeysOf } from "../base/options.ts";
import type { Layer, OpenShape } from "../layers/layer.ts";
import { type Connections, type Graph, graphOf, rowOf } from "./graph.ts";
import type { Precision } from "./network.ts";

/** How a model starts. */
export interface ModelOptions {
  /** Where chance starts, a whole number: the same seed gives the same weights. Default: any. */
  readonly seed?: number;
  /**
   * `"float32"` as in Keras, computed fast; `"float64"` keeps the weights in float64 and computes by
   * the equations. Default: `"float32"`.
   */
  readonly precision?: Precision;
}

/** How a model of layers in a row starts. */
export interface SequentialOptions extends ModelOptions {
  /**
   * A sample's shape, without the batch: `[timesteps, inputSize]`, or `[timesteps]` before an
   * embedding; timesteps may be null, so that each call chooses its own.
   */
  readonly inputShape: OpenShape;
}

const OPTIONS: KeysOf<ModelOptions> = { seed: "optional", precision: "optional" };
const ROW_OPTIONS: KeysOf<SequentialOptions> = { ...OPTIONS, inputShape: "required" };

const precisions: readonly Precision[] = ["float32", "float64"];

/** The graph, and the options with their defaults; throws where they make no model. */
export function checkArchitecture(
  parts: readonly Layer[] | Connections,
  options: ModelOptions & Partial<SequentialOptions>,
): { graph: Graph; seed: number; precision: Precision } {
  const isGraph = typeof parts === "object" && parts !== null && "outputs" in parts;
  const given = isGraph ? options : options ?? {}; // of a row, inputShape is what is missing
  if (!isGraph) checkLayers(parts);
  checkOptions("build a model", given, isGraph ? OPTIONS : ROW_OPTIONS);
  // A seed that nobody chose is kept, so that the model can tell where it started.
  const { inputShape, seed = Math.floor(Math.random() * 2 ** 32), precision = "float32" } = given;
  if (!isGraph) checkInputShape(inputShape);
  if (!Number.isSafeInteger(seed)) {
    throw new RangeError(
      `Cannot build a model: its seed must be a whole number, but it is ${seed}`,
    );
  }
  if (!precisions.includes(precision)) {
    throw new RangeError(
      `Cannot build a model: its precision must be ${amongNames(precision, precisions)}`,
    );
  }
  const graph = isGraph
    ? graphOf(parts as Connections)
    : rowOf(parts as readonly Layer[], inputShape!);
  return { graph, seed, precision };
}

function checkLayers(layers: unknown): asserts layers is readonly Layer[] {
  if (!Array.isArray(layers) || layers.length === 0) {
    throw new TypeError(
      `Cannot build a model: it needs a list of one layer or more, ` +
        `but it is ${Array.isArray(layers) ? "empty" : typeof layers}`,
    );
  }
  for (const [k, layer] of layers.entries()) {
    if (typeof layer?.run !== "function" || typeof layer.className !== "string") {
      throw new TypeError(
        `Cannot build a model: each layer must be made by lstm(), dense() and their like, ` +
          `but layer ${k} is ${typeof layer === "object" ? "another object" : typeof layer}`,
      );
    }
  }
}

/** Throws where it is no shape of a sample. */
export function checkInputShape(
  shape: OpenShape | undefined,
  action = "build a model",
  name = "inputShape",
): asserts shape is OpenShape {
  const isLength = (length: unknown) =>
    length === null || Number.isInteger(length) && length as number > 0;
  if (!Array.isArray(shape) || shape.length === 0 || !shape.every(isLength)) {
    throw new TypeError(
      `Cannot ${action}: ${name} must be [timesteps, inputSize], or [timesteps] before ` +
        `an embedding, of whole numbers from 1, with null where timesteps may vary, ` +
        `but it is ${JSON.stringify(shape)}`,
    );
  }
}
