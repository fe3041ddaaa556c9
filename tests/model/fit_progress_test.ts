import { assertEquals } from "@std/assert";
import { fitProgress } from "../../lib/model/training/fit_progress.ts";

/** The line after the first batch that a run trains, a second after it began. */
function lineOf(done: number): string {
  const { log } = console;
  const now = performance.now;
  let [clock, line] = [5000, ""];
  console.log = (text: string) => void (line = text);
  performance.now = () => clock;
  try {
    const options = { epochs: 3, initialEpoch: 0, batchSize: 2, validationSplit: 0 };
    const progress = fitProgress({ ...options, shuffle: true, verbose: true }, 10);
    clock += 1000;
    progress.update(
      1,
      { epoch: 1, done, lossSum: done, correct: 0, counted: 0, order: [] } as never,
    );
    return line;
  } finally {
    console.log = log;
    performance.now = now;
  }
}

Deno.test("the time left goes by what this run has trained, not by what it found done", () => {
  // one batch of 2 samples in a second; of 30 samples in 3 epochs, 22 and 28 are left
  assertEquals(lineOf(8), "epoch 1/3 · batch 4/5 · loss 1 · 11 s left"); // 6 were done before
  assertEquals(lineOf(2), "epoch 1/3 · batch 1/5 · loss 1 · 14 s left");
});
