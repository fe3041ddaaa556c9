import { readOnnx } from "../files/onnx.ts";
import { asFileError } from "../files/unreadable.ts";
import { type Format, MODEL_RULE } from "./format.ts";
import { openOnnx } from "./onnx_graph.ts";
import { saveOnnx } from "./save_onnx.ts";

/** ONNX, out of PyTorch's, TensorFlow's or any other exporter. */
export const ONNX: Format = {
  name: ".onnx",
  kind: "onnx",
  model: async (file) => {
    const graph = await readOnnx(file);
    return asFileError(MODEL_RULE, () => openOnnx(graph));
  },
  save: saveOnnx,
};
