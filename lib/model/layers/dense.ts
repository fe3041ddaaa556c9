import type { Activation, ActivationName } from "../../lstm/activations.ts";
import { denseBackward, denseForward } from "../../lstm/dense.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { fastActivationOf, type FastForm } from "../fast/fast_form.ts";
import { glorotUniform, zeros } from "../initializers.ts";
import {
  formatOpenShape,
  type Layer,
  type LayerContext,
  type LayerRun,
  type OpenShape,
  type WeightSpec,
} from "../layer.ts";
import {
  activationConfig,
  activationRule,
  checkOptions,
  countRule,
  definedOptions,
  flagRule,
  layerActivation,
  type LayerName,
} from "../layer_options.ts";

/** The options of a dense layer, with Keras's defaults. */
export interface DenseLayerOptions extends LayerName {
  /** How many results. */
  readonly units: number;
  /** `"linear"` unless said. */
  readonly activation?: ActivationName | Activation;
  /** Whether a bias is added: true unless said. */
  readonly useBias?: boolean;
}

const rules = { units: countRule, activation: activationRule, useBias: flagRule };

/**
 * A dense layer, φ(x·W + b): `[…, inputSize]` becomes `[…, units]`, each timestep by itself.
 * Source: keras/src/layers/core/dense.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { dense, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([dense({ units: 2 })], { inputShape: [3] });
 * model.setWeights([[[1, 2], [3, 4], [5, 6]], [0.5, 0]]);
 * assertEquals(model.predict([[1, 0, 1]]).toArray(), [[6.5, 8]]);
 * ```
 */
export function dense(options: DenseLayerOptions): Layer {
  const chosen = {
    activation: "linear" as const,
    useBias: true,
    ...definedOptions("a Dense", options),
  };
  checkOptions("a Dense", chosen, rules);
  const { name, units, useBias } = chosen;
  const activation = layerActivation("a Dense", chosen.activation);

  const fast = () => {
    const fastActivation = fastActivationOf(activation);
    return fastActivation && { kind: "dense", units, activation: fastActivation } as const;
  };

  const forward = (x: Tensor, arrays: readonly Tensor[], context: LayerContext): LayerRun => {
    const { mask, compute, training } = context;
    const form = compute && fast();
    if (form !== undefined) return { ...compute!.dense(form, x, arrays, training), mask };
    const [kernel, bias] = arrays as [Tensor, Tensor?];
    const weights = { kernel, ...(bias && { bias }) };
    return {
      output: denseForward(x, weights, { activation }),
      mask,
      backward: (gradient) => {
        const g = denseBackward({ x, weights }, gradient, { activation });
        return { input: g.x, weights: [g.kernel, ...(g.bias === undefined ? [] : [g.bias])] };
      },
    };
  };

  return Object.freeze({
    className: "Dense",
    name,
    config: Object.freeze({
      units,
      activation: activationConfig(activation),
      use_bias: useBias,
    }),
    outputShape: (input: OpenShape) => [...input.slice(0, -1), checkInputSize(input) && units],
    weights: (input: OpenShape): WeightSpec[] => [
      { name: "kernel", shape: [checkInputSize(input), units], initialize: glorotUniform },
      ...(useBias ? [{ name: "bias", shape: [units], initialize: zeros }] : []),
    ],
    fast: (): FastForm | undefined => fast(),
    forward,
  });
}

function checkInputSize(input: OpenShape): number {
  const inputSize = input.at(-1);
  if (typeof inputSize === "number") return inputSize;
  throw new TypeError(
    `Cannot build a Dense as the last axis of its input must be known: ` +
      `current input is ${formatOpenShape(input)}, None the batch`,
  );
}
