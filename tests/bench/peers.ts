// The processes that are timed, and how to talk with them.

import { kernelEnvironment } from "../../notebooks/v8_flags.ts";
import type { Question } from "./peer.ts";

/** A library as the table names it. */
export interface PeerName {
  readonly name: string;
  readonly command: readonly string[];
  /** What its environment has besides. */
  readonly env?: Readonly<Record<string, string>>;
  /** How many bits its vectors have, of those that are compared with WASM's limit. Default: none. */
  readonly bits?: 128 | 256;
}

/** What a peer says to a question. */
export interface Answer {
  readonly results?: number[];
  readonly samples?: number[];
  readonly error?: string;
}

const here = (path: string) => new URL(path, import.meta.url).pathname;
const command = (config: string) => (file: string, ...given: string[]) => [
  ...[Deno.execPath(), "run", "--quiet", "--allow-all", "--config", here(config)],
  ...["--v8-flags=--expose-gc", here(`peers/${file}`), "FOLDER", ...given],
];
const deno = command("deno.json");
/** With the package's own dependencies, and none of the peers'. */
const own = command("../../deno.json");

/** A library with one thread and with two. */
function withThreads(name: string, command: (threads: string) => readonly string[]): PeerName[] {
  return [
    { name, command: command("1") },
    { name: `${name}, 2 threads`, command: command("2") },
  ];
}

/** Those that run in JavaScript, ours first. */
export async function javaScriptPeers(): Promise<readonly PeerName[]> {
  const env = await kernelEnvironment();
  const is256 = Object.keys(env).length > 0;
  return [
    { name: "Gatescope, `predict` and `fit`", command: own("model.ts"), bits: 128 },
    { name: "the same, 2 threads", command: own("model.ts", "2") },
    ...(is256
      ? [
        { name: "the same, 256 bits", command: own("model.ts"), env, bits: 256 } as const,
        { name: "the same, 256 bits, 2 threads", command: own("model.ts", "2"), env },
      ]
      : []),
    { name: "its compute alone", command: own("compute.ts") },
    { name: "its compute, every gate recorded", command: own("compute.ts", "record") },
    ...withThreads("onnxruntime-node 1.30", (threads) => deno("onnxruntime_node.ts", threads)),
    ...withThreads("onnxruntime-web 1.30", (threads) => deno("onnxruntime_web.ts", threads)),
    { name: "TF.js 4.22 wasm", command: deno("tfjs.ts", "wasm") },
    { name: "TF.js 4.22 cpu", command: deno("tfjs.ts", "cpu") },
    { name: "jax-js 0.1.25", command: deno("jax_js.ts") },
  ];
}

/** Those that run in Python, with a Python that has what requirements.txt names. */
export function pythonPeers(python: string): readonly PeerName[] {
  const script = (
    library: string,
    threads: string,
  ) => [python, here("peers/python.py"), "FOLDER", library, threads];
  return [
    ...withThreads("PyTorch 2.13", (threads) => script("torch", threads)),
    ...withThreads("Keras 3.15 on JAX, predict_on_batch", (threads) => script("keras", threads)),
    { name: "Keras 3.15 on JAX, predict", command: script("keras-predict", "1") },
    { name: "NumPy by hand", command: script("numpy", "1") },
  ];
}

/** A running peer: one question at a time. */
export class Peer {
  readonly name: string;
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #lines: AsyncIterator<string>;

  constructor({ name, command, env = {} }: PeerName, folder: string) {
    const [program, ...given] = command.map((part) => part === "FOLDER" ? folder : part);
    this.name = name;
    this.#process = new Deno.Command(program!, {
      args: given,
      env,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#lines = linesOf(this.#process.stdout)[Symbol.asyncIterator]();
  }

  async ask(question: Question): Promise<Answer> {
    try {
      await this.#input.write(new TextEncoder().encode(`${JSON.stringify(question)}\n`));
      for (;;) {
        const { value, done } = await this.#lines.next();
        if (done) return { error: "the process ended" };
        if (value.startsWith("@@")) return JSON.parse(value.slice(2));
      }
    } catch (error) {
      return { error: String(error) };
    }
  }

  async stop(): Promise<void> {
    await this.#input.write(new TextEncoder().encode('{"do":"stop","shape":""}\n')).catch(() => {});
    await this.#input.close().catch(() => {});
    await this.#process.status;
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}
