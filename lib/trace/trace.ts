import { checkOptions, type KeysOf } from "../base/options.ts";
import { showAs } from "../display/view.ts";
import type { LayerTrace } from "../lstm/sequence.ts";
import { type Model, networkOf } from "../model/model.ts";
import type { Network, NetworkRun } from "../model/network.ts";
import { Tensor, type TensorLike } from "../tensor/tensor.ts";
import { type Intervention, interventionListeners } from "./interventions.ts";
import { lstmPlaces, nameOf } from "./places.ts";
import { traceView } from "./trace_view.ts";

/** What happened inside a model while it predicted. */
export interface Trace {
  /**
   * Every gate and state, for each LSTM in order; Bidirectional has two, forward and backward, both
   * in the order of the input.
   */
  readonly layers: readonly LayerTrace[];
  /** Whose each of `layers` is: `lstm`, `bidirectional/forward_layer`, … */
  readonly names: readonly string[];
  /** What `predict` gives; with interventions, what it would give. */
  readonly prediction: Tensor;
}

/** How a trace is made. */
export interface TraceOptions {
  /** Gates and states that are set, scaled, frozen or ablated, in this order. */
  readonly interventions?: readonly Intervention[];
  /**
   * Whether gates and states are those that `predict` computes, recorded in float32, instead of the
   * equations' in float64; it takes hardly longer than `predict`. false unless said.
   */
  readonly fast?: boolean;
}

const OPTIONS: KeysOf<TraceOptions> = {
  interventions: "optional",
  fast: "optional",
};

/**
 * Predicts, and keeps every gate and state of every LSTM at every timestep: by the equations in
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
export function trace(model: Model, x: TensorLike, options: TraceOptions = {}): Trace {
  const network = networkOf(model, "trace");
  checkOptions("trace", options, OPTIONS);
  const { interventions = [], fast = false } = options;
  const input = network.checkInput(x, "trace");
  if (fast && interventions.length > 0) {
    throw new TypeError(
      `Cannot trace as interventions are made in the equations, not in what predict computes: ` +
        `current options are fast and ${interventions.length} interventions`,
    );
  }
  const listeners = interventions.length === 0
    ? []
    : interventionListeners(interventions, lstmPlaces(network, input));
  const run = network.forward(input, { fast, records: true, listeners });
  return Object.freeze(showAs({
    layers: Object.freeze(run.traces.flat()),
    names: Object.freeze(traceNames(network, run)),
    prediction: new Tensor(Float32Array.from(run.output.data), run.output.shape),
  }, traceView));
}

/** Whose each trace of a run is, all layers' traces in a row. */
export function traceNames(network: Network, { traces }: NetworkRun): string[] {
  return network.layers.flatMap((placed, k) =>
    traces[k]!.map((_, direction) => nameOf(placed, direction))
  );
}
