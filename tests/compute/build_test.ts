import { assert } from "@std/assert";
import { buildModule, generatedModule } from "./build_wasm.ts";

Deno.test("wasm_bytes.ts is what lib/compute/assembly builds, byte for byte", async () => {
  const same = await buildModule() === await Deno.readTextFile(generatedModule);
  assert(same, "run `deno task build:compute`");
});
