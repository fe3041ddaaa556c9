import { showAs } from "../display/view.ts";
import type { LayerTrace } from "../lstm/sequence.ts";
import { type Model, networkOf } from "../model/model.ts";
import type { Network, NetworkRun } from "../model/network.ts";
import { Tensor, type TensorLike } from "../tensor/tensor.ts";
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
  /** The prediction in float32: what `predict` gives, by the equations but for roundings. */
  readonly prediction: Tensor;
}

/** How a trace is made. */
export interface TraceOptions {
  /**
   * Whether gates and states are those that `predict` computes, recorded in float32, instead of the
   * equations' in float64; it takes hardly longer than `predict`. false unless said.
   */
  readonly fast?: boolean;
}

/**
 * Predicts, and keeps every gate and state of every LSTM at every timestep: by the equations in
 * float64, whatever the model's precision, so that it can judge what `predict` computes; or, for a
 * model in float32 where it is to be `fast`, as `predict` computes it.
 *
 * The model is left as it was: its stateful layers too.
 *
 * @param model made by {@linkcode sequential}
 * @param x as for `model.predict`
 * @param options whether the equations compute, or what `predict` runs
 * @throws {TypeError} where the shape is not the model's.
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
 */
export function trace(model: Model, x: TensorLike, { fast = false }: TraceOptions = {}): Trace {
  const network = networkOf(model);
  const run = network.forward(network.checkInput(x, "trace"), { fast, records: true });
  return Object.freeze(showAs({
    layers: Object.freeze(run.traces.flat()),
    names: Object.freeze(traceNames(network, run)),
    prediction: new Tensor(Float32Array.from(run.output.data), run.output.shape),
  }, traceView));
}

/** Whose each trace of a run is, all layers' traces in a row. */
export function traceNames(network: Network, { traces }: NetworkRun): string[] {
  return network.layers.flatMap(({ name, layer }, k) => {
    const inside = layer.className === "Bidirectional"
      ? [`${name}/forward_layer`, `${name}/backward_layer`]
      : [name];
    return traces[k]!.map((_, direction) => inside[direction] ?? name);
  });
}
