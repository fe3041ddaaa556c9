// cuDNN's arrays of an LSTM as Keras's (keras/engine/saving.py, `preprocess_weights_for_loading`,
// Keras 2.2.4): each gate's kernel lies turned, each recurrent block transposed, and there are two biases.

import { Tensor } from "../tensor/tensor.ts";
import type { NamedLayer } from "./build_model.ts";
import type { Converted } from "./conversion.ts";

/** The arrays, those of a CuDNNLSTM turned: it is told by its bias, twice as long as an LSTM's. */
export function fromCudnn(
  { weights: specs }: NamedLayer,
  arrays: readonly Converted[],
): readonly Converted[] {
  const result = [...arrays];
  for (const [k, { name, shape }] of specs.entries()) {
    const isDouble = /(^|\/)bias$/.test(name) &&
      /recurrent_kernel$/.test(specs[k - 1]?.name ?? "") &&
      arrays[k]?.tensor.shape.length === 1 && arrays[k]?.tensor.shape[0] === 2 * shape[0]!;
    if (!isDouble) continue;
    result[k - 2] = byGate(arrays[k - 2]!, "turned from cuDNN's order", turned);
    result[k - 1] = byGate(arrays[k - 1]!, "transposed gate by gate", (gate) => gate.transpose());
    result[k] = summed(arrays[k]!);
  }
  return result;
}

function byGate(array: Converted, step: string, change: (gate: Tensor) => Tensor): Converted {
  const [rows, columns] = array.tensor.shape as [number, number];
  const units = columns / 4;
  const data = new Float32Array(rows * columns);
  for (let gate = 0; gate < 4; gate++) {
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

function summed(array: Converted): Converted {
  const half = array.tensor.shape[0]! / 2;
  const data = Float32Array.from(
    { length: half },
    (_, k) => array.tensor.data[k]! + array.tensor.data[half + k]!,
  );
  const steps = [...array.steps, "input and recurrent bias added"];
  return { ...array, tensor: new Tensor(data, [half]), steps };
}
