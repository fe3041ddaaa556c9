// Gradients are shortened before a step, whatever the optimizer: what keeps a long sequence's rare
// huge gradient from undoing all that was learnt.

import type { KeysOf } from "../../../base/options.ts";
import { Tensor } from "../../../tensor/tensor.ts";
import type { Optimizer, OptimizerName } from "./optimizer.ts";

/**
 * How gradients are cut before a step, at most one of the three; not at all unless said.
 *
 * Source: keras/src/optimizers/base_optimizer.py, `_clip_gradients`.
 */
export interface GradientClipping {
  /** The length (Euclidean norm) that no weight's gradient is longer than, above 0. */
  readonly clipnorm?: number;
  /** The length that all gradients together, as one vector, are not longer than, above 0. */
  readonly globalClipnorm?: number;
  /** What no number of a gradient is farther from 0 than, above 0. */
  readonly clipvalue?: number;
}

export const CLIPPING_OPTIONS: KeysOf<GradientClipping> = {
  clipnorm: "optional",
  globalClipnorm: "optional",
  clipvalue: "optional",
};

/** The optimizer, with its gradients clipped first where an option says so. */
export function withClipping(optimizer: Optimizer, options: GradientClipping): Optimizer {
  const { clipnorm, globalClipnorm, clipvalue } = options;
  const given = Object.entries({ clipnorm, globalClipnorm, clipvalue })
    .filter((option): option is [keyof GradientClipping, number] => option[1] !== undefined);
  const [first] = given;
  if (first === undefined) return Object.freeze(optimizer);
  check(optimizer.name, given);
  const [option, limit] = first;
  const clip = CLIP[option];
  return Object.freeze<Optimizer>({
    ...optimizer,
    config: Object.freeze({ ...optimizer.config, [KERAS_NAMES[option]]: limit }),
    step: (weights, gradients, state) => optimizer.step(weights, clip(gradients, limit), state),
  });
}

const KERAS_NAMES = {
  clipnorm: "clipnorm",
  globalClipnorm: "global_clipnorm",
  clipvalue: "clipvalue",
} as const satisfies Record<keyof GradientClipping, string>;

type Clip = (gradients: readonly Tensor[], limit: number) => Tensor[];

const CLIP: Readonly<Record<keyof GradientClipping, Clip>> = {
  clipnorm: (gradients, limit) => gradients.map((g) => scaled(g, limit / norm([g], limit))),
  globalClipnorm: (gradients, limit) => {
    const scale = limit / norm(gradients, limit);
    return gradients.map((g) => scaled(g, scale));
  },
  clipvalue: (gradients, limit) =>
    gradients.map(({ data, shape }) =>
      new Tensor(data.map((g) => Math.min(Math.max(g, -limit), limit)), shape)
    ),
};

/** Their length as one vector; `least` where it is shorter. */
function norm(gradients: readonly Tensor[], least: number): number {
  let squares = 0;
  for (const { data } of gradients) for (const g of data) squares += g * g;
  return Math.max(Math.sqrt(squares), least);
}

function scaled({ data, shape }: Tensor, scale: number): Tensor {
  return new Tensor(data.map((g) => g * scale), shape);
}

function check(name: OptimizerName, given: readonly (readonly [string, number])[]): void {
  if (given.length > 1) {
    throw new RangeError(
      `Cannot make ${name}: gradients are clipped in one way, ` +
        `but the options are ${given.map(([option]) => option).join(" and ")}`,
    );
  }
  for (const [option, limit] of given) {
    if (Number.isFinite(limit) && limit > 0) continue;
    throw new RangeError(
      `Cannot make ${name}: ${option} must be above 0, but it is ${limit}`,
    );
  }
}
