import { inWords } from "../../display/number.ts";
import type { CheckResult } from "./finding.ts";
import type { CheckContext } from "./check_context.ts";

/** e^88.72 is float32's largest number: nine tenths of the way there. */
const [OVERFLOW, NEAR] = [88.72, 80];

/** Logits in front of a softmax whose exponential is near the end of float32. */
export function softmaxOverflow({ softmaxes, layers }: CheckContext): CheckResult {
  const samples = layers[0]!.outputs[0]!.shape[0]!;
  const measured = softmaxes.map(({ layer, logits }) => {
    let [largest, k] = [0, 0];
    logits.data.forEach((logit, index) => {
      if (Math.abs(logit) > Math.abs(largest)) [largest, k] = [logit, index];
    });
    const size = logits.data.length / samples;
    return { name: layer, largest, sample: Math.floor(k / size) };
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
        what: `a logit of sample ${sample} is ${inWords(largest)}: e^x ends at ` +
          `${OVERFLOW} in float32`,
        cause:
          "large weights or large values in front of the softmax: all but one class are 0 to " +
          "the last digit, and so is the gradient",
        remedy:
          "an activation with an upper end in the recurrent layer, smaller dense weights (weight decay, a " +
          "smaller learning rate), and a softmax that subtracts the largest logit first",
        severity: 0.8,
      }]
    ),
  };
}
