import { readSafetensors } from "../../files/safetensors.ts";
import { asFileError } from "../../files/unreadable.ts";
import { type Format, MODEL_RULE, WEIGHTS_RULE } from "../format.ts";
import { openPytorch } from "./pytorch.ts";
import { pytorchRecurrent } from "./alone.ts";
import { pytorchWeights } from "./match.ts";

/** PyTorch's state_dict as safetensors.torch.save_file writes it. */
export const SAFETENSORS: Format = {
  name: ".safetensors",
  writers: ["a state_dict of PyTorch"],
  kind: "safetensors",
  model: async ({ bytes, name }) => {
    return await asFileError(MODEL_RULE, () => openPytorch(readSafetensors(bytes), { name }));
  },
  recurrent: async ({ bytes }, untold) => {
    return await asFileError(MODEL_RULE, () => pytorchRecurrent(readSafetensors(bytes), untold));
  },
  weights: async ({ bytes }, line) => {
    return await asFileError(WEIGHTS_RULE, () => pytorchWeights(readSafetensors(bytes), line));
  },
};
