import { checkOptions, type KeysOf } from "../base/options.ts";
import { decodeNpz } from "../files/npz.ts";
import { readSafetensors } from "../files/safetensors.ts";
import { type OpenFile, openFile } from "../files/open.ts";
import type { Source } from "../files/source.ts";
import { readTfjs } from "../files/tfjs.ts";
import { asFileError, UnreadableFileError } from "../files/unreadable.ts";
import { readOnnx } from "../files/onnx.ts";
import type { Layer, OpenShape } from "../model/layer.ts";
import { nameLayers } from "../model/layer_names.ts";
import { provideWeightLoader } from "../model/load_weights.ts";
import type { Model } from "../model/model.ts";
import { recordProvenance } from "../model/provenance.ts";
import {
  buildModel,
  inOrder,
  type LoadedModel,
  type LoadedWeights,
  replaceWeights,
} from "./build_model.ts";
import { type FileFormat, formatOf } from "./file_format.ts";
import { inferredInput, openKerasArchive, openKerasH5, openKerasWeights } from "./keras.ts";
import { resumeTraining, type StoredTraining } from "./keras_training.ts";
import { npzWeights } from "./npz_weights.ts";
import { openOnnx } from "./onnx_graph.ts";
import { isStateDict, openPytorch, pytorchProvenance } from "./pytorch.ts";
import { pytorchWeights } from "./pytorch_match.ts";
import { openTfjs } from "./tfjs.ts";

/** What a file of weights alone does not tell. */
export interface LoadModelOptions {
  /**
   * The layers that the weights belong to, made by `lstm()`, `dense()` and their like. PyTorch's
   * files do not tell the order of their modules: where several have the same shapes, a layer's
   * `name` says which is its own (`lstm({ units, name: "encoder" })`); numbered ones are in order.
   */
  readonly layers?: readonly Layer[];
  /** A sample's shape; unless said, `[null, inputSize]` as the first layer's weights tell it. */
  readonly inputShape?: OpenShape;
}

const OPTIONS: KeysOf<LoadModelOptions> = {
  layers: "optional",
  inputShape: "optional",
};

/**
 * Opens a model of any framework: Keras's `.keras` and `.h5`, ONNX, TF.js's `model.json`, and the
 * `.safetensors` (or `.npz`) of a PyTorch `nn.LSTM`. The kind is told by the file.bytes, not by the name.
 *
 * The model predicts what the source predicts; `model.provenance` is the log of all that was
 * transposed, added and reordered. A bare PyTorch or ONNX LSTM predicts its sequence
 * `[batch, timesteps, directions·units]` from `[batch, timesteps, inputSize]`. A model that Keras
 * trained goes on where it stopped.
 *
 * Files of weights alone (`.weights.h5`, `.npz`, `.safetensors` with other layers) need `layers`:
 * they do not tell the activations, and none is guessed.
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
  return await openFile(source, async (file) => {
    const format = formatOf(file.bytes);
    if (options.layers === undefined) {
      const loaded = await openModel(format, file);
      return finish(buildModel(loaded, file.name), loaded.training);
    }
    const layers = options.layers;
    const names = nameLayers(layers);
    const line = layers.map((layer, k) => ({ name: names[k]!, layer }));
    const { perLayer, provenance } = await openWeights(format, file, line);
    const loaded = layers.map((layer, k) => ({ layer, weights: perLayer[k] ?? [] }));
    const inputShape = options.inputShape ?? inferredInput(loaded);
    return buildModel({ layers: loaded, inputShape, provenance }, file.name);
  });
}

provideWeightLoader((model, source) =>
  openFile(source, async (file) => {
    const { perLayer, provenance } = await openWeights(formatOf(file.bytes), file, model.layers);
    replaceWeights(model, perLayer.flat(), provenance, file.name);
  })
);

type Opened = LoadedModel & { readonly training?: StoredTraining | undefined };

/** A file that defines the computation. */
async function openModel(
  format: FileFormat,
  file: OpenFile,
): Promise<Opened> {
  const rule = "it must be a model";
  switch (format) {
    case "keras":
      return await openKerasArchive(file.bytes);
    case "hdf5":
      return await openKerasH5(file.bytes) ??
        refuseWeightsAlone("HDF5 without model_config");
    case "npz": {
      const arrays = await decodeNpz(file.bytes);
      if (!isStateDict(arrays)) return refuseWeightsAlone("a .npz");
      const loaded = asFileError(rule, () => openPytorch({ arrays, metadata: {} }));
      return { ...loaded, provenance: { ...loaded.provenance, format: ".npz" } };
    }
    case "safetensors":
      return asFileError(rule, () => openPytorch(readSafetensors(file.bytes)));
    case "tfjs": {
      const model = await readTfjs(file);
      return asFileError(rule, () => openTfjs(model));
    }
    case "onnx": {
      const model = await readOnnx(file);
      return asFileError(rule, () => openOnnx(model));
    }
  }
}

/** Any file's arrays, for layers that are known. */
async function openWeights(
  format: FileFormat,
  file: OpenFile,
  line: readonly { readonly name: string; readonly layer: Layer }[],
): Promise<LoadedWeights> {
  const rule = "its arrays must be those of the layers";
  switch (format) {
    case "npz": {
      const arrays = await decodeNpz(file.bytes);
      if (!isStateDict(arrays)) {
        return asFileError(rule, () => npzWeights(arrays, line));
      }
      const perLayer = asFileError(rule, () => pytorchWeights(arrays, line));
      return { perLayer, provenance: { ...pytorchProvenance({}), format: ".npz" } };
    }
    case "hdf5":
      return await openKerasWeights(file.bytes, line);
    case "safetensors": {
      const { arrays, metadata } = readSafetensors(file.bytes);
      const perLayer = asFileError(rule, () => pytorchWeights(arrays, line));
      return { perLayer, provenance: pytorchProvenance(metadata) };
    }
    default: { // the file's own layers, of which the arrays alone are taken
      const { layers, provenance } = await openModel(format, file);
      const stored = layers.map(({ weights }) => weights).filter(({ length }) => length > 0);
      return { perLayer: inOrder(stored, line), provenance };
    }
  }
}

function finish(model: Model, training: StoredTraining | undefined): Model {
  const notes = asFileError(
    "its training must fit it",
    () => resumeTraining(model, training),
  );
  const provenance = model.provenance!;
  if (notes.length > 0) {
    recordProvenance(model, { ...provenance, notes: [...provenance.notes, ...notes] });
  }
  return model;
}

function refuseWeightsAlone(kind: string): never {
  throw new UnreadableFileError(
    "a file of weights alone does not tell the layers: give them in loadModel(source, { layers }), " +
      "or use model.loadWeights(source)",
    `the file is ${kind}`,
  );
}
