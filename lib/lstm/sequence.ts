import { showAs } from "../display/view.ts";
import { formatShape } from "../tensor/shape.ts";
import { asFloat64, Tensor, type TensorLike } from "../tensor/tensor.ts";
import { type LstmActivations, lstmCell, type LstmStep, type LstmWeights } from "./cell.ts";
import { type Gates, gatesOf } from "./gates.ts";
import { layerTraceView } from "./layer_trace_view.ts";

/** Everything an LSTM computed, `[batch, timesteps, units]` each. */
export interface LayerTrace {
  /** The gates' values, after their activations. */
  readonly gates: Gates;
  /** c, after each step. */
  readonly cellState: Tensor;
  /** h, after each step; the last one is what the layer returns. */
  readonly hiddenState: Tensor;
}

/**
 * An LSTM over all timesteps, {@linkcode lstmCell} again and again, in float64.
 *
 * @param x `[batch, timesteps, inputSize]`
 * @param weights Keras's kernel, recurrent kernel and bias
 * @param options the two activations
 * @returns gates and states after every step, `[batch, timesteps, units]` each
 * @throws {TypeError} where a shape does not fit the others.
 *
 * @example
 * ```ts
 * import { arange, lstmForward } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const x = arange(6).reshape([1, 3, 2]);
 * const weights = {
 *   kernel: [[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8]],
 *   recurrentKernel: [[0.1, 0.2, 0.3, 0.4]],
 *   bias: [0, 1, 0, 0],
 * };
 * const trace = lstmForward(x, weights, { activation: "relu" });
 * assertEquals(trace.cellState.shape, [1, 3, 1]);
 * assertEquals(trace.gates.forget.at(0, 2).shape, [1]); // the only unit, sample 0, last step
 * ```
 */
export function lstmForward(
  x: TensorLike,
  weights: LstmWeights,
  options: LstmActivations = {},
): LayerTrace {
  const sequence = asFloat64(x);
  const [batch, timesteps, inputSize] = sequence.shape;
  if (sequence.shape.length !== 3 || batch === 0 || timesteps === 0 || inputSize === 0) {
    throw new TypeError(
      `Cannot run an LSTM as the input must be [batch, timesteps, inputSize], none of them 0: ` +
        `current shape is ${formatShape(sequence.shape)}`,
    );
  }
  const steps: LstmStep[] = [];
  for (let t = 0; t < timesteps!; t++) {
    steps.push(lstmCell(sequence.select(1, t), steps.at(-1), weights, options));
  }
  return layerTraceOf({
    gates: gatesOf({
      input: stackTimesteps(steps.map(({ gates }) => gates.input)),
      forget: stackTimesteps(steps.map(({ gates }) => gates.forget)),
      candidate: stackTimesteps(steps.map(({ gates }) => gates.candidate)),
      output: stackTimesteps(steps.map(({ gates }) => gates.output)),
    }),
    cellState: stackTimesteps(steps.map(({ cellState }) => cellState)),
    hiddenState: stackTimesteps(steps.map(({ hiddenState }) => hiddenState)),
  });
}

/** A trace as a value that shows itself. */
function layerTraceOf(trace: LayerTrace): LayerTrace {
  return Object.freeze(showAs({ ...trace }, layerTraceView));
}

/** `[batch, units]` of each timestep become `[batch, timesteps, units]`. */
function stackTimesteps(steps: readonly Tensor[]): Tensor {
  const [batch, units] = steps[0]!.shape as [number, number];
  const data = new Float64Array(batch * steps.length * units);
  steps.forEach((step, t) => {
    for (let n = 0; n < batch; n++) {
      data.set(step.at(n).data, (n * steps.length + t) * units);
    }
  });
  return new Tensor(data, [batch, steps.length, units]);
}
