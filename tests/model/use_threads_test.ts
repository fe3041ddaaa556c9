// useThreads, as somebody uses it who knows nothing of what is inside.

import { dense, lstm, type Model, sequential, Tensor, useThreads } from "@gatescope/lstm";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { fileURLToPath } from "node:url";
import { Kernel } from "../../notebooks/kernel.ts";
import { randomArray } from "../compute/random_layers.ts";

const shape = [70, 20, 16] as const;
const length = shape[0] * shape[1] * shape[2];
const x = new Tensor(randomArray(length, 1, 1), shape);
const y = Array.from({ length: shape[0] }, (_, k) => k % 3);

function newModel(): Model {
  const layers = [lstm({ units: 64 }), dense({ units: 3, activation: "softmax" })];
  const model = sequential(layers, { inputShape: [20, 16], seed: 1 });
  model.compile({ optimizer: "adam", loss: "sparse_categorical_crossentropy" });
  return model;
}

async function fitted(): Promise<Tensor[]> {
  const model = newModel();
  await model.fit(x, y, { epochs: 2, batchSize: 32, verbose: false });
  return model.getWeights();
}

Deno.test("predict with threads gives the same bits; fit the same bits with the same number", async () => {
  const model = newModel();
  const [alone, weights] = [model.predict(x), await fitted()];
  for (const count of [2, 3]) {
    using _threads = useThreads(count);
    assertEquals(model.predict(x), alone);
    const together = await fitted();
    assertEquals(await fitted(), together);
    for (const [k, weight] of together.entries()) {
      const off = weight.data.map((value, at) => Math.abs(value - weights[k]!.data[at]!));
      assert(Math.max(...off) <= 1e-5, `weight ${k}: ${Math.max(...off)}`);
    }
  }
  assertEquals(await fitted(), weights, "one thread again");
});

Deno.test("threads may be asked for again before they are disposed of; what was before comes back", () => {
  const model = newModel();
  const expected = model.predict(x);
  const [first, second] = [useThreads(2), useThreads(3)];
  assertEquals(model.predict(x), expected);
  first[Symbol.dispose]();
  assertEquals(model.predict(x), expected);
  second[Symbol.dispose]();
  second[Symbol.dispose]();
  assertEquals(model.predict(x), expected);
});

Deno.test("useThreads refuses what is no count, and says why threads cannot start", () => {
  for (const count of [0, -1, 1.5, 17, NaN]) {
    assertThrows(() => useThreads(count), RangeError, "a whole number from 1 to 16, but it is");
  }
  assertThrows(() => useThreads("2" as never), TypeError, 'but the text "2" was given');
  const { Worker } = globalThis;
  globalThis.Worker = class {
    constructor() {
      throw new Error("workers are forbidden");
    }
  } as unknown as typeof Worker;
  try {
    const model = newModel();
    const expected = model.predict(x);
    assertThrows(
      () => useThreads(2),
      Error,
      "Cannot use threads: each must start, but workers are forbidden",
    );
    assertEquals(model.predict(x), expected);
  } finally {
    globalThis.Worker = Worker;
  }
});

const program = (threads: string, before = "") => `
import { dense, lstm, sequential, Tensor, useThreads } from "@gatescope/lstm";
${before}
const layers = [lstm({ units: 64 }), dense({ units: 3, activation: "softmax" })];
const model = sequential(layers, { inputShape: [20, 16], seed: 1 });
const x = new Tensor(new Float32Array(${length}).fill(0.5), ${JSON.stringify(shape)});
${threads}`;

/** Runs a text beside the package's configuration. */
async function deno(text: string, ...command: string[]) {
  const root = new URL("../../", import.meta.url);
  const suffix = command[0] === "test" ? "_test.ts" : ".ts";
  const file = await Deno.makeTempFile({ dir: fileURLToPath(root), prefix: ".threads-", suffix });
  try {
    await Deno.writeTextFile(file, text);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...command, "--no-check", "--quiet", file],
      cwd: root,
      env: { NO_COLOR: "1" },
      signal: AbortSignal.timeout(60_000),
    }).output();
    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    return { code, said };
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("a program with threads needs no permission, and ends by itself", async () => {
  const { code, said } = await deno(
    program(`
const alone = model.predict(x).data.join();
{
  using threads = useThreads(2);
  for (let k = 0; k < 1000; k++) model.predict(x);
  console.log(model.predict(x).data.join() === alone);
}
`),
    "run",
    "--no-prompt",
  );
  assertEquals([code, said], [0, "true\n"]);
});

Deno.test("outside the Deno kernel a large batch starts no worker, and passes the tests' sanitizers", async () => {
  const test = (name: string, body: string) => `
Deno.test({ name: "${name}", sanitizeOps: true, sanitizeResources: true, fn: async () => { ${body} } });`;
  const { code, said } = await deno(
    program(
      test("alone", "model.predict(x);") +
        test("threads", "using threads = useThreads(2); model.predict(x);") +
        test(
          "training",
          `using threads = useThreads(2);
          model.compile({ optimizer: "adam", loss: "mse" });
          await model.fit(x, new Tensor(new Float32Array(${shape[0] * 3}), [${shape[0]}, 3]));`,
        ) + test("count", "if (workers !== 2) throw new Error(`${workers} workers`);"),
      `const { Worker } = globalThis;
      let workers = 0;
      globalThis.Worker = class extends Worker { constructor(...given) { super(...given); workers++; } };`,
    ),
    "test",
  );
  assertEquals(code, 0, said);
  assert(said.includes("4 passed"), said);
});

Deno.test("in the Deno kernel large batches take all cores by themselves, small ones none", async () => {
  await using kernel = await Kernel.start(
    fileURLToPath(new URL("../../notebooks/", import.meta.url)),
  );
  const shown: string[] = [];
  const ask = async (code: string) => {
    const reply = await kernel.execute(code, {
      onOutput: ({ content }) => {
        shown.push(String((content as { text?: string }).text ?? JSON.stringify(content)));
      },
    });
    assertEquals(reply.status, "ok", JSON.stringify(reply));
    return shown.splice(0).join("").trim();
  };
  await ask(
    program(
      "",
      `import { sharedArena } from "${import.meta.resolve("../../lib/compute/arena.ts")}";`,
    ),
  );
  const threads = "console.log(sharedArena().threads)";
  await ask("model.predict(new Tensor(x.data.slice(0, 320), [1, 20, 16]));");
  assertEquals(await ask(threads), "1");
  await ask("for (let k = 0; k < 100; k++) model.predict(x);");
  assertEquals(await ask(threads), `${Math.min(16, navigator.hardwareConcurrency)}`);
  await ask("const one = useThreads(1); model.predict(x);");
  assertEquals(await ask(threads), "1");
  await ask("one[Symbol.dispose](); model.predict(x);");
  assertEquals(await ask(threads), `${Math.min(16, navigator.hardwareConcurrency)}`);
});
