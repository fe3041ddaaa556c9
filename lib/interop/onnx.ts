import { type OnnxFile, readOnnx } from "../files/onnx.ts";
import { asFileError, UnreadableFileError } from "../files/unreadable.ts";
import type { LoadedModel } from "./build_model.ts";
import { type Format, MODEL_RULE } from "./format.ts";
import { checkOpset, openOnnx } from "./onnx_graph.ts";
import { openNodes } from "./onnx_one_to_one.ts";
import { saveOnnx } from "./save_onnx.ts";

/** ONNX, out of PyTorch's, TensorFlow's or any other exporter. */
export const ONNX: Format = {
  name: ".onnx",
  kind: "onnx",
  model: async (file) => {
    const graph = await readOnnx(file);
    return asFileError(MODEL_RULE, () => openEither(graph));
  },
  save: saveOnnx,
};

/** As a row of layers, which is fast and batch first; where it is none, node by node. */
function openEither(file: OnnxFile): LoadedModel {
  try {
    return openOnnx(file);
  } catch (error) {
    if (!(error instanceof UnreadableFileError)) throw error;
    checkOpset(file);
    return openNodes(file);
  }
}
