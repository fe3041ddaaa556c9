// Dense layers as a graph has them: a product, the bias behind it, the activation behind that.

import { activation as activationLayer } from "../../layers/activation.ts";
import { type Call, Connection } from "../../layers/connection.ts";
import { dense } from "../../layers/dense.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { type Activation, getActivation } from "../../values/activations.ts";
import { broadcast, permuted } from "../../values/arrange.ts";
import { type Converted, reshaped, transposed } from "../conversion.ts";
import { gelu, operatorActivation } from "./activation.ts";
import { floatOf, intOf } from "./attributes.ts";
import type { GraphBuild } from "./build.ts";
import { axisOf, UnreadNode } from "./errors.ts";
import { broadcastShape, constantPart, type Part } from "./known.ts";
import { type Operand, reshapeTo, type Running } from "./node_layers.ts";
import { arrayOf, asWeight, connectionOf, isGiven, type Result, type Step } from "./step.ts";

/** The call of a Dense without an activation that a result is of. */
function denseOf(build: GraphBuild, product: Connection): Call | undefined {
  const { call } = build.viewOf(product).of;
  const { className, config } = call?.layer ?? {};
  return className === "Dense" && config!.activation === "linear" ? call : undefined;
}

/** The bias behind a product that nothing else takes: both are one Dense. */
export function biased({ build, operands, takers }: Step): Connection | undefined {
  const k = operands.findIndex((one) => one instanceof Connection);
  const [product, term] = [operands[k] as Connection, operands[1 - k]];
  const { layer, inputs } = denseOf(build, product) ?? {};
  if (
    layer?.config.use_bias !== false || takers[k] !== 1 || !isGiven(term) ||
    term.name === "" || !build.hasOwnRows(product)
  ) {
    return undefined;
  }
  const { units } = layer.config as { units: number };
  const { data, shape } = constantPart(term);
  if (data.length !== units || shape.at(-1) !== units || shape.length > product.shape.length + 1) {
    return undefined;
  }
  const bias = shape.length === 1 ? arrayOf(term) : reshaped(arrayOf(term), [units]);
  const arrays = [...build.arraysOf(layer), bias];
  return build.eachRow(product, () => build.apply(dense({ units }), inputs!, arrays)[0]!);
}

/** `x·σ(x)`: how exporters write silu. */
export function gated({ build, operands, takers }: Step): Connection | undefined {
  for (const [k, gate] of operands.entries()) {
    const x = operands[1 - k];
    if (!(x instanceof Connection) || !(gate instanceof Connection) || takers[k] !== 1) continue;
    const { layer, inputs } = gate.call ?? {};
    const isGate = layer?.className === "Activation" && layer.config.activation === "sigmoid" &&
      inputs![0] === x;
    if (isGate) return activated(build, x, getActivation("silu"), takers[1 - k] === 2);
  }
  return undefined;
}

/** An activation, that of the Dense before it where nothing else takes its result. */
export function activate(step: Step): Result[] {
  const { operator } = step;
  const options = { alpha: floatOf(step, "alpha"), beta: floatOf(step, "beta") };
  const found = operator === "Gelu"
    ? gelu(step)
    : operator === "Celu"
    ? getActivation("celu", { alpha: options.alpha ?? 1 })
    : operator === "Selu" && isKerasSelu(step)
    ? getActivation("selu")
    : operatorActivation(operator, options);
  if (found === undefined) throw new UnreadNode("it is none of the operators that are read");
  const x = connectionOf(step, 0);
  if (operator.endsWith("oftmax")) return [rows(step, x, found)];
  return [activated(step.build, x, found, step.takers[0] === 1)];
}

/** Whether α and γ are those of the paper, as float32 has them. */
function isKerasSelu(step: Step): boolean {
  const near = (name: string, wanted: number) =>
    Math.abs((floatOf(step, name) ?? wanted) - wanted) < 1e-6;
  return near("alpha", 1.6732632423543772) && near("gamma", 1.0507009873554805);
}

/** An activation of a result, that of its Dense where nothing else takes it. */
function activated(
  build: GraphBuild,
  x: Connection,
  chosen: Activation,
  isAlone: boolean,
): Connection {
  const { layer, inputs } = denseOf(build, x) ?? {};
  const apply = (of: Connection): Connection => {
    if (layer === undefined || !isAlone || of !== build.viewOf(x).of) {
      return build.apply(activationLayer(chosen), [of])[0]!;
    }
    const { units, use_bias: useBias } = layer.config as { units: number; use_bias: boolean };
    const fused = dense({ units, useBias, activation: chosen });
    return build.apply(fused, inputs!, build.arraysOf(layer))[0]!;
  };
  const isOfRows = chosen.activationName.endsWith("softmax");
  return isOfRows ? build.eachRow(x, apply) : build.eachNumber(x, apply);
}

/** `Softmax` and `LogSoftmax`: along an axis; before opset 13 over all from it on. */
function rows(step: Step, x: Connection, softmax: Activation): Connection {
  const rank = x.shape.length + 1;
  const axis = axisOf(intOf(step, "axis", step.opset < 13 ? 1 : -1), rank);
  if (axis === rank - 1 && rank > 1) {
    return activated(step.build, x, softmax, step.takers[0] === 1);
  }
  const [result] = step.build.operate(step.operator, [x], {
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
  }) as [Connection];
  step.build.keepFirst(x, result);
  return result;
}

function denseRows(
  build: GraphBuild,
  x: Connection,
  size: number,
  options: { readonly units: number; readonly useBias: boolean },
  arrays: readonly Converted[],
): Connection {
  return build.eachRow(
    x,
    (of) => build.apply(dense(options), [build.pinned(of, size)], arrays)[0]!,
  );
}

/** `MatMul`: by a constant matrix a Dense, else of batches of matrices. */
export function matMul(step: Step): Result[] {
  const [a, b] = step.operands as [Result, Result];
  if (a instanceof Connection && isGiven(b)) {
    const array = arrayOf(b);
    const { shape: [size, units, ...more] } = array.tensor;
    if (units !== undefined && more.length === 0 && a.shape.length > 0) {
      return [denseRows(step.build, a, size!, { units, useBias: false }, [array])];
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
  const isPlain = alpha === 1 && beta === 1 && !turnsA && a instanceof Connection;
  if (isPlain && isGiven(b) && (c === undefined || isGiven(c))) {
    const kernel = turnsB ? transposed(arrayOf(b)) : arrayOf(b);
    const [size, units] = kernel.tensor.shape as [number, number];
    const bias = c && arrayOf(c);
    const isBias = bias === undefined || bias.tensor.data.length === units &&
        (bias.tensor.shape.at(-1) ?? 1) === units;
    if (isBias && kernel.tensor.shape.length === 2) {
      const arrays = [kernel, ...(bias ? [reshaped(bias, [units])] : [])];
      return [denseRows(step.build, a, size, { units, useBias: bias !== undefined }, arrays)];
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
