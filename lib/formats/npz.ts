import { decodeNpz } from "../files/npz_format.ts";
import { asFileError, UnreadableFileError } from "../files/unreadable.ts";
import { readZipDirectory } from "../files/zip_directory.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { namesOf, weightCount } from "../layers/kind.ts";
import type { LoadedWeights } from "./build_model.ts";
import { lettersOf, taken } from "./conversion.ts";
import type { KerasModel } from "./keras/config.ts";
import { inputShapeOf } from "./keras/input.ts";
import { kerasProvenance } from "./keras/model.ts";
import { leavesOf } from "./keras/node.ts";
import { isKeras1 } from "./keras/version.ts";
import { givenOrderProposal } from "./keras/proposal.ts";
import { type Format, type Line, MODEL_RULE, WEIGHTS_RULE } from "./format.ts";
import { isStateDict, openPytorch } from "./pytorch/pytorch.ts";
import { pytorchRecurrent } from "./pytorch/alone.ts";
import { pytorchWeights } from "./pytorch/match.ts";

/** NumPy's archives: Keras's `get_weights()`, or a state_dict by its names. */
export const NPZ: Format = {
  name: ".npz",
  writers: ["NumPy: `get_weights()` of Keras 2 and 3", "a state_dict of PyTorch"],
  kind: "zip",
  fits(bytes) {
    const entries = readZipDirectory(bytes);
    return entries.length > 0 && entries.every(({ name }) => name.endsWith(".npy"));
  },
  async model({ bytes, name }) {
    const arrays = await decodeNpz(bytes);
    if (!isStateDict(arrays)) return undefined;
    return asFileError(MODEL_RULE, () => openPytorch({ arrays, metadata: {} }, { name }));
  },
  proposal: async ({ bytes }) => givenOrderProposal(await decodeNpz(bytes)),
  async recurrent({ bytes }, untold) {
    const arrays = await decodeNpz(bytes);
    return asFileError(MODEL_RULE, () => pytorchRecurrent({ arrays, metadata: {} }, untold));
  },
  async weights({ bytes }, line) {
    const arrays = await decodeNpz(bytes);
    return asFileError(WEIGHTS_RULE, () => {
      return isStateDict(arrays)
        ? pytorchWeights({ arrays, metadata: {} }, line)
        : inGivenOrder(arrays, line);
    });
  },
  async configured({ bytes }, { parsed, version }) {
    const arrays = await decodeNpz(bytes);
    return asFileError(MODEL_RULE, () => {
      checkOrder(parsed, version);
      const line = parsed.layers.map((layer) => ({ name: layer.name!, layer }));
      const { perLayer } = inGivenOrder(arrays, line);
      const stored = new Map(line.map(({ name }, k) => [name, perLayer[k]!]));
      return {
        ...parsed,
        arrays: { of: ({ name }) => stored.get(name) ?? [] },
        inputShape: inputShapeOf(parsed, ({ name }) => stored.get(name!) ?? []),
        provenance: { ...kerasProvenance(version), notes: parsed.notes },
      };
    });
  },
};

/** Throws where get_weights() does not give the arrays layer by layer. */
function checkOrder({ listed, layers }: KerasModel, version: string): void {
  const rule = "get_weights() must give each layer's arrays one after the other";
  if (isKeras1(version)) {
    throw new UnreadableFileError(rule, "Keras 1 has one array for each gate: its .h5 is read");
  }
  const within = new Set(
    listed.flatMap(({ inner }) => leavesOf(inner?.listed ?? []).map(({ name }) => name)),
  );
  const fixed = layers.find((layer) =>
    within.has(layer.name!) && namesOf(layer).some(({ trainable = true }) => !trainable)
  );
  if (fixed === undefined || !/^2\.[0-3](\D|$)/.test(version)) return;
  const state =
    `Keras ${version} gives those that training does not move last, of the model with ` +
    `${JSON.stringify(fixed.name)} in it: its .h5 is read`;
  throw new UnreadableFileError(rule, state);
}

/** The arrays of `np.savez(f, *model.get_weights())`: arr_0, arr_1, … in Keras's order. */
function inGivenOrder(arrays: ReadonlyMap<string, Tensor>, line: Line): LoadedWeights {
  const counts = line.map(({ layer }) => weightCount(layer));
  const total = counts.reduce((sum, count) => sum + count, 0);
  const keys = Array.from({ length: total }, (_, k) => `arr_${k}`);
  if (arrays.size !== total || !keys.every((key) => arrays.has(key))) {
    const rule = `its arrays must be arr_0 to arr_${total - 1} in the order of get_weights()`;
    const found = [...arrays.keys()].slice(0, 8).join(", ") || "none";
    throw new UnreadableFileError(rule, `the arrays are ${found} (${arrays.size} in all)`);
  }
  const left = keys.map((key) => taken(key, arrays.get(key)!));
  const perLayer = counts.map((count) => left.splice(0, count));
  return { perLayer, provenance: { gateOrder: lettersOf("keras"), notes: [] } };
}
