import { amongNames } from "../../../base/names.ts";
import { adam } from "./adam.ts";
import type { Optimizer, OptimizerName } from "./optimizer.ts";
import { rmsprop } from "./rmsprop.ts";
import { sgd } from "./sgd.ts";

/** What `compile` takes for an optimizer: Keras's name, or one with its options. */
export type OptimizerIdentifier = OptimizerName | Optimizer;

const OPTIMIZERS: Readonly<Record<OptimizerName, () => Optimizer>> = { adam, sgd, rmsprop };

/** The optimizer of that name, with Keras's defaults; an optimizer itself as it is. */
export function getOptimizer(optimizer: OptimizerIdentifier): Optimizer {
  if (
    typeof optimizer === "object" && optimizer !== null && typeof optimizer.step === "function"
  ) return optimizer;
  if (typeof optimizer === "string" && Object.hasOwn(OPTIMIZERS, optimizer)) {
    return OPTIMIZERS[optimizer]();
  }
  throw new RangeError(
    `Cannot compile: the optimizer must be ${amongNames(optimizer, Object.keys(OPTIMIZERS))}`,
  );
}
