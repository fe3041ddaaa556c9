// Operators of ONNX that normalize.

import { layerNormalization } from "../layers/normalization.ts";
import { Tensor } from "../tensor/tensor.ts";
import { permuted } from "../values/arrange.ts";
import { inverseRoot } from "../values/functions.ts";
import { floatOf, intOf } from "./onnx_attributes.ts";
import { axisOf, UnreadNode } from "./onnx_errors.ts";
import { constantTensor } from "./onnx_known.ts";
import {
  arrayOf,
  connectionOf,
  constantOperand,
  type Result,
  type Step,
  weightOf,
} from "./onnx_step.ts";

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
  const { build } = step;
  return [
    build.eachRow(x, (of) => build.apply(layer, [build.pinned(of, shape[0]!)], arrays)[0]!),
  ];
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
  const results = step.build.operate("BatchNormalization", [x, ...weights], {
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
  step.build.keepFirst(x, ...results);
  return results;
}
