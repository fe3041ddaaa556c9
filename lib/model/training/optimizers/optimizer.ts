// What every optimizer shares. Each changes nothing that it is given: a step returns new arrays, so
// that a run can be refused at any point with everything as it was.

import { Tensor } from "../../../tensor/tensor.ts";

/** An optimizer, in Keras's spelling. */
export type OptimizerName = "adam" | "sgd" | "rmsprop";

/** What an optimizer remembers from step to step. */
export interface OptimizerState {
  /** How many steps were done. */
  readonly iteration: number;
  /** Its arrays in Keras's order, those of `optimizer.variables` after the learning rate. */
  readonly variables: readonly Tensor[];
}

/** Where one step led. */
export interface OptimizerStep {
  /** The weights after the step. */
  readonly weights: readonly Tensor[];
  /** What the optimizer remembers then. */
  readonly state: OptimizerState;
}

/** How weights follow their gradients. */
export interface Optimizer {
  /** Keras's name. */
  readonly name: OptimizerName;
  /** Keras's options under Keras's names. */
  readonly config: Readonly<Record<string, number | boolean>>;
  /** What it remembers before the first step. */
  readonly start: (weights: readonly Tensor[]) => OptimizerState;
  /**
   * One step; weights and gradients are shape by shape the same. It computes in float64; with weights
   * in float32 it may compute in float32.
   */
  readonly step: (
    weights: readonly Tensor[],
    gradients: readonly Tensor[],
    state: OptimizerState,
  ) => OptimizerStep;
}

/** Zeros in the shapes of the weights, each as often as said, one weight after the other. */
export function zerosLike(weights: readonly Tensor[], each = 1): Tensor[] {
  return weights.flatMap(({ shape, data }) =>
    Array.from({ length: each }, () => new Tensor(new Float64Array(data.length), shape))
  );
}

/** Where an option must lie: `from` and `to` belong to it, `below` does not. */
interface OptionRange {
  readonly from: number;
  readonly to?: number;
  readonly below?: number;
}

/** Throws where an option lies outside. */
export function requireOption(
  optimizer: OptimizerName,
  option: string,
  value: number,
  { from, to = Infinity, below = Infinity }: OptionRange,
): void {
  if (Number.isFinite(value) && value >= from && value <= to && value < below) return;
  const end = below < Infinity ? ` and below ${below}` : to < Infinity ? ` and at most ${to}` : "";
  throw new RangeError(
    `Cannot make ${optimizer}: ${option} must be at least ${from}${end}, ` +
      `but it is ${value}`,
  );
}
