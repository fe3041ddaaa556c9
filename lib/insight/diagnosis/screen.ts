// Many readings of the same arrays, each run on one sample after the other until it is out of the
// question.

import type { Work } from "../../base/work.ts";
import { blocksOf } from "../../cells/cell.ts";
import type { SiteName } from "../../cells/sites.ts";
import {
  activationCurves,
  type ElementwiseActivationName,
} from "../../values/activation_curves.ts";
import type { ActivationName } from "../../values/activations.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { relativeDistance } from "../../values/bounds/float32.ts";
import type { FlatRun, Floats } from "./flat_steps.ts";
import type { Choice, Questions } from "./readings.ts";
import type { Wanted } from "./wanted.ts";

/** So many multiplications are a piece: some milliseconds. */
const PIECE = 2e6;

/** How a reading's run compares. */
export interface Screened {
  /** The largest difference, relative above 1; of those that were seen before the reading was out. */
  readonly difference: number;
  /** A number that two runs share where they have the same results. */
  readonly fingerprint: number;
}

/** Runs readings on the same input. */
export class Screen {
  readonly #questions: Questions;
  readonly #prediction: Tensor | undefined;
  /** What is expected at each of the cell's sites. */
  readonly #inside: readonly (Tensor | undefined)[];
  readonly #x: Tensor;
  readonly #run: FlatRun;
  /** x·W + b of all samples and timesteps, for the kernel and bias they were computed with. */
  #sums: { readonly W: Tensor; readonly b: Tensor; readonly data: Floats } | undefined;
  readonly #logits: Floats;
  /** Multiplications since the last piece was over, about. */
  #sinceYield = 0;
  readonly #functions = new Map<string, (x: number) => number>();

  /** Readings of these arrays on x, `[batch, timesteps, inputSize]`. */
  constructor(questions: Questions, x: Tensor, { prediction, inside }: Wanted) {
    const { units, of: { cell }, dense } = questions.arrays;
    this.#questions = questions;
    this.#prediction = prediction;
    const wanted = cell.sites.map((site) => inside[site as SiteName]);
    this.#inside = wanted.some((tensor) => tensor !== undefined) ? wanted : [];
    this.#x = x;
    const floats = (length: number) => new Float64Array(length);
    this.#logits = floats(dense?.bias.data.length ?? 0);
    const width = blocksOf(cell) * units;
    this.#run = {
      units,
      width,
      sums: floats(0),
      row: 0,
      U: floats(0),
      b_h: undefined,
      starts: [],
      φ: Math.tanh,
      σ: Math.tanh,
      equations: { forgetBias: 0, reset: "after", update: "z" },
      z: floats(width),
      rh: floats(units),
      h: floats(units),
      c: floats(units),
      seen: cell.sites.map(() => floats(units)),
    };
  }

  /** Multiplications for a run of one sample, about. */
  get cost(): number {
    const { units, width } = this.#run;
    return this.#x.shape[1]! * units * (width + 100);
  }

  /** Runs a reading, until a difference is above `most`. */
  *run(choice: Choice, most: number): Work<Screened> {
    const { kernel, recurrentKernel, bias: { rows }, gateOrder: { blocks } } = choice;
    const run = this.#run;
    run.sums = this.#inputSums(kernel.tensor, rows[0]!);
    run.U = recurrentKernel.tensor.data as Floats;
    run.b_h = rows[1]?.data as Floats | undefined;
    run.starts = blocks.map((block) => block * run.units);
    run.φ = this.#function(choice.activation);
    run.σ = this.#function(choice.recurrentActivation);
    run.equations = choice;
    const [batch] = this.#x.shape as [number];
    const result = { difference: 0, fingerprint: 0 };
    for (let n = 0; n < batch && result.difference <= most; n++) {
      yield* this.#sample(choice, n, most, result);
    }
    return result;
  }

  *#sample(choice: Choice, n: number, most: number, result: Mutable<Screened>): Work<void> {
    const { step } = this.#questions.arrays.of;
    const [samples, timesteps] = this.#x.shape as [number, number, number];
    const cost = this.cost / timesteps;
    const run = this.#run;
    run.h.fill(0);
    run.c.fill(0);
    const prediction = this.#prediction;
    const each = prediction?.shape.length === 3;
    const isReversed = choice.time === "reversed";
    for (let k = 0; k < timesteps; k++) {
      const t = isReversed ? timesteps - 1 - k : k;
      run.row = (n * timesteps + t) * run.width;
      step(run);
      if (this.#inside.length > 0) this.#look((n * timesteps + t) * run.units, result);
      if (prediction !== undefined && (each || k === timesteps - 1)) {
        // Keras's sequences come in the order of computation.
        this.#predict(choice, each ? n * timesteps + k : n, prediction, result);
      }
      if (!(result.difference <= most)) return;
      this.#sinceYield += cost;
      if (this.#sinceYield < PIECE) continue;
      this.#sinceYield = 0;
      yield (n + (k + 1) / timesteps) / samples;
    }
  }

  /** Compares what the step left at each site. */
  #look(start: number, result: Mutable<Screened>): void {
    const { seen, units } = this.#run;
    for (let site = 0; site < seen.length; site++) {
      const expected = this.#inside[site]?.data;
      if (expected === undefined) continue;
      for (let unit = 0; unit < units; unit++) {
        const at = start + unit;
        note(result, seen[site]![unit]!, expected[at], at + site / 8);
      }
    }
  }

  #predict(choice: Choice, row: number, prediction: Tensor, result: Mutable<Screened>): void {
    const { dense } = this.#questions.arrays;
    const { h } = this.#run;
    const width = prediction.shape.at(-1)!;
    let output: ArrayLike<number> = h;
    if (dense !== undefined) {
      const kernel = choice.denseKernel!.tensor.data;
      const logits = this.#logits;
      logits.set(dense.bias.data);
      for (let j = 0; j < h.length; j++) {
        for (let k = 0; k < width; k++) logits[k]! += h[j]! * kernel[j * width + k]!;
      }
      const name = choice.denseActivation;
      if (name === "softmax") softmaxInto(logits);
      else {
        const f = this.#function(name);
        for (let k = 0; k < width; k++) logits[k] = f(logits[k]!);
      }
      output = logits;
    }
    for (let k = 0; k < width; k++) {
      const at = row * width + k;
      note(result, output[k]!, prediction.data[at], at + 0.5);
    }
  }

  #inputSums(W: Tensor, b: Tensor): Floats {
    if (this.#sums?.W === W && this.#sums.b === b) return this.#sums.data;
    const x = this.#x.data;
    const [batch, timesteps, inputSize] = this.#x.shape as [number, number, number];
    const { width } = this.#run;
    const rows = batch * timesteps;
    const data = new Float64Array(rows * width);
    for (let row = 0; row < rows; row++) {
      data.set(b.data, row * width);
      for (let j = 0; j < inputSize; j++) {
        const factor = x[row * inputSize + j]!;
        for (let k = 0; k < width; k++) data[row * width + k]! += factor * W.data[j * width + k]!;
      }
    }
    this.#sums = { W, b, data };
    return data;
  }

  #function(name: ActivationName): (x: number) => number {
    let found = this.#functions.get(name);
    if (found === undefined) {
      const { defaults, make } = activationCurves[name as ElementwiseActivationName];
      found = make(defaults).f;
      this.#functions.set(name, found);
    }
    return found;
  }
}

type Mutable<T> = { -readonly [key in keyof T]: T[key] };

/** One number of a run, beside the expected one; `place` weighs it in the fingerprint. */
function note(
  result: Mutable<Screened>,
  actual: number,
  expected: number | undefined,
  place: number,
): void {
  if (expected === undefined) return;
  const difference = relativeDistance(actual, expected);
  // NaN is as far off as can be.
  if (!(difference <= result.difference)) {
    result.difference = Number.isNaN(difference) ? Infinity : difference;
  }
  result.fingerprint += actual * Math.cos(place + 1);
}

/** In place. */
function softmaxInto(logits: Floats): void {
  let max = -Infinity;
  for (let k = 0; k < logits.length; k++) max = Math.max(max, logits[k]!);
  let total = 0;
  for (let k = 0; k < logits.length; k++) total += logits[k] = Math.exp(logits[k]! - max);
  for (let k = 0; k < logits.length; k++) logits[k]! /= total;
}
