// A gated layer's runs that leave its own at a step, many side by side: the step itself by the
// equations in float64, in which values are changed; those after it in float32.

import { SharedInput } from "../compute/shared_input.ts";
import type { FastGated } from "../layers/fast_form.ts";
import { gatedArrays } from "../model/fast/chain.ts";
import { numbersOfRun } from "../model/network.ts";
import { Tensor } from "../tensor/tensor.ts";
import { join, stepOf } from "../values/arrange.ts";
import { numbers } from "../values/numbers.ts";
import type { Ops } from "../values/ops.ts";
import { type Fork, repeated } from "./fork.ts";

type Floats = Float64Array<ArrayBuffer>;

/** What became of the runs: `[runs · samples, …]`, the samples of one run after those of another. */
interface Rows {
  /** The states after the last step. */
  readonly ends: readonly Tensor[];
  /** Every hidden state from the step on, in the order of computation, where the layer returns them. */
  readonly sequence: Tensor | undefined;
}

/** Changes a value of a site: `[samples, units]` in all runs alike, or `[runs · samples, units]`. */
type Change = (site: string, value: Tensor) => Tensor;

/** The runs of a layer from any of its steps on. */
export class PatchedRows {
  readonly #form: FastGated;
  readonly #fork: Fork;
  readonly #rest: SharedInput;
  readonly #ops = numbersOfRun(); // the weights are packed once for all runs

  constructor(form: FastGated, fork: Fork) {
    this.#form = form;
    this.#fork = fork;
    // what it is given is in the order of computation
    const layer = { ...form, goBackwards: false, ...gatedArrays(fork.weights) };
    this.#rest = new SharedInput(layer, fork.x.shape[2]!);
  }

  /**
   * So many runs from a step on, counted in the order of computation; there the values of its sites are
   * changed.
   */
  run(step: number, runs: number, change: Change): Rows {
    const { order, x: { shape: [samples] } } = this.#fork;
    const { returnSequences, units } = this.#form;
    const first = this.#step(step, runs, change);
    const steps = order.length - step - 1;
    const rows = runs * samples!;
    const hidden = first.at(-1)!.reshape([rows, 1, units]);
    if (steps === 0) return { ends: first, sequence: returnSequences ? hidden : undefined };
    const ends = first.map(() => new Float32Array(rows * units));
    const rest = new Float32Array(returnSequences ? rows * steps * units : 0);
    for (let n = 0; n < samples!; n++) {
      const own = first.map(({ data }) => rowsOfSample(data as Floats, n, samples!, units));
      const { states, sequence } = this.#rest.run(this.#inputFrom(step + 1, n), own);
      states.forEach((state, s) => putRows(state, ends[s]!, n, samples!, units));
      if (sequence !== undefined) putRows(sequence, rest, n, samples!, steps * units);
    }
    return {
      ends: ends.map((data) => new Tensor(data, [rows, units])),
      sequence: returnSequences
        ? join(numbers, [hidden, new Tensor(rest, [rows, steps, units])], 1)
        : undefined,
    };
  }

  /** The states after a step; what the runs have in common is computed once. */
  #step(step: number, runs: number, change: Change): Tensor[] {
    const { cell, functions, units } = this.#form;
    const { order, x, states, weights } = this.#fork;
    const samples = x.shape[0]!;
    const zeros = () => new Tensor(new Float64Array(samples * units), [samples, units]);
    const before = states.map((state) => step === 0 ? zeros() : state.select(1, order[step - 1]!));
    const [W, U, b] = weights as [Tensor, Tensor, Tensor?];
    const ops = withCommonRows(this.#ops, samples);
    const after = cell.step(ops, stepOf(ops, x, order[step]!), before, {
      ...{ W, U, b, ...functions },
      drop: {},
      at: change,
    });
    return after.map((state) => state.shape[0] === samples ? repeated(state, runs) : state);
  }

  /** A sample's x from a step on, in the order of computation. */
  #inputFrom(step: number, n: number): Floats {
    const { order, x: { data, shape } } = this.#fork;
    const [, timesteps, size] = shape as [number, number, number];
    const input = new Float64Array((order.length - step) * size);
    for (let k = step; k < order.length; k++) {
      const from = (n * timesteps + order[k]!) * size;
      input.set(data.subarray(from, from + size), (k - step) * size);
    }
    return input;
  }
}

/** Where values of all runs meet values that the runs have in common, those are repeated. */
function withCommonRows(o: Ops<Tensor>, samples: number): Ops<Tensor> {
  const alike = (xs: readonly Tensor[]) => {
    const rows = Math.max(...xs.map(({ shape }) => shape[0]!));
    return xs.map((x) => x.shape[0] === samples ? repeated(x, rows / samples) : x);
  };
  return {
    ...o,
    affine: (terms, b) => {
      const xs = alike(terms.map(([x]) => x));
      return o.affine(terms.map(([, W], k) => [xs[k]!, W]), b);
    },
    sumOfProducts: (...pairs) => {
      const xs = alike(pairs.flat());
      return o.sumOfProducts(...pairs.map((_, k) => [xs[2 * k]!, xs[2 * k + 1]!] as const));
    },
    add: (...xs) => o.add(...alike(xs)),
  };
}

/** The rows of one sample, which are so many apart. */
function rowsOfSample(
  from: Floats,
  n: number,
  samples: number,
  length: number,
): Floats {
  if (samples === 1) return from;
  const rows = new Float64Array(from.length / samples);
  for (let at = 0, k = n * length; at < rows.length; at += length, k += samples * length) {
    rows.set(from.subarray(k, k + length), at);
  }
  return rows;
}

/** The other way. */
function putRows(
  rows: Float32Array,
  into: Float32Array,
  n: number,
  samples: number,
  length: number,
): void {
  for (let at = 0, k = n * length; at < rows.length; at += length, k += samples * length) {
    into.set(rows.subarray(at, at + length), k);
  }
}
