// ONNX graphs that are no row of layers, node by node: what each operator makes of its inputs, by
// ONNX Runtime, with the file's own axes (tests/fixtures/formats/onnx_nodes.py, torch_idioms.py).
// Tolerance: 1e-6, relative where values are above 1.

import { loadModel, multiply, prove, type Tensor, tensor, trace } from "@gatescope/lstm";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { arraysOf, difference, formatFile } from "./loaded.ts";

/** The models of a folder, each with what goes in and what comes out. */
async function casesOf(folder: string) {
  const arrays = await arraysOf(formatFile(`${folder}/expected.npz`));
  const files = [...Deno.readDirSync(formatFile(folder))].map(({ name }) => name);
  const list = (name: string, letter: string) => {
    const found: Tensor[] = [];
    for (;;) {
      try {
        found.push(arrays(`${name}/${letter}${found.length}`));
      } catch {
        return found;
      }
    }
  };
  return files.filter((file) => file.endsWith(".onnx")).sort().map((file) => {
    const name = file.slice(0, -".onnx".length);
    return { name, path: formatFile(`${folder}/${file}`), x: list(name, "x"), y: list(name, "y") };
  });
}

for (const { name, path, x, y } of await casesOf("onnx_nodes")) {
  Deno.test(`loadModel() predicts what ONNX Runtime makes of the nodes of ${name}, within 1e-6`, async () => {
    const model = await loadModel(path);
    const found = model.predictAll(x.length === 1 ? x[0]! : x);
    found.forEach((one, k) => {
      const off = difference(one, y[k]!);
      assert(off <= 1e-6, `result ${k} [${one.shape}] is off [${y[k]!.shape}] by ${off}`);
    });
  });
}

// Recorded on 2026-11-27: of 46 idioms by two exporters, with fixed and open axes, all that PyTorch
// exports; the default exporter refuses packed sequences.
const idioms = await casesOf("torch_idioms");
const other = await arraysOf(formatFile("torch_idioms/expected.npz"));

for (const name of [...new Set(idioms.map(({ name }) => name.split(".")[0]!))]) {
  Deno.test(`loadModel() predicts what ONNX Runtime makes of PyTorch's idiom ${name}, within 1e-6`, async () => {
    for (const { name: file, path, x, y } of idioms) {
      if (file.split(".")[0] !== name) continue;
      const model = await loadModel(path);
      // A row of layers is batch first, whatever the file's order; one that is open opens so.
      const isTurned = name.startsWith("time_first") && file.includes(".script.");
      const check = (x: Tensor[], y: Tensor[], what: string) => {
        const given = isTurned ? x.map(turned) : x;
        const found = model.predictAll(given.length === 1 ? given[0]! : given);
        assertEquals(found.length, y.length, what);
        found.forEach((one, k) => {
          const expected = isTurned && y[k]!.shape.length === 3 ? turned(y[k]!) : y[k]!;
          const off = difference(one, expected);
          assert(off <= 1e-6, `${what}: result ${k} [${one.shape}] is off by ${off}`);
        });
      };
      check(x, y, file);
      const again = x.map((_, k) => maybe(() => other(`${file}.other/x${k}`)));
      const results = y.map((_, k) => maybe(() => other(`${file}.other/y${k}`)));
      if (again.every((one) => one !== undefined) && results.every((one) => one !== undefined)) {
        check(again, results, `${file}, another batch and other steps`);
      }
    }
  });
}

function maybe<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** `[steps, batch, …]` and `[batch, steps, …]`. */
function turned({ data, shape: [a, b, ...rest] }: Tensor): Tensor {
  const size = rest.reduce((product, length) => product * length, 1);
  const result = new Float32Array(data.length);
  for (let k = 0; k < data.length; k++) {
    const [i, j] = [Math.floor(k / size / b!), Math.floor(k / size) % b!];
    result[(j * a! + i) * size + k % size] = data[k]!;
  }
  return tensor(result).reshape([b!, a!, ...rest]);
}

Deno.test("a model of nodes is traced, proved and trained, and its rounding explained", async () => {
  for (
    const name of [
      "attention",
      "time_first_tagger",
      "both_hidden",
      "layer_norm",
      "flipped",
      "packed",
    ]
  ) {
    const file = name === "packed" ? "packed.script.fixed" : `${name}.dynamo.open`;
    const { path, x, y } = idioms.find((one) => one.name === file)!;
    const model = await loadModel(path);
    const { verdict } = prove(model, x[0]!, { expected: y[0]! });
    assert(verdict === "rounding" || verdict === "equal", `${name}: ${verdict}`);
    const { layers, names, prediction } = trace(model, x[0]!);
    assertEquals(layers.length, names.length);
    assert(difference(prediction, y[0]!) <= 1e-6, name);
    model.compile({ optimizer: "adam", loss: "mse" });
    if (name === "time_first_tagger" || name === "packed") {
      await assertRejects(() => model.fit(x[0]!, y[0]!), TypeError, "must be that of samples");
    } else {
      const { loss } = await model.fit(x[0]!, multiply(y[0]!, 0.5), { epochs: 3 });
      assert(loss[2]! < loss[0]!, `${name}: ${loss}`);
    }
  }
});

Deno.test("inputs whose first axes differ are given as they are in the file", async () => {
  const states = idioms.find((one) => one.name === "states_in_and_out.dynamo.open")!;
  const model = await loadModel(states.path);
  assertEquals(model.inputs.map(({ name }) => name), ["x0", "x1", "x2"]);
  const [x0, x1, x2] = states.x as [Tensor, Tensor, Tensor];
  assertEquals(
    model.predictAll({ x0, x1, x2 }).map(({ shape }) => shape),
    states.y.map((y) => y.shape),
  );
  const wrong = turned(x1);
  assertThrows(() => model.predictAll([x0, wrong, x2]), Error, "initial_h is");
});

Deno.test("what differs in the lengths of a call is said where they do not fit the graph", async () => {
  const { path, x } = idioms.find((one) => one.name === "learned_start.script.fixed")!;
  const model = await loadModel(path);
  const one = tensor(x[0]!.data.slice(0, 20)).reshape([1, 5, 4]);
  assertThrows(() => model.predict(one), RangeError, "of an ONNX graph: its inputs must fit it");
});
