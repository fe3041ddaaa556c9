import { assert, assertEquals, assertRejects } from "@std/assert";
import { CutOff, Turns } from "../../lib/display/turns.ts";

const never = new Promise<never>(() => {});
const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Computes for a while, without a turn of the event loop. */
function compute(ms: number): void {
  for (const start = performance.now(); performance.now() - start < ms;);
}

Deno.test("Turns tells of a run that was cut off while it computed, within a second", async () => {
  const turns = new Turns();
  const start = performance.now();
  await assertRejects(() => turns.guard(() => never, true), CutOff);
  assert(performance.now() - start < 1000);
});

Deno.test("Turns tells of a run whose turn never ends", async () => {
  const turns = new Turns();
  const immediate = globalThis.setImmediate;
  try {
    await assertRejects(
      () =>
        turns.guard(async () => {
          compute(60);
          globalThis.setImmediate = (() => {}) as unknown as typeof immediate;
          await turns.turn();
        }, true),
      CutOff,
    );
  } finally {
    globalThis.setImmediate = immediate;
  }
});

Deno.test("Turns leaves a run alone that computes, takes turns, and waits for others", async () => {
  const turns = new Turns();
  const result = await turns.guard(async () => {
    compute(300);
    for (let round = 0; round < 5; round++) {
      await turns.turn();
      compute(60);
    }
    await turns.elsewhere(after(400));
    return "done";
  }, true);
  assertEquals(result, "done");
});
