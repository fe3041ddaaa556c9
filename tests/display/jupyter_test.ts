import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { awaitOutputs } from "../../lib/display/jupyter.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openRequests, openSubscription } from "../../notebooks/channel.ts";
import { startKernelProcess } from "../../notebooks/kernel_process.ts";
import { type Message, Wire } from "../../notebooks/wire.ts";

const ROOT = new URL("../../", import.meta.url);

type Send = (executionCount: number, result: unknown) => Promise<void>;

/** Calls `awaitOutputs` twice with a stand-in for the kernel; what it calls at a cell's end then. */
function sendOfKernel(send: unknown, isKernel = true): Send {
  const original = Object.getOwnPropertyDescriptor(globalThis, "Deno") ?? {};
  const internal = Symbol();
  const kernel = { broadcastResult: send };
  const jupyter = isKernel ? { value: {} } : { get: () => assert(false, "outside the kernel") };
  const parts = {
    jupyter,
    internal: { value: internal },
    [internal]: { value: { jupyter: kernel } },
  };
  Object.defineProperty(globalThis, "Deno", { ...original, value: Object.create(Deno, parts) });
  try {
    awaitOutputs();
    awaitOutputs();
  } finally {
    Object.defineProperty(globalThis, "Deno", original);
  }
  return kernel.broadcastResult as Send;
}

Deno.test("a cell's end waits once for its outputs, however often the package is loaded", async () => {
  const sent: unknown[] = [];
  const send = sendOfKernel((...given: unknown[]) => Promise.resolve(void sent.push(given)));
  const start = performance.now();
  await send(3, "value");
  const took = performance.now() - start;
  assertEquals(sent, [[3, "value"]]);
  assert(took >= 49 && took < 90, `${took} ms`);
});

Deno.test("outside the kernel, or where it calls its end otherwise, nothing changes", () => {
  const send = () => Promise.resolve();
  assertStrictEquals(sendOfKernel(send, false), send);
  assertStrictEquals(sendOfKernel(undefined), undefined);
});

/** The kinds of what cells give out, in the order that they are heard, `idle` among them. */
async function heardOf(codes: readonly string[]): Promise<string[][]> {
  const { connection, kill } = await startKernelProcess(fileURLToPath(ROOT));
  const wire = new Wire(connection.key);
  const requests = openRequests(`tcp://127.0.0.1:${connection.shell_port}`, wire.session);
  const iopub = openSubscription(`tcp://127.0.0.1:${connection.iopub_port}`);
  const all: Message[] = [];
  const hear = async () => {
    await sleep(1);
    await requests.receiveAll();
    for (const frames of await iopub.receiveAll()) all.push(wire.read(frames)!);
  };
  try {
    while (all.length === 0) {
      await requests.send(wire.request("kernel_info_request", {}).frames);
      for (let k = 0; k < 100 && all.length === 0; k++) await hear();
    }
    const ids: string[] = [];
    for (const code of codes) {
      const options = { silent: false, store_history: true, allow_stdin: false };
      const { id, frames } = wire.request("execute_request", { code, ...options });
      ids.push(id);
      await requests.send(frames);
      const isIdle = ({ parentId, content }: Message) =>
        parentId === id && content.execution_state === "idle";
      while (!all.some(isIdle)) await hear();
      for (let k = 0; k < 10; k++) await hear(); // what is late comes within a few milliseconds
    }
    return ids.map((id) =>
      all.filter(({ parentId }) => parentId === id)
        .map(({ type, content }) => content.execution_state as string ?? type)
        .filter((kind) => kind !== "busy" && kind !== "execute_input")
    );
  } finally {
    requests.close();
    iopub.close();
    await kill();
  }
}

Deno.test("with the package loaded, a cell is idle when all of its outputs are out, of any kind", async () => {
  const ends: [code: string, kind: string][] = [
    ["0 + 1", "execute_result"],
    ["table([[1, 2]])", "execute_result"],
    ["tensor([1, 2])", "execute_result"],
    ["lineChart([1, 2, 3])", "execute_result"],
    [`console.log("end")`, "stream"],
  ];
  const cells = Array.from({ length: 60 }, (_, k) => ends[k % ends.length]!);
  const first = `import { lineChart, table, tensor } from "@gatescope/lstm";`;
  const heard = await heardOf([first, ...cells.map(([code]) => code)]);
  assertEquals(heard.slice(1), cells.map(([, kind]) => [kind, "idle"]));
});
