import { refuseOptions } from "../base/options.ts";
import { shownAs } from "../base/shown.ts";
import { finish } from "../base/work.ts";
import { type History, startOf } from "../model/training/history.ts";
import type { ModelInput } from "../model/inputs.ts";
import { type Model, networkOf } from "../model/model.ts";
import { deadUnits } from "./checks/dead_units.ts";
import { explodingStates } from "./checks/exploding_states.ts";
import type { Finding, Measurement } from "./checks/finding.ts";
import { notFinite } from "./checks/not_finite.ts";
import { examine } from "./checks/check_context.ts";
import { saturatedGates } from "./checks/saturated_gates.ts";
import { softmaxOverflow } from "./checks/softmax_overflow.ts";
import { unmovedWeights } from "./checks/unmoved_weights.ts";
import { vanishingGradients } from "./checks/vanishing_gradients.ts";

/** What a checkup found. */
export interface Checkup {
  /** Whether nothing was found. */
  readonly healthy: boolean;
  /** What was found, worst first. */
  readonly findings: readonly Finding[];
  /** What each check measured, and from where on it is a finding. */
  readonly measurements: readonly Measurement[];
}

/**
 * Looks for what keeps a recurrent layer from learning or from being right: numbers that are not finite,
 * exploding cell states (of a GRU and a SimpleRNN, hidden states), a softmax near overflow, gradients that vanish on their way back through
 * the timesteps, dead units, weights that never moved, saturated gates. Each finding has its number,
 * its cause and its remedy.
 *
 * @param model any model; it is left as it was
 * @param x samples as it will see them, as for `model.predict`
 * @param history what `fit` returned: without it, no weight is said not to have moved
 * @throws {TypeError} where the shape is not the model's, or the history is another model's.
 *
 * @example A unit that relu has killed
 * ```ts
 * import { checkup, dense, lstm, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const layers = [lstm({ units: 2, activation: "relu" }), dense({ units: 1 })];
 * const model = sequential(layers, { inputShape: [3, 1], seed: 1 });
 * const [, recurrent, , ...head] = model.getWeights();
 * const kernel = [[0.5, 0.5, 0.5, 0.5, 0.5, -9, 0.5, 0.5]]; // unit 1's candidate: relu(−9x)
 * model.setWeights([kernel, recurrent!, [0, 0, 0, 0, 0, 0, 0, 0], ...head]);
 * const { findings } = checkup(model, [[[1], [2], [3]]]);
 * assertEquals(findings.map(({ kind, number }) => [kind, number]), [["dead units", 1]]);
 * ```
 */
export function checkup(model: Model, x: ModelInput, history?: History): Checkup {
  const network = networkOf(model, "check up");
  refuseOptions("check up", arguments, 3);
  const start = history === undefined ? undefined : startOf(history);
  if (history !== undefined && start?.network !== network) {
    throw new TypeError(
      `Cannot check up: the history must be what this model's fit returned, but it is ` +
        (start === undefined ? "a copy, or none" : "another model's"),
    );
  }
  const trained = history === undefined || history.loss.length > 0;
  const inputs = network.checkInputs(x, "check up");
  const context = finish(examine(network, inputs, trained ? start : undefined));
  const first = notFinite(context);
  // With a NaN inside, every other number would be one too.
  const others = first.findings.length > 0 ? [] : [
    explodingStates(context),
    softmaxOverflow(context),
    vanishingGradients(context),
    deadUnits(context),
    unmovedWeights(context),
    saturatedGates(context),
  ];
  const results = [first, ...others];
  const findings = results.flatMap((result) => result.findings)
    .sort((a, b) => b.severity - a.severity);
  return Object.freeze(shownAs("Checkup", {
    healthy: findings.length === 0,
    findings: Object.freeze(findings),
    measurements: Object.freeze(results.map(({ measurement }) => measurement)),
  }));
}
