// The README's test for one's own CI, run as a reader would: in a folder with three files.

import { loadNpz, saveNpz } from "@gatescope/lstm";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { FORMATS } from "../lib/formats/table.ts";
import { LAYER_KINDS } from "../lib/layers/table.ts";
import { speedLines } from "./bench/results.ts";

const root = fromFileUrl(new URL("../", import.meta.url));
const data = join(root, "notebooks", "data");

async function runReadersTest(folder: string): Promise<{ success: boolean; text: string }> {
  const readme = await Deno.readTextFile(join(root, "README.md"));
  const code = [...readme.matchAll(/```ts ignore\n([^]*?)```/g)]
    .map(([, block]) => block!).find((block) => block.includes("Deno.test("))!;
  await Deno.writeTextFile(join(folder, "weights_test.ts"), code);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "--allow-read=.", "--no-check", `--config=${join(root, "deno.json")}`, folder],
    cwd: folder,
  }).output();
  const decoder = new TextDecoder();
  return { success, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

Deno.test("the README's test passes on Keras's weights, and fails when one of them has moved", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (
      const [from, to] of [
        ["experiment1_tanh_sigmoid.npz", "weights.npz"],
        ["experiment1_tanh_sigmoid_prediction.npy", "prediction.npy"],
        ["x.npy", "x.npy"],
      ] as const
    ) await Deno.copyFile(join(data, from), join(folder, to));
    const right = await runReadersTest(folder);
    assert(right.success, right.text);

    const weights = await loadNpz(join(folder, "weights.npz"));
    weights.get("arr_4")!.data[0]! += 1e-5; // a dense bias
    await saveNpz(join(folder, "weights.npz"), weights);
    const moved = await runReadersTest(folder);
    assert(!moved.success);
    assertStringIncludes(moved.text, "Error: Mismatch at dense, prediction of sample ");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the README lists the layers of the table, in its order", async () => {
  const readme = await Deno.readTextFile(join(root, "README.md"));
  const [, listed] = /<!-- layers -->([^]*)<!-- \/layers -->/.exec(readme)!;
  const names = [...listed!.matchAll(/`(\w+)`/g)].map(([, name]) => name!);
  assertEquals(names, LAYER_KINDS.map(({ className }) => className));
});

Deno.test("the README's table of formats is that of the code", async () => {
  const readme = await Deno.readTextFile(join(root, "README.md"));
  const [, table] = /<!-- formats -->([^]*)<!-- \/formats -->/.exec(readme)!;
  const cells = (line: string) => line.split("|").slice(1, -1).map((cell) => cell.trim());
  const [, , ...rows] = table!.trim().split("\n").map(cells);
  const wanted = FORMATS.map(({ name, writers, configured, hasKeys, save }) => [
    `\`${name}\``,
    writers.join("; "),
    ["layers", ...(configured ? ["config"] : []), ...(hasKeys ? ["key"] : [])]
      .map((option) => `\`${option}\``).join(", "),
    save === undefined ? "" : `\`${save.name}\``,
  ]);
  assertEquals(rows, wanted);
});

Deno.test("the README's lines on speed are those of the measured tables", async () => {
  const between = async (file: string, name: string) => {
    const text = await Deno.readTextFile(join(root, file));
    return new RegExp(`<!-- ${name} -->([^]*)<!-- /${name} -->`).exec(text)![1]!;
  };
  const words = (text: string) => text.trim().split(/\s+/);
  const tables = await between("tests/bench/RESULTS.md", "bench");
  assertEquals(words(await between("README.md", "speed")), words(speedLines(tables)));
});
