// Operators of ONNX that compute: sums, products, functions of each number, reductions,
// normalizations.

import { Connection } from "../layers/connection.ts";
import { activation as activationLayer } from "../layers/activation.ts";
import { dense } from "../layers/dense.ts";
import { layerNormalization } from "../layers/normalization.ts";
import { sizeOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { type Activation, getActivation } from "../values/activations.ts";
import { broadcast, permuted, pickedAlong, shapeOf } from "../values/arrange.ts";
import {
  absolute,
  errorFunction,
  inverse,
  inverseRoot,
  logarithm,
  root,
} from "../values/functions.ts";
import type { Ops } from "../values/ops.ts";
import { reshaped, transposed } from "./conversion.ts";
import { operatorActivation } from "./onnx_activation.ts";
import { floatOf, hasAttribute, intOf } from "./onnx_attributes.ts";
import { reducedAxes } from "./onnx_folding.ts";
import {
  broadcastShape,
  constantPart,
  constantTensor,
  isConstant,
  type Part,
} from "./onnx_known.ts";
import { kept } from "./onnx_movements.ts";
import { type Operand, reshapeTo, type Running } from "./onnx_node_layers.ts";
import { gelu, KNOWN_OPERATORS } from "./onnx_operators.ts";
import {
  arrayOf,
  asWeight,
  connectionOf,
  constantOperand,
  numberOf,
  type Result,
  type Step,
  weightOf,
} from "./onnx_step.ts";
import { axisOf, UnreadNode } from "./onnx_values.ts";

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
  const fused = operator === "Add" ? biased(step) : undefined;
  if (fused !== undefined) return fused;
  const all = step.operands as readonly Result[];
  const isWords = (one: Result) => one instanceof Connection ? build.words.has(one) : one.isWhole;
  if (operator === "Div" && all.every(isWords)) {
    throw new UnreadNode("it divides whole numbers, and cuts off what is left");
  }
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
  if (all.every(isWords)) { for (const one of results) build.words.add(one); }
  return carried(step, results);
}

/** Two values so that one of them has the shape and the other repeats by rows. */
function together<V>(o: Ops<V>, a: V, b: V, shape: readonly number[]): [V, V] {
  const both: [V, V] = [broadcast(o, a, shape), broadcast(o, b, shape)];
  const isWhole = both.some((x) => shapeOf(o, x).length === shape.length);
  return isWhole ? both : [broadcast(o, a, shape, { whole: true }), both[1]];
}

/** The first axis of operands of one rank stays where it was. */
function carried<R extends Result>(step: Step, results: R[]): R[] {
  const [x] = step.operands.filter((one) => one instanceof Connection);
  const isSame = results.every((one) =>
    one instanceof Connection && one.shape.length === x!.shape.length
  );
  return isSame ? kept(step, x!, results) : results;
}

/** The bias behind a product that nothing else takes: both are one Dense. */
function biased(step: Step): Result[] | undefined {
  const { build, operands } = step;
  const k = operands.findIndex((one) => one instanceof Connection);
  const [product, term] = [operands[k] as Connection, operands[1 - k]];
  const { layer, inputs } = product.call ?? {};
  const { units, use_bias: hasBias, activation } = layer?.config ?? {};
  const fits = layer?.className === "Dense" && hasBias === false && activation === "linear" &&
    build.uses.get(product) === 1 && term !== undefined && !(term instanceof Connection) &&
    isConstant(term) && term.name !== "";
  if (!fits) return undefined;
  const { data, shape } = constantPart(term);
  if (data.length !== units || shape.at(-1) !== units || shape.length > product.shape.length + 1) {
    return undefined;
  }
  const bias = shape.length === 1 ? arrayOf(term) : reshaped(arrayOf(term), [units]);
  const fused = dense({ units });
  return kept(step, inputs![0]!, build.apply(fused, inputs!, [...build.arraysOf(layer), bias]));
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
  const x = connectionOf(step, 0);
  return kept(
    step,
    x,
    step.build.operate(step.operator, [x], {
      shapes: ([{ shape }]) => [shape],
      run: (o, [one]) => [f(o, one.value)],
    }),
  );
}

/** An activation, that of the Dense before it where nothing else takes its result. */
export function activate(step: Step): Result[] {
  const { operator } = step;
  const options = { alpha: floatOf(step, "alpha"), beta: floatOf(step, "beta") };
  const found = operator === "Gelu"
    ? gelu(step)
    : operator === "Celu"
    ? getActivation("celu", { alpha: options.alpha ?? 1 })
    : operator === "Selu" && !hasAttribute(step, "alpha") && !hasAttribute(step, "gamma")
    ? getActivation("selu")
    : operatorActivation(operator, options);
  if (found === undefined) throw new UnreadNode(`operators are ${KNOWN_OPERATORS}`);
  const x = connectionOf(step, 0);
  return kept(
    step,
    x,
    operator.endsWith("oftmax") ? rows(step, x, found) : [activated(step, x, found)],
  );
}

function activated({ build }: Step, x: Connection, activation: Activation): Connection {
  const { layer, inputs } = x.call ?? {};
  const { units, use_bias: useBias, activation: before } = layer?.config ?? {};
  if (layer?.className === "Dense" && before === "linear" && build.uses.get(x) === 1) {
    const fused = dense({ units: units as number, useBias: useBias as boolean, activation });
    return build.apply(fused, inputs!, build.arraysOf(layer))[0]!;
  }
  return build.apply(activationLayer(activation), [x])[0]!;
}

/** `Softmax` and `LogSoftmax`: along an axis; before opset 13 over all from it on. */
function rows(step: Step, x: Connection, softmax: Activation): Connection[] {
  const rank = x.shape.length + 1;
  const axis = axisOf(intOf(step, "axis", step.opset < 13 ? 1 : -1), rank);
  if (axis === rank - 1 && rank > 1) return [activated(step, x, softmax)];
  return step.build.operate(step.operator, [x], {
    shapes: ([{ shape }]) => [shape],
    run: (o, [{ value, shape }]) => {
      if (step.opset < 13) {
        const size = sizeOf(shape.slice(axis));
        const flat = o.reshape(value, [sizeOf(shape) / size, size]);
        return [o.reshape(o.apply(softmax, flat), shape)];
      }
      const order = [...shape.keys()].filter((k) => k !== axis).concat(axis);
      const back = [...shape.keys()].map((k) => order.indexOf(k));
      return [permuted(o, o.apply(softmax, permuted(o, value, order)), back)];
    },
  });
}

/** `MatMul`: by a constant matrix a Dense, else of batches of matrices. */
export function matMul(step: Step): Result[] {
  const [a, b] = step.operands as [Result, Result];
  if (a instanceof Connection && !(b instanceof Connection) && isConstant(b)) {
    const array = arrayOf(b);
    const { shape } = array.tensor;
    if (shape.length === 2 && a.shape.length > 0) {
      const x = step.build.pinned(a, shape[0]!);
      const layer = dense({ units: shape[1]!, useBias: false });
      return kept(step, a, step.build.apply(layer, [x], [array]));
    }
  }
  return product(step, asWeight(a, "factor"), asWeight(b, "kernel"));
}

function product({ build }: Step, a: Operand, b: Operand): Result[] {
  const shapesOf = (x: readonly number[], y: readonly number[]) => {
    const [left, right] = [x.length === 1 ? [1, ...x] : x, y.length === 1 ? [...y, 1] : y];
    const [k, n] = [left.at(-1)!, right.at(-2)!];
    if (k !== n && !Number.isNaN(k + n)) {
      throw new UnreadNode(`its shapes [${x}] and [${y}] do not fit each other`);
    }
    const batch = broadcastShape(left.slice(0, -2), right.slice(0, -2));
    const result = [
      ...batch,
      ...(x.length === 1 ? [] : [left.at(-2)!]),
      ...(y.length === 1 ? [] : [right.at(-1)!]),
    ];
    return { left, right, batch, result };
  };
  return build.operate("MatMul", [a, b], {
    shapes: ([x, y]) => [shapesOf(x.shape, y!.shape).result],
    run: (o, [x, y]) => {
      const { left, right, batch, result } = shapesOf(x.shape, y!.shape);
      const wide = (one: Running<typeof x.value>, shape: readonly number[]) =>
        broadcast(o, reshapeTo(o, one, shape), [...batch, ...shape.slice(-2)], { whole: true });
      const [m, n] = [wide(x, left), wide(y!, right)];
      return [o.reshape(o.matmul(m, n), result)];
    },
  });
}

/** `Gemm`: a Dense where it is one. */
export function gemm(step: Step): Result[] {
  const factor = (name: string) => floatOf(step, name) ?? 1;
  const [turnsA, turnsB] = [intOf(step, "transA", 0) !== 0, intOf(step, "transB", 0) !== 0];
  const [alpha, beta] = [factor("alpha"), factor("beta")];
  const [a, b, c] = step.operands as [Result, Result, Result?];
  const isGiven = (one: Result | undefined) =>
    one === undefined || !(one instanceof Connection) && isConstant(one);
  const plain = alpha === 1 && beta === 1 && !turnsA && a instanceof Connection && isGiven(b) &&
    isGiven(c);
  if (plain && !(b instanceof Connection) && !(c instanceof Connection)) {
    const kernel = turnsB ? transposed(arrayOf(b)) : arrayOf(b);
    const [size, units] = kernel.tensor.shape as [number, number];
    const bias = c && arrayOf(c);
    const isBias = bias === undefined || bias.tensor.data.length === units &&
        (bias.tensor.shape.at(-1) ?? 1) === units;
    if (isBias && kernel.tensor.shape.length === 2) {
      const x = step.build.pinned(a, size);
      const layer = dense({ units, useBias: bias !== undefined });
      const arrays = [kernel, ...(bias ? [reshaped(bias, [units])] : [])];
      return kept(step, a, step.build.apply(layer, [x], arrays));
    }
  }
  const operands = [
    asWeight(a, "factor"),
    asWeight(b, "kernel"),
    ...(c ? [asWeight(c, "bias")] : []),
  ];
  const turned = (shape: readonly number[], turns: boolean) => turns ? shape.toReversed() : shape;
  const shapeOfBoth = (x: Part, y: Part) => {
    const [left, right] = [turned(x.shape, turnsA), turned(y.shape, turnsB)];
    const fits = left.length === 2 && right.length === 2 &&
      (left[1] === right[0] || Number.isNaN(left[1]! + right[0]!));
    if (fits) return [left[0]!, right[1]!];
    throw new UnreadNode(`its matrices are [${left}] and [${right}]`);
  };
  return step.build.operate("Gemm", operands, {
    shapes: ([x, y]) => [shapeOfBoth(x, y!)],
    run: (o, [x, y, z]) => {
      const shape = shapeOfBoth(x.part, y!.part);
      const matrix = (one: typeof x, turns: boolean) =>
        turns ? permuted(o, one.value, [1, 0]) : one.value;
      const product = o.scale(o.matmul(matrix(x, turnsA), matrix(y!, turnsB)), alpha);
      if (z === undefined) return [product];
      return [o.add(product, broadcast(o, o.scale(z.value, beta), shape))];
    },
  });
}

/** `ReduceMean` and its like. */
export function reduce(step: Step): Result[] {
  const { operator, build } = step;
  const x = connectionOf(step, 0);
  constantOperand(step, 1, "its axes");
  return build.operate(operator, [x], {
    shapes: ([{ shape }]) => [reducedAxes(shape, step).left],
    run: (o, [{ value, shape }]) => {
      const { axes, left } = reducedAxes(shape, step);
      if (axes.length === 0) return [value];
      const rest = [...shape.keys()].filter((k) => !axes.includes(k));
      const count = sizeOf(axes.map((axis) => shape[axis]!));
      const outer = rest.map((axis) => shape[axis]!);
      const turned = permuted(o, value, [...rest, ...axes]);
      const flat = o.reshape(turned, [sizeOf(outer), count]);
      return [o.reshape(reduced(o, operator, flat, count), left)];
    },
  });
}

/** `[rows, count]` becomes `[rows]`. */
function reduced<V>(o: Ops<V>, operator: string, flat: V, count: number): V {
  if (operator === "ReduceMax") return o.largest(flat);
  if (operator === "ReduceMin") return o.scale(o.largest(o.scale(flat, -1)), -1);
  const [rows] = shapeOf(o, flat) as [number];
  if (operator === "ReduceProd") {
    if (count > 64) throw new UnreadNode(`it multiplies ${count} numbers`);
    const column = (k: number) => o.reshape(pickedAlong(o, flat, 1, [k]), [rows]);
    let found = column(0);
    for (let k = 1; k < count; k++) found = o.sumOfProducts([found, column(k)]);
    return found;
  }
  const share = operator === "ReduceMean" ? 1 / count : 1;
  const column = new Tensor(new Float64Array(count).fill(share), [count, 1]);
  return o.reshape(o.affine([[flat, o.given(column)]]), [rows]);
}

/** `LayerNormalization` over the last axis. */
export function normalizeRows(step: Step): Result[] {
  const x = connectionOf(step, 0);
  const axis = axisOf(intOf(step, "axis", -1), x.shape.length + 1);
  const epsilon = floatOf(step, "epsilon") ?? 1e-5;
  const [gamma, beta] = [
    constantOperand(step, 1, "its scale")!,
    constantOperand(step, 2, "its bias"),
  ];
  const { shape } = constantTensor(gamma);
  if (axis !== x.shape.length || axis === 0 || shape.length !== 1 || (step.uses[1] ?? 0) > 0) {
    throw new UnreadNode("it normalizes other axes than the last, or hands on mean or variance");
  }
  const layer = layerNormalization({ epsilon, center: beta !== undefined });
  const arrays = [gamma, ...(beta ? [beta] : [])].map(arrayOf);
  return kept(step, x, step.build.apply(layer, [step.build.pinned(x, shape[0]!)], arrays));
}

/** `BatchNormalization` by what it remembers: the channels are axis 1. */
export function normalizeChannels(step: Step): Result[] {
  const x = connectionOf(step, 0);
  const epsilon = floatOf(step, "epsilon") ?? 1e-5;
  if (intOf(step, "training_mode", 0) !== 0) throw new UnreadNode("it trains");
  if (intOf(step, "spatial", 1) !== 1) throw new UnreadNode("it is not spatial");
  if (x.shape.length === 0) throw new UnreadNode("its input has no channels");
  const weights = ["gamma", "beta", "moving_mean", "moving_variance"].map((name, k) =>
    weightOf(step, k + 1, name, k < 2)!
  );
  return kept(
    step,
    x,
    step.build.operate("BatchNormalization", [x, ...weights], {
      shapes: ([{ shape }]) => [shape],
      run: (o, [{ value, shape }, gamma, beta, mean, variance]) => {
        const order = [0, ...[...shape.keys()].slice(2), 1];
        const back = [...shape.keys()].map((k) => order.indexOf(k));
        const small = o.given(new Tensor(Float64Array.of(epsilon), []));
        const inverse = o.apply(inverseRoot, o.add(variance!.value, small));
        const factor = o.sumOfProducts([gamma!.value, inverse]);
        const centered = o.add(permuted(o, value, order), o.scale(mean!.value, -1));
        const result = o.add(o.sumOfProducts([centered, factor]), beta!.value);
        return [permuted(o, result, back)];
      },
    }),
  );
}
