import { assertEquals, assertInstanceOf, assertMatch } from "@std/assert";
import { Kernel, KernelError } from "../../notebooks/kernel.ts";
import type { Message } from "../../notebooks/wire.ts";

const resultOf = ({ content }: Message) => (content.data as Record<string, string>)["text/plain"];

/** A value that shows itself as text, without the console's colours. */
const shows = (text: string) =>
  `({ [Symbol.for("Jupyter.display")]: () => ({ "text/plain": ${text} }) })`;

Deno.test("100 quick cells lose no output, and each gets its own", async () => {
  await using kernel = await Kernel.start(Deno.cwd());
  for (let cell = 0; cell < 100; cell++) {
    const heard: Message[] = [];
    const code = `console.log("printed ${cell}"); ${shows(`"shown ${cell}"`)}`;
    const reply = await kernel.execute(code, { onOutput: (message) => heard.push(message) });
    assertEquals(reply.execution_count, cell + 1, "what the client asks besides is not counted");
    assertEquals(heard.map(({ type }) => type), ["stream", "execute_result"]);
    assertEquals(heard[0]!.content.text, `printed ${cell}\n`);
    assertEquals(resultOf(heard[1]!), `shown ${cell}`);
  }
});

Deno.test("outputs of 2 MB lose none, though they come after the kernel says idle", async () => {
  await using kernel = await Kernel.start(Deno.cwd());
  for (let cell = 0; cell < 30; cell++) {
    const heard: Message[] = [];
    const code = shows(`"${cell} ".padEnd(2_000_000, "x")`);
    await kernel.execute(code, { onOutput: (message) => heard.push(message) });
    assertEquals(heard.map(({ type }) => type), ["execute_result"]);
    assertEquals(resultOf(heard[0]!)!.length, 2_000_000);
    assertEquals(resultOf(heard[0]!)!.startsWith(`${cell} `), true);
  }
});

Deno.test("an output too large for the kernel arrives whole or is one clear error, never a hang", async () => {
  await using kernel = await Kernel.start(Deno.cwd());
  const size = 30_000_000; // the kernel's own limit is about 4 MB, where it begins to send in parts
  for (let cell = 0; cell < 5; cell++) {
    const heard: Message[] = [];
    const onOutput = (message: Message) => void heard.push(message);
    try {
      await kernel.execute(shows(`"x".repeat(${size})`), { onOutput });
    } catch (error) {
      assertInstanceOf(error, KernelError);
      assertMatch(error.message, /an output of more than about 4 MB makes/);
      return;
    }
    assertEquals(heard.map((message) => resultOf(message)!.length), [size]);
  }
});

Deno.test("a cell's many outputs come in order", async () => {
  await using kernel = await Kernel.start(Deno.cwd());
  const heard: string[] = [];
  await kernel.execute(
    `for (let k = 0; k < 500; k++) await Deno.jupyter.display(${shows("String(k)")});`,
    { onOutput: (message) => heard.push(resultOf(message)!) },
  );
  assertEquals(heard, Array.from({ length: 500 }, (_, k) => `${k}`));
});

Deno.test("the kernel is this Deno, in the given folder", async () => {
  const folder = await Deno.realPath(import.meta.dirname!);
  await using kernel = await Kernel.start(folder);
  const heard: string[] = [];
  await kernel.execute("console.log(Deno.version.deno); console.log(Deno.cwd());", {
    onOutput: ({ content }) => heard.push(content.text as string),
  });
  assertEquals(heard.join(""), `${Deno.version.deno}\n${folder}\n`);
});
