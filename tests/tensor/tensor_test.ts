import { add, arange, dot, multiply, subtract, Tensor, tensor } from "@gatescope/lstm";
import { assertEquals, assertInstanceOf, assertNotStrictEquals, assertThrows } from "@std/assert";

const X = arange(24).reshape([4, 3, 2]);

Deno.test("at(), select() and item() read what NumPy's X[0], x[:, t] and X[3, 2, 1] read", () => {
  assertEquals(X.at(0).toArray(), [[0, 1], [2, 3], [4, 5]]);
  assertEquals(X.at(-1, 1).toArray(), [20, 21]);
  assertEquals(X.select(1, -1).toArray(), [[4, 5], [10, 11], [16, 17], [22, 23]]);
  assertEquals(X.select(2, 0).shape, [4, 3]);
  assertEquals(X.select(0, 2).toArray(), X.at(2).toArray());
  assertEquals(X.item(3, 2, 1), 23);
  assertEquals(tensor(7).item(), 7);
});

Deno.test("reshape() works out -1", () => {
  assertEquals(X.reshape([-1, 2]).shape, [12, 2]);
});

Deno.test("transpose() puts the axes in the order that NumPy's does, reversed without one", () => {
  assertEquals(arange(6).reshape([2, 3]).transpose().toArray(), [[0, 3], [1, 4], [2, 5]]);
  const x = arange(24).reshape([2, 3, 4]);
  // np.arange(24).reshape(2, 3, 4).transpose(…).tolist()
  assertEquals(x.transpose().toArray(), [
    [[0, 12], [4, 16], [8, 20]],
    [[1, 13], [5, 17], [9, 21]],
    [[2, 14], [6, 18], [10, 22]],
    [[3, 15], [7, 19], [11, 23]],
  ]);
  assertEquals(x.transpose([1, 0, 2]).toArray(), [
    [[0, 1, 2, 3], [12, 13, 14, 15]],
    [[4, 5, 6, 7], [16, 17, 18, 19]],
    [[8, 9, 10, 11], [20, 21, 22, 23]],
  ]);
  assertEquals(x.transpose([0, -1, -2]).toArray(), [
    [[0, 4, 8], [1, 5, 9], [2, 6, 10], [3, 7, 11]],
    [[12, 16, 20], [13, 17, 21], [14, 18, 22], [15, 19, 23]],
  ]);
  const four = arange(120).reshape([2, 3, 4, 5]).transpose([3, 1, 0, 2]);
  assertEquals(four.shape, [5, 3, 2, 4]);
  const begin = [0, 5, 10, 15, 60, 65, 70, 75, 20, 25, 30, 35, 80, 85, 90, 95, 40, 45, 50, 55];
  assertEquals([...four.data.subarray(0, 20)], begin);
});

Deno.test("transpose() copies, keeps the number kind, and takes any number of axes", () => {
  const row = tensor(new Float32Array([1, 2]));
  assertInstanceOf(row.transpose().data, Float32Array);
  assertNotStrictEquals(row.transpose().data, row.data);
  assertEquals([row.transpose().toArray(), tensor(7).transpose([]).item()], [[1, 2], 7]);
  assertEquals(new Tensor(new Int32Array(0), [2, 0, 3]).transpose().shape, [3, 0, 2]);
});

Deno.test("tensor() keeps the kind of typed arrays and copies; plain numbers become float64", () => {
  const given = new Float32Array([1, 2]);
  const copy = tensor(given);
  assertInstanceOf(copy.data, Float32Array);
  assertNotStrictEquals(copy.data, given);
  assertInstanceOf(tensor([[1], [2]]).data, Float64Array);
  assertInstanceOf(tensor(new Int32Array(2)).at(0).data, Int32Array);
  assertEquals(tensor([[], []]).shape, [2, 0]);
});

Deno.test("what is no tensor gives one error that says why", () => {
  const cases: [() => unknown, typeof TypeError | typeof RangeError, string][] = [
    [() => tensor([[1, 2], [3]]), TypeError, "all rows must be equally long"],
    [() => tensor([[1, 2], 3]), TypeError, "all rows must be equally long"],
    [() => tensor([1, [2]]), TypeError, "all rows must be equally long"],
    [
      () => tensor(["1"] as never),
      TypeError,
      'every element must be a number, but one is the text "1"',
    ],
    [() => tensor(null as never), TypeError, "but one is null"],
    [() => tensor([1n] as never), TypeError, "bigint"],
    [() => tensor([1, 2, 3], [2, 2]), TypeError, "its shape is [3]"],
    [() => new Tensor(new Float64Array(3), [2]), TypeError, "the data has 3"],
    [() => new Tensor(new Float64Array(0), [-1, 0]), TypeError, "the shape is [-1, 0]"],
    [() => X.reshape([5, -1]), TypeError, "keeps its 24 numbers"],
    [() => X.reshape([-1, -1]), TypeError, "keeps its 24 numbers"],
    [() => X.at(4), RangeError, "indices 0 to 3, but the index is 4"],
    [() => X.at(0, 0, 0, 0), TypeError, "there are 3 axes"],
    [() => X.select(3, 0), RangeError, "the axis is 3"],
    [() => X.select(0, 0.5), RangeError, "the index is 0.5"],
    [() => X.item(0, 0), TypeError, "its shape is [4, 3, 2]"],
    [
      () => X.transpose([0, 1]),
      TypeError,
      "Cannot transpose: the axes must be a list that names each axis once, such as [2, 1, 0], " +
      "but they are [0, 1] and the shape is [4, 3, 2]",
    ],
    [() => X.transpose([0, 1, -2]), TypeError, "but they are [0, 1, -2]"],
    [() => X.transpose([0, 1, 3]), RangeError, "the shape [4, 3, 2] has 3 axes, but the axis is 3"],
    [() => X.transpose(1 as never), TypeError, "but the number 1 was given"],
    [() => arange(-1), RangeError, "stop is -1"],
    [() => dot([[1, 2]], [[1, 2]]), TypeError, "the shapes are [1, 2] and [1, 2]"],
    [() => add([1, 2], [1, 2, 3]), TypeError, "the shapes are [2] and [3]"],
    [() => subtract([1, 2], [1]), TypeError, "Cannot subtract: each shape must be the tail"],
    [() => multiply([[1], [2]], [1, 2]), TypeError, "the shapes are [2, 1] and [2]"],
  ];
  for (const [act, errorClass, message] of cases) assertThrows(act, errorClass, message);
});

Deno.test("dot() agrees with the sum written out, for matrices, vectors and leading axes", () => {
  const a = arange(6).reshape([2, 3]);
  const b = arange(12).reshape([3, 4]);
  const written = [0, 1].map((r) =>
    [0, 1, 2, 3].map((c) => [0, 1, 2].reduce((s, k) => s + a.item(r, k) * b.item(k, c), 0))
  );
  assertEquals(dot(a, b).toArray(), written);
  assertEquals(dot(a.at(1), b).toArray(), written[1]);
  assertEquals(dot([1, 2], [3, 4]).item(), 11);
  assertEquals(dot(X, [[1], [10]]).shape, [4, 3, 1]);
});

Deno.test("dot() adds in the order of its axis, to the bit, however long the axis is", () => {
  for (let k = 1; k <= 9; k++) {
    const a = Float64Array.from({ length: 2 * k }, (_, n) => Math.sin(n + 1));
    const b = Float64Array.from({ length: 3 * k }, (_, n) => Math.cos(n) / 3);
    const written = [0, 1].map((r) =>
      [0, 1, 2].map((c) => {
        let sum = 0;
        for (let j = 0; j < k; j++) sum += a[r * k + j]! * b[j * 3 + c]!;
        return sum;
      })
    );
    assertEquals(dot(tensor(a, [2, k]), tensor(b, [k, 3])).toArray(), written);
  }
});

Deno.test("add() and multiply() repeat a shorter tail for every row and return float64", () => {
  assertEquals(add([[1, 2], [3, 4]], [10, 20]).toArray(), [[11, 22], [13, 24]]);
  assertEquals(multiply(2, [[1, 2], [3, 4]], [1, -1]).toArray(), [[2, -4], [6, -8]]);
  assertInstanceOf(add(new Float32Array([0.1]), 1).data, Float64Array);
  assertEquals(add(tensor([[]]), 1).shape, [1, 0]);
});

Deno.test("subtract() is a - b to the bit, the sign of zero included, and repeats the shorter tail", () => {
  const values = [0, -0, 1, 0.1, -1e-320, 1e308, Infinity, NaN];
  for (const a of values) {
    for (const b of values) assertEquals(subtract(a, b).item(), a - b, `${a} - ${b}`);
  }
  assertEquals(subtract([[1, 2], [3, 4]], [10, 20]).toArray(), [[-9, -18], [-7, -16]]);
  assertEquals(subtract([10, 20], [[1, 2], [3, 4]]).toArray(), [[9, 18], [7, 16]]);
  assertInstanceOf(subtract(new Float32Array([0.1]), 1).data, Float64Array);
});
