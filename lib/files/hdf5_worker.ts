// h5wasm computes without a pause, and a damaged file can keep it computing for ever: so it runs in
// a worker, which can be ended. The worker is kept for the next file, and does not keep a program
// from ending.

import type { Worker } from "node:worker_threads";
import { builtIn } from "../base/deno.ts";
import { type Hdf5Limits, type Hdf5Walk, walkHdf5 } from "./hdf5_walk.ts";
import { UnreadableFileError } from "./unreadable.ts";

/** What came of one file. */
export type Hdf5Answer =
  | { readonly walk: Hdf5Walk }
  | { readonly rule?: string; readonly reason: string; readonly diagnosis: string };

interface WarmWorker {
  readonly worker: Worker;
  /** How many files it failed on: HDF5 may keep something of each. */
  failures: number;
}

const MAX_FAILURES = 64;
const MAX_KEPT_BYTES = 64 * 2 ** 20; // a WebAssembly memory grows and never shrinks

let kept: WarmWorker | undefined;
let queue: Promise<unknown> = Promise.resolve();

/** The worker's whole program: it is started from text, since a file would need permission to read. */
const program = () => `
const { parentPort } = require("node:worker_threads");
console.error = () => {}; // HDF5's complaints, which come as errors too
${walkHdf5}
let most = Infinity;
const { grow } = WebAssembly.Memory.prototype;
WebAssembly.Memory.prototype.grow = function (pages) {
  if (this.buffer.byteLength + pages * 65536 > most) throw new RangeError("it asks for too much");
  return grow.call(this, pages);
};
const loading = import(${JSON.stringify(import.meta.resolve("h5wasm"))});
parentPort.on("message", async ({ buffer, limits }) => {
  try {
    const h5wasm = await loading;
    await h5wasm.ready;
    parentPort.postMessage("ready");
    const allow = (bytes) => most = bytes;
    const walk = await walkHdf5(h5wasm, new Uint8Array(buffer), limits, allow);
    parentPort.postMessage({ walk }, walk.arrays.map(({ buffer }) => buffer));
  } catch (error) {
    const diagnosis = String(error?.stack ?? error);
    parentPort.postMessage({ rule: error?.rule, reason: String(error?.message ?? error), diagnosis });
  }
});
`;

/** Starts the worker while there is something else to do: it takes longer than most files. */
export function startReader(): void {
  try {
    kept ??= start();
  } catch {
    // who needs it is told
  }
}

/**
 * All of a file, read in the worker; one file at a time.
 *
 * @param bytes the file; the worker gets a copy
 * @param milliseconds how long it may take, the start of the worker not counted
 */
export function walkInWorker(
  bytes: Uint8Array,
  limits: Hdf5Limits,
  milliseconds: number,
): Promise<Hdf5Answer> {
  const turn = queue.then(() => walkNow(bytes, limits, milliseconds));
  queue = turn.catch(() => {});
  return turn;
}

async function walkNow(
  bytes: Uint8Array,
  limits: Hdf5Limits,
  milliseconds: number,
): Promise<Hdf5Answer> {
  kept ??= start();
  const used = kept;
  const { buffer } = bytes.slice();
  const answer = await ask(used.worker, { buffer, limits }, milliseconds);
  if (!("walk" in answer)) used.failures += 1;
  const ordinary = "walk" in answer || answer.rule !== undefined ||
    answer.reason.startsWith("HDF5-DIAG");
  if (!ordinary || used.failures >= MAX_FAILURES || bytes.length > MAX_KEPT_BYTES) {
    kept = undefined;
    await used.worker.terminate();
  }
  return answer;
}

function start(): WarmWorker {
  try {
    const { Worker } = builtIn<typeof import("node:worker_threads")>("node:worker_threads")!;
    // without an environment of its own it would copy this one, which needs a permission
    const worker = new Worker(program(), { eval: true, env: {} });
    worker.unref();
    return { worker, failures: 0 };
  } catch (cause) {
    const rule = "h5wasm must read it, in a worker of Deno or Node";
    const found = "there is none here (an .onnx, .npz or .safetensors opens anywhere)";
    throw new UnreadableFileError(rule, found, { cause });
  }
}

function ask(
  worker: Worker,
  question: { buffer: ArrayBuffer; limits: Hdf5Limits },
  milliseconds: number,
): Promise<Hdf5Answer> {
  return new Promise((resolve) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = (answer: Hdf5Answer) => {
      clearTimeout(timer);
      worker.removeAllListeners();
      worker.unref();
      resolve(answer);
    };
    worker.ref(); // while it has something to do
    worker.on("message", (message: "ready" | Hdf5Answer) => {
      if (message !== "ready") return end(message);
      const reason = `took more than ${milliseconds / 1000} s and was ended`;
      timer = setTimeout(() => end({ reason, diagnosis: reason }), milliseconds);
    });
    worker.on("error", (error: Error) => end({ reason: error.message, diagnosis: String(error) }));
    worker.on("exit", () => end({ reason: "HDF5 broke off", diagnosis: "the worker ended" }));
    // bare buffers both ways: Deno looks at each element of a typed array, 10 s for 50 MB
    worker.postMessage(question, [question.buffer]);
  });
}
