// Fixtures by the frameworks (see tests/fixtures/formats), and what a model must predict.

import { loadNpz, type Model, type Tensor } from "@gatescope/lstm";
import { fromFileUrl } from "@std/path";
import { assert } from "@std/assert";

/** The path of a fixture: `keras/stacked.keras`. */
export function formatFile(file: string): string {
  return fromFileUrl(import.meta.resolve(`../fixtures/formats/${file}`));
}

/** The arrays of a .npz beside the fixtures; an unknown name is an error. */
export async function arraysOf(path: string): Promise<(name: string) => Tensor> {
  const arrays = await loadNpz(path);
  return (name) => {
    const found = arrays.get(name);
    if (found === undefined) throw new Error(`${path} has no ${name}: ${[...arrays.keys()]}`);
    return found;
  };
}

/** The largest |actual − expected|, relative where expected is above 1; NaN where shapes differ. */
export function difference(actual: Tensor, expected: Tensor): number {
  if (actual.shape.join() !== expected.shape.join() || actual.data.length === 0) return NaN;
  let largest = 0;
  for (let k = 0; k < actual.data.length; k++) {
    const [a, e] = [actual.data[k]!, expected.data[k]!];
    const off = a === e ? 0 : Math.abs(a - e) / Math.max(1, Math.abs(e));
    if (!(off <= largest)) largest = off; // NaN too
  }
  return largest;
}

/** Asserts that a model predicts what its source did, within 1e-6, and reports how far it is off. */
export function assertPredicts(model: Model, x: Tensor, expected: Tensor, what: string): number {
  const off = difference(model.predict(x), expected);
  assert(off <= 1e-6, `${what} is off by ${off}`);
  return off;
}
