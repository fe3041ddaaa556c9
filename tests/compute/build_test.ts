import { assert } from "@std/assert";
import { buildModule, generatedModule } from "../../tools/build_compute.ts";
import { tiles, tilesModule } from "../../tools/write_tiles.ts";

Deno.test("wasm_bytes.ts is what lib/compute/assembly builds, byte for byte", async () => {
  const same = await buildModule() === await Deno.readTextFile(generatedModule);
  assert(same, "run `deno task build:compute`");
});

Deno.test("tiles.ts is what tools/write_tiles.ts writes", async () => {
  const same = tiles() === await Deno.readTextFile(tilesModule);
  assert(same, "run `deno task build:compute`");
});
