// How a value came about, for who wants to follow it back.

import type { Activation } from "./activations.ts";
import type { Moves } from "./ops.ts";

/** The operation that a value is the result of. */
export type Origin<V> =
  | { readonly op: "affine"; readonly terms: Terms<V>; readonly b: V | undefined }
  | { readonly op: "apply"; readonly f: Activation; readonly x: V }
  | { readonly op: "products"; readonly pairs: Terms<V> }
  | { readonly op: "sum"; readonly xs: readonly V[]; readonly factor: number }
  | { readonly op: "reshape"; readonly x: V }
  | { readonly op: "arrange"; readonly sources: readonly V[]; readonly moves: Moves }
  | { readonly op: "computed"; readonly xs: readonly V[] }
  | { readonly op: "given" };

type Terms<V> = readonly (readonly [V, V])[];

/** What a value was computed from. */
export function operandsOf<V>(origin: Origin<V>): readonly V[] {
  switch (origin.op) {
    case "affine":
      return [...origin.terms.flat(), ...(origin.b === undefined ? [] : [origin.b])];
    case "products":
      return origin.pairs.flat();
    case "apply":
    case "reshape":
      return [origin.x];
    case "arrange":
      return origin.sources;
    case "sum":
    case "computed":
      return origin.xs;
    case "given":
      return [];
  }
}
