// cuDNN's arrays of an LSTM or a GRU as Keras's (keras/engine/saving.py, `_convert_rnn_weights`, Keras
// 2.2.4): each gate's kernel lies turned, each recurrent block transposed, and there are two biases.

import { sizeOf } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { NamedLayer } from "../build_model.ts";
import { type Converted, reshaped } from "../conversion.ts";

/**
 * The arrays, those of a CuDNNLSTM or CuDNNGRU turned: the first is told by its bias, twice as long as
 * an LSTM's, the second by its bias in one row where the GRU's is in two.
 */
export function fromCudnn(
  { weights: specs }: NamedLayer,
  arrays: readonly Converted[],
): readonly Converted[] {
  const result = [...arrays];
  for (const [k, { name, shape: wanted }] of specs.entries()) {
    const bias = arrays[k];
    const isRecurrent = /(^|\/)bias$/.test(name) &&
      /recurrent_kernel$/.test(specs[k - 1]?.name ?? "");
    if (!isRecurrent || bias?.tensor.shape.length !== 1) continue;
    const length = bias.tensor.shape[0]!;
    const isGru = wanted.length === 2;
    const units = arrays[k - 1]!.tensor.shape[0]!;
    if (length !== (isGru ? sizeOf(wanted) : 2 * wanted[0]!) || units === 0) continue;
    const gates = length / 2 / units;
    const turn = (at: number, step: string, change: (gate: Tensor) => Tensor) => {
      result[at] = byGate(arrays[at]!, gates, step, change);
    };
    turn(k - 2, "turned from cuDNN's order", turned);
    turn(k - 1, "transposed gate by gate", (gate) => gate.transpose());
    const half = [2, length / 2];
    result[k] = isGru ? reshaped(bias, half) : inputAndRecurrent(reshaped(bias, half));
  }
  return result;
}

function byGate(
  array: Converted,
  gates: number,
  step: string,
  change: (gate: Tensor) => Tensor,
): Converted {
  const [rows, columns] = array.tensor.shape as [number, number];
  const units = columns / gates;
  const data = new Float32Array(rows * columns);
  for (let gate = 0; gate < gates; gate++) {
    const block = Float32Array.from(
      { length: rows * units },
      (_, k) => array.tensor.data[Math.floor(k / units) * columns + gate * units + k % units]!,
    );
    const changed = change(new Tensor(block, [rows, units]));
    for (let r = 0; r < rows; r++) {
      data.set(changed.data.subarray(r * units, (r + 1) * units), r * columns + gate * units);
    }
  }
  return { ...array, tensor: new Tensor(data, [rows, columns]), steps: [...array.steps, step] };
}

/** The same numbers, read row by row as `[units, inputSize]` and transposed. */
function turned(gate: Tensor): Tensor {
  const [rows, units] = gate.shape as [number, number];
  return gate.reshape([units, rows]).transpose();
}

/** The sum of the two rows. */
function inputAndRecurrent(array: Converted): Converted {
  const { data, shape } = array.tensor;
  const half = shape[1]!;
  const sum = Float32Array.from({ length: half }, (_, k) => data[k]! + data[half + k]!);
  const steps = [...array.steps, "input and recurrent bias added"];
  return { ...array, tensor: new Tensor(sum, [half]), steps };
}
