import { UnreadableFileError } from "../files/unreadable.ts";
import type { Layer } from "../model/layer.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type LoadedWeights, weightCount } from "./build_model.ts";
import { lettersOf, taken } from "./conversion.ts";

/**
 * The arrays of `np.savez(f, *model.get_weights())`: arr_0, arr_1, … in Keras's order.
 *
 * @throws {UnreadableFileError} where they are named otherwise, or more or fewer.
 */
export function npzWeights(
  arrays: ReadonlyMap<string, Tensor>,
  line: readonly { readonly name: string; readonly layer: Layer }[],
): LoadedWeights {
  const counts = line.map(({ layer }) => weightCount(layer));
  const total = counts.reduce((sum, count) => sum + count, 0);
  const keys = Array.from({ length: total }, (_, k) => `arr_${k}`);
  if (arrays.size !== total || !keys.every((key) => arrays.has(key))) {
    const rule = `its arrays must be arr_0 to arr_${total - 1} in the order of get_weights()`;
    const found = [...arrays.keys()].slice(0, 8).join(", ") || "none";
    throw new UnreadableFileError(rule, `the arrays are ${found} (${arrays.size} in all)`);
  }
  const left = keys.map((key) => taken(key, arrays.get(key)!));
  const perLayer = counts.map((count) => left.splice(0, count));
  const gateOrder = lettersOf("keras");
  return { perLayer, provenance: { format: ".npz", gateOrder, notes: [] } };
}
