import * as ort from "onnxruntime-node";
import { onnxModel } from "../onnx_model.ts";
import { servePeer } from "../peer.ts";

await servePeer(async (shape, arrays) => {
  if (shape.trains) return undefined;
  const session = await ort.InferenceSession.create(onnxModel(shape, arrays), {
    intraOpNumThreads: Number(Deno.args[1] ?? 1),
    interOpNumThreads: 1,
  });
  const x = new ort.Tensor("float32", arrays.x, [shape.batch, shape.timesteps, shape.inputSize]);
  return async () => (await session.run({ x })).probabilities!.data as Float32Array;
});
