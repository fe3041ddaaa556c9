import { Tensor } from "../tensor/tensor.ts";
import { where } from "../values/arrange.ts";
import { defineLayer, formatOpenShape, type Layer, type Mask, type OpenShape } from "./layer.ts";
import { checkOptions, definedOptions, type LayerName, numberRule } from "./layer_options.ts";
import type { LayerKind } from "./kind.ts";

/** The options of a masking layer. */
export interface MaskingOptions extends LayerName {
  /** A timestep whose values are all this one does not count. Default: 0. */
  readonly maskValue?: number;
}

/**
 * Masking: timesteps whose values are all `maskValue` become zeros and are passed over by the
 * layers that follow. The values are compared in float32, as Keras does.
 * Source: keras/src/layers/core/masking.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { lstm, masking, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([masking(), lstm({ units: 4 })], { inputShape: [null, 2] });
 * const short = model.predict([[[1, 2], [3, 4]]]);
 * const padded = model.predict([[[1, 2], [3, 4], [0, 0], [0, 0]]]);
 * assertEquals(padded.toArray(), short.toArray());
 * ```
 */
export function masking(options: MaskingOptions = {}): Layer {
  const chosen = { maskValue: 0, ...definedOptions("a Masking", options) };
  checkOptions("a Masking", chosen, { maskValue: numberRule });
  const { name, maskValue } = chosen;
  return defineLayer({
    className: "Masking",
    name,
    config: { mask_value: maskValue },
    makesMask: true,
    overTime: "each",
    outputShape: checkedSequence,
    weights: () => [],
    run: (o, [x]) => {
      const mask = maskOf(o.numbers(x!), Math.fround(maskValue));
      return { outputs: [where(o, mask, x!)], mask };
    },
  });
}

/** `[batch, timesteps]`: 1 where any value of a step is another one. */
function maskOf(x: Tensor, maskValue: number): Mask {
  const [batch, timesteps, size] = x.shape as [number, number, number];
  const data = new Float64Array(batch * timesteps);
  x.data.forEach((value, k) => {
    if (Math.fround(value) !== maskValue) data[Math.floor(k / size)] = 1;
  });
  return new Tensor(data, [batch, timesteps]);
}

function checkedSequence(input: OpenShape): OpenShape {
  if (input.length === 2) return input;
  throw new TypeError(
    `Cannot build a Masking: its input must be [timesteps, inputSize], ` +
      `but the input is ${formatOpenShape(input)}, None the batch`,
  );
}

/** Keras's Masking. */
export const MASKING: LayerKind = {
  className: "Masking",
  options: ["mask_value"],
  read: ({ name, mask_value: maskValue }) =>
    masking({ name, maskValue: (maskValue ?? 0) as number }),
};
