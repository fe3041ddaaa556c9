// The prover's bound held against mathematics: the same model computed exactly (fixed-point numbers of
// 160 binary places), and in float32 in many orders, as libraries do. Never may a float32 run be
// farther off than the bound says; and the bound may not be farther off than the stated factor
// from the worst run found, so that a looser one is seen as well.

import {
  bidirectional,
  dense,
  embedding,
  type Layer,
  lstm,
  masking,
  type Model,
  sequential,
  Tensor,
  timeDistributed,
} from "@gatescope/lstm";
import { assert } from "@std/assert";
import { type EstimatedStep, estimateRun } from "../../lib/insight/proof/estimated_run.ts";
import { networkOf } from "../../lib/model/model.ts";
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
  "two lstms": 3.8,
  "lstm behind a mask": 3,
  "bidirectional, concat": 3.2,
  "bidirectional, sum": 3.7,
  "bidirectional, ave": 3.7,
  "bidirectional, mul": 4,
  "embedding": 2.9,
  "dense at each step": 1.8,
};

// ---- exactly: whole numbers of 2⁻¹⁶⁰

const BITS = 160n;
const ONE = 1n << BITS;

/** A float as it is. */
function exactly(x: number): bigint {
  let places = 0n;
  for (; !Number.isInteger(x); x *= 2) places++;
  return (BigInt(x) << BITS) >> places;
}

const nearly = (x: bigint) => Number(x) / 2 ** Number(BITS);
const times = (a: bigint, b: bigint) => (a * b) >> BITS;
const over = (a: bigint, b: bigint) => (a << BITS) / b;

/** eˣ: Taylor's series of x/2¹⁰, squared ten times. */
function exp(x: bigint): bigint {
  const small = x >> 10n;
  let [sum, term] = [ONE, ONE];
  for (let n = 1n; term !== 0n && n < 80n; n++) sum += term = times(term, small) / n;
  for (let k = 0; k < 10; k++) sum = times(sum, sum);
  return sum;
}

const clip = (x: bigint, low: bigint, high: bigint) => x < low ? low : x > high ? high : x;

/** What a number goes through, and how many units of the last place float32 may add by itself. */
interface Kind<V> {
  readonly sum: (products: readonly (readonly [V, V])[], bias: V | undefined) => V;
  readonly apply: (name: string, x: V) => V;
  readonly softmax: (row: V[]) => V[];
  readonly add: (a: V, b: V) => V;
  readonly multiply: (a: V, b: V) => V;
  readonly of: (x: number) => V;
}

const mathematics: Kind<bigint> = {
  of: exactly,
  add: (a, b) => a + b,
  multiply: times,
  sum: (products, bias = 0n) => products.reduce((sum, [a, b]) => sum + times(a, b), bias),
  softmax(row) {
    const powers = row.map(exp);
    const total = powers.reduce((a, b) => a + b);
    return powers.map((power) => over(power, total));
  },
  apply(name, x) {
    switch (name) {
      case "linear":
        return x;
      case "relu":
        return x < 0n ? 0n : x;
      case "sigmoid":
        return over(ONE, ONE + exp(-x));
      case "tanh": {
        const square = exp(2n * x);
        return over(square - ONE, square + ONE);
      }
      case "softsign":
        return over(x, ONE + (x < 0n ? -x : x));
      case "hard_sigmoid":
        return clip(x + 3n * ONE, 0n, 6n * ONE) / 6n;
    }
    throw new Error(name);
  },
};

// ---- in float32, as a library might

const f = Math.fround;
type Order = "forwards" | "backwards" | "pairwise" | "blocks of 4" | "fused";
const ORDERS: readonly Order[] = ["forwards", "backwards", "pairwise", "blocks of 4", "fused"];

function added(terms: readonly number[], order: Order): number {
  switch (order) {
    case "backwards":
      return terms.reduceRight((sum, term) => f(sum + term), 0);
    case "pairwise": {
      if (terms.length < 2) return terms[0] ?? 0;
      const half = terms.length >> 1;
      return f(added(terms.slice(0, half), order) + added(terms.slice(half), order));
    }
    case "blocks of 4": {
      const lanes = [0, 1, 2, 3].map((lane) =>
        added(terms.filter((_, k) => k % 4 === lane), "forwards")
      );
      return added(lanes, "pairwise");
    }
    default:
      return terms.reduce((sum, term) => f(sum + term), 0);
  }
}

/** A float32 library: its order of adding, and which way its functions are off, in such units. */
function library(order: Order, off: () => number): Kind<number> {
  const nudged = (x: number) => {
    const ulp = x === 0 ? 0 : 2 ** (Math.floor(Math.log2(Math.abs(x))) - 23);
    return f(x + off() * ulp);
  };
  return {
    of: f,
    add: (a, b) => f(a + b),
    multiply: (a, b) => f(a * b),
    sum(products, bias) {
      if (order === "fused") { // the product is not rounded: float64 holds it
        return products.reduce((sum, [a, b]) => f(sum + a * b), bias ?? 0);
      }
      const terms = products.map(([a, b]) => f(a * b));
      return bias === undefined
        ? added(terms, order)
        : order === "forwards"
        ? added([bias, ...terms], order)
        : f(added(terms, order) + bias);
    },
    softmax(row) {
      const most = Math.max(...row);
      const powers = row.map((x) => nudged(Math.exp(f(x - most))));
      const total = added(powers, order);
      return powers.map((power) => f(power / total));
    },
    apply(name, x) {
      switch (name) {
        case "linear":
          return x;
        case "relu":
          return Math.max(x, 0);
        case "sigmoid":
          return nudged(1 / (1 + Math.exp(-x)));
        case "tanh":
          return nudged(Math.tanh(x));
        case "softsign":
          return f(x / f(1 + Math.abs(x)));
        case "hard_sigmoid":
          return f(Math.min(Math.max(f(x + 3), 0), 6) / 6);
      }
      throw new Error(name);
    },
  };
}

// ---- the layers, over either kind

type Rows<V> = V[][]; // of one sample: timesteps, or one row

interface Lstm {
  readonly weights: readonly Tensor[];
  readonly activation: string;
  readonly recurrentActivation: string;
  readonly backwards?: boolean;
}

function lstmRows<V>(
  { of, sum, apply, add, multiply }: Kind<V>,
  x: Rows<V>,
  { weights: [W, U, b], activation, recurrentActivation, backwards = false }: Lstm,
  counts: readonly boolean[] = x.map(() => true),
): { states: Rows<V>; inside: V[] } {
  const units = U!.shape[0]!;
  let [c, h]: [V[], V[]] = [Array(units).fill(of(0)), Array(units).fill(of(0))];
  const [states, inside]: [Rows<V>, V[]] = [[], []];
  const steps = x.map((_, t) => backwards ? x.length - 1 - t : t);
  for (const t of steps) {
    const z = (gate: number, u: number) => {
      const column = gate * units + u;
      const products = [
        ...x[t]!.map((value, j) => [value, of(W!.item(j, column))] as const),
        ...h.map((value, j) => [value, of(U!.item(j, column))] as const),
      ];
      return sum(products, of(b!.item(column)));
    };
    const gates = c.map((_, u) =>
      [0, 1, 2, 3].map((gate) =>
        apply(gate === 2 ? activation : recurrentActivation, z(gate, u))
      ) as [V, V, V, V]
    );
    const cNext = gates.map(([i, forget, candidate], u) =>
      counts[t] ? add(multiply(forget, c[u]!), multiply(i, candidate)) : c[u]!
    );
    const hNext = gates.map(([, , , o], u) =>
      counts[t] ? multiply(o, apply(activation, cNext[u]!)) : h[u]!
    );
    [c, h] = [cNext, hNext];
    if (counts[t]) inside.push(...gates.flat());
    inside.push(...c, ...h);
    states.push(h);
  }
  return { states, inside };
}

function denseRow<V>(
  { of, sum, apply, softmax }: Kind<V>,
  x: V[],
  [W, b]: readonly Tensor[],
  activation: string,
): V[] {
  const z = Array.from(
    b!.data,
    (bias, u) => sum(x.map((value, j) => [value, of(W!.item(j, u))] as const), of(bias)),
  );
  return activation === "softmax" ? softmax(z) : z.map((value) => apply(activation, value));
}

// ---- cases

/** A model of one kind, and what it computes from one sample over any kind of number. */
interface Case {
  readonly layers: readonly Layer[];
  readonly inputShape: readonly number[];
  readonly run: <V>(kind: Kind<V>, x: Rows<V>, weights: readonly Tensor[]) => V[];
  /** Gates (at steps that count), cell states and hidden states, where it is one LSTM alone. */
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
  const { layers, inputShape, run, inside, input } = CASES[name]!;
  const random = seededRandom(seed, 5);
  const model: Model = sequential(layers, { inputShape, seed });
  const scale = [0.3, 1, 3][seed % 3]!; // small, usual and saturating weights
  model.setWeights(
    model.getWeights().map(({ shape, data }) =>
      new Tensor(data.map(() => f(scale * random.normal())), shape)
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
  const { result, lstms } = estimateRun(networkOf(model), [input64], () => undefined);
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
        compute(library(order, off), rowsOf(f), weights).map((x, k) => {
          const found = Math.abs(nearly(exactly(x) - exact[k]!));
          const bound = error[k]!;
          assert(found <= bound, `${order}, seed ${seed}, number ${k}: ${found} is above ${bound}`);
          return bound > 0 ? found / bound : 0;
        })
      )
    );
    return Math.max(...shares);
  };
  if (inside !== undefined) shareOf(inside, insideOf(lstms[0]!.recurrence.steps, name));
  return shareOf(run, result);
}

interface Bounded {
  readonly value: ArrayLike<number>;
  readonly error: ArrayLike<number>;
}

/** Gates and states in the order of `lstmRows`. */
function insideOf(steps: readonly EstimatedStep[], name: string): Bounded {
  const [value, error]: [number[], number[]] = [[], []];
  steps.forEach(({ values }, t) => {
    const take = (one: Bounded, unit: number) => {
      value.push(one.value[unit]!);
      error.push(one.error[unit]!);
    };
    const units = Array.from({ length: UNITS }, (_, unit) => unit);
    const gates = ["gates.input", "gates.forget", "gates.candidate", "gates.output"] as const;
    const counts = !name.includes("mask") || t % 2 === 0;
    if (counts) { for (const unit of units) gates.forEach((gate) => take(values[gate]!, unit)); }
    for (const unit of units) take(values.cellState!, unit);
    for (const unit of units) take(values.hiddenState!, unit);
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
