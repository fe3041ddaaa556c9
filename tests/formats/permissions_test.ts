// loadModel() in a process of its own that may do one thing only.

import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { formatFile } from "./loaded.ts";

const config = fromFileUrl(import.meta.resolve("../../deno.json"));
const program = `
import { loadModel } from "@gatescope/lstm";
console.log((await loadModel(Deno.args[0])).provenance.format);
`;

/** What the program says that opens a model with this one permission. */
async function opened(source: string, permission: string): Promise<string> {
  const script = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(script, program);
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-check", "--no-prompt", `--config=${config}`, permission],
      ...[script, source],
    ],
    env: { NO_COLOR: "1" },
  }).output();
  await Deno.remove(script);
  const decoder = new TextDecoder();
  return decoder.decode(stdout).trim() || decoder.decode(stderr);
}

const FILES = [
  ["keras/stacked.keras", ".keras"],
  ["keras/stacked.h5", ".h5"],
  ["pytorch/stacked.safetensors", ".safetensors"],
  ["torch/plain.pth", ".pth"],
  ["onnx/classifier.onnx", ".onnx"],
] as const;

for (const [file, format] of FILES) {
  Deno.test(`loadModel() opens a ${format} with the permission to read it and no other`, async () => {
    const path = formatFile(file);
    assertEquals(await opened(path, `--allow-read=${path}`), format);
  });
}

const hasScript = await new Deno.Command("script", { args: ["--version"], stdout: "null" }).output()
  .then(({ success }) => success, () => false);

Deno.test({
  name: "loadModel() asks for no other permission in a terminal, where Deno would ask the person",
  ignore: !hasScript, // util-linux's: it makes a terminal
  fn: async () => {
    const script = await Deno.makeTempFile({ suffix: ".ts" });
    await Deno.writeTextFile(script, program);
    for (const [file, format] of FILES) {
      const path = formatFile(file);
      const run = `${Deno.execPath()} run --quiet --no-check --config=${config} ` +
        `--allow-read=${path} ${script} ${path}`;
      const { stdout } = await new Deno.Command("script", {
        args: ["--quiet", "--return", "--command", `timeout 20 ${run}`, "/dev/null"],
        stdin: "null",
        env: { NO_COLOR: "1" },
      }).output();
      assertEquals(new TextDecoder().decode(stdout).trim(), format);
    }
    await Deno.remove(script);
  },
});

Deno.test("loadModel() opens files that name others with the permission to read just those", async () => {
  const shards = ["tfjs/plain.json", "tfjs/plain.shard1.bin", "tfjs/plain.shard2.bin"];
  const external = ["onnx/external.onnx", "onnx/external.bin"];
  for (const [files, format] of [[shards, "model.json"], [external, ".onnx"]] as const) {
    const paths = files.map(formatFile);
    assertEquals(await opened(paths[0]!, `--allow-read=${paths.join()}`), format);
  }
});

Deno.test("loadModel() opens a URL with the permission to reach its host and no other", async () => {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    return new Response(await Deno.readFile(formatFile(new URL(request.url).pathname.slice(1))));
  });
  const host = `127.0.0.1:${server.addr.port}`;
  for (const [file, format] of [...FILES, ["tfjs/plain.json", "model.json"]] as const) {
    assertEquals(await opened(`http://${host}/${file}`, `--allow-net=${host}`), format);
  }
  await server.shutdown();
});
