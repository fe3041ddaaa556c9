// Operators of ONNX that compute with each number: sums, products, functions.

import { Connection } from "../../layers/connection.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { getActivation } from "../../values/activations.ts";
import { broadcast, shapeOf } from "../../values/arrange.ts";
import {
  absolute,
  errorFunction,
  inverse,
  inverseRoot,
  logarithm,
  root,
} from "../../values/functions.ts";
import type { Ops } from "../../values/ops.ts";
import { floatOf } from "./attributes.ts";
import { quotient } from "./comparisons.ts";
import { biased, gated } from "./dense.ts";
import { UnreadNode } from "./errors.ts";
import { broadcastShape } from "./known.ts";
import { asWeight, connectionOf, numberOf, type Result, type Step } from "./step.ts";

type Combine = <V>(o: Ops<V>, a: V, b: V) => V;

const rectified = getActivation("relu");
const exponential = getActivation("exponential");

const sub: Combine = (o, a, b) => o.add(a, o.scale(b, -1));

const COMBINED: Readonly<Record<string, Combine>> = {
  Add: (o, a, b) => o.add(a, b),
  Sum: (o, a, b) => o.add(a, b),
  Mean: (o, a, b) => o.add(a, b),
  Sub: sub,
  Mul: (o, a, b) => o.sumOfProducts([a, b]),
  Div: (o, a, b) => o.sumOfProducts([a, o.apply(inverse, b)]),
  Max: (o, a, b) => o.add(o.apply(rectified, sub(o, a, b)), b),
  Min: (o, a, b) => sub(o, a, o.apply(rectified, sub(o, a, b))),
  PRelu: (o, x, slope) => {
    const below = o.apply(rectified, o.scale(x, -1));
    return sub(o, o.apply(rectified, x), o.sumOfProducts([below, slope]));
  },
};

/** What the weight is called that goes into such a node. */
const TERMS: Readonly<Record<string, string>> = { Add: "bias", Sub: "bias", Mul: "gamma" };

/** `Add`, `Mul` and their like, over two or more. */
export function combine(step: Step): Result[] {
  const { operator, build } = step;
  const fused = operator === "Add" ? biased(step) : operator === "Mul" ? gated(step) : undefined;
  if (fused !== undefined) return [fused];
  const all = step.operands as readonly Result[];
  const isWords = (one: Result) => one instanceof Connection ? build.areWords(one) : one.isWhole;
  if (operator === "Div" && all.every(isWords)) return quotient(step);
  const term = TERMS[operator] ?? "operand";
  const weights = all.map((one, k) => asWeight(one, all.length === 2 ? term : `${term}_${k}`));
  const results = build.operate(operator, weights, {
    shapes: (parts) => [parts.map(({ shape }) => shape).reduce(broadcastShape)],
    run: (o, operands) => {
      const sum = operands.slice(1).reduce(
        (a, b) => {
          const shape = broadcastShape(a.shape, b.shape);
          const [x, y] = together(o, a.value, b.value, shape);
          return { shape, value: COMBINED[operator]!(o, x, y) };
        },
        { shape: operands[0].shape, value: operands[0].value },
      );
      const value = shapeOf(o, sum.value).length === sum.shape.length
        ? sum.value
        : o.reshape(sum.value, sum.shape);
      return [operator === "Mean" ? o.scale(value, 1 / operands.length) : value];
    },
  });
  if (all.every(isWords)) build.addWords(...results);
  const [x] = all.filter((one) => one instanceof Connection);
  if (results[0]!.shape.length === x!.shape.length) build.keepFirst(x!, ...results);
  return results;
}

/** Two values so that one of them has the shape and the other repeats by rows. */
function together<V>(o: Ops<V>, a: V, b: V, shape: readonly number[]): [V, V] {
  const both: [V, V] = [broadcast(o, a, shape), broadcast(o, b, shape)];
  const isWhole = both.some((x) => shapeOf(o, x).length === shape.length);
  return isWhole ? both : [broadcast(o, a, shape, { whole: true }), both[1]];
}

const FUNCTIONS: Readonly<Record<string, <V>(o: Ops<V>, x: V) => V>> = {
  Neg: (o, x) => o.scale(x, -1),
  Sqrt: (o, x) => o.apply(root, x),
  Reciprocal: (o, x) => o.apply(inverse, x),
  Exp: (o, x) => o.apply(exponential, x),
  Log: (o, x) => o.apply(logarithm, x),
  Abs: (o, x) => o.apply(absolute, x),
  Erf: (o, x) => o.apply(errorFunction, x),
};

/** Powers of x that are products and roots. */
const POWERS: ReadonlyMap<number, <V>(o: Ops<V>, x: V) => V> = new Map(
  [
    [1, (_, x) => x],
    [2, (o, x) => o.sumOfProducts([x, x])],
    [3, (o, x) => o.sumOfProducts([o.sumOfProducts([x, x]), x])],
    [0.5, (o, x) => o.apply(root, x)],
    [-1, (o, x) => o.apply(inverse, x)],
    [-0.5, (o, x) => o.apply(inverseRoot, x)],
  ] as const,
);

/** `Sqrt`, `Neg` and their like. */
export function unary(step: Step): Result[] {
  return eachNumber(step, FUNCTIONS[step.operator]!);
}

/** `Pow` by a constant. */
export function power(step: Step): Result[] {
  const exponent = numberOf(step, 1, "its exponent")!;
  const found = POWERS.get(exponent);
  if (found !== undefined) return eachNumber(step, found);
  throw new UnreadNode(`its exponent is ${exponent}: read are ${[...POWERS.keys()].join(", ")}`);
}

/** `Clip`. */
export function clip(step: Step): Result[] {
  const low = floatOf(step, "min") ?? numberOf(step, 1, "its min") ?? -Infinity;
  const high = floatOf(step, "max") ?? numberOf(step, 2, "its max") ?? Infinity;
  const capped = getActivation("relu", { maxValue: high - low });
  return eachNumber(step, (o, x) => {
    const plus = <V>(o: Ops<V>, x: V, number: number) =>
      number === 0 ? x : o.add(x, o.given(new Tensor(Float64Array.of(number), [])));
    if (low === high) return plus(o, o.scale(x, 0), low);
    if (low > high) throw new UnreadNode("its min is above its max");
    if (low === -Infinity && high === Infinity) return x;
    if (low !== -Infinity) {
      return plus(o, o.apply(high === Infinity ? rectified : capped, plus(o, x, -low)), low);
    }
    return plus(o, o.scale(o.apply(rectified, plus(o, o.scale(x, -1), high)), -1), high);
  });
}

function eachNumber(step: Step, f: <V>(o: Ops<V>, x: V) => V): Result[] {
  const { build, operator } = step;
  return [
    build.eachNumber(connectionOf(step, 0), (x) =>
      build.operate(operator, [x], {
        shapes: ([{ shape }]) => [shape],
        run: (o, [one]) => [f(o, one.value)],
      })[0]!),
  ];
}
