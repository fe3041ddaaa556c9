import { formatNumber } from "../../display/number.ts";
import { denseForward } from "../../lstm/dense.ts";
import { unwrapped } from "../../model/layer.ts";
import { isNamed } from "../../lstm/built_in.ts";
import { activationOf } from "../../model/layer_options.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { CheckResult } from "./finding.ts";
import type { LayerVisit, Patient } from "./patient.ts";

/** e^88.72 is float32's largest number: nine tenths of the way there. */
const [OVERFLOW, NEAR] = [88.72, 80];

/** Logits in front of a softmax whose exponential is near the end of float32. */
export function softmaxOverflow({ layers }: Patient): CheckResult {
  const measured = layers.flatMap((visit) => {
    const logits = logitsOf(visit);
    if (logits === undefined) return [];
    let [largest, k] = [0, 0];
    logits.data.forEach((logit, index) => {
      if (Math.abs(logit) > Math.abs(largest)) [largest, k] = [logit, index];
    });
    const size = logits.data.length / logits.shape[0]!;
    return [{ name: visit.placed.name, largest, sample: Math.floor(k / size) }];
  });
  return {
    measurement: {
      check: "softmax near overflow",
      worst: measured.length === 0
        ? undefined
        : Math.max(...measured.map(({ largest }) => Math.abs(largest))),
      unit: "largest |logit|",
      limit: NEAR,
    },
    findings: measured.flatMap(({ name, largest, sample }) =>
      Math.abs(largest) <= NEAR ? [] : [{
        kind: "softmax near overflow" as const,
        layer: name,
        number: largest,
        what: `a logit of sample ${sample} is ${formatNumber(largest)}: e^x ends at ` +
          `${OVERFLOW} in float32`,
        cause:
          "large weights or large values in front of the softmax: all but one class are 0 to " +
          "the last digit, and so is the gradient",
        remedy: "an LSTM activation with an upper end, smaller dense weights (weight decay, a " +
          "smaller learning rate), and a softmax that subtracts the largest logit first",
        severity: 0.8,
      }]
    ),
  };
}

/** What goes into a layer's softmax; none where it has none. */
function logitsOf({ placed: { layer }, input, weights }: LayerVisit): Tensor | undefined {
  const inner = unwrapped(layer);
  if (inner.className !== "Dense" && inner.className !== "Activation") return undefined;
  if (!isNamed(activationOf(inner.config.activation), "softmax")) return undefined;
  if (inner.className === "Activation") return input;
  const [kernel, bias] = weights as [Tensor, Tensor?];
  return denseForward(input, { kernel, ...(bias && { bias }) });
}
