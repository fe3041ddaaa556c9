// The part of onnx/onnx.proto (ONNX 1.22) that is read and written, by field numbers, and what it
// becomes.

import type { MessageSchema } from "./protobuf.ts";

/** A model: which operators in which version, and the graph. */
export interface OnnxModel {
  readonly irVersion?: number;
  readonly producerName?: string;
  readonly producerVersion?: string;
  readonly graph?: OnnxGraph;
  readonly opsets?: readonly { readonly domain?: string; readonly version?: number }[];
}

/** Nodes in the order of computation, with the graph's constants, inputs and outputs. */
export interface OnnxGraph {
  readonly name?: string;
  readonly nodes?: readonly OnnxNode[];
  readonly initializers?: readonly OnnxTensor[];
  readonly sparse?: readonly unknown[];
  readonly inputs?: readonly OnnxValue[];
  readonly outputs?: readonly OnnxValue[];
}

/** One operator; an optional input that is not there has an empty name. */
export interface OnnxNode {
  readonly name?: string;
  readonly type?: string;
  readonly domain?: string;
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly attributes?: readonly OnnxAttribute[];
}

/** One attribute of an operator: one of its values is there. */
export interface OnnxAttribute {
  readonly name?: string;
  readonly type?: number;
  readonly reference?: string;
  readonly float?: number;
  readonly int?: number | bigint;
  readonly text?: Uint8Array;
  readonly tensor?: OnnxTensor;
  readonly graph?: unknown;
  readonly floats?: readonly number[];
  readonly ints?: readonly (number | bigint)[];
  readonly texts?: readonly Uint8Array[];
}

/** An array: its numbers in one of several places. */
export interface OnnxTensor {
  readonly name?: string;
  readonly shape?: readonly (number | bigint)[];
  readonly dataType?: number;
  readonly floats?: readonly number[];
  readonly int32s?: readonly (number | bigint)[];
  readonly int64s?: readonly (number | bigint)[];
  readonly doubles?: readonly number[];
  readonly uint64s?: readonly (number | bigint)[];
  readonly raw?: Uint8Array;
  readonly external?: readonly { readonly key?: string; readonly value?: string }[];
  readonly location?: number;
}

/** An input or output of the graph, with its shape where it is known. */
export interface OnnxValue {
  readonly name?: string;
  readonly type?: {
    readonly tensor?: {
      readonly dataType?: number;
      readonly shape?: {
        readonly axes?: readonly {
          readonly length?: number | bigint;
          readonly parameter?: string;
        }[];
      };
    };
  };
}

const ENTRY: MessageSchema = { // StringStringEntryProto
  1: { name: "key", kind: "text" },
  2: { name: "value", kind: "text" },
};

/** Not used; a damaged one is refused, as by every reader. */
const METADATA = { name: "metadata", kind: ENTRY, many: true } as const;

const TENSOR: MessageSchema = { // TensorProto
  1: { name: "shape", kind: "int", many: true },
  2: { name: "dataType", kind: "int" },
  4: { name: "floats", kind: "float", many: true },
  5: { name: "int32s", kind: "int", many: true },
  7: { name: "int64s", kind: "int", many: true },
  8: { name: "name", kind: "text" },
  9: { name: "raw", kind: "bytes" },
  10: { name: "doubles", kind: "double", many: true },
  11: { name: "uint64s", kind: "uint", many: true },
  13: { name: "external", kind: ENTRY, many: true },
  14: { name: "location", kind: "int" },
  16: METADATA,
};

const VALUE: MessageSchema = { // ValueInfoProto
  1: { name: "name", kind: "text" },
  2: {
    name: "type",
    kind: { // TypeProto
      1: {
        name: "tensor",
        kind: { // TypeProto.Tensor
          1: { name: "dataType", kind: "int" },
          2: {
            name: "shape",
            kind: { // TensorShapeProto
              1: {
                name: "axes",
                kind: {
                  1: { name: "length", kind: "int" },
                  2: { name: "parameter", kind: "text" },
                },
                many: true,
              },
            },
          },
        },
      },
    },
  },
  4: METADATA,
};

const NODE: MessageSchema = { // NodeProto
  1: { name: "inputs", kind: "text", many: true },
  2: { name: "outputs", kind: "text", many: true },
  3: { name: "name", kind: "text" },
  4: { name: "type", kind: "text" },
  5: {
    name: "attributes",
    kind: { // AttributeProto
      1: { name: "name", kind: "text" },
      2: { name: "float", kind: "float" },
      3: { name: "int", kind: "int" },
      4: { name: "text", kind: "bytes" },
      5: { name: "tensor", kind: TENSOR },
      6: { name: "graph", kind: "bytes" }, // seen, not read: its operator is refused
      7: { name: "floats", kind: "float", many: true },
      8: { name: "ints", kind: "int", many: true },
      9: { name: "texts", kind: "bytes", many: true },
      20: { name: "type", kind: "int" },
      21: { name: "reference", kind: "text" }, // to an attribute of a function
    },
    many: true,
  },
  7: { name: "domain", kind: "text" },
  9: METADATA,
};

/** ModelProto. */
export const ONNX_MODEL: MessageSchema = {
  1: { name: "irVersion", kind: "int" },
  2: { name: "producerName", kind: "text" },
  3: { name: "producerVersion", kind: "text" },
  7: {
    name: "graph",
    kind: { // GraphProto
      1: { name: "nodes", kind: NODE, many: true },
      2: { name: "name", kind: "text" },
      5: { name: "initializers", kind: TENSOR, many: true },
      11: { name: "inputs", kind: VALUE, many: true },
      12: { name: "outputs", kind: VALUE, many: true },
      13: { name: "values", kind: VALUE, many: true },
      15: { name: "sparse", kind: "bytes", many: true },
      16: METADATA,
    },
  },
  8: {
    name: "opsets",
    kind: { // OperatorSetIdProto
      1: { name: "domain", kind: "text" },
      2: { name: "version", kind: "int" },
    },
    many: true,
  },
  14: METADATA,
};
