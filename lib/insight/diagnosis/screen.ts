// Many readings of the same arrays, each run on one sample after the other until it is out of the
// question: `step` of lib/cells/lstm.ts on flat arrays, with the gates wherever a reading has them.

import {
  activationCurves,
  type ElementwiseActivationName,
} from "../../values/activation_curves.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { lstmValues } from "../../cells/lstm.ts";
import { relativeDistance } from "../../values/bounds/float32.ts";
import type { Choice, Questions } from "./readings.ts";
import type { Wanted } from "./wanted.ts";

/** How a reading's run compares. */
export interface Screened {
  /** The largest difference, relative above 1; of those that were seen before the reading was out. */
  readonly difference: number;
  /** A number that two runs share where they have the same results. */
  readonly fingerprint: number;
}

type Floats = Float64Array<ArrayBuffer>;

/** Runs readings on the same input. */
export class Screen {
  readonly #questions: Questions;
  readonly #wanted: Wanted;
  readonly #x: Tensor;
  readonly #units: number;
  readonly #steps: { readonly z: Floats; readonly h: Floats; readonly c: Floats };
  /** x·W + b of all samples and timesteps, for the kernel and bias they were computed with. */
  #sums: { readonly W: Tensor; readonly b: Tensor; readonly data: Floats } | undefined;
  readonly #logits: Floats;
  readonly #functions = new Map<string, (x: number) => number>();

  /** Readings of these arrays on x, `[batch, timesteps, inputSize]`. */
  constructor(questions: Questions, x: Tensor, wanted: Wanted) {
    const { units } = questions.arrays;
    this.#questions = questions;
    this.#wanted = wanted;
    this.#x = x;
    this.#units = units;
    const floats = (length: number) => new Float64Array(length);
    this.#logits = floats(questions.arrays.dense?.bias.data.length ?? 0);
    this.#steps = { z: floats(4 * units), h: floats(units), c: floats(units) };
  }

  /** Multiplications for a run of one sample, about. */
  get cost(): number {
    const timesteps = this.#x.shape[1]!;
    return timesteps * this.#units * (4 * this.#units + 100);
  }

  /** Runs a reading, until a difference is above `most`. */
  run(choice: Choice, most: number): Screened {
    const [batch] = this.#x.shape as [number];
    const result = { difference: 0, fingerprint: 0 };
    for (let n = 0; n < batch && result.difference <= most; n++) {
      this.#sample(choice, n, most, result);
    }
    return result;
  }

  #sample(choice: Choice, n: number, most: number, result: Mutable<Screened>): void {
    const { arrays, orders, forgetBias, reversed } = this.#questions;
    const kernels = arrays.kernels[choice.kernels]!;
    const W = kernels.kernel[choice.kernel]!.tensor;
    const U = kernels.recurrentKernel[choice.recurrentKernel]!.tensor.data;
    const sums = this.#inputSums(W, arrays.bias[choice.bias]!.tensor);
    const φ = this.#function(this.#questions.activations[choice.activation]!);
    const σ = this.#function(this.#questions.recurrentActivations[choice.recurrentActivation]!);
    const added = forgetBias[choice.forgetBias]!;
    const units = this.#units;
    const [i, f, c, o] = orders[choice.order]!.blocks.map((block) => block * units) as [
      number,
      number,
      number,
      number,
    ];
    const timesteps = this.#x.shape[1]!;
    const { z, h, c: cell } = this.#steps;
    h.fill(0);
    cell.fill(0);
    const { prediction, inside } = this.#wanted;
    const wantsInside = lstmValues.some((value) => inside[value] !== undefined);
    const each = prediction?.shape.length === 3;
    const width = 4 * units;
    for (let k = 0; k < timesteps; k++) {
      const t = reversed[choice.time] ? timesteps - 1 - k : k;
      const row = (n * timesteps + t) * width;
      for (let column = 0; column < width; column++) z[column] = sums[row + column]!;
      for (let j = 0; k > 0 && j < units; j++) {
        const factor = h[j]!;
        const start = j * width;
        if (factor === 0) continue;
        for (let column = 0; column < width; column++) z[column]! += factor * U[start + column]!;
      }
      for (let unit = 0; unit < units; unit++) {
        const gate_i = σ(z[i + unit]!);
        const gate_f = σ(z[f + unit]! + added);
        const candidate = φ(z[c + unit]!);
        const gate_o = σ(z[o + unit]!);
        const next = gate_f * cell[unit]! + gate_i * candidate;
        cell[unit] = next;
        h[unit] = gate_o * φ(next);
        if (!wantsInside) continue;
        const at = (n * timesteps + t) * units + unit;
        note(result, gate_i, inside["gates.input"]?.data[at], at);
        note(result, gate_f, inside["gates.forget"]?.data[at], at + 0.2);
        note(result, candidate, inside["gates.candidate"]?.data[at], at + 0.4);
        note(result, gate_o, inside["gates.output"]?.data[at], at + 0.6);
        note(result, next, inside.cellState?.data[at], at + 0.8);
        note(result, h[unit]!, inside.hiddenState?.data[at], at + 0.9);
      }
      if (prediction !== undefined && (each || k === timesteps - 1)) {
        // Keras's sequences come in the order of computation.
        this.#predict(choice, each ? n * timesteps + k : n, prediction, result);
      }
      if (!(result.difference <= most)) return;
    }
  }

  #predict(choice: Choice, row: number, prediction: Tensor, result: Mutable<Screened>): void {
    const { arrays: { dense }, denseActivations } = this.#questions;
    const { h } = this.#steps;
    const width = prediction.shape.at(-1)!;
    let output: ArrayLike<number> = h;
    if (dense !== undefined) {
      const kernel = dense.kernel[choice.denseKernel]!.tensor.data;
      const logits = this.#logits;
      logits.set(dense.bias.data);
      for (let j = 0; j < h.length; j++) {
        for (let k = 0; k < width; k++) logits[k]! += h[j]! * kernel[j * width + k]!;
      }
      const name = denseActivations[choice.denseActivation]!;
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
    const width = 4 * this.#units;
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

  #function(name: Questions["activations"][number]): (x: number) => number {
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
