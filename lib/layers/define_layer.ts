// A layer of one's own.

import { kindOf } from "../base/kind.ts";
import { checkParts, type KeysOf } from "../base/options.ts";
import { type Equations, equationsOf } from "../values/equations.ts";
import { startOf } from "./initializers.ts";
import {
  defineLayer as layerOf,
  type Layer,
  type LayerContext,
  type LayerDefinition,
  type LayerResult,
  type OpenShape,
  type WeightSpec,
} from "./layer.ts";
import { kindOfLayer } from "./table.ts";

/** An array of a layer of one's own. */
export type OwnWeight =
  & Omit<WeightSpec, "initialize">
  & Partial<Pick<WeightSpec, "initialize">>;

/** A layer as one describes it: all that a {@linkcode LayerDefinition} may say, and less. */
export interface OwnLayer extends Omit<LayerDefinition, "config" | "weights" | "run" | "work"> {
  /** Its options, for the summary and for comparisons. Default: none. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The arrays needed for inputs of these shapes; a matrix starts as Keras's kernels, all else at 0, unless `initialize` says how. Default: none. */
  readonly weights?: (...inputs: OpenShape[]) => readonly OwnWeight[];
  /** The equation, by `o` alone; the shapes are known to fit. */
  readonly run: <V>(
    o: Equations<V>,
    inputs: readonly V[],
    weights: readonly V[],
    context: LayerContext<V>,
  ) => LayerResult<V>;
}

const KEYS: KeysOf<OwnLayer> = {
  className: "required",
  name: "optional",
  config: "optional",
  wrapped: "optional",
  distributed: "optional",
  takes: "optional",
  overTime: "optional",
  makesMask: "optional",
  inputCount: "optional",
  outputShape: "required",
  resultShapes: "optional",
  wholeShapes: "optional",
  weights: "optional",
  cells: "optional",
  checkInput: "optional",
  fast: "optional",
  run: "required",
};

/**
 * A layer of your own: its shapes, its weights, and its equation over any kind of value
 * ({@linkcode Equations}), so that it predicts, learns and is proved like any other. Keras and ONNX
 * have no name for it, so that `saveKeras` and `saveOnnx` refuse it.
 *
 * @throws {TypeError} where the definition is incomplete, or its class is Keras's.
 *
 * @example The square of each number
 * ```ts
 * import { defineLayer, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const square = defineLayer({
 *   className: "Square",
 *   outputShape: (input) => input,
 *   run: (o, [x], _weights, { masks }) => ({ outputs: [o.multiply(x!, x!)], mask: masks[0] }),
 * });
 * assertEquals(sequential([square], { inputShape: [2] }).predict([[2, 3]]).toArray(), [[4, 9]]);
 * ```
 */
export function defineLayer(definition: OwnLayer): Layer {
  checkDefinition(definition);
  const { weights = () => [], run } = definition;
  return layerOf({
    ...definition,
    config: definition.config ?? {},
    weights: (...inputs: OpenShape[]) =>
      weights(...inputs).map((weight) => ({ initialize: startOf(weight.shape), ...weight })),
    run: <V>(
      o: Parameters<typeof equationsOf<V>>[0],
      inputs: readonly V[],
      own: readonly V[],
      context: LayerContext<V>,
    ) => run(equationsOf(o), inputs, own, context),
  });
}

function checkDefinition(definition: OwnLayer): void {
  checkParts("define a layer", "its description", definition, KEYS);
  const { className, config = {}, outputShape, weights = () => [], run } = definition;
  const functions = { outputShape, weights, run };
  const wrong = Object.entries(functions).find(([, part]) => typeof part !== "function")?.[0] ??
    (typeof className !== "string" || className === "" ? "className" : undefined) ??
    (typeof config !== "object" || config === null ? "config" : undefined);
  if (wrong !== undefined) {
    throw new TypeError(
      `Cannot define a layer: its className is a text, its config an object, and outputShape, ` +
        `weights and run are functions, but ${wrong} is ${kindOf(definition[wrong as "run"])}`,
    );
  }
  if (kindOfLayer(className) === undefined) return;
  throw new TypeError(
    `Cannot define a layer: its className must be a name of its own, but ${className} is Keras's`,
  );
}
