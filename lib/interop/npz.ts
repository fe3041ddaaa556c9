import { decodeNpz } from "../files/npz.ts";
import { asFileError, UnreadableFileError } from "../files/unreadable.ts";
import { readZipDirectory } from "../files/zip_directory.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { weightCount } from "../layers/kind.ts";
import type { LoadedWeights } from "./build_model.ts";
import { lettersOf, taken } from "./conversion.ts";
import { givenOrderProposal } from "./keras_proposal.ts";
import { type Format, type Line, MODEL_RULE, WEIGHTS_RULE } from "./format.ts";
import { isStateDict, openPytorch } from "./pytorch.ts";
import { pytorchRecurrent } from "./pytorch_alone.ts";
import { pytorchWeights } from "./pytorch_match.ts";

/** NumPy's archives: Keras's `get_weights()`, or a state_dict by its names. */
export const NPZ: Format = {
  name: ".npz",
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
};

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
