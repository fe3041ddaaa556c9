// Damages a file of each format, and lists what was read all the same: damage.py has the formats'
// own readers read the same bytes. By hand, 10,000 times, from seed 2000 on, of HDF5 alone:
//   deno run --allow-all tests/frameworks/damage.ts <folder> 10000 h5 2000
//   tests/frameworks/.venv/bin/python tests/frameworks/damage.py <folder> h5
// pth and pt are for a Python with PyTorch, which is large: the run of all leaves them out.

import { loadModel, loadNpy, loadNpz, UnreadableFileError } from "@gatescope/lstm";
import { join } from "@std/path";
import { createHash } from "node:crypto";
import { readHdf5 } from "../../lib/files/hdf5.ts";
import { readKerasArchive } from "../../lib/files/keras_archive.ts";
import { readOnnx } from "../../lib/files/onnx.ts";
import { openFile } from "../../lib/files/open.ts";
import { readSafetensors } from "../../lib/files/safetensors.ts";
import { readTfjs } from "../../lib/files/tfjs.ts";
import { readTorch } from "../../lib/files/torch.ts";
import { unzip, zip } from "../../lib/files/zip.ts";
import type { Tensor } from "../../lib/tensor/tensor.ts";
import { mutated } from "../files/mutations.ts";

const TESTS = new URL("../", import.meta.url);
const HDF5_MILLISECONDS = 1000;

/** What one format's reader makes of a file: its arrays, and what else counts. */
interface Contents {
  readonly arrays: ReadonlyMap<string, Tensor>;
  readonly rest?: unknown;
}

interface Damaged {
  readonly file: string;
  readonly read: (bytes: Uint8Array, path: string) => Promise<Contents>;
  /** As a user does it; what only the reader's patience allows is not tried. */
  readonly open: (bytes: Uint8Array, path: string) => Promise<unknown>;
  /** How it is damaged. Default: anywhere. */
  readonly damaged?: (whole: Uint8Array, seed: number) => Promise<Uint8Array<ArrayBuffer>>;
  /** What its own reader needs, where that is not in requirements.txt. */
  readonly needs?: "torch";
  /** Files that must lie beside it. */
  readonly beside?: readonly string[];
}

const hdf5 = (bytes: Uint8Array) => readHdf5(bytes, { timeLimit: HDF5_MILLISECONDS });
const formats = "fixtures/formats/";

async function stateDicts(bytes: Uint8Array): Promise<Contents> {
  const dicts = [...await readTorch(bytes)];
  const arrays = dicts.flatMap(([key, dict]) => {
    return [...dict()].map(([name, array]) => [`${key}/${name}`, array] as const);
  });
  return { arrays: new Map(arrays) };
}

/** The formats, and a file of each. */
export const FORMATS: Readonly<Record<string, Damaged>> = {
  npy: {
    file: "files/arrays/float64.npy",
    read: async (bytes) => ({ arrays: new Map([["", await loadNpy(bytes)]]) }),
    open: (bytes) => loadNpy(bytes),
  },
  npz: {
    file: "files/arrays/small.npz",
    read: async (bytes) => ({ arrays: await loadNpz(bytes) }),
    open: (bytes) => loadNpz(bytes),
  },
  safetensors: {
    file: `${formats}pytorch/plain.safetensors`,
    read: async (bytes) => await readSafetensors(bytes),
    open: (bytes) => loadModel(bytes),
  },
  onnx: {
    file: `${formats}onnx/classifier.onnx`,
    async read(bytes) {
      const { arrays, graph } = await openFile(bytes, readOnnx);
      const rest = (graph.nodes ?? []).map(({ type = "", inputs = [], outputs = [] }) => {
        return [type, inputs, outputs];
      });
      return { arrays, rest };
    },
    open: (bytes) => loadModel(bytes),
  },
  tfjs: {
    file: `${formats}tfjs/plain.json`,
    beside: ["plain.shard1.bin", "plain.shard2.bin"],
    read: async (_, path) => ({ arrays: (await openFile(path, readTfjs)).arrays }),
    open: (_, path) => loadModel(path),
  },
  h5: {
    file: `${formats}keras/no_bias.h5`,
    async read(bytes) {
      const { arrays, attributes } = await hdf5(bytes);
      return { arrays, rest: attributes.get("")?.get("model_config") ?? "" };
    },
    open: (bytes) => loadModel(bytes),
  },
  keras: {
    file: `${formats}keras/no_bias.keras`,
    async read(bytes) {
      const { config, weights } = await readKerasArchive(bytes);
      return { arrays: weights.arrays, rest: config };
    },
    open: (bytes) => loadModel(bytes),
  },
  pth: {
    file: `${formats}torch/several.pth`,
    needs: "torch",
    damaged: pickleDamaged,
    read: stateDicts,
    open: (bytes) => loadModel(bytes, { key: "model" }),
  },
  pt: {
    file: `${formats}torch/kinds_legacy.pt`,
    needs: "torch",
    read: stateDicts,
    open: (bytes) => loadModel(bytes),
  },
};

/** Damages the pickle alone: the archive's CRC-32 would tell of all else. */
async function pickleDamaged(whole: Uint8Array, seed: number): Promise<Uint8Array<ArrayBuffer>> {
  const entries = await unzip(whole);
  const place = [...entries.keys()].find((name) => name.endsWith("/data.pkl"))!;
  return new Uint8Array(await zip(entries.set(place, mutated(entries.get(place)!, seed))));
}

/** Names, shapes and numbers, as damage.py spells them. */
function digest(arrays: ReadonlyMap<string, Tensor>): string {
  const hash = createHash("sha256");
  for (const name of [...arrays.keys()].sort()) {
    const { shape, data } = arrays.get(name)!;
    hash.update(`${name}[${shape.join()}]`);
    hash.update(new Uint8Array(Float64Array.from(data, (x) => Number.isNaN(x) ? NaN : x).buffer));
  }
  return hash.digest("hex");
}

/** What came of one kind of file. */
export interface Tally {
  format: string;
  mutations: number;
  models: number;
  read: number;
  refused: number;
  /** Errors of another class, with the seed: there must be none. */
  others: string[];
  /** HDF5 files that were ended, after a second. */
  ended: number;
  longestMs: number;
  peakMegabytes: number;
}

async function tried<T>(work: () => Promise<T>): Promise<T | Error> {
  try {
    return await work();
  } catch (error) {
    return error as Error;
  }
}

/** Damages one format, and leaves in a folder what could be read, with its digests. */
export async function damage(
  format: string,
  count: number,
  folder: string,
  first = 0,
): Promise<Tally> {
  const { file, beside = [], read, open, damaged = mutated } = FORMATS[format]!;
  const whole = await Deno.readFile(new URL(file, TESTS));
  const path = join(folder, `damaged.${format}`);
  for (const name of beside) {
    await Deno.copyFile(new URL(name, new URL(file, TESTS)), join(folder, name));
  }
  const tally: Tally = {
    ...{ format, mutations: count, models: 0, read: 0, refused: 0, others: [] },
    ...{ ended: 0, longestMs: 0, peakMegabytes: 0 },
  };
  const found: [seed: number, digest: string, rest: unknown][] = [];
  for (let seed = first; seed < first + count; seed++) {
    const bytes = await damaged(whole, seed);
    if (beside.length > 0) await Deno.writeFile(path, bytes);
    const start = performance.now();
    const contents = await tried(() => read(bytes, path));
    const wasEnded = contents instanceof Error && contents.message.includes("and was ended");
    const opened = wasEnded ? contents : await tried(() => open(bytes, path));
    tally.longestMs = Math.max(tally.longestMs, performance.now() - start);
    tally.peakMegabytes = Math.max(tally.peakMegabytes, Deno.memoryUsage().rss / 2 ** 20);
    if (wasEnded) tally.ended += 1;
    for (const result of [contents, opened]) {
      if (result instanceof Error && !(result instanceof UnreadableFileError)) {
        tally.others.push(`${format} ${seed}: ${result.stack}`);
      }
    }
    if (!(opened instanceof Error)) tally.models += 1;
    if (contents instanceof Error) {
      tally.refused += 1;
      continue;
    }
    tally.read += 1;
    await Deno.writeFile(join(folder, `${seed}.${format}`), bytes);
    found.push([seed, digest(contents.arrays), contents.rest ?? null]);
  }
  await Deno.writeTextFile(join(folder, `${format}.found.json`), JSON.stringify(found));
  return tally;
}

if (import.meta.main) {
  const [folder, count = "500", only, first = "0"] = Deno.args;
  for (const format of only?.split(",") ?? Object.keys(FORMATS)) {
    const start = performance.now();
    const tally = await damage(format, Number(count), folder!, Number(first));
    console.log(JSON.stringify({ ...tally, seconds: (performance.now() - start) / 1000 }));
  }
}
