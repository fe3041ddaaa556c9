import {
  arange,
  gateOrders,
  type Gates,
  gruOrders,
  joinGates,
  splitGates,
  tensor,
} from "@gatescope/lstm";
import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";

Deno.test("splitGates() finds each framework's blocks along the axis asked for", () => {
  const bias = [1, 2, 3, 4];
  const values = (gates: Gates) =>
    [gates.input, gates.forget, gates.candidate, gates.output].map((g) => g.item(0));
  assertEquals(values(splitGates(bias)), [1, 2, 3, 4]); // i f c o
  assertEquals(values(splitGates(bias, "pytorch")), [1, 2, 3, 4]); // i f g o
  assertEquals(values(splitGates(bias, "onnx")), [1, 3, 4, 2]); // i o f c
  assertEquals(values(splitGates(bias, "flax")), [1, 2, 3, 4]); // i f g o
  assertEquals(values(splitGates(bias, "equinox")), [1, 2, 3, 4]); // i f g o
  assertEquals(values(splitGates(bias, "haiku")), [1, 3, 2, 4]); // i g f o
  assertEquals(values(splitGates(bias, "tf1")), [1, 3, 2, 4]); // i j f o
  assertEquals(values(splitGates(bias, "coreml")), [1, 2, 4, 3]); // i f o z
  const torch = arange(16).reshape([8, 2]); // [4·units, inputSize]
  assertEquals(splitGates(torch, "pytorch", { axis: 0 }).candidate.toArray(), [[8, 9], [10, 11]]);
  const onnx = arange(16).reshape([1, 8, 2]); // [dirs, 4·units, inputSize]
  assertEquals(splitGates(onnx, "onnx", { axis: 1 }).forget.toArray(), [[[8, 9], [10, 11]]]);
});

Deno.test("splitGates() finds each framework's blocks of a GRU, and joinGates() puts them back", () => {
  const bias = [1, 2, 3];
  const orders = {
    keras: [1, 2, 3], // z r h
    pytorch: [2, 1, 3], // r z n
    onnx: [1, 2, 3], // z r h
    coreml: [1, 2, 3], // z r o
    cudnn: [2, 1, 3], // r i n
  } as const;
  assertEquals(Object.keys(orders).sort(), Object.keys(gruOrders).sort());
  for (const [name, values] of Object.entries(orders)) {
    const order = name as keyof typeof orders;
    const { update, reset, candidate } = splitGates(bias, order, { cell: "gru" });
    assertEquals([update, reset, candidate].map((gate) => gate.item(0)), [...values]);
    const fused = arange(36).reshape([2, 6, 3]);
    for (const axis of [1, 2, -1]) {
      const gates = splitGates(fused, order, { axis, cell: "gru" });
      assertEquals(joinGates(gates, order, { axis }).toArray(), fused.toArray());
    }
  }
  assertThrows(() => splitGates(arange(4), "keras", { cell: "gru" }), TypeError, "multiple of 3");
});

Deno.test("joinGates() undoes splitGates() for every order and axis, and keeps float32", () => {
  for (const order of Object.keys(gateOrders) as (keyof typeof gateOrders)[]) {
    for (const axis of [0, 1, 2, -1]) {
      const fused = tensor(Float32Array.from({ length: 8 * 12 * 4 }, (_, k) => k), [8, 12, 4]);
      const joined = joinGates(splitGates(fused, order, { axis }), order, { axis });
      assertEquals(joined.toArray(), fused.toArray());
      assertInstanceOf(joined.data, Float32Array);
    }
  }
});

Deno.test("what cannot be split or joined is refused, the wrong order by the names there are", () => {
  assertThrows(
    () => splitGates(arange(16 * 201).reshape([16, 201])),
    TypeError,
    "Cannot split gates: the last axis must be a multiple of 4, but the shape is [16, 201]",
  );
  assertThrows(() => splitGates(arange(4), "torch" as never), RangeError, "pytorch");
  assertThrows(() => splitGates(arange(4), "keras", { axis: 1 }), RangeError, "the axis is 1");
  const gates = splitGates(arange(8));
  assertThrows(() => joinGates({ ...gates, forget: arange(3) }), TypeError, "forget [3]");
});
