// A gated layer's runs that leave its own at a step, many side by side: the step itself by the
// equations in float64, in which values are changed; those after it in float32.

import { part, type Work } from "../base/work.ts";
import type { Numbers } from "../compute/gated_layer.ts";
import { SharedInput } from "../compute/shared_input.ts";
import type { FastGated } from "../layers/fast_form.ts";
import { gatedArrays } from "../model/fast/chain.ts";
import { type Network, numbersOfRun } from "../model/network.ts";
import { Tensor } from "../tensor/tensor.ts";
import { type EarlyEnds, earlyEnds, PIECE } from "./early_ends.ts";
import { type Fork, inputOf } from "./fork.ts";
import { type Change, patchedStep } from "./patched_step.ts";

/** What became of the runs: `[runs · samples, …]`, the samples of one run after those of another. */
interface Rows {
  /** The states after the last step. */
  readonly ends: readonly Tensor[];
  /** Every hidden state from the step on, in the order of computation, where the layer returns them. */
  readonly sequence: Tensor | undefined;
  /** Of a run that ended before, whose states are the last run's: what its own add to the output. */
  readonly more: Float64Array;
}

/** The same of one sample, where the states and the sequences go. */
interface SampleRows {
  readonly ends: readonly Float32Array[];
  readonly sequence: Float32Array;
  readonly more: Float64Array;
}

/** What the runs are of, and which output they are for. */
interface Patched {
  readonly form: FastGated;
  readonly fork: Fork;
  readonly target: number;
}

/** The runs of a layer from any of its steps on. */
export class PatchedRows {
  readonly #form: FastGated;
  readonly #fork: Fork;
  readonly #rest: SharedInput;
  readonly #findEnds: () => Work<EarlyEnds>;
  #earlyEnds: EarlyEnds | undefined;
  #isFirst = true;
  readonly #ops = numbersOfRun(); // the weights are packed once for all runs

  constructor(network: Network, inputs: readonly Tensor[], patched: Patched) {
    const { form, fork } = patched;
    this.#form = form;
    this.#fork = fork;
    // what it is given is in the order of computation
    const layer = { ...form, goBackwards: false, ...gatedArrays(fork.weights) };
    this.#rest = new SharedInput(layer, fork.x.shape[2]!);
    this.#findEnds = () => earlyEnds(network, inputs, patched, this.#rest);
  }

  /**
   * So many runs from a step on, counted in the order of computation; there the values of its sites are
   * changed, in all runs but the last.
   */
  *run(step: number, runs: number, change: Change): Work<Rows> {
    const { order, x: { shape: [samples] } } = this.#fork;
    const { returnSequences, units } = this.#form;
    // the first runs of all are to be seen soon
    if (this.#isFirst) this.#isFirst = false;
    else this.#earlyEnds ??= yield* part(this.#findEnds(), 0, 0);
    const first = patchedStep(this.#ops, this.#form, this.#fork, { step, runs, change });
    const [rows, steps] = [runs * samples!, order.length - step];
    const ends = first.map(() => new Float32Array(rows * units));
    const sequence = new Float32Array(returnSequences ? rows * steps * units : 0);
    const more = new Float64Array(rows);
    for (let n = 0; n < samples!; n++) {
      const own = first.map(({ data }) => rowsOfSample(data as Floats, n, samples!, units));
      const sample = yield* part(this.#runSample(step, n, own), n / samples!, (n + 1) / samples!);
      sample.ends.forEach((state, s) => putRows(state, ends[s]!, n, samples!, units));
      putRows(sample.sequence, sequence, n, samples!, steps * units);
      putRows(sample.more, more, n, samples!, 1);
    }
    return {
      ends: ends.map((data) => new Tensor(data, [rows, units])),
      sequence: returnSequences ? new Tensor(sequence, [rows, steps, units]) : undefined,
      more,
    };
  }

  /** The runs of one sample, from the states after a step. */
  *#runSample(step: number, n: number, first: readonly Floats[]): Work<SampleRows> {
    const { order, states: own } = this.#fork;
    const { units, returnSequences } = this.#form;
    const [runs, steps] = [first[0]!.length / units, order.length - step];
    const sequence = new Float32Array(returnSequences ? runs * steps * units : 0);
    const keep = (hidden: Numbers, at: number, count: number) => {
      for (let run = 0; run < (returnSequences ? runs : 0); run++) {
        const from = hidden.subarray(run * count * units, (run + 1) * count * units);
        sequence.set(from, (run * steps + at - step) * units);
      }
    };
    keep(first.at(-1)!, step, 1);
    const more = new Float64Array(runs);
    let states: readonly Numbers[] = first;
    let going = Array.from(more, (_, run) => run);
    for (let at = step + 1; at < order.length && going.length > 1;) {
      const to = Math.min(order.length, (Math.floor(at / PIECE) + 1) * PIECE);
      const piece = this.#rest.run(inputOf(this.#fork, n, at, to), states);
      states = piece.states;
      if (returnSequences) keep(piece.sequence!, at, to - at);
      at = to;
      const over = this.#earlyEnds?.after(at, n, states) ?? new Map<number, number>();
      over.forEach((difference, k) => more[going[k]!] = difference);
      const still = going.map((_, k) => k).filter((k) => !over.has(k));
      states = states.map((state) => pickRows(state, still, units));
      going = still.map((k) => going[k]!);
      yield (at - step) / steps;
    }
    // where nobody goes on, the last run need not either
    const last = own.map((state) => state.at(n, order.at(-1)!).data);
    const isOver = going.length === 1;
    const ends = states.map((state, s) => {
      const end = isOver ? last[s]! : state.subarray((going.length - 1) * units);
      const all = new Float32Array(runs * units);
      for (let run = 0; run < runs; run++) all.set(end, run * units);
      if (!isOver) going.forEach((run, k) => all.set(rowOf(state, k, units), run * units));
      return all;
    });
    return { ends, sequence, more };
  }
}

type Floats = Float64Array<ArrayBuffer>;

function rowOf(state: Numbers, row: number, units: number): Numbers {
  return state.subarray(row * units, (row + 1) * units);
}

/** These rows alone, where they are not all. */
function pickRows(state: Numbers, rows: readonly number[], units: number): Numbers {
  if (rows.length * units === state.length) return state;
  const picked = new Float32Array(rows.length * units);
  rows.forEach((row, k) => picked.set(rowOf(state, row, units), k * units));
  return picked;
}

/** The rows of one sample, which are so many apart. */
function rowsOfSample(from: Floats, n: number, samples: number, length: number): Floats {
  if (samples === 1) return from;
  const rows = new Float64Array(from.length / samples);
  for (let at = 0, k = n * length; at < rows.length; at += length, k += samples * length) {
    rows.set(from.subarray(k, k + length), at);
  }
  return rows;
}

/** The other way. */
function putRows(rows: Numbers, into: Numbers, n: number, samples: number, length: number): void {
  for (let at = 0, k = n * length; at < rows.length; at += length, k += samples * length) {
    into.set(rows.subarray(at, at + length), k);
  }
}
