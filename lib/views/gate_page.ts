// Gates and states that the page computes itself, where inputs and weights are fewer numbers than they:
// by the equations that the gate sliders bring.

import { toBase64 } from "../display/base64.ts";
import { scriptJson } from "../display/html.ts";
import { withoutNumbers } from "../display/figure_numbers.ts";
import type { Plain, PlainFigure } from "../display/plain_figure.ts";
import { arraysOf, CELLS } from "../cells/cell_of_trace.ts";
import { runOf } from "../cells/traced_run.ts";
import { PAGE_EQUATIONS } from "../insight/page_bundle.ts";
import { asFloat64, type Tensor, type TensorLike } from "../tensor/tensor.ts";
import { lstmActivation } from "../values/activations.ts";
import { isBuiltIn } from "../values/built_in.ts";
import type { Shown, ShownLayer } from "./gate_figure.ts";

/** Inputs and weights, 16 bits each, beside the equations' 22 kB. */
const MOST_BYTES = 64_000;
/** How far a number of the page may be from the trace's, as a part of it, or of 1 where it is below. */
const SAME = 1e-3;

type ByName = Readonly<Record<string, TensorLike | undefined>>;

/**
 * The page's function that computes a figure's numbers; undefined where it cannot, or would get other
 * ones, as after an intervention: it is tried here.
 */
export function computedNumbers(
  figure: PlainFigure,
  layers: readonly ShownLayer[],
  shown: readonly Shown[],
  samples: readonly number[],
): string | undefined {
  const runs = layers.map(({ trace }) => packedRun(trace)).filter((run) => run !== undefined);
  if (runs.length < layers.length) return undefined;
  if (runs.reduce((sum, { bytes }) => sum + bytes, 0) > MOST_BYTES) return undefined;
  const page = {
    runs: runs.map((run) => run.page),
    layers: layers.map(({ units, timesteps }) => ({ units, timesteps })),
    shown,
    samples,
  };
  const numbers = `(${COMPUTE})(() => {\n${PAGE_EQUATIONS}\n}, ${scriptJson(page)})`;
  const without = withoutNumbers(figure);
  const found = new Function(`return ${numbers}`)()(structuredClone(without));
  const isSame = figure.frames.every(({ data }, k) =>
    difference(data as Plain[], found.frames[k].data) <= SAME
  );
  return isSame ? numbers : undefined;
}

/** What the page runs, and its numbers' bytes. */
function packedRun(trace: ShownLayer["trace"]): { page: object; bytes: number } | undefined {
  const run = runOf(trace);
  if (run === undefined) return undefined;
  const { x, weights, options, cell = CELLS[0]! } = run;
  const { activation = "tanh", recurrentActivation = "sigmoid", goBackwards, mask } = options;
  const functions = [lstmActivation(activation), lstmActivation(recurrentActivation)];
  if (!CELLS.includes(cell) || !functions.every(isBuiltIn)) return undefined;
  const arrays = arraysOf(cell).map(([name]) => (weights as unknown as ByName)[name])
    .filter((array) => array !== undefined);
  const start = options.initialState as ByName | undefined;
  const given: TensorLike[] = [
    x,
    ...arrays,
    ...(mask === undefined ? [] : [mask]),
    ...(start === undefined ? [] : cell.states.map((state) => start[state]!)),
  ];
  const tensors = given.map(asFloat64);
  if (tensors.some(({ data }) => !data.every(Number.isFinite))) return undefined;
  const bytes = 2 * tensors.reduce((sum, { data }) => sum + data.length, 0);
  if (bytes > MOST_BYTES) return undefined;
  return {
    bytes,
    page: {
      cell: CELLS.indexOf(cell),
      functions: functions.map(({ activationName, options }) => [activationName, options]),
      goBackwards: goBackwards === true,
      weights: arrays.length,
      isMasked: mask !== undefined,
      tensors: tensors.map(packedTensor),
    },
  };
}

/** In steps of a 65,535th of its range. */
function packedTensor({ data, shape }: Tensor): object {
  let [low, high] = [Infinity, -Infinity];
  for (const value of data) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const step = (high - low) / 65_535 || 1;
  const codes = Uint16Array.from(data, (value) => Math.round((value - low) / step));
  return { base64: toBase64(new Uint8Array(codes.buffer)), shape, low, step };
}

/** The largest, as a part of the number or of 1. */
function difference(traces: readonly Plain[], found: readonly Plain[]): number {
  let most = 0;
  traces.forEach(({ z, y }, k) => {
    const theirs = (found[k]!.z ?? found[k]!.y) as unknown[];
    const [a, b] = [[z ?? y].flat(2), theirs.flat()] as [number[], number[]];
    a.forEach((value, i) => {
      const off = Math.abs(value - b[i]!) / Math.max(1, Math.abs(value));
      most = Math.max(most, Number.isNaN(off) ? Infinity : off);
    });
  });
  return most;
}

/** In the page: runs each layer over all samples, and puts the values in the figure and its frames. */
const COMPUTE = `(equations, page) => (figure) => {
  const lib = equations();
  const numbers = ({ base64, shape, low, step }) => {
    const { buffer } = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    return new lib.Tensor(Float64Array.from(new Uint16Array(buffer), (code) => low + step * code), shape);
  };
  const runs = page.runs.map(({ cell: index, functions, goBackwards, weights, isMasked, tensors }) => {
    const cell = lib.CELLS[index];
    const [x, ...rest] = tensors.map(numbers);
    const all = rest.splice(0, weights);
    const mask = isMasked ? rest.shift() : undefined;
    const [W, U, b] = all;
    const [φ, σ] = functions.map(([name, options]) => lib.getActivation(name, options));
    const [batch, units] = [x.shape[0], U.shape[0]];
    const zeros = () => new lib.Tensor(new Float64Array(batch * units), [batch, units]);
    const start = rest.length > 0 ? rest : cell.states.map(zeros);
    return lib.runCell(lib.numbers, cell, {
      x, weights: { W, U, b, all }, functions: { φ, σ }, start, mask, goBackwards,
    }).steps;
  });
  const shownAt = (sample) => page.shown.map(({ layer, site, unit }) => {
    const { units, timesteps: [from, to] } = page.layers[layer];
    const steps = runs[layer].slice(from, to).map(({ values }) => values[site]);
    const row = (u) => steps.map(({ data, shape }) => Number(data[sample * shape[1] + u].toPrecision(4)));
    return unit === undefined ? { z: units.map(row) } : { y: row(unit) };
  });
  page.samples.forEach((sample, k) => {
    const values = shownAt(sample);
    const { name, data } = figure.frames[k];
    data.forEach((trace, at) => Object.assign(trace, values[at]));
    if (figure.layout.sliders[0].active === k) {
      figure.data.forEach((trace, at) => Object.assign(trace, values[at]));
    }
  });
  return figure;
}`;
