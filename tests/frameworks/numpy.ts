// What saveNumpy writes, run by Python: 60 models of all kinds and names of all kinds, each gate, state
// and output proved.

import {
  dense,
  loadTrace,
  lstm,
  type Model,
  prove,
  saveNpy,
  saveNumpy,
  sequential,
  Tensor,
} from "@gatescope/lstm";
import { join } from "@std/path";
import { seededRandom } from "../../lib/tensor/random.ts";
import { sizeOf } from "../../lib/tensor/shape.ts";
import { HOSTILE_NAMES } from "../code/hostile_names.ts";
import { randomModels } from "../code/random_models.ts";

const MODELS = 60;
const [SAMPLES, TIMESTEPS] = [2, 6];

/** An input by chance: of words, any of the vocabulary. */
function inputOf(model: Model, seed: number): Tensor {
  const shape = [SAMPLES, ...model.inputShape.map((length) => length ?? TIMESTEPS)];
  const random = seededRandom(seed);
  const embedding = model.layers.find(({ layer }) => layer.className === "Embedding");
  const words = embedding?.getWeights()[0]?.shape[0];
  const one = () => words === undefined ? random.normal() : Math.floor(random.uniform() * words);
  return new Tensor(Float32Array.from({ length: sizeOf(shape) }, one), shape);
}

/** All of it, in a folder; `run` is the Python of test:frameworks. */
export async function checkNumpy(
  folder: string,
  run: (script: string, ...args: string[]) => Promise<void>,
): Promise<void> {
  const hostile = HOSTILE_NAMES.filter((name) => name !== "").map((name, k) => ({
    name: `hostile_${k}`,
    model: sequential([lstm({ units: 2, name }), dense({ units: 1, name: `${name}\t` })], {
      inputShape: [null, 2],
      seed: k,
    }),
  }));
  const models = [...randomModels(MODELS), ...hostile].map(({ name, model }, k) => ({
    name: `numpy_${name}`,
    model,
    x: inputOf(model, k),
  }));
  for (const { name, model, x } of models) {
    await saveNumpy(join(folder, `${name}.py`), model);
    await saveNumpy(join(folder, `${name}_traced.py`), model, { trace: true });
    await saveNpy(join(folder, `${name}.npy`), x);
  }
  const names = models.map(({ name }) => name);
  await Deno.writeTextFile(join(folder, "numpy_files.json"), JSON.stringify(names));
  await run("numpy_files.py", folder);
  const verdicts: Record<string, number> = {};
  const problems: string[] = [];
  for (const { name, model, x } of models) {
    const expected = await loadTrace(join(folder, `${name}.csv`));
    const { verdict, sentence } = prove(model, x, { expected });
    verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
    // swapping's h is divided by what may be 0: of that no run tells anything
    const isKnown = verdict === "rounding" || verdict === "equal" ||
      verdict === "undecided" && model.layers.some(({ name }) => name.startsWith("swapping"));
    if (!isKnown) problems.push(`${name}: ${sentence}`);
  }
  if (problems.length > 0) throw new Error(`prove:\n${problems.slice(0, 20).join("\n")}`);
  const told = Object.entries(verdicts).map(([verdict, count]) => `${verdict} ${count}`).join(", ");
  console.log(`${models.length} models in NumPy: ${told}`);
}
