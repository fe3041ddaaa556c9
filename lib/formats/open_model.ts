// Opening a model: the format of the file, the model or the arrays in it, and what is built of them.

import { type OpenFile, openFile } from "../files/open.ts";
import type { Source } from "../files/source.ts";
import { asFileError, UnreadableFileError } from "../files/unreadable.ts";
import { nameLayers } from "../layers/layer_names.ts";
import type { Model } from "../model/model.ts";
import { recordProvenance } from "../model/provenance.ts";
import {
  arraysOf,
  buildModel,
  inOrder,
  type LoadedWeights,
  replaceWeights,
  rowWithArrays,
} from "./build_model.ts";
import type { Configured, Format, Line, OpenedModel } from "./format.ts";
import { configuredModel } from "./keras/configuration.ts";
import { inferredInput } from "./keras/input.ts";
import { resumeTraining, type StoredTraining } from "./keras/training.ts";
import type { LoadModelOptions } from "./load_model.ts";
import { refuseWeightsAlone } from "./proposal.ts";
import { orAlone, type RecurrentParts } from "./recurrent_part.ts";
import { formatOf, FORMATS } from "./table.ts";

/** What `loadModel` does once its options are known to be right. */
export async function openModel(source: Source, options: LoadModelOptions): Promise<Model> {
  const { layers, key, config } = options;
  if (config !== undefined) return await openConfigured(source, await configuredModel(config));
  return await openFile(source, async (file) => {
    const format = formatOf(file.bytes, key);
    const origin = { source: file.name, format: format.name };
    if (layers === undefined) {
      const loaded = await modelIn(format, file, key);
      return finish(buildModel(loaded, origin), loaded.training);
    }
    const names = nameLayers(layers);
    const line = layers.map((layer, k) => ({ name: names[k]!, layer }));
    const { perLayer, provenance } = await weightsIn(format, file, line, key);
    const loaded = layers.map((layer, k) => ({ layer, weights: perLayer[k] ?? [] }));
    const inputShape = options.inputShape ?? inferredInput(loaded);
    return buildModel({ ...rowWithArrays(loaded), inputShape, provenance }, origin);
  });
}

/** The arrays of a file in a model's own. */
export function openWeights(model: Model, source: Source): Promise<void> {
  return openFile(source, async (file) => {
    const format = formatOf(file.bytes);
    const { perLayer, provenance } = await weightsIn(format, file, model.layers);
    const origin = { source: file.name, format: format.name };
    replaceWeights(model, perLayer.flat(), provenance, origin);
  });
}

/** Keras's weights alone, with the configuration that stands apart from them. */
function openConfigured(source: Source, model: Configured): Promise<Model> {
  return openFile(source, async (file) => {
    const format = formatOf(file.bytes);
    if (format.configured === undefined) {
      const known = FORMATS.filter(({ configured }) => configured).map(({ name }) => name);
      const rule = `config goes with Keras's weights: ${known.join(", ")}`;
      throw new UnreadableFileError(rule, `the file is a ${format.name}`);
    }
    const origin = { source: file.name, format: format.name };
    return buildModel(await format.configured(file, model), origin);
  });
}

/** A file that defines the computation. */
async function modelIn(format: Format, file: OpenFile, key?: string): Promise<OpenedModel> {
  const found = await format.model(file, key);
  if (found !== undefined) return found;
  const proposal = await format.proposal?.(file);
  if (proposal !== undefined) refuseWeightsAlone(proposal, file);
  const rule = "a file of weights alone does not tell the layers: give them in " +
    "loadModel(source, { layers }), or use model.loadWeights(source)";
  const alone = await recurrentIn(format, file);
  return orAlone(
    () => {
      throw new UnreadableFileError(rule, `the file is a ${format.name} of weights alone`);
    },
    file.name,
    () => alone,
  );
}

async function recurrentIn(format: Format, file: OpenFile): Promise<Pick<RecurrentParts, "parts">> {
  try {
    return await format.recurrent(file, {});
  } catch (error) {
    if (error instanceof UnreadableFileError) return { parts: [] };
    throw error;
  }
}

/** Any file's arrays, for layers that are known. */
async function weightsIn(
  format: Format,
  file: OpenFile,
  line: Line,
  key?: string,
): Promise<LoadedWeights> {
  if (format.weights !== undefined) return await format.weights(file, line, key);
  const { provenance, ...loaded } = await modelIn(format, file);
  const stored = arraysOf(loaded).filter(({ length }) => length > 0);
  return { perLayer: inOrder(stored, line), provenance };
}

function finish(model: Model, training: StoredTraining | undefined): Model {
  const notes = asFileError("its training must fit it", () => resumeTraining(model, training));
  const provenance = model.provenance!;
  if (notes.length > 0) {
    recordProvenance(model, { ...provenance, notes: [...provenance.notes, ...notes] });
  }
  return model;
}
