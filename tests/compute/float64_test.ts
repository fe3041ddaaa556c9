// Products of float64 by WASM, against the three loops of dot().

import { dot, Tensor } from "@gatescope/lstm";
import { assertEquals } from "@std/assert";
import { Float64Products } from "../../lib/compute/float64.ts";
import { seededRandom } from "../../lib/tensor/random.ts";

const random = seededRandom(18);
const normals = (length: number) => Float64Array.from({ length }, () => random.normal());

Deno.test("a product by WASM has the bits of dot(), whatever the rows and columns", () => {
  const products = new Float64Products();
  let [compared, left] = [0, 0];
  for (const rows of [1, 2, 3, 4, 5, 7, 12, 131]) {
    for (const [depth, columns] of [[64, 1024], [33, 1001], [1, 40000], [257, 130]] as const) {
      const [x, W] = [normals(rows * depth), normals(depth * columns)];
      const expected = dot(new Tensor(x, [rows, depth]), new Tensor(W, [depth, columns])).data;
      for (let time = 0; time < 3; time++) {
        const found = products.product(x, W, columns);
        if (found === undefined) left++;
        else assertEquals(firstDifference(found, expected), -1);
        compared++;
      }
    }
  }
  // Of a few rows the loops do the first product: who knows whether there will be another one.
  assertEquals([compared, left], [96, 24]);
});

Deno.test("a sum begins with what it is given, a row for each or one for all", () => {
  const products = new Float64Products();
  const [rows, depth, columns] = [9, 65, 603];
  const [x, W] = [normals(rows * depth), normals(depth * columns)];
  for (const start of [normals(columns), normals(rows * columns)]) {
    const expected = Float64Array.from({ length: rows * columns }, (_, k) => {
      const [row, column] = [Math.floor(k / columns), k % columns];
      let sum = start[k % start.length]!;
      for (let j = 0; j < depth; j++) sum += x[row * depth + j]! * W[j * columns + column]!;
      return sum;
    });
    assertEquals(firstDifference(products.product(x, W, columns, start)!, expected), -1);
  }
});

Deno.test("NaN and infinities go where they go in the loops; padded columns bring none", () => {
  const products = new Float64Products();
  const [x, W] = [normals(8 * 64), normals(64 * 1001)];
  [x[3], x[70], W[5], W[64 * 1001 - 1]] = [NaN, Infinity, -Infinity, 0];
  const expected = dot(new Tensor(x, [8, 64]), new Tensor(W, [64, 1001])).data;
  assertEquals(firstDifference(products.product(x, W, 1001)!, expected), -1);
});

Deno.test("two runs that take turns do not disturb each other's matrices", () => {
  const [one, another] = [new Float64Products(), new Float64Products()];
  const [x, V, W] = [normals(16 * 64), normals(64 * 512), normals(64 * 512)];
  const [first, second] = [one.product(x, V, 512)!, another.product(x, W, 512)!];
  assertEquals(firstDifference(one.product(x, V, 512)!, first), -1);
  assertEquals(firstDifference(another.product(x, W, 512)!, second), -1);
  assertEquals(firstDifference(first, second) >= 0, true);
});

function firstDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return a.length;
  for (let k = 0; k < a.length; k++) if (!Object.is(a[k], b[k])) return k;
  return -1;
}
