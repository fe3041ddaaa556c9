import type { OnnxFile } from "../files/onnx.ts";
import type { LoadedModel } from "./build_model.ts";
export function openOnnx(_file: OnnxFile, _name: string): LoadedModel {
  throw new Error("not yet");
}
