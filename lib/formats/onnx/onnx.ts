import { readOnnx } from "../../files/onnx.ts";
import { asFileError } from "../../files/unreadable.ts";
import { type Format, MODEL_RULE } from "../format.ts";
import { onnxRecurrent } from "./alone.ts";
import { openOnnx } from "./graph.ts";
import { orAlone } from "../recurrent_part.ts";
import { saveOnnx } from "./save_onnx.ts";

/** ONNX, out of PyTorch's, TensorFlow's or any other exporter. */
export const ONNX: Format = {
  name: ".onnx",
  writers: ["PyTorch's two exporters", "tf2onnx", "onnx"],
  kind: "onnx",
  model: async (file) => {
    const graph = await readOnnx(file);
    return asFileError(
      MODEL_RULE,
      () => orAlone(() => openOnnx(graph), file.name, () => onnxRecurrent(graph)),
    );
  },
  recurrent: async (file) => {
    const graph = await readOnnx(file);
    return asFileError(MODEL_RULE, () => onnxRecurrent(graph));
  },
  save: saveOnnx,
};
