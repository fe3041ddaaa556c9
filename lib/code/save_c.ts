import { checkOptions, type KeysOf } from "../base/options.ts";
import { shownAs } from "../base/shown.ts";
import { writeFile } from "../files/source.ts";
import type { ModelInput } from "../model/inputs.ts";
import { type Model, networkOf } from "../model/model.ts";
import type { Network } from "../model/network.ts";
import { seededRandom } from "../tensor/random.ts";
import { sizeOf } from "../tensor/shape.ts";
import { asFloat32, asFloat64, Tensor } from "../tensor/tensor.ts";
import { cFilesOf } from "./c/file.ts";
import { cIdentifier } from "./c/names.ts";
import { selfTestOf } from "./c/self_test.ts";
import { expectedRun } from "./expected_run.ts";
import { type Program, programOf } from "./program.ts";

/** How a model is written in C. */
export interface SaveCOptions {
  /** What all names in the file begin with: letters, digits, underscores. Default: the file's name. */
  readonly name?: string;
  /** The input of the self-test, as for `predict`; false leaves it out. Default: two samples by chance. */
  readonly test?: ModelInput | false;
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

const OPTIONS: KeysOf<SaveCOptions> = { name: "optional", test: "optional" };

/** How many samples the self-test has by itself, and timesteps where their number is open. */
const TEST_SAMPLES = 2;
const TEST_TIMESTEPS = 8;

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
  const network = networkOf(model, "save a model");
  checkOptions("save a model as C", options, OPTIONS);
  const stem = stemOf(target);
  const name = nameOf(options.name, stem);
  checkFinite(network);
  const program = programOf(network);
  const x = options.test === false
    ? undefined
    : options.test === undefined
    ? chosenInput(network, program)
    : asFloat32(network.checkInputs(options.test, "save a model as C")[0]!);
  const files = cFilesOf(program, {
    name,
    title: `${name}: ${network.layers.map(({ layer }) => layer.className).join(", ")}`,
    headerName: `${stem}.h`,
    test: x && selfTestOf(program, x, expectedRun(network, [asFloat64(x)])),
  });
  const encoder = new TextEncoder();
  await writeFile(target, encoder.encode(files.source));
  await writeFile(headerOf(target), encoder.encode(files.header));
  const { source, header, constantBytes, stateBytes, stackBytes, multiplyAdds } = files;
  const saved: SavedC = {
    name,
    source,
    header,
    flashBytes: constantBytes,
    ramBytes: stateBytes,
    stackBytes,
    multiplyAdds,
    isStreaming: program.goesAlong,
    test: x,
  };
  return Object.freeze(shownAs("SavedC", saved));
}

/** What a file is called without its `.c`. */
function stemOf(target: string | URL): string {
  const path = target instanceof URL ? target.pathname : String(target);
  const file = path.split(/[/\\]/).at(-1)!;
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]*\.c$/.test(file)) return file.slice(0, -2);
  throw new TypeError(
    `Cannot save a model as C: the file's name must be letters, digits, _, - and ., and end with .c ` +
      `(the header stands beside it), but it is ${JSON.stringify(file)}`,
  );
}

function headerOf(target: string | URL): string | URL {
  const text = target instanceof URL ? target.href : target;
  const header = `${text.slice(0, -2)}.h`;
  return target instanceof URL ? new URL(header) : header;
}

function nameOf(given: unknown, stem: string): string {
  if (given === undefined) return cIdentifier(stem);
  if (typeof given === "string" && given.length <= 40 && cIdentifier(given) === given) return given;
  throw new TypeError(
    `Cannot save a model as C: name must be letters, digits and underscores, begin with a letter, ` +
      `and be no keyword, but it is ${JSON.stringify(given)}`,
  );
}

function checkFinite({ keptWeights, weightSpecs }: Network): void {
  keptWeights.forEach(({ data }, k) => {
    const wrong = data.find((x) => !Number.isFinite(Math.fround(x)));
    if (wrong === undefined) return;
    throw new RangeError(
      `Cannot save a model as C: its weights must be finite in float32, ` +
        `but one of ${weightSpecs[k]!.name} is ${wrong}`,
    );
  });
}

/** Two samples by chance; of words, any of the vocabulary. */
function chosenInput({ inputs, layers }: Network, { takesWords }: Program): Tensor {
  const shape = [TEST_SAMPLES, ...inputs[0]!.shape.map((length) => length ?? TEST_TIMESTEPS)];
  const random = seededRandom(0);
  const words = layers.find(({ layer }) => layer.takes === "words")?.weights[0]?.shape[0] ?? 0;
  const one = () => takesWords ? Math.floor(random.uniform() * words) : random.normal();
  return new Tensor(Float32Array.from({ length: sizeOf(shape) }, one), shape);
}
