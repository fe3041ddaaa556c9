// Keras's own files: .keras, and .h5 of the whole model or of weights alone.

import { type Hdf5File, readHdf5 } from "../files/hdf5.ts";
import { isRecord } from "../files/json.ts";
import { readKerasArchive } from "../files/keras_archive.ts";
import { asFileError } from "../files/unreadable.ts";
import type { Layer } from "../layers/layer.ts";
import { weightCount } from "../layers/kind.ts";
import type { Format, OpenedModel } from "./format.ts";
import { openConfiguredH5, openKerasH5, openKerasWeights } from "./keras_h5.ts";
import { inputShapeOf } from "./keras_input.ts";
import { kerasModelOf, kerasProvenance } from "./keras_model.ts";
import { leavesOf } from "./keras_node.ts";
import { kerasProposal } from "./keras_proposal.ts";
import { kerasWeights } from "./keras_weights.ts";
import { saveKeras } from "./save_keras.ts";

/** Keras 3's own files. */
export const KERAS: Format = {
  name: ".keras",
  kind: "zip",
  model: ({ bytes }) => openKerasArchive(bytes),
  save: saveKeras,
};

/** Keras 2's own files, and weights alone of either. */
export const KERAS_H5: Format = {
  name: ".h5",
  kind: "hdf5",
  model: ({ bytes }) => openKerasH5(bytes),
  proposal: async ({ bytes }) => kerasProposal((await readHdf5(bytes)).arrays),
  weights: ({ bytes }, line) => openKerasWeights(bytes, line),
  configured: ({ bytes }, model) => openConfiguredH5(bytes, model),
};

async function openKerasArchive(bytes: Uint8Array): Promise<OpenedModel> {
  const { config, metadata, weights: file } = await readKerasArchive(bytes);
  return asFileError("it must be a model that Keras saved", () => {
    const { keras_version: told } = metadata;
    const version = typeof told === "string" ? told : "";
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
