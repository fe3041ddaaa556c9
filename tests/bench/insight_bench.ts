// How long insight takes at the scale that people have: each in a process of its own, the least of three;
// as in a notebook, on all cores and with 256 bits where V8 makes them.
// `deno run --allow-all --config deno.json tests/bench/insight_bench.ts`

import {
  checkup,
  dense,
  lstm,
  memory,
  patchSweep,
  prove,
  sequential,
  Tensor,
  trace,
  useThreads,
} from "@gatescope/lstm";
import { seededRandom } from "../../lib/tensor/random.ts";
import { kernelEnvironment } from "../../notebooks/v8_flags.ts";

const RUNS = 3;

const random = seededRandom(1);
const normals = (...shape: number[]) =>
  new Tensor(
    Float64Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal()),
    shape,
  );
const model = (units: number[], timesteps: number, inputSize: number) =>
  sequential([
    ...units.map((units, k, { length }) => lstm({ units, returnSequences: k < length - 1 })),
    dense({ units: 2, activation: "softmax" }),
  ], { inputShape: [timesteps, inputSize], seed: 1 });

/** What is timed, and the seconds wanted. */
const tasks: Record<string, { wanted: number; prepare: () => () => unknown }> = {
  "prove, 4 · 3197 timesteps through 256 units": {
    wanted: 5,
    prepare: () => {
      const [long, x] = [model([256], 3197, 32), normals(4, 3197, 32)];
      return () => prove(long, x).assert();
    },
  },
  "checkup, the same": {
    wanted: 3,
    prepare: () => {
      const [long, x] = [model([256], 3197, 32), normals(4, 3197, 32)];
      return () => checkup(long, x);
    },
  },
  "prove, 4 · 100 timesteps through three times 128 units": {
    wanted: 1,
    prepare: () => {
      const [deep, x] = [model([128, 128, 128], 100, 32), normals(4, 100, 32)];
      return () => prove(deep, x).assert();
    },
  },
  "memory, all of 256 units over 100 timesteps": {
    wanted: 5,
    prepare: () => {
      const traced = trace(model([256], 100, 64), normals(1, 100, 64));
      return () => memory(traced, { units: Array.from({ length: 256 }, (_, unit) => unit) });
    },
  },
  "patchSweep, one site of 256 units over 100 timesteps": {
    wanted: 5,
    prepare: () => {
      const [one, x] = [model([256], 100, 64), normals(1, 100, 64)];
      return () => patchSweep(one, x, { target: 0, sites: ["gates.forget"], verbose: false });
    },
  },
};

/** Seconds of one, in this process. */
async function time(task: string): Promise<number> {
  using _threads = useThreads(navigator.hardwareConcurrency);
  const run = tasks[task]!.prepare();
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

/** The same in a process of its own. */
async function timeAlone(task: string): Promise<number> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--allow-all", "--quiet", "--no-check", "--config=deno.json"],
      ...[import.meta.filename!, task],
    ],
    cwd: new URL("../../", import.meta.url).pathname,
    env: await kernelEnvironment(),
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return Number(new TextDecoder().decode(stdout));
}

if (Deno.args[0] === undefined) {
  for (const [task, { wanted }] of Object.entries(tasks)) {
    const seconds: number[] = [];
    for (let run = 0; run < RUNS; run++) seconds.push(await timeAlone(task));
    const least = Math.min(...seconds);
    console.log(
      `${task}: ${least.toFixed(2)} s, wanted under ${wanted} s` +
        `${least < wanted ? "" : ": MISSED"} (the least of ${RUNS})`,
    );
  }
} else {
  console.log(await time(Deno.args[0]));
  Deno.exit(0);
}
