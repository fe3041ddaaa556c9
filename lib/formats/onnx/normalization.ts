// Operators of ONNX that normalize.

import { batchNormalization, layerNormalization } from "../../layers/normalization.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { broadcast, permuted, shapeOf } from "../../values/arrange.ts";
import { inverseRoot } from "../../values/functions.ts";
import type { Ops } from "../../values/ops.ts";
import { floatOf, intOf } from "./attributes.ts";
import { axisOf, UnreadNode } from "./errors.ts";
import { permute } from "./movements.ts";
import { connectionOf, type Result, type Step, weightOf } from "./step.ts";

/** `LayerNormalization`: of the last axis a layer of Keras's, else of all axes from one on. */
export function normalizeRows(step: Step): Result[] {
  const { build } = step;
  const x = connectionOf(step, 0);
  const axis = axisOf(intOf(step, "axis", -1), x.shape.length + 1);
  const epsilon = floatOf(step, "epsilon") ?? 1e-5;
  const [gamma, beta] = [weightOf(step, 1, "scale")!, weightOf(step, 2, "bias")];
  if ((step.uses[1] ?? 0) + (step.uses[2] ?? 0) > 0) {
    throw new UnreadNode("it hands on its mean or variance");
  }
  const { shape } = gamma.array.tensor;
  if (axis === x.shape.length && axis > 0 && shape.length === 1) {
    const layer = layerNormalization({ epsilon, center: beta !== undefined });
    const arrays = [gamma, ...(beta ? [beta] : [])].map(({ array }) => array);
    return [
      build.eachRow(x, (of) => build.apply(layer, [build.pinned(of, shape[0]!)], arrays)[0]!),
    ];
  }
  const results = build.operate("LayerNormalization", [x, gamma, ...(beta ? [beta] : [])], {
    shapes: ([{ shape }]) => [shape],
    run: (o, [{ value, shape }, scale, shift]) => {
      const rows = o.reshape(value, [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))]);
      const normal = o.reshape(normalized(o, rows, epsilon), shape);
      const product = o.sumOfProducts([normal, broadcast(o, scale!.value, shape)]);
      return [shift === undefined ? product : o.add(product, broadcast(o, shift.value, shape))];
    },
  });
  build.keepFirst(x, ...results);
  return results;
}

/** `InstanceNormalization` and `GroupNormalization`: channels, or groups of them, of each sample. */
export function normalizeGroups(step: Step): Result[] {
  const { build, operator, opset } = step;
  const x = connectionOf(step, 0);
  const epsilon = floatOf(step, "epsilon") ?? 1e-5;
  const [gamma, beta] = [weightOf(step, 1, "scale")!, weightOf(step, 2, "bias")!];
  const isGrouped = operator === "GroupNormalization";
  const groups = isGrouped ? intOf(step, "num_groups", NaN) : undefined;
  if (x.shape.length < 1) throw new UnreadNode("its input has no channels");
  const results = build.operate(operator, [x, gamma, beta], {
    shapes: ([{ shape }]) => [shape],
    run: (o, [{ value, shape }, scale, shift]) => {
      const [batch, channels, ...space] = shape as [number, number, ...number[]];
      const count = groups ?? channels;
      if (channels % count !== 0) {
        throw new UnreadNode(`${channels} channels are no ${count} groups`);
      }
      const all = sizeOf(shape) / batch / count;
      const normal = normalized(o, o.reshape(value, [batch * count, all]), epsilon);
      // before opset 21 a group has one scale and one bias
      const each = isGrouped && opset < 21 ? count : channels;
      const spread = [batch, each, sizeOf(shape) / batch / each];
      const wide = (one: typeof value) =>
        broadcast(o, o.reshape(one, [1, each, 1]), spread, { whole: true });
      const product = o.sumOfProducts([o.reshape(normal, spread), wide(scale!.value)]);
      return [o.reshape(o.add(product, wide(shift!.value)), [batch, channels, ...space])];
    },
  });
  build.keepFirst(x, ...results);
  return results;
}

/** `RMSNormalization`: y = γ ⊙ x / √(mean x² + ε), over all axes from one on. */
export function normalizeRoots(step: Step): Result[] {
  const { build } = step;
  const x = connectionOf(step, 0);
  const axis = axisOf(intOf(step, "axis", -1), x.shape.length + 1);
  const epsilon = floatOf(step, "epsilon") ?? 1e-5;
  const results = build.operate("RMSNormalization", [x, weightOf(step, 1, "scale")!], {
    shapes: ([{ shape }]) => [shape],
    run: (o, [{ value, shape }, scale]) => {
      const rows = o.reshape(value, [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))]);
      const normal = o.reshape(overRoots(o, rows, epsilon), shape);
      return [o.sumOfProducts([normal, broadcast(o, scale!.value, shape)])];
    },
  });
  build.keepFirst(x, ...results);
  return results;
}

/** (x − μ) / √(σ² + ε) of each row. */
function normalized<V>(o: Ops<V>, rows: V, epsilon: number): V {
  const shape = shapeOf(o, rows);
  const mean = broadcast(o, o.scale(meansOf(o, rows), -1), shape, { whole: true });
  return overRoots(o, o.add(rows, mean), epsilon);
}

/** x / √(mean x² + ε) of each row. */
function overRoots<V>(o: Ops<V>, rows: V, epsilon: number): V {
  const small = o.given(new Tensor(Float64Array.of(epsilon), []));
  const squares = meansOf(o, o.sumOfProducts([rows, rows]));
  const factor = o.apply(inverseRoot, o.add(squares, small));
  return o.sumOfProducts([rows, broadcast(o, factor, shapeOf(o, rows), { whole: true })]);
}

/** `[rows, n]` becomes `[rows, 1]`. */
function meansOf<V>(o: Ops<V>, rows: V): V {
  const [, count] = shapeOf(o, rows) as [number, number];
  const column = new Tensor(new Float64Array(count).fill(1 / count), [count, 1]);
  return o.affine([[rows, o.given(column)]]);
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
  const { build } = step;
  const arrays = weights.map(({ array }) => array);
  const rank = x.shape.length + 1;
  const isKeras = rank <= 3 && x.shape[0] === arrays[0]!.tensor.shape[0];
  if (isKeras) { // its channels are the last axis
    const order = rank === 3 ? [0, 2, 1] : [0, 1];
    const turned = permute(build, x, order);
    const result = build.eachRow(
      turned,
      (of) => build.apply(batchNormalization({ epsilon }), [of], arrays)[0]!,
    );
    return [permute(build, result, order)];
  }
  const results = build.operate("BatchNormalization", [x, ...weights], {
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
  });
  build.keepFirst(x, ...results);
  return results;
}
