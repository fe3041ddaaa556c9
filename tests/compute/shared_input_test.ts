// Rows that all see the same x: the bits of a plan that is given x for each of them.

import { assertEquals, assertThrows } from "@std/assert";
import { Arena } from "../../lib/compute/arena.ts";
import { availableBuild } from "../../lib/compute/engine.ts";
import { Plan } from "../../lib/compute/plan.ts";
import { SharedInput } from "../../lib/compute/shared_input.ts";
import { useWideTiles } from "../../lib/compute/wide.ts";
import { cellNames, randomArray, randomGated, randomInput } from "./random_layers.ts";

const inputSize = 19;

for (const cell of cellNames) {
  for (const units of [9, 43]) {
    Deno.test(`any number of rows on one x has the bits of as many copies: ${cell}, ${units} units`, () => {
      for (const returnSequences of [false, true]) {
        for (const goBackwards of [false, true]) {
          const form = { ...randomGated(cell, units, inputSize), returnSequences, goBackwards };
          const arena = new Arena(availableBuild()!);
          const shared = new SharedInput(form, inputSize, arena);
          for (const [rows, timesteps] of [[2, 5], [53, 11], [7, 1], [300, 3], [6, 40], [1, 3]]) {
            const x = randomInput({ batch: 1, timesteps: timesteps!, inputSize });
            const start = Array.from(
              { length: cell === "lstm" ? 2 : 1 },
              (_, k) => randomArray(rows! * units, 1, k + rows!),
            );
            const sizes = { batch: rows!, timesteps: timesteps!, inputSize };
            const plan = new Plan([{ ...form, takesStates: true }], sizes, arena);
            const copies = new Float32Array(rows! * x.length);
            for (let n = 0; n < rows!; n++) copies.set(x, n * x.length);
            for (const wide of [0, 1]) {
              useWideTiles(arena.engine, wide === 1);
              const { states, sequence } = shared.run(x, start);
              const output = plan.run(copies, start);
              assertEquals(states, plan.ends());
              assertEquals(sequence, returnSequences ? output : undefined);
            }
          }
        }
      }
    });
  }

  Deno.test(`rows on one x have the same bits in threads, and after others took the memory: ${cell}`, () => {
    const [units, rows, timesteps] = [64, 65, 12];
    const form = randomGated(cell, units, inputSize);
    const x = randomInput({ batch: 1, timesteps, inputSize });
    const start = [0, 1].slice(cell === "lstm" ? 0 : 1)
      .map((k) => randomArray(rows * units, 1, k + 7));
    const alone = new SharedInput(form, inputSize, new Arena(availableBuild()!)).run(x, start);
    const arena = new Arena(availableBuild()!, 2 ** 20);
    const shared = new SharedInput(form, inputSize, arena);
    assertEquals(arena.setThreads(3, 30_000), undefined);
    try {
      assertEquals(shared.run(x, start), alone);
      arena.reserve(2 ** 20);
      arena.floats.fill(NaN, 2 ** 16);
      assertEquals(shared.run(x, start), alone);
    } finally {
      arena.setThreads(1);
    }
    assertEquals(shared.run(x, start), alone);
    assertThrows(() => shared.run(x.subarray(1), start), TypeError, "x must hold");
  });
}
