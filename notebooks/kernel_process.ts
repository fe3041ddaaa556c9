// The process of a Deno kernel: its connection file, its working directory, its end.

import { setTimeout as sleep } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import { kernelEnvironment } from "./v8_flags.ts";

/** What Jupyter's connection file says. */
export interface Connection {
  readonly transport: "tcp";
  readonly ip: string;
  readonly shell_port: number;
  readonly iopub_port: number;
  readonly stdin_port: number;
  readonly control_port: number;
  readonly hb_port: number;
  readonly signature_scheme: "hmac-sha256";
  readonly key: string;
}

/** A running Deno kernel. */
export interface KernelProcess {
  /** Where it listens. */
  readonly connection: Connection;
  /** Fulfilled when it has ended, with the way it did: "exit code 3", and what it last complained. */
  readonly ended: Promise<string>;
  /** Ends it, whatever it is doing, and removes its connection file. */
  kill(): Promise<void>;
}

/** What this process has to clean up: kernels, with their connection files. */
const running = new Map<Deno.ChildProcess, string>();

// Deno.exit() and an uncaught error end this process, but not the processes that it started.
globalThis.addEventListener("unload", () => {
  for (const child of running.keys()) kill(child);
  for (const file of running.values()) Deno.removeSync(file);
});

/** Starts the kernel of this Deno in a folder, where it finds deno.json as a front end's would. */
export async function startKernelProcess(folder: string): Promise<KernelProcess> {
  const environment = await kernelEnvironment();
  const connection = newConnection();
  const file = await Deno.makeTempFile({ prefix: "gatescope-kernel-", suffix: ".json" });
  await Deno.writeTextFile(file, JSON.stringify(connection));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["jupyter", "--kernel", "--conn", file],
    cwd: folder,
    // NO_COLOR: else a CI machine's would change the outputs of plain values
    env: { ...environment, NO_COLOR: "" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  running.set(child, file);
  const complaint = new LastWords(child.stderr);
  const ended = child.status.then(async ({ code, signal }) => {
    running.delete(child);
    await Deno.remove(file).catch(() => {}); // somebody tidied the temporary folder
    return `${signal ?? `exit code ${code}`}${await complaint.text()}`;
  });
  return {
    connection,
    ended,
    kill: async () => {
      kill(child);
      await ended;
    },
  };
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // it has ended already
  }
}

/** Free ports, found by listening on all of them at once. */
function newConnection(): Connection {
  const ip = "127.0.0.1";
  const listeners = Array.from({ length: 5 }, () => Deno.listen({ hostname: ip, port: 0 }));
  const [shell_port, iopub_port, stdin_port, control_port, hb_port] = listeners.map(
    (listener) => (listener.addr as Deno.NetAddr).port,
  ) as [number, number, number, number, number];
  for (const listener of listeners) listener.close();
  return {
    transport: "tcp",
    ip,
    shell_port,
    iopub_port,
    stdin_port,
    control_port,
    hb_port,
    signature_scheme: "hmac-sha256",
    key: crypto.randomUUID(),
  };
}

/** What a kernel wrote last; reads all along, so that the kernel can write on. */
class LastWords {
  readonly #read: Promise<void>;
  #tail = "";

  constructor(stderr: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#read = this.#readAll(stderr);
  }

  async text(): Promise<string> {
    // A process that a cell started may outlive the kernel, and keep the stream open.
    await Promise.race([this.#read, sleep(500, undefined, { ref: false })]);
    const lines = stripVTControlCharacters(this.#tail).split("\n").filter((line) =>
      line.trim() !== "" && !line.includes(`"deno jupyter" is unstable`)
    );
    return lines.length === 0 ? "" : `\n${lines.slice(-10).join("\n")}`;
  }

  async #readAll(stderr: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const chunk of stderr.pipeThrough(new TextDecoderStream())) {
      this.#tail = (this.#tail + chunk).slice(-4000);
    }
  }
}
