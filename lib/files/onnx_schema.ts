// The part of onnx/onnx.proto (ONNX 1.22) that is read and written: the fields' numbers and kinds
// here, and the types of what they become out of that.

import type { Message } from "./protobuf.ts";

const ENTRY = { key: [1, "text"], value: [2, "text"] } as const; // StringStringEntryProto

const TENSOR = { // TensorProto
  shape: [1, "int", "many"],
  dataType: [2, "enum"],
  floats: [4, "float", "many"],
  int32s: [5, "int", "many"],
  int64s: [7, "int", "many"],
  name: [8, "text"],
  raw: [9, "bytes"],
  doubles: [10, "double", "many"],
  uint64s: [11, "uint", "many"],
  external: [13, ENTRY, "many"],
  location: [14, "enum"],
  metadata: [16, ENTRY, "many"], // not used, here and below; a damaged one is refused
} as const;

const AXIS = { length: [1, "int"], parameter: [2, "text"] } as const; // TensorShapeProto.Dimension
const SHAPE = { axes: [1, AXIS, "many"] } as const; // TensorShapeProto
const TYPE = { tensor: [1, { dataType: [1, "enum"], shape: [2, SHAPE] }] } as const; // TypeProto

const VALUE = { // ValueInfoProto
  name: [1, "text"],
  type: [2, TYPE],
  metadata: [4, ENTRY, "many"],
} as const;

const ATTRIBUTE = { // AttributeProto
  name: [1, "text"],
  float: [2, "float"],
  int: [3, "int"],
  text: [4, "bytes"],
  tensor: [5, TENSOR],
  graph: [6, "bytes"], // seen, not read: its operator is refused
  floats: [7, "float", "many"],
  ints: [8, "int", "many"],
  texts: [9, "bytes", "many"],
  type: [20, "enum"],
  reference: [21, "text"], // to an attribute of a function
} as const;

const NODE = { // NodeProto
  inputs: [1, "text", "many"],
  outputs: [2, "text", "many"],
  name: [3, "text"],
  type: [4, "text"],
  attributes: [5, ATTRIBUTE, "many"],
  domain: [7, "text"],
  metadata: [9, ENTRY, "many"],
} as const;

const GRAPH = { // GraphProto
  nodes: [1, NODE, "many"],
  name: [2, "text"],
  initializers: [5, TENSOR, "many"],
  inputs: [11, VALUE, "many"],
  outputs: [12, VALUE, "many"],
  values: [13, VALUE, "many"],
  sparse: [15, "bytes", "many"],
  metadata: [16, ENTRY, "many"],
} as const;

/** ModelProto. */
export const ONNX_MODEL = {
  irVersion: [1, "int"],
  producerName: [2, "text"],
  producerVersion: [3, "text"],
  graph: [7, GRAPH],
  opsets: [8, { domain: [1, "text"], version: [2, "int"] }, "many"], // OperatorSetIdProto
  metadata: [14, ENTRY, "many"],
} as const;

/** A model: which operators in which version, and the graph. */
export type OnnxModel = Message<typeof ONNX_MODEL>;

/** Nodes in the order of computation, with the graph's constants, inputs and outputs. */
export type OnnxGraph = Message<typeof GRAPH>;

/** One operator; an optional input that is not there has an empty name. */
export type OnnxNode = Message<typeof NODE>;

/** One attribute of an operator: one of its values is there. */
export type OnnxAttribute = Message<typeof ATTRIBUTE>;

/** An array: its numbers in one of several places. */
export type OnnxTensor = Message<typeof TENSOR>;

/** An input or an output: its name, and its shape where it is known. */
export type OnnxValue = Message<typeof VALUE>;
