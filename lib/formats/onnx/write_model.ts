// A model as an .onnx file; loaded when one is written.

import { writeOnnx } from "../../files/onnx.ts";
import { writeFile } from "../../files/source.ts";
import type { Network } from "../../model/network.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { onnxGraphOf } from "./writing/graph.ts";

const IR_VERSION = 8; // onnx/onnx.proto; ONNX Runtime 1.12 and newer read it
const OPSET = 17;

/** What `saveOnnx` does, with the weights that the model had then. */
export async function writeModel(
  target: string | URL,
  network: Network,
  weights: readonly Tensor[],
): Promise<void> {
  const bytes = await writeOnnx({
    irVersion: IR_VERSION,
    producerName: "gatescope",
    graph: onnxGraphOf(network, weights),
    opsets: [{ domain: "", version: OPSET }],
  });
  await writeFile(target, bytes);
}
