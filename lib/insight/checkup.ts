import { checkOptions, type KeysOf } from "../base/options.ts";
import { shownAs } from "../base/shown.ts";
import { part, type Work } from "../base/work.ts";
import { type AtOnce, atOnceOrInTurns, IN_TURNS, type InTurns } from "../display/in_turns.ts";
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

/** What is known of a model that is checked. */
export interface CheckupOptions {
  /** What `fit` returned: without it, no weight is said not to have moved. */
  readonly history?: History | undefined;
}

const OPTIONS: KeysOf<CheckupOptions & AtOnce> = { history: "optional", ...IN_TURNS };

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
 * As a promise, which takes turns with other code: a signal stops it, a line says how far it is.
 *
 * @throws {DOMException} where the signal stopped it; or whatever its reason is.
 *
 * @example
 * ```ts
 * import { arange, checkup, lstm, sequential } from "@gatescope/lstm";
 * import { assert } from "@std/assert";
 *
 * const model = sequential([lstm({ units: 4 })], { inputShape: [3, 2], seed: 1 });
 * const x = arange(6).reshape([1, 3, 2]);
 * const { healthy } = await checkup(model, x, { signal: AbortSignal.timeout(60_000) });
 * assert(healthy);
 * ```
 */
export function checkup(
  model: Model,
  x: ModelInput,
  options: CheckupOptions & InTurns,
): Promise<Checkup>;
/**
 * Looks for what keeps a recurrent layer from learning or from being right: numbers that are not finite,
 * exploding cell states (of a GRU and a SimpleRNN, hidden states), a softmax near overflow, gradients that vanish on their way back through
 * the timesteps, dead units, weights that never moved, saturated gates. Each finding has its number,
 * its cause and its remedy.
 *
 * @param model any model; it is left as it was
 * @param x samples as it will see them, as for `model.predict`
 * @param options what `fit` returned, or an object with it
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
export function checkup(
  model: Model,
  x: ModelInput,
  options?: History | (CheckupOptions & AtOnce),
): Checkup;
export function checkup(
  model: Model,
  x: ModelInput,
  given?: History | (CheckupOptions & (AtOnce | InTurns)),
): Checkup | Promise<Checkup> {
  if (arguments.length > 3) {
    throw new TypeError(
      "Cannot check up: the history stands among the options, { history, signal }, but a fourth " +
        "argument is given",
    );
  }
  const options = isHistory(given) ? { history: given } : given;
  return atOnceOrInTurns("check up", checkupWork(model, x, options), options);
}

/** A history, or a copy of one, is told by its losses. */
function isHistory(given: History | CheckupOptions | undefined): given is History {
  return typeof given === "object" && given !== null && "loss" in given;
}

/** What is done, about, when the equations have run, and when gradients have gone back through them. */
const [RUN, BACK] = [0.7, 0.95];

function* checkupWork(
  model: Model,
  x: ModelInput,
  options: CheckupOptions | undefined,
): Work<Checkup> {
  const network = networkOf(model, "check up");
  checkOptions("check up", options, OPTIONS);
  const { history } = options ?? {};
  const start = history === undefined ? undefined : startOf(history);
  if (history !== undefined && start?.network !== network) {
    throw new TypeError(
      `Cannot check up: the history must be what this model's fit returned, but it is ` +
        (start === undefined ? "a copy, or none" : "another model's"),
    );
  }
  const trained = history === undefined || history.loss.length > 0;
  const inputs = network.checkInputs(x, "check up");
  const examining = examine(network, inputs, trained ? start : undefined);
  const context = yield* part(network.whileUnchanged("check up", examining), 0, RUN);
  const results = [notFinite(context)];
  yield RUN;
  if (results[0]!.findings.length === 0) { // with a NaN inside, every other number would be one too
    results.push(yield* part(explodingStates(context), RUN, RUN), softmaxOverflow(context));
    results.push(yield* part(vanishingGradients(context), RUN, BACK));
    results.push(yield* part(deadUnits(context), BACK, BACK), unmovedWeights(context));
    yield BACK;
    results.push(saturatedGates(context));
  }
  const findings = results.flatMap((result) => result.findings)
    .sort((a, b) => b.severity - a.severity);
  return Object.freeze(shownAs("Checkup", {
    healthy: findings.length === 0,
    findings: Object.freeze(findings),
    measurements: Object.freeze(results.map(({ measurement }) => measurement)),
  }));
}
