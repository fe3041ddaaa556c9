import { kindOf } from "../base/kind.ts";
import { amongNames } from "../base/names.ts";
import { checkOptions, type KeysOf } from "../base/options.ts";
import type { Source } from "../files/source.ts";
import type { Model } from "../model/model.ts";
import type { UntoldActivations } from "./recurrent_part.ts";

/** What a file does not tell of its recurrent layers. */
export interface LoadRecurrentOptions {
  /**
   * What layers compute with where the file has their arrays alone: an `nn.RNN`, and those of Keras in
   * `.weights.h5` or inside of a class of the author's own. Default: `"tanh"`.
   */
  readonly activation?: "tanh" | "relu";
  /** The same of their gates, of Keras's layers. Default: `"sigmoid"`. */
  readonly recurrentActivation?: "sigmoid" | "hard_sigmoid";
  /** Which state_dict of a PyTorch checkpoint that holds several. Default: the only one. */
  readonly key?: string;
}

const OPTIONS: KeysOf<LoadRecurrentOptions> = {
  activation: "optional",
  recurrentActivation: "optional",
  key: "optional",
};
const CHOICES = {
  activation: ["tanh", "relu"],
  recurrentActivation: ["sigmoid", "hard_sigmoid"],
} as const;

/**
 * Opens every LSTM, GRU and SimpleRNN of a file alone, whatever stands around it: also a Lambda, a
 * class of the author's own, an operator that is not read. Each is a model of that one layer (two of
 * Bidirectional), so that its gates can be traced, proved and looked at.
 *
 * What goes in is the layer's own input `[batch, timesteps, inputSize]`: `model.provenance.input` is
 * the line of Python that gives it. Where the file hands it first states or a mask as well, or may do
 * so, these are inputs of the model, after x; a mask is `[batch, timesteps]`, 1 where a step counts. A
 * layer with `returnState` gives its first result.
 *
 * From `.keras`, `.h5` and TF.js's `model.json` by the configuration; inside of classes of the
 * author's own and from `.weights.h5` by the arrays, which tell no activations (a note says which were
 * taken); from ONNX the nodes whose weights are constant; from a state_dict (`.pth`, `.safetensors`,
 * `.npz`) what PyTorch's own modules compute.
 *
 * @param source a path, a URL or the bytes, as for {@linkcode loadModel}
 * @param options what the file does not tell
 * @returns the models by the names of the layers in the file, in its order; those of models and
 * classes around them stand before: `encoder/lstm`. Layers of one `nn.LSTM` are `lstm_l0`, `lstm_l1`
 * @throws {UnreadableFileError} where the file is damaged, or none of its layers can be opened.
 * @throws {TypeError} where the source is of no kind that is read, or an option is unknown.
 *
 * @example
 * ```ts
 * import { dense, loadRecurrent, lstm, saveKeras, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const layers = [lstm({ units: 4 }), dense({ units: 2 })];
 * const model = sequential(layers, { inputShape: [3, 2], seed: 1 });
 * const file = await Deno.makeTempFile({ suffix: ".keras" });
 * await saveKeras(file, model);
 *
 * const recurrent = await loadRecurrent(file);
 * const alone = recurrent.get("lstm")!;
 * assertEquals(alone.outputShape, [4]);
 * console.log(alone.provenance?.input); // keras.Model(model.inputs, model.get_layer("lstm").input)…
 * await Deno.remove(file);
 * ```
 */
export async function loadRecurrent(
  source: Source,
  options: LoadRecurrentOptions = {},
): Promise<Map<string, Model>> {
  const action = "load recurrent layers";
  checkOptions(action, options, OPTIONS);
  const { key, ...untold } = options;
  if (key !== undefined && typeof key !== "string") {
    throw new TypeError(`Cannot ${action}: key must be a text, but ${kindOf(key)} was given`);
  }
  for (const [option, names] of Object.entries(CHOICES)) {
    const value = untold[option as keyof UntoldActivations];
    if (value === undefined || (names as readonly string[]).includes(value)) continue;
    throw new RangeError(`Cannot ${action}: ${option} must be ${amongNames(value, names)}`);
  }
  return await (await import("./open_recurrent.ts")).openRecurrent(source, untold, key);
}
