import { shownAs } from "../base/shown.ts";
import { amongNames } from "../base/names.ts";
import { checkOptions, checkParts, type KeysOf } from "../base/options.ts";
import { GRU_GATES, type GruGates, gruGatesOf, type GruOrder, gruOrders } from "./gru_gates.ts";
import { formatShape, resolveAxis, sameShape, sizeOf } from "../tensor/shape.ts";
import { asTensor, Tensor, type TensorLike } from "../tensor/tensor.ts";

/** The four blocks of an LSTM, of whatever is split by gate: weights, pre-activations, values. */
export interface Gates {
  /** i: how much of the candidate enters the cell state. */
  readonly input: Tensor;
  /** f: how much of the old cell state stays. */
  readonly forget: Tensor;
  /** c̃: what would be written (not a gate in the strict sense). */
  readonly candidate: Tensor;
  /** o: how much of the cell state shows in the hidden state. */
  readonly output: Tensor;
}

/** The keys of what is split by gate. */
export const GATES: KeysOf<Gates> = {
  input: "required",
  forget: "required",
  candidate: "required",
  output: "required",
};

/**
 * How frameworks order the four blocks of their fused arrays (g, j and z are c̃):
 *
 * | order | blocks | besides |
 * | --- | --- | --- |
 * | `keras`, TF.js | i f c o | |
 * | `pytorch` | i f g o | on axis 0; two biases, to be added |
 * | `onnx` | i o f c | on axis 1; two biases in one array |
 * | `flax` | i f g o | an array for each gate: join `ii if ig io`; biases with the `h` ones |
 * | `haiku` | i g f o | x and h in one array; 1 is added to f's bias as it runs |
 * | `equinox` | i f g o | on axis 0 |
 * | `tf1` | i j f o | x and h in one array; `forget_bias` (default: 1) is added as it runs |
 * | `coreml` | i f o z | on axis 0 |
 */
export const gateOrders = {
  keras: ["input", "forget", "candidate", "output"],
  pytorch: ["input", "forget", "candidate", "output"],
  onnx: ["input", "output", "forget", "candidate"],
  flax: ["input", "forget", "candidate", "output"],
  haiku: ["input", "candidate", "forget", "output"],
  equinox: ["input", "forget", "candidate", "output"],
  tf1: ["input", "candidate", "forget", "output"],
  coreml: ["input", "forget", "output", "candidate"],
} as const satisfies Record<string, readonly (keyof Gates)[]>;

/** A framework whose gate order is known. */
export type GateOrder = keyof typeof gateOrders;

/** The axis that carries the four blocks. */
export interface GateAxis {
  /** -1 (the last one) in Keras; 0 in PyTorch's `[4·units, inputSize]`, 1 in ONNX's. */
  readonly axis?: number;
}

export const GATE_AXIS: KeysOf<GateAxis> = { axis: "optional" };
const SPLIT_OPTIONS: KeysOf<GateAxis & { readonly cell?: string }> = {
  ...GATE_AXIS,
  cell: "optional",
};

/**
 * Splits a fused array in its four gates.
 *
 * @param fused an array of which one axis is 4·units long: Keras's kernel `[inputSize, 4·units]`,
 * recurrent kernel `[units, 4·units]` or bias `[4·units]`
 * @param order whose array it is
 * @returns four tensors, that axis units long
 * @throws {TypeError} where the axis is no multiple of 4.
 * @throws {RangeError} where the order or the axis is unknown.
 *
 * @example
 * ```ts
 * import { arange, splitGates } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const { input, forget } = splitGates(arange(8)); // a bias of 2 units
 * assertEquals([input.toArray(), forget.toArray()], [[0, 1], [2, 3]]);
 * ```
 */
export function splitGates(
  fused: TensorLike,
  order?: GateOrder,
  options?: GateAxis & { readonly cell?: "lstm" },
): Gates;
/** The same for a GRU's three blocks. */
export function splitGates(
  fused: TensorLike,
  order: GruOrder | undefined,
  options: GateAxis & { readonly cell: "gru" },
): GruGates;
export function splitGates(
  fused: TensorLike,
  order: GateOrder | GruOrder = "keras",
  options: GateAxis & { readonly cell?: "lstm" | "gru" } = {},
): Gates | GruGates {
  checkOptions("split gates", options, SPLIT_OPTIONS);
  const { axis = -1, cell = "lstm" } = options;
  if (cell !== "lstm" && cell !== "gru") {
    throw new RangeError(`Cannot split gates: cell must be ${amongNames(cell, ["lstm", "gru"])}`);
  }
  const names = namesInOrder(cell, order);
  const count = names.length;
  const given = asTensor(fused);
  const { outer, length, inner } = around(given, axis, "split gates");
  if (length % count !== 0 || length === 0) {
    throw new TypeError(
      `Cannot split gates: ${axis === -1 ? "the last axis" : `axis ${axis}`} must be a multiple ` +
        `of ${count}, but the shape is ${formatShape(given.shape)}`,
    );
  }
  const block = length / count * inner;
  const shape = given.shape.with(axis, length / count);
  const gate = (name: string) => {
    const data = given.data.slice(0, outer * block);
    for (let o = 0; o < outer; o++) {
      const start = (o * count + names.indexOf(name)) * block;
      data.set(given.data.subarray(start, start + block), o * block);
    }
    return new Tensor(data, shape);
  };
  if (cell === "gru") {
    return gruGatesOf({
      update: gate("update"),
      reset: gate("reset"),
      candidate: gate("candidate"),
    });
  }
  return gatesOf({
    input: gate("input"),
    forget: gate("forget"),
    candidate: gate("candidate"),
    output: gate("output"),
  });
}

/**
 * Joins four gates to the fused array of a framework: the inverse of {@linkcode splitGates}.
 *
 * @returns one tensor, that axis 4·units long
 * @throws {TypeError} where the four shapes differ.
 * @throws {RangeError} where the order or the axis is unknown.
 *
 * @example
 * ```ts
 * import { arange, joinGates, splitGates } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const onnx = joinGates(splitGates(arange(8)), "onnx");
 * assertEquals(onnx.toArray(), [0, 1, 6, 7, 2, 3, 4, 5]);
 * ```
 */
export function joinGates(
  gates:
    | { readonly [gate in keyof Gates]: TensorLike }
    | { readonly [gate in keyof GruGates]: TensorLike },
  order: GateOrder | GruOrder = "keras",
  options: GateAxis = {},
): Tensor {
  const cell =
    typeof gates === "object" && gates !== null && ("update" in gates || "reset" in gates)
      ? "gru"
      : "lstm";
  if (cell === "gru") {
    checkParts("join gates", "the gates", gates as unknown as GruGates, GRU_GATES);
  } else checkParts("join gates", "the gates", gates as unknown as Gates, GATES);
  checkOptions("join gates", options, GATE_AXIS);
  const { axis = -1 } = options;
  const names = namesInOrder(cell, order);
  const of = gates as unknown as Readonly<Record<string, TensorLike>>;
  const blocks = names.map((name) => asTensor(of[name]!));
  const first = blocks[0]!;
  if (!blocks.every(({ shape }) => sameShape(shape, first.shape))) {
    const inKeras = namesInOrder(cell, "keras");
    throw new TypeError(
      `Cannot join gates: all ${cell === "gru" ? "three" : "four"} must have one shape, but the ` +
        `shapes are ` +
        inKeras.map((name) => `${name} ${formatShape(blocks[names.indexOf(name)]!.shape)}`)
          .join(", "),
    );
  }
  const { outer, length, inner } = around(first, axis, "join gates");
  const block = length * inner;
  const kind = blocks.every(({ data }) => data.constructor === first.data.constructor)
    ? first.data
    : new Float64Array();
  const count = names.length;
  const data = new (kind.constructor as Float64ArrayConstructor)(count * outer * block);
  blocks.forEach((gate, k) => {
    for (let o = 0; o < outer; o++) {
      data.set(gate.data.subarray(o * block, (o + 1) * block), (o * count + k) * block);
    }
  });
  return new Tensor(data, first.shape.with(axis, count * length));
}

/** A cell's gates in a framework's order. */
function namesInOrder(cell: "lstm" | "gru", order: string): readonly string[] {
  const orders: Readonly<Record<string, readonly string[]>> = cell === "gru"
    ? gruOrders
    : gateOrders;
  if (Object.hasOwn(orders, order)) return orders[order]!;
  throw new RangeError(
    `Cannot order the gates: the order must be ${amongNames(order, Object.keys(orders))}`,
  );
}

/** The four as a value that shows itself. */
export function gatesOf(gates: Gates): Gates {
  return Object.freeze(shownAs("Gates", { ...gates }));
}

export function blockOf(order: GateOrder): Record<keyof Gates, number> {
  const names = namesInOrder("lstm", order);
  return {
    input: names.indexOf("input"),
    forget: names.indexOf("forget"),
    candidate: names.indexOf("candidate"),
    output: names.indexOf("output"),
  };
}

/** How many numbers lie outside, along and inside of an axis. */
export function around(x: Tensor, axis: number, action: string) {
  const at = resolveAxis(axis, x.shape, action);
  return {
    outer: sizeOf(x.shape.slice(0, at)),
    length: x.shape[at]!,
    inner: sizeOf(x.shape.slice(at + 1)),
  };
}
