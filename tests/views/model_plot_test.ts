import { assert, assertEquals, assertFalse, assertStringIncludes, assertThrows } from "@std/assert";
import {
  addition,
  bidirectional,
  concatenate,
  defineLayer,
  dense,
  functional,
  globalAveragePooling1D,
  globalMaxPooling1D,
  input,
  lstm,
  type Model,
  plotModel,
  sequential,
  toSvg,
} from "@gatescope/lstm";
import { layoutGraph } from "../../lib/views/graph_layout.ts";
import { seededRandom } from "../../lib/tensor/random.ts";

/** Two inputs, a residual, a layer used twice. */
function branching(name = "price"): Model {
  const [series, more] = [input([20, 3]), input([5])];
  const first = lstm({ units: 8, returnSequences: true }).apply(series);
  const second = lstm({ units: 8, returnSequences: true }).apply(first);
  const joined = addition().apply([second, first]);
  const shared = dense({ units: 4, name: "shared" });
  const pooled = [globalAveragePooling1D(), globalMaxPooling1D()].map((layer) =>
    shared.apply(layer.apply(joined))
  );
  const all = concatenate().apply([...pooled, more]);
  return functional([series, more], dense({ units: 1, name }).apply(all));
}

Deno.test("plotModel() draws a box for each input and each use of a layer, and says what goes into it", () => {
  const lines = plotModel(branching()).text.split("\n");
  assertEquals(lines, [
    "Model: functional",
    "- input_layer (None, 20, 3)",
    "- input_layer_1 (None, 5)",
    "- lstm (LSTM) (None, 20, 8) · 384 parameters ← input_layer",
    "- lstm_1 (LSTM) (None, 20, 8) · 544 parameters ← lstm",
    "- add (Add) (None, 20, 8) ← lstm_1, lstm",
    "- global_average_pooling1d (GlobalAveragePooling1D) (None, 8) ← add",
    "- shared (Dense) (None, 4) · 36 parameters ← global_average_pooling1d",
    "- global_max_pooling1d (GlobalMaxPooling1D) (None, 8) ← add",
    "- shared:2 (Dense) (None, 4) · the same weights ← global_max_pooling1d",
    "- concatenate (Concatenate) (None, 13) ← shared, shared:2, input_layer_1",
    "- price (Dense) (None, 1) · 14 parameters ← concatenate; output",
  ]);
});

Deno.test("plotModel() names the states that go from an encoder to a decoder, forward and backward", () => {
  const [source, target] = [input([null, 5]), input([null, 7])];
  const [, h, c] = lstm({ units: 4, returnState: true, name: "encoder" }).applyAll(source);
  const decoded = lstm({ units: 4, name: "decoder" }).apply([target, h!, c!]);
  const both = functional([source, target], decoded);
  assertStringIncludes(
    plotModel(both).text,
    "← input_layer_1, encoder (hiddenState, cellState); output",
  );
  const [, ...states] = bidirectional(lstm({ units: 4, returnState: true })).applyAll(source);
  const two = bidirectional(lstm({ units: 4 })).apply([target, ...states]);
  assertStringIncludes(
    plotModel(functional([source, target], two)).text,
    "(forward hiddenState, forward cellState, backward hiddenState, backward cellState)",
  );
  const given = input([4]);
  const inference = functional(
    [target, given],
    lstm({ units: 4 }).apply([target, given, given]),
  );
  assertStringIncludes(plotModel(inference).text, "← input_layer, input_layer_1; output");
});

Deno.test("plotModel() takes a layer's further results for states where it is recurrent alone", () => {
  const halves = defineLayer({
    className: "Halves",
    outputShape: () => [2],
    resultShapes: () => [[2], [2]],
    run: (o, [x]) => ({ outputs: o.blocks(x!, 2) }),
  });
  const x = input([4], { name: "x (raw)" });
  const [, second] = halves.applyAll(x);
  const { text } = plotModel(functional([x], dense({ units: 1 }).apply(second!)));
  assertEquals(text.split("\n").slice(2), [
    "- halves (Halves) (None, 2) ← x (raw)",
    "- dense (Dense) (None, 1) · 3 parameters ← halves; output",
  ]);
});

Deno.test("plotModel() shows a name as the text it is", async () => {
  const svg = await toSvg(plotModel(branching(`</svg><script>alert(1)</script>$x$`)));
  assertFalse(svg.includes("<script>"));
  assertStringIncludes(svg, "&lt;script&gt;");
});

Deno.test("plotModel() says what it wants where it gets something else", () => {
  assertThrows(() => plotModel({} as Model), TypeError, "Cannot plot a model: the model must be");
  const model = sequential([dense({ units: 1 })], { inputShape: [2] });
  assertThrows(
    () => plotModel(model, { width: 300 }),
    RangeError,
    "Cannot plot a model: width must be a whole number of pixels from 392 on, where its boxes",
  );
});

Deno.test("In 200 random graphs no box overlaps another, and no line goes through a box", () => {
  const random = seededRandom(5);
  const below = (limit: number) => Math.floor(random.uniform() * limit);
  const gap = 20;
  for (let round = 0; round < 200; round++) {
    const boxes = Array.from({ length: 2 + below(25) }, (_, k) => ({
      width: 40 + below(200),
      above: k === 0 ? [] : [...new Set(Array.from({ length: below(4) }, () => below(k)))],
    }));
    const { boxes: places, lines, width, levels } = layoutGraph(boxes, gap);
    const sideOf = (
      k: number,
    ) => [places[k]!.x - boxes[k]!.width / 2, places[k]!.x + boxes[k]!.width / 2];
    for (const [k, { level }] of places.entries()) {
      const [left, right] = sideOf(k) as [number, number];
      assert(left >= -1e-6 && right <= width + 1e-6 && level >= 0 && level < levels);
      for (const above of boxes[k]!.above) assert(places[above]!.level < level);
      for (let other = 0; other < k; other++) {
        if (places[other]!.level !== level) continue;
        const [otherLeft, otherRight] = sideOf(other) as [number, number];
        assert(otherRight + gap <= left + 1e-6 || right + gap <= otherLeft + 1e-6);
      }
      for (const xs of lines[k]!) {
        for (const [i, x] of xs.entries()) {
          if (i === 0 || i === xs.length - 1) continue;
          const passed = level - xs.length + 1 + i;
          const hit = places.findIndex((box, b) =>
            box.level === passed && Math.abs(box.x - x) < boxes[b]!.width / 2
          );
          assertEquals(hit, -1);
        }
      }
    }
  }
});

Deno.test("a plot's key says what is in it alone", () => {
  const key = (model: Model) =>
    JSON.stringify(plotModel(model).layout).match(/Thick edge[^"]*/)![0];
  const plain = sequential([dense({ units: 1 })], { inputShape: [2] });
  assertEquals(key(plain), "Thick edge: output");
  const recurrent = sequential([lstm({ units: 2 })], { inputShape: [3, 2] });
  assertEquals(key(recurrent), "Thick edge: output; blue: recurrent");
});
