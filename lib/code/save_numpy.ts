// The door of saveNumpy: what writes Python is loaded when it is asked for.

import { checkOptions, type KeysOf } from "../base/options.ts";
import { type Model, networkOf } from "../model/model.ts";

/** How a model is written in Python. */
export interface SaveNumpyOptions {
  /** Whether the file has `trace(x)` too, which gives all that is computed inside. Default: false. */
  readonly trace?: boolean;
}

const OPTIONS: KeysOf<SaveNumpyOptions> = { trace: "optional" };

/**
 * Writes a model as a Python file that imports NumPy alone: each layer's equation, the loop over the
 * timesteps, and the weights; to read, and to check other programs against. `predict(x)` gives what
 * `model.predict` gives; with `{ trace: true }`, `trace(x)` gives every gate and state, which
 * {@linkcode loadTrace} reads and {@linkcode prove} compares.
 *
 * The same models as of {@linkcode saveC}: one input, one output, no masks. What a stateful model
 * remembers is left out.
 *
 * @param target a path or a file URL, `*.py`; what is there is replaced
 * @param model any whose layers need no mask
 * @param options whether all that is computed can be looked at
 * @returns the file's text
 * @throws {TypeError} where a layer cannot be written, by name: one that makes a mask, one with
 * several results, an activation of your own; or where the file's name is none of a Python module.
 * @throws {Error} where the file cannot be written; `cause` says why.
 *
 * @example
 * ```ts
 * import { dense, lstm, saveNumpy, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([lstm({ units: 8 }), dense({ units: 2 })], { inputShape: [null, 3] });
 * const folder = await Deno.makeTempDir();
 * const text = await saveNumpy(`${folder}/motor.py`, model);
 * assertEquals(text.includes("c = f * c + i * c_tilde"), true);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function saveNumpy(
  target: string | URL,
  model: Model,
  options: SaveNumpyOptions = {},
): Promise<string> {
  const network = networkOf(model, "save a model");
  checkOptions("save a model as Python", options, OPTIONS);
  return await (await import("./write_python.ts")).writePython(
    target,
    network,
    options.trace === true,
  );
}
