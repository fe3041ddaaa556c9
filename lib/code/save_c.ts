// The door of saveC: what writes C is loaded when it is asked for.

import { checkOptions, type KeysOf } from "../base/options.ts";
import { IN_TURNS } from "../display/in_turns.ts";
import type { ModelInput } from "../model/inputs.ts";
import type { Model } from "../model/model.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** How a model is written in C. */
export interface SaveCOptions {
  /** What all names in the file begin with: letters, digits, underscores. Default: the file's name. */
  readonly name?: string;
  /** The input of the self-test, as for `predict`; false leaves it out. Default: two samples by chance. */
  readonly test?: ModelInput | false;
  /** Stops it while it computes what the self-test should give; no file is written then. */
  readonly signal?: AbortSignal;
  /** Whether the progress of that is shown, in turns with other code. Default: not without a signal. */
  readonly verbose?: boolean;
}

/** What `saveC` wrote, and what it takes on a device; it shows itself as a table. */
export interface SavedC {
  /** What all names in the file begin with. */
  readonly name: string;
  /** The C file's text. */
  readonly source: string;
  /** Its header's. */
  readonly header: string;
  /** Bytes of weights and tables, which stay in flash; the code comes on top, by the compiler. */
  readonly flashBytes: number;
  /** Bytes of the state, which stays in RAM from timestep to timestep. */
  readonly ramBytes: number;
  /** Bytes of the arrays in the deepest call; frames come on top, by the compiler. */
  readonly stackBytes: number;
  /** Multiply-adds of a timestep; of a call, where the model needs the whole sequence. */
  readonly multiplyAdds: number;
  /** Whether it goes along with its sequence, a timestep a call. */
  readonly isStreaming: boolean;
  /** The input of the self-test: what `prove` takes beside a device's trace. */
  readonly test: Tensor | undefined;
}

const OPTIONS: KeysOf<SaveCOptions> = { name: "optional", test: "optional", ...IN_TURNS };

/**
 * Writes a model as one C99 file and its header, for a microcontroller, a plug-in, a language without
 * Keras: each layer's equation as a textbook has it, its weights as constants, the state in a struct;
 * no heap, nothing but math.h. Any model with one input and one output whose layers' equations this
 * package has, cells of one's own among them; each is written from the layer's own `run`.
 *
 * A model that goes along with its sequence (see {@linkcode Model.stream}) has `name_init`,
 * `name_step` for each timestep and `name_predict` for a whole sequence; one that needs the whole
 * sequence, Bidirectional for example, has `name_predict` alone. What a stateful model remembers is
 * left out: the program starts as after `resetStates()`.
 *
 * The proof goes along: `cc -DNAME_TEST model.c -lm` compares every gate, state and layer with what
 * the equations give in float64, says `equal`, `rounding` or where it first parts, and fails where it
 * is broken; the bounds are those of {@linkcode prove}. `-DNAME_TRACE` prints what the machine
 * computes, for {@linkcode loadTrace}.
 *
 * @param target a path or a file URL, `*.c`; the header goes beside it, what is there is replaced
 * @param model any whose layers need no mask
 * @returns the files' texts, and what they take: flash, RAM, stack, multiply-adds
 * @throws {TypeError} where a layer cannot be written, by name: one that makes a mask, one with
 * several results, an activation of your own.
 * @throws {RangeError} where a weight is not finite in float32.
 * @throws {Error} where a file cannot be written; `cause` says why.
 *
 * @example
 * ```ts
 * import { dense, lstm, saveC, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([lstm({ units: 8 }), dense({ units: 2 })], { inputShape: [null, 3] });
 * const folder = await Deno.makeTempDir();
 * const { header, flashBytes } = await saveC(`${folder}/motor.c`, model);
 * assertEquals(header.includes("void motor_step(motor_state *s, const float x[3], float y[2]);"), true);
 * assertEquals(flashBytes, 4 * (3 * 32 + 8 * 32 + 32 + 8 * 2)); // of the dense's bias nothing: it is 0
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function saveC(
  target: string | URL,
  model: Model,
  options: SaveCOptions = {},
): Promise<SavedC> {
  checkOptions("save a model as C", options, OPTIONS);
  return await (await import("./write_c.ts")).writeC(target, model, options);
}
