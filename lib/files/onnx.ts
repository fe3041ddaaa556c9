import { quoted } from "../base/quoted.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ONNX_MODEL, type OnnxGraph, type OnnxModel, type OnnxTensor } from "./onnx_schema.ts";
import { tensorOf } from "./onnx_tensor.ts";
import { decodeMessage, encodeMessage } from "./protobuf.ts";
import type { OpenFile } from "./open.ts";
import { describeStart } from "./file_kinds.ts";
import { asFileError, UnreadableFileError, within } from "./unreadable.ts";
import { MAX_UNPACKED_BYTES } from "./zip.ts";

/** What an .onnx file holds. */
export interface OnnxFile {
  /** The graph: its nodes, inputs and outputs. */
  readonly graph: OnnxGraph;
  /** The arrays by name: the initializers. */
  readonly arrays: ReadonlyMap<string, Tensor>;
  /** The arrays that nodes hold as attributes. */
  readonly attributes: ReadonlyMap<OnnxTensor, Tensor>;
  /** Who wrote it, with the version: `pytorch 2.13.0`. */
  readonly producer: string;
  /** The version of ONNX's own operators. */
  readonly opset: number;
}

/**
 * An ONNX model, and its external data where it has some.
 *
 * @throws {UnreadableFileError} where it is none or damaged, uses sparse arrays, or names data
 * outside of its folder.
 */
export async function readOnnx(
  { bytes, beside }: Pick<OpenFile, "bytes" | "beside">,
): Promise<OnnxFile> {
  const model = await asFileError("it must be an ONNX model (protobuf)", () => {
    return decodeMessage(bytes, ONNX_MODEL);
  });
  const { graph, opsets = [], producerName = "", producerVersion = "" } = model;
  if (graph === undefined) {
    throw new UnreadableFileError("an ONNX model has a graph", describeStart(bytes));
  }
  if (graph.sparse !== undefined) {
    throw new UnreadableFileError("its arrays must be dense", "the graph has sparse ones");
  }
  const external = new Map<string, Promise<Uint8Array>>(); // each file is read once
  let total = 0;
  const readExternal = (path: string, needed: number) => {
    total += needed; // many arrays may be of the same bytes
    if (total > MAX_UNPACKED_BYTES) {
      const rule = `its external data may take at most ${MAX_UNPACKED_BYTES} bytes`;
      throw new UnreadableFileError(rule, `the sum is ${total}`);
    }
    const found = external.get(path) ?? beside(path);
    external.set(path, found);
    return found;
  };
  const arrayOf = (given: OnnxTensor) =>
    within(given.name || "an array", () => tensorOf(given, readExternal));
  const arrays = new Map<string, Tensor>();
  const add = (key: string, tensor: Tensor) => {
    if (arrays.has(key)) {
      const state = `the name ${quoted(key)} occurs twice`;
      throw new UnreadableFileError("each array needs its own name", state);
    }
    arrays.set(key, tensor);
  };
  for (const given of graph.initializers ?? []) {
    add(given.name ?? "", await arrayOf(given));
  }
  const attributes = new Map<OnnxTensor, Tensor>();
  for (const { tensor } of (graph.nodes ?? []).flatMap((node) => node.attributes ?? [])) {
    if (tensor !== undefined) attributes.set(tensor, await arrayOf(tensor));
  }
  const opset = opsets.find(({ domain = "" }) => domain === "" || domain === "ai.onnx");
  return {
    graph,
    arrays,
    attributes,
    producer: `${producerName} ${producerVersion}`.trim(),
    opset: Number(opset?.version ?? 1),
  };
}

/** The bytes of an ONNX model. */
export async function writeOnnx(model: OnnxModel): Promise<Uint8Array> {
  return await encodeMessage(model, ONNX_MODEL);
}
