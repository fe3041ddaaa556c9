// What whole layers give, compared one by one: each computed from the outputs expected before it.

import type { Tensor } from "../../tensor/tensor.ts";
import type { Estimate } from "../../values/bounds/estimate.ts";
import { type Difference, Differences, type ProofRow } from "./differences.ts";
import type { WidePlace } from "./compare_runs.ts";
import { firstWide, largestOf } from "./wide.ts";

/** The places of a result's numbers, `[batch, units]` or `[batch, timesteps, units]`. */
export function placesIn(shape: readonly number[]) {
  const each = shape.slice(1).reduce((a, b) => a * b, 1);
  const width = shape.at(-1)!;
  return (k: number) => ({
    sample: Math.floor(k / each),
    ...(shape.length === 3 ? { timestep: Math.floor(k % each / width) } : {}),
    unit: k % each % width,
  });
}

/** The outputs that are expected, as a run meets them. */
export class LayerOutputs {
  readonly #expected: ReadonlyMap<string, Tensor>;
  readonly #whole: ReadonlyMap<string, Tensor>;
  readonly rows: ProofRow[] = [];
  /** The first beyond rounding. */
  first: Difference | undefined;
  /** The first that rounding may move too far to tell. */
  wide: WidePlace | undefined;

  constructor(
    expected: ReadonlyMap<string, Tensor>,
    whole: ReadonlyMap<string, Tensor>,
  ) {
    this.#expected = expected;
    this.#whole = whole;
  }

  /** Compares a layer's output; what is expected of it, where anything is. */
  see(layer: string, { value, error, shape }: Estimate): ArrayLike<number> | undefined {
    const theirs = this.#expected.get(layer);
    if (theirs === undefined) return undefined;
    const own = this.#whole.get(layer)!;
    const range = largestOf(own);
    const differences = new Differences();
    const placeIn = placesIn(shape);
    const placeOf = (k: number) => ({ layer, value: "output", ...placeIn(k) });
    differences.addAll(placeOf, value, theirs.data, error);
    const k = this.wide === undefined ? firstWide(error, range) : -1;
    if (k !== -1) this.wide = { ...placeOf(k), bound: error[k]!, range };
    differences.compareWhole(own, theirs);
    this.first ??= differences.first;
    this.rows.push(differences.row(layer, "output"));
    return theirs.data;
  }
}
