import { assert, assertEquals, assertThrows } from "@std/assert";
import { Arena, sharedArena } from "../../lib/compute/arena.ts";
import { GatedTraining } from "../../lib/compute/gated_training.ts";
import { Plan } from "../../lib/compute/plan.ts";
import { BatchPlan } from "../../lib/model/fast/batch_plan.ts";
import { randomArray, randomDense, randomInput, randomLstm } from "./random_layers.ts";

const sizes = { batch: 3, timesteps: 5, inputSize: 4 };
const layers = [randomLstm(6, 4), randomDense(3, 6)];

Deno.test("10 000 runs of a plan leave WASM's memory as large as it was", () => {
  const plan = new Plan(layers, sizes);
  const x = randomInput(sizes);
  plan.run(x);
  const { bytes } = sharedArena();
  for (let k = 0; k < 10_000; k++) plan.run(x);
  assertEquals(sharedArena().bytes, bytes);
});

Deno.test("10 000 training steps leave WASM's memory as large as it was", () => {
  const layer = randomLstm(6, 4);
  const training = new GatedTraining(layer, sizes);
  const x = randomInput(sizes);
  const gradient = randomArray(18, 1, 1);
  training.forward(x, layer).backward(gradient);
  const { bytes } = sharedArena();
  for (let k = 0; k < 10_000; k++) training.forward(x, layer).backward(gradient);
  assertEquals(sharedArena().bytes, bytes);
});

Deno.test("10 000 plans stay within the budget, and the first still computes the same", () => {
  const budget = 2 ** 20;
  const arena = new Arena("simd", budget);
  const x = randomInput(sizes);
  const first = new Plan(layers, sizes, arena);
  const expected = first.run(x);
  for (let k = 0; k < 10_000; k++) new Plan(layers, sizes, arena).run(x);
  assert(arena.bytes <= 2 * budget, `${arena.bytes} bytes`);
  assert(arena.generation > 10, "the arena started over");
  assertEquals(first.run(x), expected);
});

Deno.test("a plan larger than the budget works, and so do others beside it", () => {
  const arena = new Arena("simd", 10_000);
  const x = randomInput(sizes);
  const plans = [1, 2, 3].map(() => new Plan([randomLstm(40, 4)], sizes, arena));
  const results = [0, 1, 2, 2, 1, 0].map((k) => plans[k]!.run(x));
  for (const result of results) assertEquals(result, results[0]);
});

Deno.test("a plan's refresh() reads changed weights, with and without a fresh start", () => {
  const arena = new Arena("simd", 100_000);
  const layer = randomLstm(6, 4);
  const x = randomInput(sizes);
  const plan = new Plan([layer], sizes, arena);
  const before = plan.run(x);
  layer.kernel[0]! += 0.5;
  assertEquals(plan.run(x), before, "packed weights are a copy");
  plan.refresh();
  const after = plan.run(x);
  assert(after.some((value, k) => value !== before[k]));
  assertEquals(new Plan([layer], sizes, arena).run(x), after);
});

Deno.test("a plan holds what its documentation says", () => {
  const arena = new Arena("simd");
  const { batch, timesteps, inputSize } = { batch: 16, timesteps: 100, inputSize: 8 };
  const plan = new Plan(
    [{ ...randomLstm(64, 8), record: true }],
    { batch, timesteps, inputSize },
    arena,
  );
  const [units, row] = [64, 80]; // a row of h takes an odd number of cache lines
  const x = batch * timesteps * inputSize;
  const weights = (inputSize + units + 1) * 4 * units;
  const z = 32 * batch * 4 * units; // 512 KiB are 32 timesteps
  const states = 2 * batch * (units + row);
  const records = 6 * batch * timesteps * units;
  const last = batch * units;
  const plans = 192;
  assertEquals(plan.bytes, 4 * (x + weights + z + states + records + last) + plans);
});

Deno.test("a record does not outlive its memory unnoticed", () => {
  const arena = new Arena("simd", 20_000);
  const plan = new Plan([{ ...randomLstm(6, 4), record: true }], sizes, arena);
  plan.run(randomInput(sizes));
  plan.recorded(0);
  new Plan([randomLstm(40, 4)], sizes, arena);
  assertThrows(() => plan.recorded(0), Error, "run the plan again");
});

Deno.test("what WASM cannot address is refused before anything is allocated", () => {
  const huge = { batch: 100_000, timesteps: 10_000, inputSize: 4 };
  assertThrows(() => new Plan([randomLstm(6, 4)], huge), RangeError, "4 GiB");
});

Deno.test("of a large batch, what a part holds stays within 64 MiB, and fills most of it", () => {
  const wide = { timesteps: 100, inputSize: 64 };
  const lstm = randomLstm(64, 64); // a sample's input and sequence: 4·100·(64 + 64) bytes
  const weights = new BatchPlan([lstm], { ...wide, batch: 1 }).bytes;
  const part = (batch: number) => new BatchPlan([lstm], { ...wide, batch }).bytes - weights;
  const MIB = 2 ** 20;
  const inputs = 4 * 100 * (64 + 64);
  const most = Math.floor(64 * MIB / inputs);
  assert(part(3 * most) < 64 * MIB, `${part(3 * most) / MIB} MiB`);
  assert(part(2592) >= 32 * MIB, `${part(2592) / MIB} MiB`); // two parts of 1296
});
