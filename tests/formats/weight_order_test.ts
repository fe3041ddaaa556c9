import { bidirectional, type Layer, lstm, UnreadableFileError } from "@gatescope/lstm";
import { assertEquals, assertThrows } from "@std/assert";
import type { Converted } from "../../lib/formats/conversion.ts";
import { orderedByName } from "../../lib/formats/weight_order.ts";

const placed = (layer: Layer) => ({ name: "it", layer, weights: layer.weights([null, 1]) });
const arrays = (...names: string[]) => names.map((from) => ({ from }) as unknown as Converted);
const namesOf = (found: readonly Converted[]) => found.map(({ from }) => from);

Deno.test("arrays go to a layer's weights by their names, in whatever order the file has them", () => {
  const [kernel, recurrent, bias] = ["lstm/kernel:0", "lstm/recurrent_kernel:0", "lstm/bias:0"];
  const found = orderedByName(placed(lstm({ units: 2 })), arrays(bias, kernel, recurrent));
  assertEquals(namesOf(found), [kernel, recurrent, bias]);
});

Deno.test("names that say another weight, or not which half, are refused", () => {
  const refuses = (layer: Layer, ...names: string[]) =>
    assertThrows(
      () => orderedByName(placed(layer), arrays(...names)),
      UnreadableFileError,
      "must tell",
    );
  refuses(lstm({ units: 2 }), "lstm/kernel", "lstm/recurrent_kernel", "lstm/gamma");
  refuses(lstm({ units: 2 }), "lstm/kernel", "lstm/kernel", "lstm/bias");
  const kinds = ["kernel", "recurrent_kernel", "bias"];
  const halves = (first: string, second: string) =>
    [first, second].flatMap((half) => kinds.map((kind) => `bi/${half}/${kind}`));
  const both = bidirectional(lstm({ units: 2 }));
  refuses(both, ...halves("first", "second"));
  refuses(both, ...halves("forward_lstm", "forward_lstm"));
  const named = orderedByName(placed(both), arrays(...halves("backward_lstm", "mine")));
  assertEquals(namesOf(named), halves("mine", "backward_lstm"));
});
