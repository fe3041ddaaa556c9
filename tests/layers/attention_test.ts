// Attention against Keras 3.15.1 (tests/fixtures/formats/keras_attention.py), and what is refused.

import {
  additiveAttention,
  attention,
  functional,
  input,
  multiHeadAttention,
} from "@gatescope/lstm";
import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { testKerasFiles } from "./keras_files.ts";

await testKerasFiles("keras_attention");

Deno.test("inputs that do not fit an attention are refused", () => {
  const [a, b, c] = [input([3, 2]), input([4, 2]), input([4, 5])];
  const refused = (make: () => unknown, message: string) => assertThrows(make, TypeError, message);
  refused(() => attention().apply([a, c]), "query and key of one size");
  refused(() => attention().apply([a, b, a]), "value and key of as many steps");
  refused(() => attention().apply(a), "takes 2 to 3 inputs");
});

Deno.test("with useCausalMask what comes later is nothing to a step", () => {
  const x = input([3, 2]);
  const layers = [
    attention({ useCausalMask: true }),
    attention({ useCausalMask: true, scoreMode: "concat" }),
    additiveAttention({ useCausalMask: true }),
    multiHeadAttention({ numHeads: 2, keyDim: 2, useCausalMask: true }),
  ];
  for (const layer of layers) {
    const model = functional(x, layer.apply([x, x]), { seed: 1, precision: "float64" });
    const [one, two] = [7, -9].map((last) => model.predict([[[1, 2], [3, 5], [last, 4]]]));
    assertEquals(one!.at(0, 0).toArray(), two!.at(0, 0).toArray());
    assertEquals(one!.at(0, 1).toArray(), two!.at(0, 1).toArray());
    assertNotEquals(one!.at(0, 2).toArray(), two!.at(0, 2).toArray());
  }
});
