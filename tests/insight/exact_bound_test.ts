// The prover's bound held against mathematics: the same model computed exactly (fixed-point numbers of
// 160 binary places), and in float32 in many orders, as libraries do. Never may a float32 run be
// farther off than the bound says; and the bound may not be farther off than the stated factor
// from the worst run found, so that a looser one is seen as well.

import {
  bidirectional,
  dense,
  embedding,
  gru,
  type Layer,
  lstm,
  masking,
  type Model,
  sequential,
  simpleRnn,
  Tensor,
  timeDistributed,
} from "@gatescope/lstm";
import { assert } from "@std/assert";
import { finish } from "../../lib/base/work.ts";
import { type EstimatedStep, estimateRun } from "../../lib/insight/proof/estimated_run.ts";
import { networkOf } from "../../lib/model/model.ts";
import { denseRow, gruRows, lstmRows, type Rows, simpleRnnRows } from "./exact_layers.ts";
import { BITS, exactly, type Kind, library, mathematics, nearly, ORDERS } from "./exact_numbers.ts";
import { type CellKind, cellParts } from "./float32_cells.ts";
import { type Random, seededRandom } from "../../lib/tensor/random.ts";

/** How many times the worst error found the bound is, at most, by kind: measured, a fifth added. */
const FACTORS: Readonly<Record<string, number>> = {
  "dense": 5.5,
  "dense, sigmoid": 2.2,
  "dense, tanh": 2.5,
  "dense, softmax": 3.6,
  "lstm": 3,
  "lstm, relu": 3.9,
  "lstm, softsign and hard_sigmoid": 21,
  "gru": 3.6,
  "gru, relu": 2.7,
  "gru, reset before": 3.1,
  "simple rnn": 2.5,
  "simple rnn, relu": 14.1,
  "two lstms": 3.8,
  "lstm behind a mask": 3,
  "bidirectional, concat": 3.2,
  "bidirectional, sum": 3.7,
  "bidirectional, ave": 3.7,
  "bidirectional, mul": 4,
  "embedding": 2.9,
  "dense at each step": 1.8,
};

/** A model of one kind, and what it computes from one sample over any kind of number. */
interface Case {
  readonly layers: readonly Layer[];
  readonly inputShape: readonly number[];
  readonly run: <V>(kind: Kind<V>, x: Rows<V>, weights: readonly Tensor[]) => V[];
  /** Default: `"LSTM"`. */
  readonly cell?: CellKind;
  /** Gates (at steps that count) and states, where it is one recurrent layer alone. */
  readonly inside?: Case["run"];
  /** Makes the sample. */
  readonly input?: (random: Random) => number[];
}

const [T, D, UNITS] = [4, 3, 3];
const tanhs = { activation: "tanh", recurrentActivation: "sigmoid" };
const lastOf = <V>(rows: Rows<V>) => rows.at(-1)!;

const denses = (activation: "linear" | "sigmoid" | "tanh" | "softmax"): Case => ({
  layers: [dense({ units: 4, activation })],
  inputShape: [6],
  run: (kind, [row], weights) => denseRow(kind, row!, weights, activation),
});

const lstms = (
  activation: "tanh" | "relu" | "softsign",
  recurrentActivation: "sigmoid" | "hard_sigmoid",
): Case => ({
  layers: [lstm({ units: UNITS, activation, recurrentActivation })],
  inputShape: [T, D],
  run: (kind, x, weights) =>
    lastOf(lstmRows(kind, x, { weights, activation, recurrentActivation }).states),
  inside: (kind, x, weights) =>
    lstmRows(kind, x, { weights, activation, recurrentActivation }).inside,
});

const grus = (resetAfter: boolean, activation: "tanh" | "relu" = "tanh"): Case => {
  const own = { ...tanhs, activation };
  return {
    layers: [gru({ units: UNITS, activation, resetAfter })],
    inputShape: [T, D],
    cell: resetAfter ? "GRU" : "GRU, reset before",
    run: (kind, x, weights) => lastOf(gruRows(kind, x, { weights, ...own }).states),
    inside: (kind, x, weights) => gruRows(kind, x, { weights, ...own }).inside,
  };
};

const rnns = (activation: "tanh" | "relu"): Case => ({
  layers: [simpleRnn({ units: UNITS, activation })],
  inputShape: [T, D],
  cell: "SimpleRNN",
  run: (kind, x, weights) => lastOf(simpleRnnRows(kind, x, { weights, activation }).states),
  inside: (kind, x, weights) => simpleRnnRows(kind, x, { weights, activation }).inside,
});

const both = (mergeMode: "concat" | "sum" | "ave" | "mul"): Case => ({
  layers: [bidirectional(lstm({ units: UNITS }), { mergeMode })],
  inputShape: [T, D],
  run(kind, x, weights) {
    const there = lastOf(lstmRows(kind, x, { weights: weights.slice(0, 3), ...tanhs }).states);
    const back = { weights: weights.slice(3), ...tanhs, backwards: true };
    const again = lastOf(lstmRows(kind, x, back).states);
    if (mergeMode === "concat") return [...there, ...again];
    return there.map((value, u) => {
      if (mergeMode === "mul") return kind.multiply(value, again[u]!);
      const sum = kind.add(value, again[u]!);
      return mergeMode === "sum" ? sum : kind.multiply(sum, kind.of(0.5));
    });
  },
});

const CASES: Readonly<Record<string, Case>> = {
  "dense": denses("linear"),
  "dense, sigmoid": denses("sigmoid"),
  "dense, tanh": denses("tanh"),
  "dense, softmax": denses("softmax"),
  "lstm": lstms("tanh", "sigmoid"),
  "lstm, relu": lstms("relu", "sigmoid"),
  "lstm, softsign and hard_sigmoid": lstms("softsign", "hard_sigmoid"),
  "gru": grus(true),
  "gru, relu": grus(true, "relu"),
  "gru, reset before": grus(false),
  "simple rnn": rnns("tanh"),
  "simple rnn, relu": rnns("relu"),
  "two lstms": {
    layers: [lstm({ units: UNITS, returnSequences: true }), lstm({ units: 2 })],
    inputShape: [T, D],
    run(kind, x, weights) {
      const { states } = lstmRows(kind, x, { weights: weights.slice(0, 3), ...tanhs });
      return lastOf(lstmRows(kind, states, { weights: weights.slice(3), ...tanhs }).states);
    },
  },
  "lstm behind a mask": {
    layers: [masking(), lstm({ units: UNITS })],
    inputShape: [T, D],
    input: (random) =>
      Array.from(
        { length: T * D },
        (_, k) => k >= D && k < 2 * D || k >= 3 * D ? 0 : random.normal(),
      ),
    run: (kind, x, weights) =>
      lastOf(lstmRows(kind, x, { weights, ...tanhs }, x.map((_, t) => t % 2 === 0)).states),
    inside: (kind, x, weights) =>
      lstmRows(kind, x, { weights, ...tanhs }, x.map((_, t) => t % 2 === 0)).inside,
  },
  "bidirectional, concat": both("concat"),
  "bidirectional, sum": both("sum"),
  "bidirectional, ave": both("ave"),
  "bidirectional, mul": both("mul"),
  "embedding": {
    layers: [embedding({ inputDim: 5, outputDim: D }), lstm({ units: UNITS })],
    inputShape: [T],
    input: (random) => Array.from({ length: T }, () => Math.floor(5 * random.uniform())),
    run(kind, [row], [table, ...weights]) {
      const x = row!.map((_, t) =>
        Array.from({ length: D }, (_, j) => kind.of(table!.item(wordAt(kind, row!, t), j)))
      );
      return lastOf(lstmRows(kind, x, { weights, ...tanhs }).states);
    },
  },
  "dense at each step": {
    layers: [
      lstm({ units: UNITS, returnSequences: true }),
      timeDistributed(dense({ units: 2, activation: "softmax" })),
    ],
    inputShape: [T, D],
    run: (kind, x, weights) =>
      lstmRows(kind, x, { weights: weights.slice(0, 3), ...tanhs }).states
        .flatMap((row) => denseRow(kind, row, weights.slice(3), "softmax")),
  },
};

function wordAt<V>(_: Kind<V>, row: V[], t: number): number {
  const word = row[t]!;
  return typeof word === "bigint" ? Number(word >> BITS) : word as number;
}

const SEEDS = 12;

/** The largest share of its bound that any run's error took, in one model. */
function largestShare(name: string, seed: number): number {
  const { layers, inputShape, cell = "LSTM", run, inside, input } = CASES[name]!;
  const random = seededRandom(seed, 5);
  const model: Model = sequential(layers, { inputShape, seed });
  const scale = [0.3, 1, 3][seed % 3]!; // small, usual and saturating weights
  model.setWeights(
    model.getWeights().map(({ shape, data }) =>
      new Tensor(data.map(() => Math.fround(scale * random.normal())), shape)
    ),
  );
  const size = inputShape.reduce((a, b) => a * b);
  const sample = Float32Array.from(
    input?.(random) ?? Array.from({ length: size }, () => random.normal()),
  );
  const width = inputShape.at(-1)!;
  const rowsOf = <V>(of: (x: number) => V): Rows<V> =>
    Array.from(
      { length: size / width },
      (_, t) => Array.from(sample.subarray(t * width, (t + 1) * width), of),
    );

  const input64 = new Tensor(Float64Array.from(sample), [1, ...inputShape]);
  const { result, lstms } = finish(
    estimateRun(networkOf(model), [input64], { see: () => {}, given: () => undefined }),
  );
  const weights = model.getWeights();
  const ways = [() => -4.4, () => 0, () => 4.4, () => 8.8 * random.uniform() - 4.4];
  const shareOf = (compute: Case["run"], { value, error }: Bounded) => {
    const exact = compute(mathematics, rowsOf(exactly), weights);
    assert(exact.length === value.length);
    exact.forEach((x, k) => {
      const own = Math.abs(value[k]! - nearly(x));
      assert(own <= 1e-13 * Math.max(1, Math.abs(nearly(x))), `the equations are off by ${own}`);
    });
    const shares = ORDERS.flatMap((order) =>
      ways.flatMap((off) =>
        compute(library(order, off), rowsOf(Math.fround), weights).map((x, k) => {
          const found = Math.abs(nearly(exactly(x) - exact[k]!));
          const bound = error[k]!;
          assert(found <= bound, `${order}, seed ${seed}, number ${k}: ${found} is above ${bound}`);
          return bound > 0 ? found / bound : 0;
        })
      )
    );
    return Math.max(...shares);
  };
  if (inside !== undefined) shareOf(inside, insideOf(lstms[0]!.recurrence.steps, name, cell));
  return shareOf(run, result);
}

interface Bounded {
  readonly value: ArrayLike<number>;
  readonly error: ArrayLike<number>;
}

/** Gates and states in the order of exact_layers.ts. */
function insideOf(steps: readonly EstimatedStep[], name: string, cell: CellKind): Bounded {
  const [value, error]: [number[], number[]] = [[], []];
  steps.forEach(({ values }, t) => {
    const take = (one: Bounded, unit: number) => {
      value.push(one.value[unit]!);
      error.push(one.error[unit]!);
    };
    const units = Array.from({ length: UNITS }, (_, unit) => unit);
    const { gates, states } = cellParts[cell];
    const counts = !name.includes("mask") || t % 2 === 0;
    if (counts) {
      for (const unit of units) gates.forEach((gate) => take(values[`gates.${gate}`]!, unit));
    }
    for (const state of states) for (const unit of units) take(values[state]!, unit);
  });
  return { value, error };
}

for (const name of Object.keys(CASES)) {
  Deno.test(`no float32 run is farther off than the bound, nor the bound than ${FACTORS[name]} times the worst: ${name}`, () => {
    const shares = Array.from({ length: SEEDS }, (_, seed) => largestShare(name, seed));
    const factor = 1 / Math.max(...shares);
    assert(
      factor <= FACTORS[name]!,
      `the bound is ${factor.toFixed(2)} times the worst error found`,
    );
  });
}
