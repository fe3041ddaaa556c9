import { assert } from "@std/assert";
import { basename } from "@std/path";
import { writtenFiles } from "../../tools/build_compute.ts";

Deno.test("what lib/compute has of build:compute is what it writes, byte for byte", async (t) => {
  for await (const { file, text } of writtenFiles()) {
    await t.step(basename(file.pathname), async () => {
      assert(text === await Deno.readTextFile(file), "run `deno task build:compute`");
    });
  }
});
