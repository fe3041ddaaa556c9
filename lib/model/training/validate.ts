import { accuracyOf } from "./accuracy.ts";
import { lossOf, type Training } from "./compile.ts";
import type { CheckedFitOptions } from "./fit_options.ts";
import type { EpochReport } from "./history.ts";
import type { Network } from "../network.ts";
import { countOf, type Samples, take } from "./samples.ts";

/** The loss of the samples kept back, batch by batch as Keras takes it. */
export function validate(
  network: Network,
  training: Training,
  samples: Samples | undefined,
  { batchSize }: CheckedFitOptions,
): Pick<EpochReport, "valLoss" | "valAccuracy"> {
  if (samples === undefined) return {};
  const count = countOf(samples);
  let [lossSum, correct, counted] = [0, 0, 0];
  for (let start = 0; start < count; start += batchSize) {
    const length = Math.min(batchSize, count - start);
    const batch = take(samples, Array.from({ length }, (_, k) => start + k));
    const { outputs, masks, states } = network.forward(batch.x, { fast: true });
    network.states = states; // Keras's stateful layers go on through validation too
    lossSum += lossOf(training, batch.y, outputs, masks).value * length;
    if (!training.measuresAccuracy) continue;
    const accuracy = accuracyOf(batch.y[0]!, outputs[0]!, masks[0]);
    correct += accuracy.correct;
    counted += accuracy.counted;
  }
  return {
    valLoss: lossSum / count,
    ...(training.measuresAccuracy ? { valAccuracy: correct / counted } : {}),
  };
}
