// A client of the Deno kernel: starts it, executes code, and loses no output.

import { setTimeout as sleep } from "node:timers/promises";
import { type Channel, openRequests, openSubscription, type RequestChannel } from "./channel.ts";
import { type KernelProcess, startKernelProcess } from "./kernel_process.ts";
import { type Message, type Request, Wire } from "./wire.ts";

/** The kernel can be used no more: it ended, was too slow, or its outputs are lost. */
export class KernelError extends Error {
  override readonly name = "KernelError";
}

/** What the kernel answers to an execution. */
export type Reply =
  | { readonly status: "ok"; readonly execution_count: number }
  | {
    readonly status: "error" | "aborted";
    readonly execution_count: number;
    readonly ename: string;
    readonly evalue: string;
    readonly traceback: readonly string[];
  };

/** How to execute. */
export interface ExecuteOptions {
  /** Seconds that the code may take. */
  readonly timeLimit?: number;
  /** Called with each output, in order. */
  readonly onOutput?: (message: Message) => void;
}

const outputTypes: ReadonlySet<string> = new Set([
  "clear_output",
  "display_data",
  "error",
  "execute_result",
  "stream",
  "update_display_data",
]);

const startLimit = 60; // s, it takes 0.2; a machine under load may need more
const collectLimit = 20; // s, from the reply to the last output; 2 MB take 0.1
const [shortestPause, longestPause] = [1, 8]; // ms between two looks at the sockets

/** A Deno kernel of its own, ended when disposed of. */
export class Kernel implements AsyncDisposable {
  readonly #process: KernelProcess;
  readonly #wire: Wire;
  readonly #shell: RequestChannel;
  readonly #iopub: Channel;
  readonly #listeners = new Set<(message: Message) => void>();
  readonly #broken = Promise.withResolvers<never>();
  readonly #listening: Promise<void>;
  #closed = false;

  private constructor(process: KernelProcess) {
    const { key, ip, shell_port, iopub_port } = process.connection;
    this.#process = process;
    this.#wire = new Wire(key);
    this.#shell = openRequests(`tcp://${ip}:${shell_port}`, this.#wire.session);
    this.#iopub = openSubscription(`tcp://${ip}:${iopub_port}`);
    this.#broken.promise.catch(() => {}); // told to whoever waits, and to nobody if nobody does
    this.#listening = this.#listen();
    process.ended.then(async (how) => {
      await sleep(50); // what it sent before its end is still being read
      this.#broken.reject(
        new KernelError(`Cannot go on: the Deno kernel must run, but it has ended with ${how}`),
      );
    });
  }

  /** Starts a kernel in a folder, and waits until it answers. */
  static async start(folder: string): Promise<Kernel> {
    for (let attempts = 1;; attempts++) {
      const kernel = new Kernel(await startKernelProcess(folder));
      try {
        await kernel.#within(
          startLimit,
          kernel.#ready(),
          "Cannot start: the Deno kernel must answer",
        );
        return kernel;
      } catch (error) {
        await kernel[Symbol.asyncDispose]();
        // A port that was free has been taken meanwhile: one start in 500 on a busy machine.
        if (attempts === 5 || !`${error}`.includes("AddrInUse")) throw error;
      }
    }
  }

  /** Executes code, and returns when the reply and the last of its outputs are there. */
  async execute(code: string, options: ExecuteOptions = {}): Promise<Reply> {
    const { timeLimit = 120, onOutput = () => {} } = options;
    const hear = (message: Message) => {
      // Whatever its parentId: the kernel gives a late output the id of the request it is at.
      if (outputTypes.has(message.type)) onOutput(message);
    };
    this.#listeners.add(hear);
    try {
      const request = executeRequest(this.#wire, code, { silent: false });
      const idle = this.#next((message) =>
        message.parentId === request.id && message.content.execution_state === "idle"
      );
      const replied = this.#next((message) =>
        message.parentId === request.id && message.type === "execute_reply"
      );
      await this.#shell.send(request.frames);
      const reply = await this.#within(
        timeLimit,
        replied,
        "Cannot finish: a cell must end",
      );
      await this.#within(
        collectLimit,
        idle.then(() => this.#fence()),
        "Cannot collect the outputs: the Deno kernel must send them all " +
          "(more than about 4 MB of one makes it stop)",
      );
      return reply.content as unknown as Reply;
    } finally {
      this.#listeners.delete(hear);
    }
  }

  /** Ends the kernel, whatever it is doing. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#process.kill();
    await this.#listening;
  }

  /** A subscriber misses what is sent before it has joined, so this asks until it hears something. */
  async #ready(): Promise<void> {
    let joined = false;
    const status = this.#next(({ type }) => type === "status").then(() => joined = true);
    while (!joined && !this.#closed) {
      await this.#shell.send(this.#wire.request("kernel_info_request", {}).frames);
      await Promise.race([status, sleep(100)]);
    }
  }

  /**
   * Waits until every output is there. The kernel says "idle" on one path and sends what a cell
   * gives out on another, a queue, so outputs may come after "idle". What is put at the end of that
   * queue comes after all of them.
   */
  async #fence(): Promise<void> {
    const mark = crypto.randomUUID();
    const code = `Deno.jupyter.broadcast("gatescope_fence", { mark: "${mark}" });`;
    const reached = this.#next(({ content }) => content.mark === mark);
    await this.#shell.send(executeRequest(this.#wire, code, { silent: true }).frames);
    await reached;
  }

  /** The next message that is meant. */
  #next(isMeant: (message: Message) => boolean): Promise<Message> {
    const { promise, resolve } = Promise.withResolvers<Message>();
    const hear = (message: Message) => {
      if (!isMeant(message)) return;
      this.#listeners.delete(hear);
      resolve(message);
    };
    this.#listeners.add(hear);
    return promise;
  }

  /** The result, unless the kernel breaks or the time is over. */
  async #within<T>(seconds: number, result: Promise<T>, problem: string): Promise<T> {
    const timer = new AbortController();
    const tooLate = async (): Promise<never> => {
      await sleep(seconds * 1000, undefined, { signal: timer.signal });
      throw new KernelError(`${problem} within ${seconds} s, but it did not`);
    };
    try {
      return await Promise.race([result, this.#broken.promise, tooLate()]);
    } finally {
      timer.abort();
    }
  }

  async #listen(): Promise<void> {
    let pause = shortestPause;
    while (!this.#closed) {
      try {
        const heard = await this.#hear(this.#shell) + await this.#hear(this.#iopub);
        pause = heard > 0 ? shortestPause : Math.min(pause * 1.1, longestPause);
      } catch (error) {
        this.#broken.reject(error);
      }
      await sleep(pause);
    }
    this.#shell.close();
    this.#iopub.close();
  }

  async #hear(channel: Channel): Promise<number> {
    const received = await channel.receiveAll();
    for (const frames of received) {
      const message = this.#wire.read(frames);
      if (message === undefined) {
        throw new KernelError(
          "Cannot read the outputs: every message must be signed " +
            "(an output of more than about 4 MB makes the Deno kernel mix up what it sends), " +
            `but one has ${frames.length} parts and no valid signature`,
        );
      }
      for (const listener of [...this.#listeners]) listener(message);
    }
    return received.length;
  }
}

function executeRequest(wire: Wire, code: string, { silent }: { silent: boolean }): Request {
  return wire.request("execute_request", {
    code,
    silent,
    store_history: !silent, // else a fence would count as a cell
    user_expressions: {},
    allow_stdin: false,
    stop_on_error: true,
  });
}
