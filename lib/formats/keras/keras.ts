// Keras's own files: .keras, and .h5 of the whole model or of weights alone.

import { type Hdf5File, readHdf5 } from "../../files/hdf5.ts";
import { isRecord } from "../../files/json.ts";
import { type KerasArchive, readKerasArchive } from "../../files/keras_archive.ts";
import { asFileError } from "../../files/unreadable.ts";
import type { Layer } from "../../layers/layer.ts";
import { weightCount } from "../../layers/kind.ts";
import type { Format, OpenedModel } from "../format.ts";
import { openConfiguredH5, openKerasH5, openKerasWeights } from "./h5.ts";
import { h5Recurrent } from "./h5_alone.ts";
import { inputShapeOf } from "./input.ts";
import { kerasModelOf, kerasProvenance } from "./model.ts";
import { leavesOf } from "./node.ts";
import { kerasProposal } from "./proposal.ts";
import { archiveRecurrent } from "./recurrent.ts";
import { kerasWriter } from "./version.ts";
import { kerasWeights } from "./weights.ts";
import { orAlone, type RecurrentParts, type UntoldActivations } from "../recurrent_part.ts";
import { saveKeras } from "./save_keras.ts";

const SAVED = "it must be a model that Keras saved";

/** Keras 3's own files. */
export const KERAS: Format = {
  name: ".keras",
  writers: ["Keras 2.12 to 2.15", "Keras 3.0 to 3.15"],
  kind: "zip",
  model: async ({ bytes, name }) => {
    const archive = await readKerasArchive(bytes);
    return orAlone(() => modelInArchive(archive), name, () => inArchive(archive, {}));
  },
  recurrent: async ({ bytes }, untold) => inArchive(await readKerasArchive(bytes), untold),
  save: saveKeras,
};

/** Keras 2's own files, and weights alone of either. */
export const KERAS_H5: Format = {
  name: ".h5",
  writers: ["Keras 1.2 to 3.15", "TensorFlow 2.0 to 2.15", "`.weights.h5` of them"],
  kind: "hdf5",
  model: async ({ bytes, name }) => {
    const file = await readHdf5(bytes);
    return orAlone(() => openKerasH5(file), name, () => h5Recurrent(file, {}));
  },
  recurrent: async ({ bytes }, untold) => h5Recurrent(await readHdf5(bytes), untold),
  proposal: async ({ bytes }) => kerasProposal((await readHdf5(bytes)).arrays),
  weights: ({ bytes }, line) => openKerasWeights(bytes, line),
  configured: ({ bytes }, model) => openConfiguredH5(bytes, model),
};

/** The recurrent layers of a .keras file alone. */
function inArchive(archive: KerasArchive, untold: UntoldActivations): RecurrentParts {
  const { config, weights } = archive;
  return asFileError(SAVED, () => {
    return archiveRecurrent(config, weights, kerasWriter(versionOf(archive)), untold);
  });
}

/** What its writer is called; empty where that is not told. */
function versionOf({ metadata }: KerasArchive): string {
  const { keras_version: version } = metadata;
  return typeof version === "string" ? version : "";
}

function modelInArchive(archive: KerasArchive): OpenedModel {
  const { config, weights: file } = archive;
  return asFileError(SAVED, () => {
    const version = versionOf(archive);
    const parsed = kerasModelOf(config, version);
    const arrays = kerasWeights(file, { listed: parsed.listed, areNamed: true });
    const raw = (layer: Layer) =>
      arrays.of({ name: layer.name!, layer, weights: new Array(weightCount(layer)) }, 0);
    const { compile_config: compiled } = config;
    return {
      ...parsed,
      arrays,
      inputShape: inputShapeOf(parsed, raw),
      provenance: { ...kerasProvenance(version), notes: parsed.notes },
      training: isRecord(compiled) && compiled.optimizer !== undefined
        ? {
          compiled,
          layers: leavesOf(parsed.listed),
          optimizer: compiled.optimizer,
          version,
          variables: numbered(file, "optimizer/vars/"),
        }
        : undefined,
    };
  });
}

/** `vars/0`, `vars/1`, … as far as they go. */
function numbered(file: Hdf5File, prefix: string) {
  const found = [];
  for (let k = 0; file.arrays.has(`${prefix}${k}`); k++) {
    found.push(file.arrays.get(`${prefix}${k}`)!);
  }
  return found;
}
