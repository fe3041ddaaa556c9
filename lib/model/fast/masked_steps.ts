// A recurrent layer that passes over masked steps, by one that knows no mask: a masked step keeps the state, so
// each sample's other steps may follow each other at once, and only their results must find their
// places again.

import type { GatedForm } from "../../compute/gated_layer.ts";
import type { Mask } from "../../layers/layer.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { FastRun } from "./fast_run.ts";
import type { GatedRun, SiteValues } from "./layer_compute.ts";

/** Whether a step is masked at all. */
export function masksSteps(mask: Mask | undefined): mask is Mask {
  return mask !== undefined && mask.data.includes(0);
}

/**
 * The run of a recurrent layer under a mask.
 *
 * @param run one of that form without a mask, from the first step to the last
 * @param zeroOutput whether a masked step gives zeros instead of the result before it
 */
export function underMask(
  form: GatedForm,
  x: Tensor,
  mask: Mask,
  zeroOutput: boolean,
  run: (form: GatedForm, x: Tensor) => FastRun,
): FastRun {
  const [batch, timesteps, inputSize] = x.shape as [number, number, number];
  const { units, returnSequences = false, goBackwards = false } = form;
  const order = stepsOf(mask, goBackwards, zeroOutput);
  const inner = run(
    { ...form, returnSequences: true, goBackwards: false },
    new Tensor(copyRows(x, inputSize, batch * timesteps, order.inputs), x.shape),
  );
  const outputs = returnSequences
    ? order.outputs
    : order.outputs.filter((_, k) => k % timesteps === timesteps - 1);
  const toOutput = outputs.map((step, row) => [step, row] as const).filter(([step]) => step >= 0);
  const rows = outputs.length;
  return {
    output: new Tensor(
      copyRows(inner.output, units, rows, toOutput),
      returnSequences ? [batch, timesteps, units] : [batch, units],
    ),
    backward: (gradient, options) => {
      const back = toOutput.map(([step, row]) => [row, step] as const);
      const bySteps = copyRows(gradient, units, batch * timesteps, back);
      const { input, weights } = inner.backward(
        new Tensor(bySteps, [batch, timesteps, units]),
        options,
      );
      if (input === undefined) return { weights };
      const toInput = order.inputs.map(([from, to]) => [to, from] as const);
      const data = copyRows(input, inputSize, batch * timesteps, toInput);
      return { input: new Tensor(data, x.shape), weights };
    },
  };
}

/**
 * The same in prediction, with the values of every site in the order of the input. What the gates of a
 * masked step would have been (nothing comes of them) the equations tell.
 *
 * @param gates of rows `[rows, inputSize]`, by the hidden states before them
 */
export function recordedUnderMask(
  form: GatedForm,
  x: Tensor,
  mask: Mask,
  zeroOutput: boolean,
  run: (form: GatedForm, x: Tensor) => GatedRun,
  gates: (x: Tensor, hiddenState: Tensor) => SiteValues,
): GatedRun {
  let recorded: SiteValues | undefined;
  const inner = (form: GatedForm, packed: Tensor) => {
    const found = run(form, packed);
    recorded = found.sites;
    return found;
  };
  const result = underMask(form, x, mask, zeroOutput, inner);
  const [batch, timesteps, inputSize] = x.shape as [number, number, number];
  const { units, goBackwards = false } = form;
  const rows = batch * timesteps;
  const { outputs } = stepsOf(mask, goBackwards, false);
  const moves = outputs.map((step, row) => [step, row] as const).filter(([step]) => step >= 0);
  const sites = new Map(
    [...recorded!].map(([site, values]) => {
      const placed = new Tensor(copyRows(values, units, rows, moves), [batch, timesteps, units]);
      return [site, goBackwards ? reverseTimesteps(placed) : placed];
    }),
  );
  const masked = Array.from(mask.data.keys()).filter((row) => mask.data[row] === 0);
  const take = (values: Tensor, width: number) =>
    new Tensor(
      copyRows(values, width, masked.length, masked.map((row, k) => [row, k] as const)),
      [masked.length, width],
    );
  const hidden = sites.get("hiddenState")!; // a masked step keeps h
  for (const [site, values] of gates(take(x, inputSize), take(hidden, units))) {
    masked.forEach((row, k) => sites.get(site)!.data.set(values.at(k).data, row * units));
  }
  return { ...result, sites };
}

/**
 * Which row of x goes where, and for each result (in the order of computation) the row of the inner
 * run that has it; −1 for zeros.
 */
function stepsOf(mask: Mask, goBackwards: boolean, zeroOutput: boolean) {
  const [batch, timesteps] = mask.shape as [number, number];
  const inputs: (readonly [from: number, to: number])[] = [];
  const outputs: number[] = [];
  for (let n = 0; n < batch; n++) {
    const first = n * timesteps;
    let next = first;
    for (let k = 0; k < timesteps; k++) {
      const row = first + (goBackwards ? timesteps - 1 - k : k);
      const counts = mask.data[row] !== 0;
      if (counts) inputs.push([row, next++]);
      outputs.push(next === first || zeroOutput && !counts ? -1 : next - 1);
    }
  }
  return { inputs, outputs };
}

/** Rows added up at their new places among `rows`; zeros elsewhere. */
function copyRows(
  { data }: Tensor,
  width: number,
  rows: number,
  moves: readonly (readonly [from: number, to: number])[],
): Float32Array<ArrayBuffer> {
  const result = new Float32Array(rows * width);
  for (const [from, to] of moves) {
    for (let k = 0; k < width; k++) result[to * width + k]! += data[from * width + k]!;
  }
  return result;
}

/** The last timestep first, in the numbers' own kind. */
export function reverseTimesteps(sequence: Tensor): Tensor {
  const [batch, timesteps, size] = sequence.shape as [number, number, number];
  const data = sequence.data.slice();
  for (let n = 0; n < batch; n++) {
    for (let t = 0; t < timesteps; t++) {
      const from = ((n + 1) * timesteps - 1 - t) * size;
      data.set(sequence.data.subarray(from, from + size), (n * timesteps + t) * size);
    }
  }
  return new Tensor(data, sequence.shape);
}
