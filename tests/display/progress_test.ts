import { assert, assertEquals } from "@std/assert";
import { progress } from "../../lib/display/progress.ts";

type Message = [string, { data: Record<string, string>; transient: { display_id: string } }];

/** Runs with a stand-in for a part of `Deno`, as the kernel or a terminal has it. */
async function withDeno(part: PropertyDescriptorMap, run: () => Promise<void>): Promise<void> {
  const original = Object.getOwnPropertyDescriptor(globalThis, "Deno") ?? {};
  Object.defineProperty(globalThis, "Deno", { ...original, value: Object.create(Deno, part) });
  try {
    await run();
  } finally {
    Object.defineProperty(globalThis, "Deno", original);
  }
}

async function sentToKernel(
  run: () => Promise<void>,
  broadcast: (message: Message) => Promise<void> = () => Promise.resolve(),
): Promise<Message[]> {
  const sent: Message[] = [];
  const jupyter = {
    broadcast: (...message: Message) => {
      sent.push(message);
      return broadcast(message);
    },
  };
  await withDeno({ jupyter: { value: jupyter } }, run);
  return sent;
}

async function writtenToTerminal(isTerminal: boolean, run: () => Promise<void>): Promise<string> {
  let written = "";
  const stdout = {
    isTerminal: () => isTerminal,
    writeSync: (bytes: Uint8Array) => void (written += new TextDecoder().decode(bytes)),
  };
  const part = { stdout: { value: stdout }, consoleSize: { value: () => ({ columns: 12 }) } };
  const log = console.log;
  console.log = (text: string) => void (written += `${text}\n`);
  try {
    await withDeno(part, run);
  } finally {
    console.log = log;
  }
  return written;
}

const someLines = (verbose?: boolean) => async () => {
  const line = progress(verbose);
  line.update(() => "first");
  line.update(() => "too soon to be seen");
  await line.finish("last");
};

Deno.test("in the kernel, progress is one output that updates, and the last text arrives", async () => {
  const [first, last, ...more] = await sentToKernel(someLines());
  assertEquals(more, []);
  assertEquals([first![0], last![0]], ["display_data", "update_display_data"]);
  assertEquals([first![1].data, last![1].data], [{ "text/plain": "first" }, {
    "text/plain": "last",
  }]);
  assertEquals(first![1].transient, last![1].transient);
  const [other] = await sentToKernel(someLines());
  assert(other![1].transient.display_id !== first![1].transient.display_id);
});

Deno.test("a kernel that refuses a message stops nothing", async () => {
  const sent = await sentToKernel(someLines(), () => Promise.reject(new Error("gone")));
  assertEquals(sent.length, 2);
});

Deno.test("in a terminal, progress takes back its line, and cuts what would wrap", async () => {
  assertEquals(await writtenToTerminal(true, someLines()), "\rfirst\rlast \n");
  const long = () => progress().finish("0123456789abcdef");
  assertEquals(await writtenToTerminal(true, long), "\r0123456789a\n");
});

Deno.test("elsewhere, progress is silent unless it shall be verbose", async () => {
  assertEquals(await writtenToTerminal(false, someLines()), "");
  assertEquals(await writtenToTerminal(false, someLines(true)), "first\nlast\n");
  assertEquals(await writtenToTerminal(true, someLines(false)), "");
  assertEquals(await sentToKernel(someLines(false)), []);
});
