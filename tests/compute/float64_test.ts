// Products of float64 by WASM, against the three loops of dot().

import { dot, Tensor } from "@gatescope/lstm";
import { assert, assertEquals } from "@std/assert";
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
        const found = new Float64Array(rows * columns);
        if (!products.addProducts(found, [[x, W]], columns)) left++;
        else assertEquals(firstDifference(found, expected), -1);
        compared++;
      }
    }
  }
  // Of a few rows the loops do the first product: who knows whether there will be another one.
  assertEquals([compared, left], [96, 24]);
});

Deno.test("products are added to what is there, term by term in the order of depth; the last rows meet |W|", () => {
  const products = new Float64Products();
  const [rows, columns] = [139, 603];
  const single = (depth: number) => normals(depth * columns).map(Math.fround);
  const term = (W: Float64Array<ArrayBuffer>) => [normals(rows * W.length / columns), W] as const;
  for (const terms of [[term(normals(65 * 603)), term(single(3))], [term(single(65))]]) {
    for (const signed of [rows, 0, 5, 130, undefined]) {
      const found = normals(rows * columns);
      const expected = found.map((sum, k) => {
        const [row, column] = [Math.floor(k / columns), k % columns];
        for (const [x, W] of terms) {
          const depth = W.length / columns;
          for (let j = 0; j < depth; j++) {
            const w = W[j * columns + column]!;
            sum += x[row * depth + j]! * (row < (signed ?? rows) ? w : Math.abs(w));
          }
        }
        return sum;
      });
      assertEquals(products.addProducts(found, terms, columns, signed), true);
      const [to, first] = [(signed ?? rows) * columns, firstDifference(found, expected)];
      assert(first === -1 || first >= to, `${first}`); // of sizes, no bits: they bound errors
      assert(found.every((sum, k) => Math.abs(sum - expected[k]!) < 1e-13));
    }
  }
});

Deno.test("a matrix that float32 holds, as a model's weights are, gives the same bits", () => {
  const products = new Float64Products();
  for (const [rows, depth, columns] of [[4, 256, 1024], [7, 33, 1001], [1, 257, 130]] as const) {
    const [x, W] = [normals(rows * depth), normals(depth * columns).map(Math.fround)];
    [W[1], W[2], W[3]] = [-0, Infinity, 2 ** -149];
    const expected = dot(new Tensor(x, [rows, depth]), new Tensor(W, [depth, columns])).data;
    for (let time = 0; time < 3; time++) {
      const found = new Float64Array(rows * columns);
      if (products.addProducts(found, [[x, W]], columns)) {
        assertEquals(firstDifference(found, expected), -1);
      } else assertEquals(time, 0);
    }
  }
});

Deno.test("NaN and infinities go where they go in the loops; padded columns bring none", () => {
  const products = new Float64Products();
  const [x, W] = [normals(8 * 64), normals(64 * 1001)];
  [x[3], x[70], W[5], W[64 * 1001 - 1]] = [NaN, Infinity, -Infinity, 0];
  const expected = dot(new Tensor(x, [8, 64]), new Tensor(W, [64, 1001])).data;
  assertEquals(firstDifference(productOf(products, x, W, 1001), expected), -1);
});

Deno.test("two runs that take turns do not disturb each other's matrices", () => {
  const [one, another] = [new Float64Products(), new Float64Products()];
  const [x, V, W] = [normals(16 * 64), normals(64 * 512), normals(64 * 512)];
  const [first, second] = [productOf(one, x, V, 512), productOf(another, x, W, 512)];
  assertEquals(firstDifference(productOf(one, x, V, 512), first), -1);
  assertEquals(firstDifference(productOf(another, x, W, 512), second), -1);
  assertEquals(firstDifference(first, second) >= 0, true);
});

function productOf(
  products: Float64Products,
  x: Float64Array<ArrayBuffer>,
  W: Float64Array<ArrayBuffer>,
  columns: number,
) {
  const found = new Float64Array(x.length / (W.length / columns) * columns);
  assertEquals(products.addProducts(found, [[x, W]], columns), true);
  return found;
}

function firstDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return a.length;
  for (let k = 0; k < a.length; k++) if (!Object.is(a[k], b[k])) return k;
  return -1;
}
