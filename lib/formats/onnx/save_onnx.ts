// The door of saveOnnx: what writes ONNX is loaded when it is asked for.

import { refuseOptions } from "../../base/options.ts";
import { type Model, networkOf } from "../../model/model.ts";

/**
 * Writes a model to an `.onnx` file that ONNX Runtime runs, predicting equally: the way to servers
 * and clusters (Triton, Ray, Spark). Any layer of Keras's that this package has, connected in any
 * way; masks are computed by the graph as Keras does. The input of one is `x`, of several each has
 * its own name: `[batch, timesteps, inputSize]` in float32, or `[batch, timesteps]` of int64 before
 * an embedding. The output of one is `prediction`, of several each has its layer's name; float32.
 *
 * @param target a path or a file URL; what is there is replaced
 * @param model any that predicts alike at each call
 * @throws {TypeError} where a layer has no counterpart: one of your own, states that stay between
 * calls.
 * @throws {RangeError} where an activation has none, most often in a recurrent layer: it is named.
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
  const network = networkOf(model, "save a model");
  refuseOptions("save a model as ONNX", arguments, 2);
  const weights = network.keptWeights; // training goes on with others
  await (await import("./write_model.ts")).writeModel(target, network, weights);
}
