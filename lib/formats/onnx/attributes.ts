// The attributes of ONNX's operators: which there are, of what kind, and what each node says.
//
// A node with an attribute that its operator does not have is refused, as ONNX Runtime does it: a
// misspelt one would be the default in silence.

import { quoted } from "../../base/quoted.ts";
import type { OnnxAttribute } from "../../files/onnx_schema.ts";
import { UnreadNode } from "./errors.ts";
import { constantPart } from "./known.ts";
import { isGiven, type Step } from "./step.ts";

type Kind = "float" | "int" | "text" | "tensor" | "floats" | "ints" | "texts";

/** AttributeProto.AttributeType (onnx/onnx.proto). */
const TYPES: Readonly<Record<Kind, number>> = {
  float: 1,
  int: 2,
  text: 3,
  tensor: 4,
  floats: 6,
  ints: 7,
  texts: 8,
};

/** The oldest version of ONNX's operators that is read, of 2018; ONNX Runtime begins there too. */
export const OLDEST_OPSET = 7;

/** An attribute's kind, and from which opset on and before which it is there. */
type Spec = Kind | readonly [kind: Kind, from: number, before?: number];

/** How many inputs an operator takes, and its attributes. */
interface Operator {
  readonly inputs: readonly [least: number, most: number];
  readonly attributes?: Readonly<Record<string, Spec>>;
}

const UNARY: Operator = { inputs: [1, 1] };
const BINARY: Operator = { inputs: [2, 2] };
const ALPHA: Operator = { inputs: [1, 1], attributes: { alpha: "float" } };
const SOFTMAX: Operator = { inputs: [1, 1], attributes: { axis: "int" } };
const VARIADIC: Operator = { inputs: [1, Infinity] };
const WINDOWS = {
  auto_pad: "text",
  dilations: "ints",
  kernel_shape: "ints",
  pads: "ints",
  strides: "ints",
} as const;
const RECURRENT = {
  activation_alpha: "floats",
  activation_beta: "floats",
  activations: "texts",
  clip: "float",
  direction: "text",
  hidden_size: "int",
  layout: ["int", 14],
} as const;
const ARGUMENT: Operator = {
  inputs: [1, 1],
  attributes: { axis: "int", keepdims: "int", select_last_index: ["int", 12] },
};
const AXES: Operator = { inputs: [1, 2], attributes: { axes: ["ints", 1, 13] } };
const reduction = (inputsFrom: number): Operator => ({
  inputs: [1, 2],
  attributes: {
    keepdims: "int",
    axes: ["ints", 1, inputsFrom],
    noop_with_empty_axes: ["int", inputsFrom],
  },
});

/** The operators that are read (onnx/defs/schema.h, opsets 7 to 28). */
const OPERATORS: Readonly<Record<string, Operator>> = {
  LSTM: { inputs: [3, 8], attributes: { ...RECURRENT, input_forget: "int" } },
  GRU: { inputs: [3, 6], attributes: { ...RECURRENT, linear_before_reset: "int" } },
  RNN: { inputs: [3, 6], attributes: RECURRENT },
  Add: BINARY,
  Affine: { inputs: [1, 1], attributes: { alpha: "float", beta: "float" } },
  Cast: {
    inputs: [1, 1],
    attributes: { to: "int", saturate: ["int", 19], round_mode: ["text", 24] },
  },
  Concat: { inputs: [1, Infinity], attributes: { axis: "int" } },
  Constant: {
    inputs: [0, 0],
    attributes: {
      value: "tensor",
      value_float: ["float", 12],
      value_floats: ["floats", 12],
      value_int: ["int", 12],
      value_ints: ["ints", 12],
      value_string: ["text", 12],
      value_strings: ["texts", 12],
    },
  },
  ConstantOfShape: { inputs: [1, 1], attributes: { value: "tensor" } },
  Dropout: { inputs: [1, 3], attributes: { ratio: ["float", 1, 12], seed: ["int", 12] } },
  Elu: ALPHA,
  Expand: BINARY,
  Flatten: { inputs: [1, 1], attributes: { axis: "int" } },
  Gather: { inputs: [2, 2], attributes: { axis: "int" } },
  GatherElements: { inputs: [2, 2], attributes: { axis: "int" } },
  GatherND: { inputs: [2, 2], attributes: { batch_dims: ["int", 12] } },
  Mod: { inputs: [2, 2], attributes: { fmod: "int" } },
  Gelu: { inputs: [1, 1], attributes: { approximate: "text" } },
  Gemm: {
    inputs: [2, 3],
    attributes: { alpha: "float", beta: "float", transA: "int", transB: "int" },
  },
  HardSigmoid: { inputs: [1, 1], attributes: { alpha: "float", beta: "float" } },
  HardSwish: UNARY,
  Identity: UNARY,
  LeakyRelu: ALPHA,
  LogSoftmax: SOFTMAX,
  MatMul: BINARY,
  Mish: UNARY,
  Mul: BINARY,
  ReduceMean: reduction(18),
  ReduceProd: reduction(18),
  ReduceSum: reduction(13),
  Relu: UNARY,
  Reshape: { inputs: [2, 2], attributes: { allowzero: ["int", 14] } },
  ScaledTanh: { inputs: [1, 1], attributes: { alpha: "float", beta: "float" } },
  Shape: { inputs: [1, 1], attributes: { start: ["int", 15], end: ["int", 15] } },
  Sigmoid: UNARY,
  Slice: {
    inputs: [1, 5],
    attributes: { starts: ["ints", 1, 10], ends: ["ints", 1, 10], axes: ["ints", 1, 10] },
  },
  Softmax: SOFTMAX,
  Softplus: UNARY,
  Softsign: UNARY,
  Squeeze: AXES,
  Tanh: UNARY,
  ThresholdedRelu: ALPHA,
  Transpose: { inputs: [1, 1], attributes: { perm: "ints" } },
  Unsqueeze: AXES,
  Abs: UNARY,
  And: BINARY,
  AveragePool: {
    inputs: [1, 1],
    attributes: {
      ...WINDOWS,
      ceil_mode: ["int", 10],
      count_include_pad: "int",
      dilations: ["ints", 19],
    },
  },
  BatchNormalization: {
    inputs: [5, 5],
    attributes: {
      epsilon: "float",
      momentum: "float",
      spatial: ["int", 1, 9],
      training_mode: ["int", 14],
    },
  },
  Ceil: UNARY,
  Celu: ALPHA,
  Clip: { inputs: [1, 3], attributes: { min: ["float", 1, 11], max: ["float", 1, 11] } },
  Conv: { inputs: [2, 3], attributes: { ...WINDOWS, group: "int" } },
  Cos: UNARY,
  Div: BINARY,
  Equal: BINARY,
  Erf: UNARY,
  Exp: UNARY,
  Floor: UNARY,
  GlobalAveragePool: UNARY,
  GlobalMaxPool: UNARY,
  Greater: BINARY,
  GreaterOrEqual: BINARY,
  LayerNormalization: {
    inputs: [2, 3],
    attributes: { axis: "int", epsilon: "float", stash_type: "int" },
  },
  Less: BINARY,
  LessOrEqual: BINARY,
  Log: UNARY,
  Max: VARIADIC,
  MaxPool: {
    inputs: [1, 1],
    attributes: {
      ...WINDOWS,
      ceil_mode: ["int", 10],
      dilations: ["ints", 10],
      storage_order: "int",
    },
  },
  Mean: VARIADIC,
  Min: VARIADIC,
  Neg: UNARY,
  Not: UNARY,
  Or: BINARY,
  PRelu: BINARY,
  Pad: {
    inputs: [1, 4],
    attributes: { mode: "text", pads: ["ints", 1, 11], value: ["float", 1, 11] },
  },
  Pow: BINARY,
  Range: { inputs: [3, 3] },
  Reciprocal: UNARY,
  ReduceMax: reduction(18),
  ReduceMin: reduction(18),
  ReverseSequence: { inputs: [2, 2], attributes: { batch_axis: "int", time_axis: "int" } },
  Selu: { inputs: [1, 1], attributes: { alpha: "float", gamma: "float" } },
  SequenceAt: BINARY,
  ReduceL1: reduction(18),
  ReduceL2: reduction(18),
  ReduceSumSquare: reduction(18),
  ReduceLogSum: reduction(18),
  ReduceLogSumExp: reduction(18),
  CumSum: { inputs: [2, 2], attributes: { exclusive: "int", reverse: "int" } },
  Einsum: { inputs: [1, 2], attributes: { equation: "text" } },
  InstanceNormalization: { inputs: [3, 3], attributes: { epsilon: "float" } },
  GroupNormalization: {
    inputs: [3, 3],
    attributes: { epsilon: "float", num_groups: "int", stash_type: ["int", 21] },
  },
  RMSNormalization: {
    inputs: [2, 2],
    attributes: { axis: "int", epsilon: "float", stash_type: "int" },
  },
  Sign: UNARY,
  Sin: UNARY,
  Size: UNARY,
  Split: {
    inputs: [1, 2],
    attributes: { axis: "int", split: ["ints", 1, 13], num_outputs: ["int", 18] },
  },
  SplitToSequence: { inputs: [1, 2], attributes: { axis: "int", keepdims: "int" } },
  Sqrt: UNARY,
  Sub: BINARY,
  Sum: VARIADIC,
  Tile: BINARY,
  Round: UNARY,
  IsNaN: UNARY,
  Xor: BINARY,
  ArgMax: ARGUMENT,
  ArgMin: ARGUMENT,
  Where: { inputs: [3, 3] },
};

/**
 * Throws where a node has an attribute that its operator does not have in this opset, has one of
 * another kind or twice, or takes more or fewer inputs. Operators that are not read are passed over:
 * what they give is used for nothing.
 *
 * @throws {UnreadNode} naming the attribute.
 */
export function checkAttributes({ node, operator, opset }: Step): void {
  const known = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator]! : undefined;
  if (known === undefined) return;
  const [least, most] = known.inputs;
  const count = node.inputs?.length ?? 0;
  if (count < least || count > most) {
    throw new UnreadNode(`it takes ${least} to ${most} inputs: it has ${count}`);
  }
  const specs = known.attributes ?? {};
  const seen = new Set<string>();
  for (const { name = "", type, reference } of node.attributes ?? []) {
    const spec = Object.hasOwn(specs, name) ? specs[name]! : undefined;
    const [kind, from = 1, before = Infinity] = typeof spec === "string" ? [spec] : spec ?? [];
    if (kind === undefined || opset < from || opset >= before) {
      const there = Object.keys(specs).join(", ") || "none";
      throw new UnreadNode(
        `${operator} has no attribute ${quoted(name)} in opset ${opset} (it has ${there})`,
      );
    }
    if (seen.has(name)) throw new UnreadNode(`its attribute ${name} is there twice`);
    seen.add(name);
    if (Number(type ?? 0) !== TYPES[kind] || reference !== undefined) {
      throw new UnreadNode(
        `its attribute ${name} must be of type ${TYPES[kind]} (${kind}): type is ${type ?? 0}`,
      );
    }
  }
}

function attribute({ node }: Step, name: string): OnnxAttribute | undefined {
  return node.attributes?.find((one) => one.name === name);
}

// Writers of proto3 leave out a value of 0, an empty text or list: the attribute is there all the
// same, and is not the operator's default.

/** Whether a node has an attribute. */
export function hasAttribute(step: Step, name: string): boolean {
  return attribute(step, name) !== undefined;
}

/** A whole number in an attribute. */
export function intOf(step: Step, name: string, otherwise: number): number {
  const found = attribute(step, name);
  return found === undefined ? otherwise : Number(found.int ?? 0);
}

/** A float in an attribute; undefined where it is not there. */
export function floatOf(step: Step, name: string): number | undefined {
  const found = attribute(step, name);
  return found && (found.float ?? 0);
}

/** A text in an attribute. */
export function textOf(step: Step, name: string, otherwise: string): string {
  const found = attribute(step, name);
  return found === undefined ? otherwise : decoded(found.text ?? new Uint8Array());
}

/** The texts in an attribute; none where it is not there. */
export function textsOf(step: Step, name: string): string[] {
  return (attribute(step, name)?.texts ?? []).map(decoded);
}

/** The floats in an attribute; none where it is not there. */
export function floatsOf(step: Step, name: string): readonly number[] {
  return attribute(step, name)?.floats ?? [];
}

/** The array in an attribute. */
export function tensorOf(step: Step, name: string): OnnxAttribute["tensor"] {
  return attribute(step, name)?.tensor;
}

/** A list of whole numbers, from an attribute or, in later opsets, from an input. */
export function intsOf(step: Step, name: string, input: number): number[] | undefined {
  const found = attribute(step, name);
  if (found !== undefined) return (found.ints ?? []).map(Number);
  const operand = step.operands[input];
  if (operand === undefined) return undefined;
  if (isGiven(operand)) return Array.from(constantPart(operand).data);
  throw new UnreadNode(`its ${name} must be constant`);
}

function decoded(text: Uint8Array): string {
  return new TextDecoder().decode(text);
}
