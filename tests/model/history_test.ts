import { dense, type FitOptions, lstm, sequential } from "@gatescope/lstm";
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { MediaBundle } from "../../lib/display/view.ts";

async function historyOf(options: FitOptions) {
  const layers = [lstm({ units: 2 }), dense({ units: 2, activation: "softmax" })];
  const model = sequential(layers, { inputShape: [1, 1], seed: 3 });
  const loss = "sparse_categorical_crossentropy";
  model.compile({ optimizer: "adam", loss, metrics: ["accuracy"] });
  return await model.fit([[[1]], [[2]], [[3]], [[4]]], [0, 1, 0, 1], options);
}

Deno.test("a History shows itself as a chart of its losses, and tells them in text", async () => {
  const history = await historyOf({ epochs: 3, validationSplit: 0.5 });
  const text = Deno.inspect(history);
  assertStringIncludes(text, "in 3 epochs, accuracy");
  assertStringIncludes(text, "line loss: 3 points, x 1 to 3");
  assertStringIncludes(text, "line validation loss: 3 points");
  const show = (history as unknown as Record<symbol, () => Promise<MediaBundle>>)[
    Symbol.for("Jupyter.display")
  ]!;
  const media = await show.call(history);
  assertStringIncludes(media["text/html"] as string, "validation loss");
});

Deno.test("a History of no or one epoch, or stopped, says so", async () => {
  const signal = AbortSignal.abort();
  const history = await historyOf({ epochs: 3, signal });
  assertEquals(Deno.inspect(history), "History: no epoch was finished, stopped");
  assertEquals([history.epoch, history.loss, history.aborted], [[], [], true]);
  assertStringIncludes(Deno.inspect(await historyOf({})), "in 1 epoch,");
});

Deno.test("a History's lists are named as its reports, and only what was measured is there", async () => {
  const history = await historyOf({ epochs: 2, initialEpoch: 1 });
  assertEquals(Object.keys(history), ["epoch", "loss", "accuracy", "aborted"]);
  assertEquals(history.epoch, [2]);
});
