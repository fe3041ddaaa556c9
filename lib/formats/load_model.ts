// The door to all formats: what is asked is checked here, and the formats are loaded when a file is
// opened.

import { kindOf } from "../base/kind.ts";
import { checkOptions, type KeysOf } from "../base/options.ts";
import type { Source } from "../files/source.ts";
import type { Layer, OpenShape } from "../layers/layer.ts";
import { provideWeightLoader } from "../model/load_weights.ts";
import type { Model } from "../model/model.ts";
import type { KerasConfiguration } from "./keras/configuration.ts";

/** What a file of weights alone does not tell. */
export interface LoadModelOptions {
  /**
   * The layers that the weights belong to, made by `lstm()`, `dense()` and their like. A
   * `.safetensors` does not tell the order of its modules: where several have the same shapes, a
   * layer's `name` says which is its own (`lstm({ units, name: "encoder" })`); numbered ones are in
   * order. In a `.pth` they are taken in the order of the state_dict. Of PyTorch's modules nn.LSTM,
   * nn.GRU, nn.RNN, their cells, Linear, Embedding, Conv1d, Conv2d, BatchNorm and LayerNorm are known.
   * What PyTorch keeps in the program must be said here: activations, the padding and strides of a
   * convolution, and `epsilon: 1e-5` of its normalizations (Keras's default is 1e-3).
   */
  readonly layers?: readonly Layer[];
  /**
   * Keras's `model.to_json()`, where the weights stand alone: the text, what it says, or its path or
   * URL. For `.weights.h5`, `.h5` and the `.npz` of `get_weights()`.
   */
  readonly config?: KerasConfiguration;
  /** A sample's shape. Default: `[null, inputSize]`, as the first layer's weights tell it. */
  readonly inputShape?: OpenShape;
  /** Which state_dict of a PyTorch checkpoint that holds several: `"ema.model"`. */
  readonly key?: string;
}

const OPTIONS: KeysOf<LoadModelOptions> = {
  layers: "optional",
  config: "optional",
  inputShape: "optional",
  key: "optional",
};

/**
 * Opens a model of any framework: Keras's `.keras` and `.h5`, ONNX, TF.js's `model.json`, and the
 * `.pth`, `.safetensors` or `.npz` of a PyTorch `nn.LSTM` or `nn.GRU`. The kind is told by the bytes,
 * not by the name.
 *
 * The model predicts what the source predicts; `model.provenance` is the log of all that was
 * transposed, added and reordered. A bare PyTorch LSTM predicts its sequence
 * `[batch, timesteps, directions·units]` from `[batch, timesteps, inputSize]`, a bare `nn.LSTMCell` the
 * last state of a loop over it. The inputs and outputs of an ONNX graph have the file's axes, as ONNX
 * Runtime has them (`model.inputs`, `predictAll`). A model that Keras trained goes on where it stopped.
 *
 * Files of weights alone (`.weights.h5`, `.npz`; `.pth` and `.safetensors` with other layers) need
 * `layers`: they do not tell the activations, and none is guessed; the error proposes the call. Of
 * Keras's, the text of `model.to_json()` tells them too: `config`.
 * PyTorch's own files (`torch.save`) are pickles: they are read by an interpreter that knows what
 * tensors need, and runs nothing.
 *
 * @param source a path, a URL or the bytes. Needs the permission to read that one file, or to reach
 * that one host; `model.json` and external data of ONNX also that of the files they name, which
 * must lie in the same folder
 * @throws {UnreadableFileError} where the file is damaged, or holds a layer or an operator that is
 * not read: it is named, with what is.
 * @throws {TypeError} where the source is of no kind that is read.
 *
 * @example
 * ```ts
 * import { dense, loadModel, lstm, saveKeras, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const layers = [lstm({ units: 4 }), dense({ units: 2, activation: "softmax" })];
 * const model = sequential(layers, { inputShape: [3, 2], seed: 1 });
 * const file = await Deno.makeTempFile({ suffix: ".keras" });
 * await saveKeras(file, model);
 *
 * const opened = await loadModel(file);
 * const x = [[[0, 1], [2, 3], [4, 5]]];
 * assertEquals(opened.predict(x), model.predict(x));
 * assertEquals(opened.provenance?.gateOrder, "i f c o");
 * await Deno.remove(file);
 * ```
 */
export async function loadModel(source: Source, options: LoadModelOptions = {}): Promise<Model> {
  checkOptions("load a model", options, OPTIONS);
  const { layers, key, config } = options;
  if (key !== undefined && typeof key !== "string") {
    throw new TypeError(`Cannot load a model: key must be a text, but ${kindOf(key)} was given`);
  }
  if (config !== undefined && (layers !== undefined || options.inputShape !== undefined)) {
    throw new TypeError(
      "Cannot load a model: config tells the layers and the shape, but " +
        `${layers === undefined ? "inputShape" : "layers"} was given too`,
    );
  }
  return await (await import("./open_model.ts")).openModel(source, options);
}

provideWeightLoader(async (model, source) =>
  await (await import("./open_model.ts")).openWeights(model, source)
);
