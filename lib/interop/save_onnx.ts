import { refuseOptions } from "../base/options.ts";
import { writeOnnx } from "../files/onnx.ts";
import { writeFile } from "../files/source.ts";
import { type Model, networkOf } from "../model/model.ts";
import { OnnxGraphWriter } from "./onnx_graph_writer.ts";
import { writeLayer } from "./onnx_write.ts";

const IR_VERSION = 8; // onnx/onnx.proto; ONNX Runtime 1.12 and newer read it
const OPSET = 17;
const FLOAT = 1; // TensorProto.DataType
const INT64 = 7;

/**
 * Writes a model to an `.onnx` file that ONNX Runtime runs, predicting equally: the way to servers
 * and clusters (Triton, Ray, Spark). Input `x` is `[batch, timesteps, inputSize]` in float32, or
 * `[batch, timesteps]` of int64 before an embedding; output `prediction` is float32.
 *
 * @param target a path or a file URL; what is there is replaced
 * @param model LSTMs in any direction, dense layers, embeddings, activations, dropout
 * @throws {TypeError} where a layer has no counterpart: masks and states that stay between calls.
 * @throws {RangeError} where an activation has none: it is named.
 * @throws {Error} where the file cannot be written; `cause` says why.
 *
 * @example
 * ```ts
 * import { dense, loadModel, lstm, saveOnnx, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const layers = [lstm({ units: 4 }), dense({ units: 2, activation: "softmax" })];
 * const model = sequential(layers, { inputShape: [null, 2], seed: 1 });
 * const file = await Deno.makeTempFile({ suffix: ".onnx" });
 * await saveOnnx(file, model);
 *
 * const x = [[[0, 1], [2, 3], [4, 5]]];
 * assertEquals((await loadModel(file)).predict(x), model.predict(x));
 * await Deno.remove(file);
 * ```
 */
export async function saveOnnx(target: string | URL, model: Model): Promise<void> {
  networkOf(model, "save a model");
  refuseOptions("save a model as ONNX", arguments, 2);
  const graph = new OnnxGraphWriter();
  const isWords = model.layers[0]!.layer.className === "Embedding";
  const value = (name: string, dataType: number, shape: readonly (number | string)[]) => ({
    name,
    type: {
      tensor: {
        dataType,
        shape: {
          axes: shape.map((length) =>
            typeof length === "number" ? { length } : { parameter: length }
          ),
        },
      },
    },
  });
  const open = (shape: readonly (number | null)[]) => [
    "batch",
    ...shape.map((length) => length ?? "timesteps"),
  ];
  let at = "x";
  for (const { name, layer, getWeights } of model.layers) {
    at = writeLayer(graph, at, { name, layer, weights: getWeights() });
  }
  graph.add("Identity", [at], { name: "prediction" });
  const bytes = await writeOnnx({
    irVersion: IR_VERSION,
    producerName: "gatescope",
    graph: {
      name: "model",
      nodes: graph.nodes,
      initializers: graph.initializers,
      inputs: [value("x", isWords ? INT64 : FLOAT, open(model.inputShape))],
      outputs: [value("prediction", FLOAT, open(model.outputShape))],
    },
    opsets: [{ domain: "", version: OPSET }],
  });
  await writeFile(target, bytes);
}
