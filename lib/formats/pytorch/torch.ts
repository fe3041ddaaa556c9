import { didYouMean } from "../../base/names.ts";
import { quoted } from "../../base/quoted.ts";
import { readTorch, type StateDict } from "../../files/torch.ts";
import { asFileError, UnreadableFileError } from "../../files/unreadable.ts";
import { type Format, MODEL_RULE, WEIGHTS_RULE } from "../format.ts";
import { openPytorch } from "./pytorch.ts";
import { pytorchRecurrent } from "./alone.ts";
import type { PytorchArrays } from "./file.ts";
import { pytorchWeights } from "./match.ts";

/** PyTorch's state_dict as torch.save writes it, or a checkpoint that holds one. */
export const TORCH: Format = {
  name: ".pth",
  writers: ["PyTorch: `.pth`, `.pt`, `.bin` of `torch.save`, both formats"],
  kind: "torch",
  hasKeys: true,
  async model({ bytes, name }, key) {
    const chosen = await chosenDict(bytes, key);
    return asFileError(MODEL_RULE, () => openPytorch(chosen, { name, key }));
  },
  async recurrent({ bytes }, untold, key) {
    const chosen = await chosenDict(bytes, key);
    return asFileError(MODEL_RULE, () => pytorchRecurrent(chosen, untold));
  },
  async weights({ bytes }, line, key) {
    const chosen = await chosenDict(bytes, key);
    return asFileError(WEIGHTS_RULE, () => pytorchWeights(chosen, line));
  },
};

/** The one state_dict there is, or the one that the key names. */
async function chosenDict(bytes: Uint8Array, key: string | undefined): Promise<PytorchArrays> {
  const dicts = await asFileError(MODEL_RULE, () => readTorch(bytes));
  const keys = [...dicts.keys()];
  const name = key ?? onlyOne(dicts);
  const found = name === undefined ? undefined : dicts.get(name);
  if (found !== undefined) return { arrays: found(), metadata: {}, isOrdered: true };
  if (keys.length === 1 && keys[0] === "") {
    const state = `the file is one state_dict, and ${quoted(key ?? "")} was asked for`;
    throw new UnreadableFileError("a key chooses among the state dicts of a checkpoint", state);
  }
  const shown = keys.map(quoted).join(", ");
  const rule = "the state_dict of a checkpoint is chosen by its key: " +
    `loadModel(source, { key: ${quoted(keys[0] ?? "")} })`;
  const wish = key === undefined ? "" : `, none under ${quoted(key)}${didYouMean(key, keys)}`;
  throw new UnreadableFileError(rule, `the checkpoint holds some under ${shown}${wish}`);
}

/**
 * The only state_dict, or the only one in which a module's arrays are: what trains a model keeps its
 * best score as a tensor beside it.
 */
function onlyOne(dicts: ReadonlyMap<string, StateDict>): string | undefined {
  const keys = [...dicts.keys()];
  if (keys.length === 1) return keys[0];
  const withModules = keys.filter((key) =>
    dicts.get(key)!.names.some((name) => /(^|\.)(weight|bias)(_\w+)?$/.test(name))
  );
  return withModules.length === 1 ? withModules[0] : undefined;
}
