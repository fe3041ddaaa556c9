// Behind the door of saveC: the files' texts, written, and what they take.

import { shownAs } from "../base/shown.ts";
import { atOnceOrInTurns } from "../display/in_turns.ts";
import { writeFile } from "../files/source.ts";
import { type Model, networkOf } from "../model/model.ts";
import type { Network } from "../model/network.ts";
import { seededRandom } from "../tensor/random.ts";
import { sizeOf } from "../tensor/shape.ts";
import { asFloat32, asFloat64, Tensor } from "../tensor/tensor.ts";
import { cFilesOf } from "./c/file.ts";
import { cIdentifier } from "./c/names.ts";
import { selfTestOf } from "./c/self_test.ts";
import { expectedRun } from "./expected_run.ts";
import { fileOf } from "./names.ts";
import { type Program, programOf } from "./program.ts";
import type { SaveCOptions, SavedC } from "./save_c.ts";

/** How many samples the self-test has by itself, and timesteps where their number is open. */
const TEST_SAMPLES = 2;
const TEST_TIMESTEPS = 8;

/** Writes the files. */
export async function writeC(
  target: string | URL,
  model: Model,
  options: SaveCOptions,
): Promise<SavedC> {
  const network = networkOf(model, "save a model");
  const stem = stemOf(target);
  const name = nameOf(options.name, stem);
  checkFinite(network);
  const program = programOf(network);
  const x = options.test === false
    ? undefined
    : options.test === undefined
    ? chosenInput(network, program)
    : asFloat32(network.checkInputs(options.test, "save a model as C")[0]!);
  const expected = x && await atOnceOrInTurns(
    "save a model as C",
    expectedRun(network, [asFloat64(x)]),
    options,
  );
  const files = cFilesOf(program, {
    name,
    title: `${name}: ${network.layers.map(({ layer }) => layer.className).join(", ")}`,
    headerName: `${stem}.h`,
    test: x && selfTestOf(program, x, expected!),
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
  const file = fileOf(target);
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
