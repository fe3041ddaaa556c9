import { accuracyOf } from "./accuracy.ts";
import { lossOf, type Training } from "./compile.ts";
import type { CheckedFitOptions } from "./fit_options.ts";
import type { EpochReport } from "./history.ts";
import type { Network } from "../network.ts";
import { countOf, type Samples, take } from "./samples.ts";

/** What samples come to: the loss, and the accuracy where it is measured. */
export interface Evaluation {
  /** The mean over the samples. */
  readonly loss: number;
  /** How many predictions were right, 0 to 1. */
  readonly accuracy?: number;
}

/** The loss of samples, batch by batch as Keras takes it; what `Model.evaluate` gives. */
export function evaluate(
  network: Network,
  training: Training,
  samples: Samples,
  { batchSize }: Pick<CheckedFitOptions, "batchSize">,
): Evaluation {
  const count = countOf(samples);
  let [lossSum, correct, counted] = [0, 0, 0];
  for (let start = 0; start < count; start += batchSize) {
    const length = Math.min(batchSize, count - start);
    const batch = take(samples, Array.from({ length }, (_, k) => start + k));
    const { outputs, masks, states } = network.forward(batch.x, { fast: true });
    network.states = states; // Keras's stateful layers go on through validation too
    lossSum += lossOf(training, batch.y, outputs, masks, batch.weights).value * length;
    if (!training.measuresAccuracy) continue;
    const accuracy = accuracyOf(batch.y[0]!, outputs[0]!, masks[0]);
    correct += accuracy.correct;
    counted += accuracy.counted;
  }
  return {
    loss: lossSum / count,
    ...(training.measuresAccuracy ? { accuracy: correct / counted } : {}),
  };
}

/** The same of the samples kept for validation, as an epoch reports it. */
export function validate(
  network: Network,
  training: Training,
  samples: Samples | undefined,
  options: CheckedFitOptions,
): Pick<EpochReport, "valLoss" | "valAccuracy"> {
  if (samples === undefined) return {};
  const { loss, accuracy } = evaluate(network, training, samples, options);
  return { valLoss: loss, ...(accuracy === undefined ? {} : { valAccuracy: accuracy }) };
}
