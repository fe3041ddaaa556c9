import { assertEquals } from "@std/assert";
import { Kernel } from "../../notebooks/kernel.ts";
import type { Message } from "../../notebooks/wire.ts";

const FLAG = "--experimental-wasm-revectorize";

async function deno(args: readonly string[], env: Record<string, string> = {}) {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    env,
    stderr: "null",
  }).output();
  return { success, text: new TextDecoder().decode(stdout) };
}

Deno.test("a kernel has V8 make 256-bit code where this Deno can, and starts where it cannot", async () => {
  const { success: isKnown } = await deno(["eval", `--v8-flags=${FLAG}`, ""]);
  await using kernel = await Kernel.start(Deno.cwd());
  const heard: Message[] = [];
  await kernel.execute(`console.log(Deno.env.get("DENO_V8_FLAGS") ?? "")`, {
    onOutput: (message) => heard.push(message),
  });
  const flags = `${heard[0]!.content.text}`.trim().split(",");
  assertEquals(flags.includes(FLAG), isKnown);
});

Deno.test("V8's flags of one's own stay", async () => {
  const file = new URL("../../notebooks/v8_flags.ts", import.meta.url).href;
  const code = `import { kernelEnvironment } from "${file}";
    console.log((await kernelEnvironment()).DENO_V8_FLAGS ?? "--expose-gc");`;
  const { text } = await deno(["eval", code], { DENO_V8_FLAGS: "--expose-gc" });
  assertEquals(text.trim().split(",")[0], "--expose-gc");
});
