// An ONNX model of a recurrent layer and a dense softmax layer, as bytes: protobuf by hand, so that no
// exporter is needed. Field numbers: onnx/onnx.proto.

import { type Arrays, classes, KERNEL_SIZE, type Shape } from "./shapes.ts";

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

function node(
  type: string,
  inputs: readonly string[],
  outputs: readonly string[],
  ...attributes: Field[]
): Field {
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

/** Keras's `[rows, blocks·units]` to ONNX's `[blocks·units, rows]`, the blocks in its order. */
function toOnnx(
  array: Float32Array,
  rows: number,
  units: number,
  order: readonly number[],
): Float32Array<ArrayBuffer> {
  const result = new Float32Array(array.length);
  order.forEach((gate, block) => {
    for (let u = 0; u < units; u++) {
      for (let r = 0; r < rows; r++) {
        result[(block * units + u) * rows + r] = array[(r * order.length + gate) * units + u]!;
      }
    }
  });
  return result;
}

/** Keras's `[taps, channels, filters]` to ONNX's `[filters, channels, taps]`. */
function turned(array: Float32Array, channels: number, filters: number): Float32Array<ArrayBuffer> {
  const result = new Float32Array(array.length);
  for (let k = 0; k < KERNEL_SIZE; k++) {
    for (let c = 0; c < channels; c++) {
      for (let f = 0; f < filters; f++) {
        result[(f * channels + c) * KERNEL_SIZE + k] = array[(k * channels + c) * filters + f]!;
      }
    }
  }
  return result;
}

/** `x` [batch, timesteps, inputSize] to `probabilities` [batch, classes]. */
export function onnxModel(shape: Shape, arrays: Arrays): Uint8Array {
  const { cell, batch, timesteps, inputSize, filters, units } = shape;
  const order = cell === "gru" ? [0, 1, 2] : [0, 3, 1, 2];
  const width = order.length * units;
  const bias = new Float32Array(2 * width);
  for (let row = 0; row * width < arrays.bias.length; row++) {
    const own = arrays.bias.subarray(row * width, (row + 1) * width);
    bias.set(toOnnx(own, 1, units, order), row * width);
  }
  const seen = filters ?? inputSize;
  const integers = (
    name: string,
    values: number[],
  ): Field => [5, message([1, name], ...values.map((value): Field => [8, value]), [20, 7])];
  const integer = (
    name: string,
    value: number,
  ): Field => [5, message([1, name], [3, value], [20, 2])];
  const convolution: Field[] = filters === undefined
    ? [node("Transpose", ["x"], ["sequence"], integers("perm", [1, 0, 2]))]
    : [
      node("Transpose", ["x"], ["channels"], integers("perm", [0, 2, 1])),
      node("Conv", ["channels", "filters", "filterBias"], ["sums"], integers("pads", [1, 1])),
      node("Relu", ["sums"], ["positive"]),
      node("Transpose", ["positive"], ["sequence"], integers("perm", [2, 0, 1])),
      tensor(
        "filters",
        [filters, inputSize, KERNEL_SIZE],
        turned(arrays.convolution, inputSize, filters),
      ),
      tensor("filterBias", [filters], arrays.convolutionBias),
    ];
  const recurrent = cell === "gru"
    ? node(
      ...["GRU", ["sequence", "W", "R", "B"], ["", "last"]] as const,
      integer("hidden_size", units),
      integer("linear_before_reset", 1),
    )
    : node("LSTM", ["sequence", "W", "R", "B"], ["", "last"], integer("hidden_size", units));
  const graph = message(
    ...convolution.filter(([field]) => field === 1),
    recurrent,
    node("Reshape", ["last", "flat"], ["hidden"]),
    node("Gemm", ["hidden", "kernel", "bias"], ["logits"]),
    node("Softmax", ["logits"], ["probabilities"], integer("axis", 1)),
    [2, "bench"],
    ...convolution.filter(([field]) => field === 5),
    tensor("W", [1, width, seen], toOnnx(arrays.kernel, seen, units, order)),
    tensor("R", [1, width, units], toOnnx(arrays.recurrentKernel, units, units, order)),
    tensor("B", [1, 2 * width], bias),
    tensor("flat", [2], BigInt64Array.of(BigInt(batch), BigInt(units))),
    tensor("kernel", [units, classes], arrays.denseKernel),
    tensor("bias", [classes], arrays.denseBias),
    value(11, "x", [batch, timesteps, inputSize]),
    value(12, "probabilities", [batch, classes]),
  );
  return message([1, 8], [7, graph], [8, message([1, ""], [2, 17])]);
}
