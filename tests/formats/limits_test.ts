// Small files that ask for much: refused at a stated limit, before the memory is taken.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { loadModel, UnreadableFileError } from "@gatescope/lstm";
import { readHdf5 } from "../../lib/files/hdf5.ts";
import { readOnnx, writeOnnx } from "../../lib/files/onnx.ts";
import { openFile } from "../../lib/files/open.ts";
import type { OnnxNode, OnnxTensor } from "../../lib/files/onnx_schema.ts";
import { unzip, zip } from "../../lib/files/zip.ts";
import { mutated } from "../files/mutations.ts";
import { formatFile } from "./loaded.ts";

const refuses = (source: Uint8Array | string, message: string) =>
  assertRejects(() => loadModel(source), UnreadableFileError, message);

const archive = await unzip(Deno.readFileSync(formatFile("keras/no_bias.keras")));

/** The .keras with its configuration changed. */
async function kerasOf(change: (config: string) => string): Promise<Uint8Array> {
  const text = change(new TextDecoder().decode(archive.get("config.json")));
  return await zip(new Map([...archive, ["config.json", new TextEncoder().encode(text)]]));
}

const classifier = Deno.readFileSync(formatFile("onnx/classifier.onnx"));
const { graph } = await openFile(classifier, readOnnx);

/** The classifier's graph, with more behind it. */
async function graphOf(
  nodes: readonly OnnxNode[],
  output: string,
  initializers: readonly OnnxTensor[] = [],
): Promise<Uint8Array> {
  return await writeOnnx({
    irVersion: 8,
    opsets: [{ version: 17 }],
    graph: {
      ...graph,
      nodes: [...graph.nodes!, ...nodes],
      initializers: [...graph.initializers!, ...initializers],
      outputs: [{ name: output }],
    },
  });
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a configuration may be 16 MiB long, 100 levels deep and have 1000 layers", async () => {
  const deep = "[".repeat(5000) + "]".repeat(5000);
  await refuses(await kerasOf((text) => text.replace("{", `{"x": ${deep},`)), "100 levels deep");
  const long = await kerasOf((text) => text + " ".repeat(2 ** 24));
  await refuses(long, "its JSON may take at most 16777216 bytes, but the length is");
  const many = await kerasOf((text) => {
    const value = JSON.parse(text);
    const layer = { class_name: "Dropout", config: { rate: 0 } };
    value.config.layers.push(...Array.from({ length: 1000 }, () => layer));
    return JSON.stringify(value);
  });
  await refuses(many, "it may have at most 1000 layers, but the count is 1003");
});

Deno.test("an ONNX graph does not grow beyond 1000 layers, 8 axes and 16 lengths", async () => {
  const chain = Array.from({ length: 2000 }, (_, k) => {
    return { type: "Relu", inputs: [k === 0 ? "Y" : `r${k - 1}`], outputs: [`r${k}`] };
  });
  await refuses(await graphOf(chain, "r1999"), "at most 1000 layers, but the count is 1001");

  const axes = { name: "axes", dataType: 7, shape: [9], int64s: [0, 1, 2, 3, 4, 5, 6, 7, 8] };
  const unsqueeze = { type: "Unsqueeze", inputs: ["Y", "axes"], outputs: ["Z"] };
  await refuses(await graphOf([unsqueeze], "Z", [axes]), "at most 8 axes, but the count is 11");

  const doubled = Array.from({ length: 60 }, (_, k): OnnxNode => {
    const attributes = [{ name: "axis", int: 0, type: 2 }];
    return { type: "Concat", inputs: [`s${k}`, `s${k}`], outputs: [`s${k + 1}`], attributes };
  });
  const shape = { type: "Shape", inputs: ["Y"], outputs: ["s0"] };
  const reshape = { type: "Reshape", inputs: ["Y", "s60"], outputs: ["Z"] };
  await refuses(
    await graphOf([shape, ...doubled, reshape], "Z"),
    "what is computed of lengths has at most",
  );
});

Deno.test("an ONNX graph that makes texts of numbers or always drops is refused by the node's name", async () => {
  const attributes = [{ name: "to", int: 8, type: 2 }];
  const cast = { type: "Cast", inputs: ["logits"], outputs: ["Z"], attributes };
  await refuses(await graphOf([cast], "Z"), "a Cast: it casts to data type 8");
  const yes = { name: "yes", dataType: 9, shape: [], int32s: [1] };
  const drop = { type: "Dropout", inputs: ["logits", "", "yes"], outputs: ["Z"] };
  await refuses(await graphOf([drop], "Z", [yes]), "a Dropout: it always trains");
});

Deno.test("the external data of an .onnx takes at most 2 GiB, however often it is the same", async () => {
  await inFolder(async (folder) => {
    await Deno.writeFile(`${folder}/w.bin`, new Uint8Array(1024));
    const external = [{ key: "location", value: "w.bin" }];
    const arrays = [256, 2 ** 29].map((length, k): OnnxTensor => {
      return { name: `again${k}`, dataType: 1, shape: [length], external, location: 1 };
    });
    await Deno.writeFile(`${folder}/m.onnx`, await graphOf([], "Y", arrays));
    await refuses(`${folder}/m.onnx`, "at most 2147483648 bytes, but the sum is 2147484672");
  });
});

Deno.test("a model.json reads no more of its shards than its arrays take", async () => {
  await inFolder(async (folder) => {
    await Deno.writeFile(`${folder}/s.bin`, new Uint8Array(16));
    const weights = [{ name: "w", shape: [2], dtype: "float32" }];
    const group = { paths: Array.from({ length: 1_000 }, () => "s.bin"), weights };
    const model = { modelTopology: {}, weightsManifest: [group] };
    await Deno.writeTextFile(`${folder}/model.json`, JSON.stringify(model));
    await refuses(`${folder}/model.json`, "shards, 1 of 1000 read, have 16");
    const sizes = [2 ** 28, 2 ** 28]; // of 4 bytes each, which no shard has
    const large = sizes.map((size, k) => ({ name: `w${k}`, shape: [size], dtype: "float32" }));
    const twice = [{ paths: [], weights: [...large, { ...weights[0] }] }];
    const groups = { modelTopology: {}, weightsManifest: twice };
    await Deno.writeTextFile(`${folder}/model.json`, JSON.stringify(groups));
    await refuses(`${folder}/model.json`, "at most 2147483648 bytes, but the sum is 2147483656");
  });
});

Deno.test({
  name: "no link leads a model.json or an .onnx out of its folder",
  ignore: Deno.build.os === "windows", // links need a privilege there
  async fn() {
    await inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/model`);
      for (const name of ["plain.json", "plain.shard1.bin"]) {
        await Deno.copyFile(formatFile(`tfjs/${name}`), `${folder}/model/${name}`);
      }
      await Deno.copyFile(formatFile("onnx/external.onnx"), `${folder}/model/external.onnx`);
      for (const name of ["tfjs/plain.shard2.bin", "onnx/external.bin"]) {
        const secret = `${folder}/${name.split("/")[1]}`;
        await Deno.copyFile(formatFile(name), secret);
        await Deno.symlink(secret, `${folder}/model/${name.split("/")[1]}`);
      }
      for (const file of ["plain.json", "external.onnx"]) {
        await refuses(`${folder}/model/${file}`, "must lie in its folder, but the link is");
      }
      // a folder of links to one other folder, as caches of downloads are, is no such thing
      await Deno.copyFile(formatFile("onnx/external.onnx"), `${folder}/external.onnx`);
      await Deno.remove(`${folder}/model/external.onnx`);
      await Deno.symlink(`${folder}/external.onnx`, `${folder}/model/external.onnx`);
      const { layers } = await loadModel(`${folder}/model/external.onnx`);
      assertEquals(layers.filter(({ layer }) => layer.className === "LSTM").length, 1);
    });
  },
});

Deno.test("an HDF5 file whose groups hold more than can be listed is refused", async () => {
  const whole = Deno.readFileSync(formatFile("keras/no_bias.h5"));
  for (const seed of [6626, 7432]) { // h5wasm lists two of its three arrays, or one
    await assertRejects(
      () => readHdf5(mutated(whole, seed)),
      UnreadableFileError,
      "its links are not in line",
    );
  }
});

Deno.test("an HDF5 file that names one text 2000 times takes less than 600 MB", async () => {
  const program = `
    import { loadModel } from "@gatescope/lstm";
    let peak = 0;
    const clock = setInterval(() => peak = Math.max(peak, Deno.memoryUsage().rss), 5);
    const error = await loadModel(${JSON.stringify(formatFile("hostile/one_text_often.h5"))})
      .catch((error) => error);
    clearInterval(clock);
    console.log(error.name, peak / 1e6);`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", `--config=${fromFileUrl(import.meta.resolve("../../deno.json"))}`, program],
  }).output();
  const [name, peak] = new TextDecoder().decode(stdout).trim().split(" ");
  assertEquals(name, "UnreadableFileError", new TextDecoder().decode(stderr));
  assert(Number(peak) < 600, `${peak} MB`); // 240 where it was measured, 2200 without the limit
});
