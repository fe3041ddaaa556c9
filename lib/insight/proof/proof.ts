import { checkOptions, type KeysOf } from "../../base/options.ts";
import { shownAs } from "../../base/shown.ts";
import { part, type Work } from "../../base/work.ts";
import { type AtOnce, atOnceOrInTurns, IN_TURNS, type InTurns } from "../../display/in_turns.ts";
import type { View } from "../../display/view.ts";
import type { ModelInput } from "../../model/inputs.ts";
import { type Model, networkOf, predictionWork } from "../../model/model.ts";
import { requireOneOutput } from "../../model/network.ts";
import type { Tensor, TensorLike } from "../../tensor/tensor.ts";
import { compareRuns, type Verdict } from "./compare_runs.ts";
import type { Difference, ProofPlace, ProofRow } from "./differences.ts";
import { expectationOf, type ExpectedTrace } from "./expected.ts";
import { explain } from "./explain.ts";
import { proofSentence } from "./proof_sentence.ts";
import { proofView } from "./proof_view.ts";

/** What is to be proved. */
export interface ProveOptions {
  /**
   * Somebody else's numbers: a prediction, or any part of a trace (states, gates, outputs of
   * layers). Default: what `predict` gives.
   */
  readonly expected?: TensorLike | ExpectedTrace | undefined;
}

const OPTIONS: KeysOf<ProveOptions & AtOnce> = { expected: "optional", ...IN_TURNS };
const PLACE: KeysOf<Partial<ProofPlace>> = {
  layer: "optional",
  value: "optional",
  sample: "optional",
  timestep: "optional",
  unit: "optional",
};

/** Whether somebody else's numbers are those of the equations, and where they part. */
export interface Proof {
  /**
   * `"equal"`: the same float32 everywhere. `"rounding"`: no difference that rounding in float32
   * does not explain. `"mismatch"`: something else was computed. `"undecided"`: rounding may move a
   * number so far, by more than a thousandth of its range, that this run proves nothing; or numbers
   * differ behind an activation that `getActivation` did not make, whose rounding nobody knows.
   */
  readonly verdict: Verdict;
  /** The verdict in one sentence; of a mismatch, with its place. */
  readonly sentence: string;
  /** The largest difference, relative to values above 1; NaN where either side holds one. */
  readonly maxAbsDiff: number;
  /** How far rounding alone could move the prediction, relative to values above 1. */
  readonly bound: number;
  /** Of a mismatch, the first place in the order of computation, as far as `expected` tells. */
  readonly place: Difference | undefined;
  /** A row for each value that was compared, in the order of the layers. */
  readonly rows: readonly ProofRow[];
  /** Recurrent layers that hand on nothing but 0: what comes after them says nothing about their weights. */
  readonly dead: readonly string[];
  /** Throws an Error with the sentence and the table where the verdict is `"mismatch"` or `"undecided"`. */
  readonly assert: () => void;
  /**
   * How one number came about, down to its dot product, term by term: where `place` says, or the
   * first mismatch, or else the prediction's largest difference.
   */
  readonly explain: (place?: Partial<ProofPlace>) => View;
}

/**
 * As a promise, which takes turns with other code: a signal stops it, a line says how far it is.
 *
 * @throws {DOMException} where the signal stopped it; or whatever its reason is.
 *
 * @example
 * ```ts
 * import { arange, lstm, prove, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([lstm({ units: 4 })], { inputShape: [3, 2], seed: 1 });
 * const x = arange(6).reshape([1, 3, 2]);
 * const { verdict } = await prove(model, x, { signal: AbortSignal.timeout(60_000) });
 * assertEquals(verdict, prove(model, x).verdict);
 * ```
 */
export function prove(
  model: Model,
  x: ModelInput,
  options: ProveOptions & InTurns,
): Promise<Proof>;
/**
 * Proves that somebody else's numbers are what the model's equations give, or finds the first place
 * where they are not.
 *
 * The equations run in float64, and beside each value runs a bound for how far any float32
 * computation of it may be off: γₙ·|x|·|W| for a dot product of n terms, 5 units of the last place
 * for an activation, and what the operands bring along by the slope of each function at its place
 * (Higham 2002). For the prediction the roundings are also weighed by its gradients. A value within
 * its bound differs by rounding; one beyond it does not.
 *
 * Where values inside are given, each step is computed from the given values before it: what is
 * beyond its bound went wrong there, and not earlier. Where float32 itself is chaotic, the bound of a
 * prediction explains anything: then the verdict is neither yes nor no, and the sentence says where
 * that begins. At masked steps, gates are not compared.
 *
 * The model is left as it was: its stateful layers too.
 *
 * @param model made by {@linkcode sequential}
 * @param x as for `model.predict`
 * @throws {TypeError} where a shape is not the model's, or there is nothing to compare with.
 *
 * @example A test of one's own: it fails with the sentence and the place
 * ```ts
 * import { dense, loadNpy, loadNpz, lstm, prove, sequential } from "@gatescope/lstm";
 *
 * const layers = [lstm({ units: 8 }), dense({ units: 2, activation: "softmax" })];
 * const model = sequential(layers, { inputShape: [3, 2] });
 * const file = "notebooks/data/experiment1_tanh_sigmoid";
 * model.setWeights([...(await loadNpz(`${file}.npz`)).values()]);
 *
 * const x = await loadNpy("notebooks/data/x.npy");
 * prove(model, x, { expected: await loadNpy(`${file}_prediction.npy`) }).assert();
 * ```
 *
 * @example Where it went wrong
 * ```ts
 * import { arange, lstm, prove, sequential, trace } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([lstm({ units: 4 })], { inputShape: [3, 2], seed: 1 });
 * const x = arange(6).reshape([1, 3, 2]);
 * const { layers: [layer] } = trace(model, x);
 * const { input, forget } = layer!.gates;
 * const swapped = { ...layer, gates: { input: forget, forget: input } };
 * const { verdict, place } = prove(model, x, { expected: { layers: [swapped] } });
 * assertEquals([verdict, place?.value, place?.timestep], ["mismatch", "gates.input", 0]);
 * ```
 */
export function prove(model: Model, x: ModelInput, options?: ProveOptions & AtOnce): Proof;
export function prove(
  model: Model,
  x: ModelInput,
  options: ProveOptions & (AtOnce | InTurns) = {},
): Proof | Promise<Proof> {
  return atOnceOrInTurns("prove", proofWork(model, x, options), options);
}

/** What is done, about, when the equations have run, are traced, and `predict` is. */
const [RUN, TRACED, OWN] = [0.2, 0.23, 0.3];

/** A proof, in pieces. */
export function* proofWork(model: Model, x: ModelInput, options: ProveOptions): Work<Proof> {
  const network = networkOf(model, "prove");
  checkOptions("prove", options, OPTIONS);
  const inputs = network.checkInputs(x, "prove");
  requireOneOutput(network, "prove");
  return yield* network.whileUnchanged("prove", checkedProof(model, x, inputs, options));
}

function* checkedProof(
  model: Model,
  x: ModelInput,
  inputs: readonly Tensor[],
  { expected }: ProveOptions,
): Work<Proof> {
  const network = networkOf(model);
  const { tracesWork, output, results } = yield* part(network.forwardWork(inputs), 0, RUN);
  const traces = yield* part(tracesWork(), RUN, TRACED);
  const whole = {
    layers: traces.map(({ trace }) => trace),
    names: traces.map(({ name }) => name),
    prediction: output,
    outputs: new Map(network.nodes.map(({ name }, k) => [name, results[k]![0]!])),
  };
  const other = expected !== undefined
    ? expected
    : yield* part(ownExpected(model, x, inputs), TRACED, OWN);
  const given = expectationOf(other, whole);
  const comparing = compareRuns(network, inputs, whole, given);
  const comparison = yield* part(comparing, expected !== undefined ? TRACED : OWN, 1);
  const sentence = proofSentence(comparison);
  const { verdict, maxAbsDiff, bound, place, rows, dead } = comparison;
  const proof: Proof = {
    verdict,
    sentence,
    maxAbsDiff,
    bound,
    place,
    rows,
    dead,
    assert: () => {
      if (verdict === "mismatch" || verdict === "undecided") {
        throw new Error(`${sentence}\n${proofView(proof).text}`);
      }
    },
    explain: (wanted = {}) => {
      checkOptions("explain", wanted, PLACE, "the place's parts");
      return explain(comparison, wanted);
    },
  };
  return Object.freeze(shownAs("Proof", proof));
}

/** What `predict` computes, and gives, without what it would make stateful layers remember. */
function* ownExpected(
  model: Model,
  x: ModelInput,
  inputs: readonly Tensor[],
): Work<ExpectedTrace> {
  const recording = networkOf(model).forwardWork(inputs, { fast: true, records: true });
  const { tracesWork } = yield* part(recording, 0, 0.4);
  const traces = yield* part(tracesWork(), 0.4, 0.5);
  yield 0.5;
  const [prediction] = yield* part(predictionWork(model, x), 0.5, 1);
  yield 1;
  return { layers: traces.map(({ trace }) => trace), prediction: prediction! };
}
