// Threads: what several compute is what one computes, whatever becomes of a worker.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Arena } from "../../lib/compute/arena.ts";
import { DenseTraining } from "../../lib/compute/dense_training.ts";
import { availableBuild } from "../../lib/compute/engine.ts";
import type { GatedLayer, SequenceSizes } from "../../lib/compute/gated_layer.ts";
import { GatedTraining } from "../../lib/compute/gated_training.ts";
import { SCRATCH_BYTES } from "../../lib/compute/memory_map.ts";
import { Plan } from "../../lib/compute/plan.ts";
import { useWideTiles } from "../../lib/compute/wide.ts";
import { cellNames, randomArray, randomDense, randomGated, randomInput } from "./random_layers.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

const START_MS = 30_000;
/** Large enough to be worth threads, and no multiple of anything. */
const sizes: SequenceSizes = { batch: 37, timesteps: 23, inputSize: 19 };
const units = 43;
const x = randomInput(sizes);

/** An arena that computes in so many threads, all of which have started. */
class ThreadedArena extends Arena implements Disposable {
  constructor(threads: number, budget?: number) {
    super(availableBuild()!, budget);
    assertEquals(this.setThreads(threads, START_MS), undefined);
  }

  [Symbol.dispose](): void {
    this.setThreads(1);
  }
}

/** The workers that come up while `run` runs, of a class of one's own in place of Worker. */
async function withWorkers<T>(
  run: (workers: Worker[]) => T | Promise<T>,
  program = (text: string) => text,
): Promise<T> {
  const { Worker } = globalThis;
  const workers: Worker[] = [];
  globalThis.Worker = class extends Worker {
    constructor(address: string | URL, options?: WorkerOptions) {
      const [head, text] = String(address).split(",") as [string, string];
      super(`${head},${encodeURIComponent(program(decodeURIComponent(text)))}`, options);
      workers.push(this);
    }
  };
  try {
    return await run(workers);
  } finally {
    globalThis.Worker = Worker;
  }
}

for (const cell of cellNames) {
  const layer: GatedLayer = randomGated(cell, units, sizes.inputSize);
  const start = [0, 1].map((k) => randomArray(sizes.batch * units, 1, k + 7));

  Deno.test(`predictions have the same bits with 1, 2, 3 and 5 threads: ${cell}`, () => {
    const layers = [{ ...layer, returnSequences: true, record: true }, randomDense(5, units)];
    const taking = { ...layer, takesStates: true, goBackwards: true };
    const run = (arena: Arena) => {
      const [plan, other] = [new Plan(layers, sizes, arena), new Plan([taking], sizes, arena)];
      const [y, h] = [plan.run(x), other.run(x, start)];
      return [y, h, ...other.ends()];
    };
    const records = (arena: Arena) => {
      const plan = new Plan(layers, sizes, arena);
      plan.run(x);
      return plan.recorded(0);
    };
    const alone = new Arena(availableBuild()!);
    for (const threads of [2, 3, 5]) {
      using arena = new ThreadedArena(threads);
      assertEquals(run(arena), run(alone));
      assertEquals(records(arena), records(alone));
    }
  });

  Deno.test(`training in threads: gradients within 1e-5 of one thread's, always the same bits: ${cell}`, () => {
    for (const takesStates of [false, true]) {
      for (const returnSequences of [false, true]) {
        const form = { ...layer, takesStates, returnSequences };
        const train = (arena: Arena) => {
          const states = takesStates ? start.slice(0, cell === "lstm" ? 2 : 1) : [];
          const run = new GatedTraining(form, sizes, arena).forward(x, layer, states);
          const gradient = randomArray(run.output.length, 1, 5);
          return { output: run.output, ...run.backward(gradient) };
        };
        const alone = train(new Arena(availableBuild()!));
        using arena = new ThreadedArena(3);
        const together = train(arena);
        assertEquals(together.output, alone.output);
        assertEquals(together.x, alone.x, "each sample's gradient is its own");
        assertEquals(together.start, alone.start);
        for (const name of ["kernel", "recurrentKernel", "bias"] as const) {
          const largest = Math.max(...alone[name].map(Math.abs));
          const off = alone[name].map((value, k) => Math.abs(value - together[name][k]!));
          assert(Math.max(...off) <= 1e-5 * largest, `${name}: ${Math.max(...off)}`);
        }
        for (let k = 0; k < 3; k++) assertEquals(train(arena), together);
      }
    }
  });
}

Deno.test("a dense layer's training in threads is that of one thread", () => {
  const [rows, depth] = [1001, 131];
  const layer = randomDense(37, depth);
  const input = randomArray(rows * depth, 1, 3);
  const train = (arena: Arena) => {
    const run = new DenseTraining(layer, rows, depth, arena).forward(input, layer);
    return { output: run.output, ...run.backward(randomArray(rows * 37, 1, 4)) };
  };
  const alone = train(new Arena(availableBuild()!));
  using arena = new ThreadedArena(2);
  const together = train(arena);
  assertEquals([together.output, together.x], [alone.output, alone.x]);
  for (const name of ["kernel", "bias"] as const) {
    const largest = Math.max(...alone[name].map(Math.abs));
    const off = alone[name].map((value, k) => Math.abs(value - together[name][k]!));
    assert(Math.max(...off) <= 1e-5 * largest);
  }
  assertEquals(train(arena), together);
});

Deno.test("plans and training of one thread go on in two, and in one again", () => {
  const layer = randomGated("lstm", units, sizes.inputSize);
  using arena = new ThreadedArena(1);
  const [plan, training] = [
    new Plan([layer], sizes, arena),
    new GatedTraining(layer, sizes, arena),
  ];
  const [expected, before] = [plan.run(x), training.forward(x, layer)];
  const gradient = randomArray(before.output.length, 1, 5);
  const alone = before.backward(gradient);
  for (const threads of [2, 1, 3, 1]) {
    arena.setThreads(threads, START_MS);
    assertEquals(plan.run(x), expected);
    const { kernel } = before.backward(gradient);
    if (threads === 1) assertEquals(kernel, alone.kernel);
    plan.refresh();
    assertEquals(plan.run(x), expected);
  }
});

Deno.test("10 000 predictions in two threads leave WASM's memory as large as it was", () => {
  const small = { batch: 16, timesteps: 8, inputSize: 32 };
  const plan0 = randomGated("lstm", 96, 32);
  using arena = new ThreadedArena(2);
  const plan = new Plan([plan0], small, arena);
  const input = randomInput(small);
  const expected = plan.run(input);
  const { bytes } = arena;
  for (let k = 0; k < 10_000; k++) plan.run(input);
  assertEquals(arena.bytes, bytes);
  assertEquals(plan.run(input), expected);
});

Deno.test("a memory that starts over and grows is seen by every thread", () => {
  using arena = new ThreadedArena(2, 2 ** 20);
  for (let k = 1; k < 40; k++) {
    const layer = randomGated("lstm", units + 4 * k, sizes.inputSize);
    const expected = new Plan([layer], sizes, new Arena(availableBuild()!)).run(x);
    assertEquals(new Plan([layer], sizes, arena).run(x), expected);
  }
});

const layer = randomGated("gru", units, sizes.inputSize);
const expected = new Plan([layer], sizes, new Arena(availableBuild()!)).run(x);
const gradient = randomArray(expected.length, 1, 5);

/** Everything once in two threads. */
function predictAndTrain(arena: Arena) {
  return {
    prediction: new Plan([layer], sizes, arena).run(x),
    gradients: new GatedTraining(layer, sizes, arena).forward(x, layer).backward(gradient),
  };
}

function expectedOf(threads: number) {
  using arena = new ThreadedArena(threads);
  return predictAndTrain(arena);
}

/** Lets the workers begin their parts before the main thread ends its own. */
function withoutHaste(arena: Arena, whenBegun = () => {}): void {
  const engine = arena.engine as { -readonly [K in keyof Arena["engine"]]: Arena["engine"][K] };
  for (const name of ["forward", "gatedBackward"] as const) {
    const make = engine[name] as (...given: number[]) => void;
    engine[name] = (...given: number[]) => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
      whenBegun();
      make(...given);
    };
  }
}

// In Deno 2.9.6 terminate() does not stop what a worker computes; so those below end by themselves.
Deno.test("workers that are terminated in the middle of their parts cost nothing but time", async () => {
  const wanted = expectedOf(3);
  await withWorkers((workers) => {
    using arena = new ThreadedArena(3);
    withoutHaste(arena, () => workers.forEach((worker) => worker.terminate()));
    for (let k = 0; k < 3; k++) assertEquals(predictAndTrain(arena), wanted);
  });
});

for (
  const [what, program] of [
    ["stops for ever in its part", ["exports[name](", "for (;;); exports[name]("]],
    ["throws in its part", ["exports[name](", "throw new Error('worker'); exports[name]("]],
    ["ends after its part", ["turn(3, 1);", "turn(3, 1); return close();"]],
  ] as const
) {
  Deno.test(`a worker that ${what} costs nothing but time, and is replaced`, async () => {
    const wanted = expectedOf(2);
    await withWorkers((workers) => {
      using arena = new ThreadedArena(2);
      withoutHaste(arena);
      const end = performance.now() + START_MS;
      do {
        assertEquals(predictAndTrain(arena), wanted);
      } while (workers.length === 1 && performance.now() < end);
      assert(workers.length > 1, "it was replaced");
      assertEquals(arena.threads, 2);
      assertEquals(predictAndTrain(arena), wanted);
    }, (text) => {
      assert(text.includes(program[0]));
      return text.replace(program[0], program[1]);
    });
  });
}

Deno.test({
  name: "each thread has wide tiles at addresses of its own: the same bits",
  ignore: availableBuild() !== "relaxed-simd",
  fn() {
    const layer = randomGated("simpleRnn", units, sizes.inputSize); // too small for a choice by time
    const expected = new Plan([layer], sizes, new Arena("relaxed-simd")).run(x);
    using arena = new ThreadedArena(2);
    withoutHaste(arena);
    const plan = new Plan([layer], sizes, arena);
    const scratch = new Int32Array(arena.engine.memory.buffer, 0, 3 * SCRATCH_BYTES / 4);
    const used = (wide: boolean) => {
      useWideTiles(arena.engine, wide);
      scratch.fill(-1);
      assertEquals(plan.run(x), expected);
      return [0, 1, 2].map((thread) => {
        const from = thread * SCRATCH_BYTES / 4;
        return scratch.subarray(from, from + SCRATCH_BYTES / 4).some((number) => number !== -1);
      });
    };
    assertEquals(used(false), [false, false, false]);
    const end = performance.now() + START_MS; // on a busy machine the worker may sleep too long
    let last: boolean[];
    do last = used(true); while (!last[1] && performance.now() < end);
    assertEquals(last, [true, true, false]);
  },
});

Deno.test("what a worker still computes for a run that was cut off does not get into the next ones", async () => {
  const wanted = expectedOf(2);
  const slow = "const end = Date.now() + 300; while (Date.now() < end);";
  await withWorkers(() => {
    using arena = new ThreadedArena(2);
    withoutHaste(arena);
    const { engine } = arena;
    const cutOff = (name: "forward" | "gatedBackward") => {
      const make = engine[name];
      (engine as Any)[name] = () => {
        (engine as Any)[name] = make;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
        throw new Error("Stop"); // as close as it gets: the kernel's Stop runs nothing after it
      };
    };
    const plan = new Plan([layer], sizes, arena);
    cutOff("forward");
    assertThrows(() => plan.run(x), Error, "Stop");
    assertEquals(plan.run(x), wanted.prediction);
    cutOff("gatedBackward");
    assertThrows(() => predictAndTrain(arena), Error, "Stop");
    assertEquals(predictAndTrain(arena), wanted);
  }, (text) => text.replace("exports[name](", `${slow} exports[name](`));
});

Deno.test("where a worker does not start, the main thread computes as many parts, and the reason is told", async () => {
  const wanted = expectedOf(2);
  await withWorkers(() => {
    const arena = new Arena(availableBuild()!);
    const problem = arena.setThreads(2, 300);
    assertEquals(problem, "a worker did not start in 300 ms");
    assertEquals(predictAndTrain(arena), wanted);
    arena.setThreads(1);
  }, () => "close()");
  await withWorkers(() => {
    globalThis.Worker = class {
      constructor() {
        throw new Error("workers are forbidden");
      }
    } as unknown as typeof Worker;
    const arena = new Arena(availableBuild()!);
    assertEquals(arena.setThreads(2, START_MS), "workers are forbidden");
    assertEquals(predictAndTrain(arena), wanted);
    arena.setThreads(1);
  });
});

Deno.test("threads do not take what is too small for them, nor a sample alone", () => {
  using arena = new ThreadedArena(4);
  assertEquals(arena.shares(64, 1000), [64]);
  assertEquals(arena.shares(64, 2.2e6), [32, 32], "a worker's waking costs as much as a million");
  assertEquals(arena.shares(1, 1e9), [1]);
  assertEquals(arena.shares(3, 1e9), [3]);
  assertEquals(arena.shares(5, 1e9), [3, 2]);
  assertEquals(arena.shares(64, 1e9), [16, 16, 16, 16]);
  assertEquals(arena.shares(63, 1e9), [16, 16, 15, 16]);
});
