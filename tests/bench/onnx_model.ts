// An ONNX model of an LSTM and a dense softmax layer, as bytes: protobuf by hand, so that no
// exporter is needed. Field numbers: onnx/onnx.proto.

import { type Arrays, classes, type Shape } from "./shapes.ts";

type Field = [number: number, value: number | string | Uint8Array];

function varint(value: number): number[] {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push(value % 128 + 128);
  return [...bytes, value];
}

function message(...fields: Field[]): Uint8Array {
  const parts = fields.map(([number, value]) => {
    if (typeof value === "number") {
      return Uint8Array.from([...varint(number * 8), ...varint(value)]);
    }
    const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
    const head = [...varint(number * 8 + 2), ...varint(bytes.length)];
    const part = new Uint8Array(head.length + bytes.length);
    part.set(head);
    part.set(bytes, head.length);
    return part;
  });
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => (result.set(part, at), at + part.length), 0);
  return result;
}

const FLOAT = 1;
const INT64 = 7;

function tensor(name: string, dims: number[], data: Float32Array | BigInt64Array): Field {
  const type = data instanceof Float32Array ? FLOAT : INT64;
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return [5, message(...dims.map((dim): Field => [1, dim]), [2, type], [8, name], [9, raw])];
}

function node(type: string, inputs: string[], outputs: string[], ...attributes: Field[]): Field {
  const ends: Field[] = [
    ...inputs.map((name): Field => [1, name]),
    ...outputs.map((name): Field => [2, name]),
  ];
  return [1, message(...ends, [4, type], ...attributes)];
}

function value(field: 11 | 12, name: string, dims: number[]): Field {
  const shape = message(...dims.map((dim): Field => [1, message([1, dim])]));
  return [field, message([1, name], [2, message([1, message([1, FLOAT], [2, shape])])])];
}

/** Keras's `[rows, i f c o]` to ONNX's `[i o f c, rows]`. */
function toOnnx(array: Float32Array, rows: number, units: number): Float32Array<ArrayBuffer> {
  const result = new Float32Array(array.length);
  [0, 3, 1, 2].forEach((gate, block) => {
    for (let u = 0; u < units; u++) {
      for (let r = 0; r < rows; r++) {
        result[(block * units + u) * rows + r] = array[r * 4 * units + gate * units + u]!;
      }
    }
  });
  return result;
}

/** `x` [batch, timesteps, inputSize] to `probabilities` [batch, classes]. */
export function onnxModel(shape: Shape, arrays: Arrays): Uint8Array {
  const { batch, timesteps, inputSize, units } = shape;
  const bias = new Float32Array(8 * units);
  bias.set(toOnnx(arrays.bias, 1, units));
  const integers = (
    name: string,
    values: number[],
  ): Field => [5, message([1, name], ...values.map((value): Field => [8, value]), [20, 7])];
  const integer = (
    name: string,
    value: number,
  ): Field => [5, message([1, name], [3, value], [20, 2])];
  const graph = message(
    node("Transpose", ["x"], ["sequence"], integers("perm", [1, 0, 2])),
    node("LSTM", ["sequence", "W", "R", "B"], ["", "last"], integer("hidden_size", units)),
    node("Reshape", ["last", "flat"], ["hidden"]),
    node("Gemm", ["hidden", "kernel", "bias"], ["logits"]),
    node("Softmax", ["logits"], ["probabilities"], integer("axis", 1)),
    [2, "bench"],
    tensor("W", [1, 4 * units, inputSize], toOnnx(arrays.kernel, inputSize, units)),
    tensor("R", [1, 4 * units, units], toOnnx(arrays.recurrentKernel, units, units)),
    tensor("B", [1, 8 * units], bias),
    tensor("flat", [2], BigInt64Array.of(BigInt(batch), BigInt(units))),
    tensor("kernel", [units, classes], arrays.denseKernel),
    tensor("bias", [classes], arrays.denseBias),
    value(11, "x", [batch, timesteps, inputSize]),
    value(12, "probabilities", [batch, classes]),
  );
  return message([1, 8], [7, graph], [8, message([1, ""], [2, 17])]);
}
