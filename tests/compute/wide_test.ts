// The wide tiles must do what the others do, bit for bit, whether or not V8 makes 256-bit code of
// them: which are used depends on the machine alone.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { Arena } from "../../lib/compute/arena.ts";
import { DenseTraining } from "../../lib/compute/dense_training.ts";
import { availableBuild } from "../../lib/compute/engine.ts";
import { GatedTraining } from "../../lib/compute/gated_training.ts";
import { INITIAL_PAGES, MOST_THREADS, SCRATCH_BYTES } from "../../lib/compute/memory_map.ts";
import { Plan } from "../../lib/compute/plan.ts";
import { useWideTiles, wideModule } from "../../lib/compute/wide.ts";
import {
  cellNames,
  fast,
  randomArray,
  randomDense,
  randomGated,
  randomInput,
} from "./random_layers.ts";

const ignore = availableBuild() !== "relaxed-simd";

/** Rows and depths around what a tile has: 6 rows, 64 and 32 k, 72 rows at a time; one row over, two, and more. */
const SIZES = [
  { batch: 6, timesteps: 2, inputSize: 32, units: 16 },
  { batch: 8, timesteps: 1, inputSize: 31, units: 32 },
  { batch: 9, timesteps: 2, inputSize: 64, units: 40 },
  { batch: 13, timesteps: 3, inputSize: 65, units: 20 },
  { batch: 73, timesteps: 2, inputSize: 33, units: 49 },
  { batch: 142, timesteps: 1, inputSize: 143, units: 33 },
  { batch: 3, timesteps: 20, inputSize: 130, units: 5 },
];

/** What is computed by an arena's engine, as bits. */
function bitsOf(compute: (arena: Arena) => readonly Float32Array[], wide: boolean) {
  const arena = new Arena("relaxed-simd");
  useWideTiles(arena.engine, wide);
  const scratch = new Int32Array(arena.engine.memory.buffer, 0, SCRATCH_BYTES / 4);
  scratch.fill(-1);
  const bits = compute(arena).map((numbers) => new Int32Array(numbers.buffer));
  return { bits, wasUsed: scratch.some((number) => number !== -1) };
}

function assertSameBits(compute: (arena: Arena) => readonly Float32Array[]): void {
  const [narrow, wide] = [bitsOf(compute, false), bitsOf(compute, true)];
  assertEquals([narrow.wasUsed, wide.wasUsed], [false, true]);
  assertEquals(wide.bits, narrow.bits);
}

for (const cellName of cellNames) {
  Deno.test({
    name: `${cellName}: narrow and wide tiles give the same bits, forward and back`,
    ignore,
    fn() {
      for (const sizes of SIZES) {
        const layer = { ...randomGated(cellName, sizes.units, sizes.inputSize), record: true };
        const x = randomInput(sizes);
        assertSameBits((arena) => {
          const plan = new Plan([layer], sizes, arena);
          const h = plan.run(x);
          return [h, ...plan.recorded(0)];
        });
        assertSameBits((arena) => {
          const { output, backward } = new GatedTraining(layer, sizes, arena).forward(x, layer);
          const { start, ...gradients } = backward(randomArray(output.length, 1, 7));
          return [output, ...Object.values(gradients), ...start];
        });
      }
    },
  });
}

Deno.test({
  name: "dense: narrow and wide tiles give the same bits, forward and back",
  ignore,
  fn() {
    for (
      const { batch: rows, inputSize, units } of SIZES.filter(({ batch, inputSize }) =>
        batch >= 6 && inputSize >= 32
      )
    ) {
      const layer = { ...randomDense(units, inputSize), activation: fast("relu") };
      const x = randomArray(rows * inputSize, 1.7, 6);
      assertSameBits((arena) => {
        const { output, backward } = new DenseTraining(layer, rows, inputSize, arena)
          .forward(x, layer);
        return [output, ...Object.values(backward(randomArray(output.length, 1, 7)))];
      });
    }
  },
});

Deno.test({
  name: "each thread's wide tiles have fixed addresses of their own",
  ignore,
  fn() {
    const memory = new WebAssembly.Memory({ initial: 6, maximum: 65536, shared: true });
    const floats = new Float32Array(memory.buffer);
    const [a, w, out] = [INITIAL_PAGES, INITIAL_PAGES + 1, INITIAL_PAGES + 2]
      .map((page) => page * 65536) as [number, number, number];
    floats.set(randomArray(6 * 96, 1, 1), a / 4);
    floats.set(randomArray(96 * 16, 1, 2), w / 4);
    const places = MOST_THREADS * SCRATCH_BYTES / 4;
    const written: number[] = [];
    for (let thread = 0; thread < MOST_THREADS; thread++) {
      floats.fill(0, 0, places);
      const { exports } = new WebAssembly.Instance(wideModule(thread), { env: { memory } });
      const { panel64, begin } = exports as Record<string, CallableFunction>;
      begin!(out, 64, 5);
      panel64!(a, 384, 6, w, out, 64, out, out, 64);
      const first = floats.findIndex((number) => number !== 0);
      const last = floats.subarray(0, places).findLastIndex((number) => number !== 0);
      written.push(Math.floor(first * 4 / SCRATCH_BYTES), Math.floor(last * 4 / SCRATCH_BYTES));
    }
    assertEquals(written, Array.from({ length: 2 * MOST_THREADS }, (_, k) => k >> 1));
  },
});

Deno.test({
  name: "the wide tiles give the same bits with --experimental-wasm-revectorize",
  ignore,
  async fn() {
    const script = new URL("wide_bits.ts", import.meta.url).pathname;
    const run = async (...flags: string[]) => {
      const { success, stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--quiet", "--no-check", ...flags, script],
        stderr: "inherit",
      }).output();
      assert(success);
      return new TextDecoder().decode(stdout);
    };
    const bits = await run();
    assertNotEquals(bits, "");
    assertEquals(await run("--v8-flags=--experimental-wasm-revectorize"), bits);
  },
});
