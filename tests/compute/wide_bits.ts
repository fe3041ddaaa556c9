// Prints what the wide tiles make of random numbers, as bits, once V8 has optimized them: wide_test.ts
// runs it with and without a flag of V8's.

import { Arena } from "../../lib/compute/arena.ts";
import { Plan } from "../../lib/compute/plan.ts";
import { useWideTiles } from "../../lib/compute/wide.ts";
import { randomInput, randomLstm } from "./random_layers.ts";

/** Run for that long: V8 optimizes what was called often, in its own time. */
const MILLISECONDS = 1500;

const sizes = { batch: 73, timesteps: 2, inputSize: 143 };
const arena = new Arena("relaxed-simd");
useWideTiles(arena.engine, true);
const plan = new Plan([randomLstm(33, sizes.inputSize)], sizes, arena);
const x = randomInput(sizes);
for (const end = performance.now() + MILLISECONDS; performance.now() < end;) plan.run(x);
console.log(new Int32Array(plan.run(x).buffer).join(" "));
