/**
 * `deno task bench`: the fast equations beside other libraries, in one run and in turns, so that a
 * noisy moment hits all of them. Same weights, one thread or two each; results are compared before anything
 * is timed. Writes RESULTS.md, and the README's lines.
 *
 * Options: `--seconds 100` for all timing together, `--only Gatescope,PyTorch`, `--shapes S0,S1`.
 */
import { parseArgs } from "node:util";
import { availableBuild, instantiate } from "../../lib/compute/engine.ts";
import { judge } from "./judge.ts";
import { type Answer, javaScriptPeers, Peer, pythonPeers } from "./peers.ts";
import { findPython } from "./python.ts";
import { classes, isPlainLstm, randomArrays, type Shape, shapes } from "./shapes.ts";
import { markdownTable, type Samples } from "./table.ts";
import { writeResults } from "./results.ts";

const { values: given } = parseArgs({
  args: Deno.args,
  options: {
    seconds: { type: "string", default: "100" },
    only: { type: "string", default: "" },
    shapes: { type: "string", default: "" },
  },
});
const engine = instantiate(availableBuild()!);
const ROUNDS = 5;
/** float32 libraries differ by their order of summation and their tanh. */
const PROBABILITY = 1e-6;
const LOSS = 1e-5;

const wanted = (list: string, name: string) =>
  list === "" || list.split(",").some((part) => name.startsWith(part));

function check(shape: Shape, expected: Float64Array, { results, error }: Answer): string {
  if (error !== undefined) return error;
  if (results === undefined) return "";
  const tolerance = shape.trains ? LOSS : PROBABILITY;
  const length = shape.trains ? 3 : shape.batch * classes;
  const worst = Math.max(...expected.map((value, k) => Math.abs(value - results[k]!)));
  return results.length === length && worst <= tolerance
    ? ""
    : `result is ${worst} off (${results.slice(0, 3)} for ${expected.slice(0, 3)})`;
}

const folder = await Deno.makeTempDir({ prefix: "gatescope-bench-" });
const chosen = shapes.filter(({ name }) => wanted(given.shapes, name));
await Deno.writeTextFile(`${folder}/shapes.json`, JSON.stringify(shapes));
const expected = new Map<string, Float64Array>();
for (const shape of chosen) {
  const arrays = randomArrays(shape);
  await Deno.writeFile(`${folder}/${shape.name}.bin`, await bytesOf(Object.values(arrays)));
  expected.set(shape.name, judge(shape, arrays));
}

const python = await findPython();
const names = [
  ...await javaScriptPeers(),
  ...(python === undefined ? [] : pythonPeers(python)),
].filter(({ name }, k) => k === 0 || wanted(given.only, name));
const peers = names.map((name) => new Peer(name, folder));
const samples: Samples = new Map(peers.map(({ name }) => [name, new Map()]));
for (const peer of peers) {
  for (const shape of chosen) {
    const answer = await peer.ask({ do: "prepare", shape: shape.name });
    const complaint = check(shape, expected.get(shape.name)!, answer);
    if (complaint !== "") console.error(`${peer.name}, ${shape.name}: ${complaint}`);
    else if (answer.results !== undefined) samples.get(peer.name)!.set(shape.name, []);
  }
}

const slots = [...samples.values()].reduce((sum, byShape) => sum + byShape.size, 0);
const milliseconds = Number(given.seconds) * 1000 / slots / (ROUNDS + 1);
const limits: number[] = [];
for (let round = 0; round <= ROUNDS; round++) {
  limits.push(peak());
  for (const shape of chosen) {
    for (const peer of peers) {
      const kept = samples.get(peer.name)!.get(shape.name);
      if (kept === undefined) continue;
      const answer = await peer.ask({ do: "time", shape: shape.name, milliseconds });
      if (round > 0 && answer.samples) kept.push(answer.samples); // the first round warms up
    }
  }
}
await Promise.all(peers.map((peer) => peer.stop()));
await Deno.remove(folder, { recursive: true });

const tables = [isPlainLstm, (shape: Shape) => !isPlainLstm(shape)]
  .map((belongs) => markdownTable(samples, names, Math.max(...limits), shapes.filter(belongs)));
const table = tables.join("\n\n");
const machine =
  "Each cell: the quickest run / the median one, and in brackets how many times as long as " +
  "Gatescope it takes (10× is ten times slower, 0.5× twice as fast): the median of rounds in " +
  "turns. 256 bits: with `--experimental-wasm-revectorize`. " +
  "One thread each where no other number is said, Keras held to as many cores. " +
  `${await processor()}, Deno ${Deno.version.deno}, ` +
  `${new Date().toISOString().slice(0, 10)}.`;
console.log(`${table}\n\n${machine}`);
const isWhole = given.only === "" && given.shapes === "";
if (isWhole) await writeResults(`${table}\n\n${machine}`);

/** Billions of operations a second that WASM reaches when everything is in registers. */
function peak(): number {
  const { peak } = engine;
  const rounds = 20_000;
  for (let k = 0; k < 2000; k++) peak(2000);
  const times = Array.from({ length: 50 }, () => {
    const start = performance.now();
    for (let k = 0; k < 10; k++) peak(rounds);
    return performance.now() - start;
  });
  return 10 * rounds * 12 * 8 / Math.min(...times) / 1e6;
}

async function bytesOf(arrays: readonly Float32Array<ArrayBuffer>[]) {
  return new Uint8Array(await new Blob([...arrays]).arrayBuffer());
}

/** The processor's name, where the system tells it. */
async function processor(): Promise<string> {
  const text = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  const name = /model name\s*: (.*)/.exec(text)?.[1] ?? `${Deno.build.os} ${Deno.build.arch}`;
  const family = /cpu family\s*: (.*)/.exec(text)?.[1];
  const cores = navigator.hardwareConcurrency;
  return `${name}${family === undefined ? "" : ` (family ${family})`}, ${cores} cores`;
}
