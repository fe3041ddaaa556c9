// How Bidirectional makes one result of its two.

import { join } from "../values/arrange.ts";
import type { Ops } from "../values/ops.ts";

/** Keras's merge modes that give one result. */
export type MergeMode = "concat" | "sum" | "mul" | "ave";

/** The modes by name. */
export const mergeModes: Readonly<Record<MergeMode, <V>(o: Ops<V>, a: V, b: V) => V>> = {
  concat: (o, a, b) => join(o, [a, b]),
  sum: (o, a, b) => o.add(a, b),
  mul: (o, a, b) => o.sumOfProducts([a, b]),
  ave: (o, a, b) => o.scale(o.add(a, b), 0.5),
};
