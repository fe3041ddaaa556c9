// Convolutions and poolings: windows over a sample's places, one for all samples.

import { poolWindows, poolWindowsBackward } from "../../compute/pooling.ts";
import { gatherWindows, scatterWindows, type WindowPlaces } from "../../compute/windows.ts";
import type { FastConvolution, FastPooling } from "../../layers/fast_form.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { placesOfWindows } from "../../values/arrange.ts";
import { numbersOf } from "./chain.ts";
import { type FastRun, predicted } from "./fast_run.ts";
import type { LayerCompute } from "./layer_compute.ts";

/** What the windows of some samples see may take so many bytes at a time. */
const PART_BYTES = 2 ** 20;

/** The windows over `[batch, …space, channels]`. */
export interface PlacedWindows extends WindowPlaces {
  readonly counts: readonly number[];
}

/** Where the windows lie over axes of these lengths. */
export function placedWindows(
  { windowsIn }: Pick<FastConvolution, "windowsIn">,
  space: readonly number[],
): PlacedWindows {
  const windows = windowsIn(space);
  const places = Int32Array.from(placesOfWindows(space, windows).flat());
  return { places, taps: sizeOf(windows.sizes), length: sizeOf(space), counts: windows.counts };
}

/** A convolution of one group: a dense layer on what each window sees. */
export function fastConvolution(
  compute: LayerCompute,
  form: FastConvolution,
  x: Tensor,
  weights: readonly Tensor[],
  training: boolean,
): FastRun {
  const { batch, channels, space } = sizesOf(x);
  const windows = compute.windows(form, space);
  const shape = [batch, ...windows.counts, form.units];
  const dense = (x: Tensor) => {
    const [samples] = x.shape as [number];
    const rows = gatherWindows(numbersOf(x), windows, { batch: samples, channels });
    const width = windows.taps * channels;
    return compute.dense(form, new Tensor(rows, [rows.length / width, width]), weights, training);
  };
  const samples = Math.floor(PART_BYTES / (4 * windows.places.length * channels));
  if (training || batch <= samples) {
    const { output, backward } = dense(x);
    return {
      output: output.reshape(shape),
      backward: (gradient, options) => {
        const rows = output.shape;
        const { input, weights } = backward(gradient.reshape(rows), options);
        if (input === undefined) return { weights };
        const dx = scatterWindows(numbersOf(input), windows, { batch, channels });
        return { input: new Tensor(dx, x.shape), weights };
      },
    };
  }
  const all = new Float32Array(sizeOf(shape));
  const [each, made] = [sizeOf(x.shape.slice(1)), sizeOf(shape.slice(1))];
  const step = Math.max(1, samples);
  for (let n = 0; n < batch; n += step) {
    const count = Math.min(step, batch - n);
    const part = x.data.slice(n * each, (n + count) * each);
    all.set(dense(new Tensor(part, [count, ...x.shape.slice(1)])).output.data, n * made);
  }
  return predicted(all, shape);
}

/** A pooling, of all places where it is a global one. */
export function fastPooling(compute: LayerCompute, form: FastPooling, x: Tensor): FastRun {
  const { batch, channels, space } = sizesOf(x);
  const windows = compute.windows(form, space);
  const shape = [batch, ...(form.around ?? windows.counts), channels];
  const [data, sizes] = [numbersOf(x), { batch, channels }];
  const y = poolWindows(form.by, data, windows, sizes);
  return {
    output: new Tensor(y, shape),
    backward: (gradient) => {
      const dx = poolWindowsBackward(form.by, numbersOf(gradient), { x: data, y }, windows, sizes);
      return { input: new Tensor(dx, x.shape), weights: [] };
    },
  };
}

function sizesOf({ shape }: Tensor) {
  return { batch: shape[0]!, channels: shape.at(-1)!, space: shape.slice(1, -1) };
}
