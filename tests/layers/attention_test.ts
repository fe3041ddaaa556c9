// Attention against Keras 3.15.1 (tests/fixtures/formats/keras_attention.py), and what is refused.

import { attention, functional, input, masking, multiHeadAttention } from "@gatescope/lstm";
import { assertThrows } from "@std/assert";
import { testKerasFiles } from "./keras_files.ts";

await testKerasFiles("keras_attention");

Deno.test("inputs that do not fit an attention are refused, and a mask before several heads", () => {
  const [a, b, c] = [input([3, 2]), input([4, 2]), input([4, 5])];
  const refused = (make: () => unknown, message: string) => assertThrows(make, TypeError, message);
  refused(() => attention().apply([a, c]), "query and key of one size");
  refused(() => attention().apply([a, b, a]), "value and key of as many steps");
  refused(() => attention().apply(a), "takes 2 to 3 inputs");
  const x = masking().apply(a);
  const masked = functional(a, multiHeadAttention({ numHeads: 1, keyDim: 2 }).apply([x, x]));
  refused(() => masked.predict([[[0, 0], [1, 2], [3, 4]]]), "all steps of its inputs must count");
});
