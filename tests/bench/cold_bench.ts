// How long the first model and the first picture take in a fresh process, the modules' import counted.
// `deno run --allow-all --config deno.json tests/bench/cold_bench.ts`

import { dense, lstm, saveKeras, sequential } from "@gatescope/lstm";

const RUNS = 7;

/** What a reader's program does first, and the milliseconds wanted. */
const programs = (keras: string) => [
  {
    name: "loadModel of a .keras of 3 MB",
    wanted: 500,
    text: `const { loadModel } = await import("@gatescope/lstm");
await loadModel(${JSON.stringify(keras)});`,
  },
  {
    name: "the first picture",
    wanted: 400,
    text: `const { lineChart, toSvg } = await import("@gatescope/lstm");
await toSvg(lineChart({ loss: [3, 2, 1] }));`,
  },
];

const root = new URL("../../", import.meta.url).pathname;
const folder = await Deno.makeTempDir({ dir: root, prefix: ".cold-bench-" }); // where deno.json counts
try {
  const keras = `${folder}/model.keras`;
  const layers = [lstm({ units: 384 }), dense({ units: 10, activation: "softmax" })];
  await saveKeras(keras, sequential(layers, { inputShape: [null, 64], seed: 1 }));
  for (const { name, wanted, text } of programs(keras)) {
    const program = `${folder}/program.ts`;
    const timed = `const start = performance.now();\n${text}\n` +
      `console.log(performance.now() - start);\nDeno.exit(0);\n`;
    await Deno.writeTextFile(program, timed);
    const times: number[] = [];
    for (let run = 0; run <= RUNS; run++) {
      const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--allow-all", "--quiet", "--no-check", "--config=deno.json", program],
        cwd: root,
      }).output();
      if (!success) throw new Error(new TextDecoder().decode(stderr));
      if (run > 0) times.push(Number(new TextDecoder().decode(stdout))); // the first fills the cache
    }
    const least = Math.min(...times);
    console.log(
      `${name}, in a fresh process: ${least.toFixed(0)} ms, wanted under ${wanted} ms` +
        `${least < wanted ? "" : ": MISSED"} (the least of ${RUNS})`,
    );
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
