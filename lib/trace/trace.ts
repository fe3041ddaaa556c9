import { checkOptions, type KeysOf } from "../base/options.ts";
import { shownAs } from "../base/shown.ts";
import { part, type Work } from "../base/work.ts";
import { type AtOnce, atOnceOrInTurns, IN_TURNS, type InTurns } from "../display/in_turns.ts";
import type { CellTrace } from "../cells/cell_run.ts";
import type { LayerTrace } from "../cells/lstm_forward.ts";
import type { ModelInput } from "../model/inputs.ts";
import { type Model, networkOf } from "../model/model.ts";
import { Tensor } from "../tensor/tensor.ts";
import { type Intervention, interventionListeners } from "./interventions.ts";
import { lstmPlaces } from "./places.ts";

/**
 * What happened inside a model while it predicted; `Trace<GruTrace>` where its layers are GRUs,
 * `Trace<CellTrace>` where they are of any cell.
 */
export interface Trace<L extends CellTrace = LayerTrace> {
  /**
   * Every gate and state, for each recurrent layer in order; Bidirectional has two, forward and
   * backward, both in the order of the input.
   */
  readonly layers: readonly L[];
  /** Whose each of `layers` is: `lstm`, `bidirectional/forward_layer`, … */
  readonly names: readonly string[];
  /** What `predict` gives; with interventions, what it would give. Of several outputs the first. */
  readonly prediction: Tensor;
  /** What `predictAll` gives, where the model has several outputs. */
  readonly predictions?: readonly Tensor[];
}

/** How a trace is made. */
export interface TraceOptions {
  /** Gates and states that are set, scaled, frozen or ablated, in this order. */
  readonly interventions?: readonly Intervention[];
  /**
   * Whether gates and states are those that `predict` computes, recorded in float32, instead of the
   * equations' in float64; it takes hardly longer than `predict`. Default: false.
   */
  readonly fast?: boolean;
}

const OPTIONS: KeysOf<TraceOptions & AtOnce> = {
  interventions: "optional",
  fast: "optional",
  ...IN_TURNS,
};

/**
 * As a promise, which takes turns with other code: a signal stops it, a line says how far it is.
 *
 * @throws {DOMException} where the signal stopped it; or whatever its reason is.
 *
 * @example
 * ```ts
 * import { arange, lstm, sequential, trace } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([lstm({ units: 4 })], { inputShape: [3, 2], seed: 1 });
 * const x = arange(6).reshape([1, 3, 2]);
 * const { layers } = await trace(model, x, { signal: AbortSignal.timeout(60_000) });
 * assertEquals(layers[0]!.hiddenState, trace(model, x).layers[0]!.hiddenState);
 * ```
 */
export function trace<L extends CellTrace = LayerTrace>(
  model: Model,
  x: ModelInput,
  options: TraceOptions & InTurns,
): Promise<Trace<L>>;
/**
 * Predicts, and keeps every gate and state of every recurrent layer at every timestep: by the equations in
 * float64, whatever the model's precision, so that it can judge what `predict` computes; or, for a
 * model in float32 where it is to be `fast`, as `predict` computes it.
 *
 * Each value passes a named site right after it is computed and before it is used; what an
 * intervention puts there is what the trace shows and what the rest of the run goes on with. A step
 * that is masked keeps the state before it, whatever is done there. The model is left as it was: its
 * stateful layers too.
 *
 * @param model made by {@linkcode sequential}
 * @param x as for `model.predict`
 * @param options interventions, and whether the equations compute or what `predict` runs
 * @throws {TypeError} where the shape is not the model's, or an intervention makes no sense,
 * or is asked of a `fast` trace: interventions are made in the equations.
 * @throws {RangeError} where an intervention's layer, unit, timestep or sample is not there.
 *
 * @example How far the forget gates are open, step by step
 * ```ts
 * import { arange, dense, lstm, sequential, trace } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([lstm({ units: 8 }), dense({ units: 2 })], { inputShape: [3, 2] });
 * const { layers, prediction } = trace(model, arange(24).reshape([4, 3, 2]));
 * assertEquals(layers[0]!.gates.forget.shape, [4, 3, 8]); // batch, timesteps, units
 * assertEquals(prediction.shape, [4, 2]);
 * ```
 *
 * @example What if unit 5 forgot nothing, and unit 2 wrote nothing at the last timestep?
 * ```ts
 * import { arange, dense, lstm, sequential, trace } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([lstm({ units: 8 }), dense({ units: 2 })], { inputShape: [3, 2] });
 * const { layers } = trace(model, arange(24).reshape([4, 3, 2]), {
 *   interventions: [
 *     { set: "gates.forget", to: 1, unit: 5 },
 *     { ablate: "gates.input", unit: 2, timestep: -1 },
 *   ],
 * });
 * assertEquals(layers[0]!.gates.forget.item(0, 1, 5), 1);
 * assertEquals(layers[0]!.gates.input.item(0, 2, 2), 0);
 * ```
 */
export function trace<L extends CellTrace = LayerTrace>(
  model: Model,
  x: ModelInput,
  options?: TraceOptions & AtOnce,
): Trace<L>;
export function trace<L extends CellTrace = LayerTrace>(
  model: Model,
  x: ModelInput,
  options: TraceOptions & (AtOnce | InTurns) = {},
): Trace<L> | Promise<Trace<L>> {
  return atOnceOrInTurns("trace", traceWork<L>(model, x, options), options);
}

/** What is done, about, when the equations have run. */
const RUN = 0.9;

function* traceWork<L extends CellTrace>(
  model: Model,
  x: ModelInput,
  options: TraceOptions,
): Work<Trace<L>> {
  const network = networkOf(model, "trace");
  checkOptions("trace", options, OPTIONS);
  const { interventions = [], fast = false } = options;
  const inputs = network.checkInputs(x, "trace");
  if (fast && interventions.length > 0) {
    throw new TypeError(
      `Cannot trace: interventions are made in the equations, not in what predict computes, ` +
        `but fast and ${interventions.length} interventions are given`,
    );
  }
  const listeners = interventions.length === 0
    ? {}
    : { listeners: interventionListeners(interventions, lstmPlaces(network, inputs)) };
  const context = { fast, records: true, ...listeners };
  const { tracesWork, outputs } = yield* part(network.forwardWork(inputs, context), 0, RUN);
  const traces = yield* part(tracesWork(), RUN, 1);
  const predictions = outputs.map(({ data, shape }) => new Tensor(Float32Array.from(data), shape));
  return Object.freeze(shownAs("Trace", {
    layers: Object.freeze(traces.map(({ trace }) => trace as CellTrace as L)),
    names: Object.freeze(traces.map(({ name }) => name)),
    prediction: predictions[0]!,
    ...(predictions.length > 1 && { predictions: Object.freeze(predictions) }),
  }));
}
