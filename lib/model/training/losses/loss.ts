// What every loss shares: rows of outputs beside rows of targets, and their mean.

import { formatShape, sameShape, sizeOf } from "../../../tensor/shape.ts";
import { asFloat64, Tensor } from "../../../tensor/tensor.ts";

/** A loss, in Keras's spelling. */
export type LossName =
  | "categorical_crossentropy"
  | "sparse_categorical_crossentropy"
  | "binary_crossentropy"
  | "mean_squared_error"
  | "mean_absolute_error";

/** What a loss came to, and how it changes with the output. */
export interface LossResult {
  /** The mean over samples, and over timesteps where there are any. */
  readonly value: number;
  /** Its gradient by the output, in the output's shape. */
  readonly gradient: Tensor;
}

/** What training makes small. */
export interface Loss {
  /** Keras's name. */
  readonly name: LossName;
  /** Keras's options under Keras's names. */
  readonly config: Readonly<Record<string, unknown>>;
  /**
   * The targets in the shape that `compute` wants, checked against the output's.
   *
   * @throws {TypeError} where the shapes do not fit.
   * @throws {RangeError} where a target is no class, or no number that the loss is made for.
   */
  readonly prepare: (target: Tensor, outputShape: readonly number[]) => Tensor;
  /**
   * The loss of prepared targets, with its gradient.
   *
   * @param target what `prepare` returned, or the same samples of it and of the output
   * @param output `[batch, …, width]`
   * @param mask `[batch, timesteps]`: steps that are 0 do not count, and the mean is over the rest
   * @param weights `[batch]`: what each sample's loss is multiplied by; the mean is over the samples
   */
  readonly compute: (
    target: Tensor,
    output: Tensor,
    mask?: Tensor,
    weights?: Tensor,
  ) => LossResult;
}

/**
 * The loss of one row, and its gradient by that row of the output, which is written to `gradient`.
 * The row's outputs stand at `row·width` and after; its targets wherever `prepare` put them.
 */
export type RowLoss = (
  target: Float64Array,
  output: Float64Array,
  row: number,
  width: number,
  gradient: Float64Array,
) => number;

/** A loss of its name, its check and its equation for one row. */
export function lossOf(
  name: LossName,
  config: Readonly<Record<string, unknown>>,
  prepare: Loss["prepare"],
  rowLoss: RowLoss,
): Loss {
  const compute: Loss["compute"] = (target, output, mask, weights) => {
    const [y, p] = [asFloat64(target).data, asFloat64(output).data];
    const width = output.shape.at(-1)!;
    const rows = sizeOf(output.shape.slice(0, -1));
    const weightOf = rowWeights(rows, mask);
    const gradient = new Float64Array(p.length);
    let value = 0;
    for (let row = 0; row < rows; row++) {
      const sample = weights && Math.floor(row / (rows / weights.data.length));
      const weight = weightOf(row) * (weights?.data[sample!] ?? 1);
      // A masked row is left out, not multiplied by 0: what it holds may be anything.
      if (weight === 0) continue;
      value += weight * rowLoss(y, p, row, width, gradient);
      for (let k = row * width; k < (row + 1) * width; k++) gradient[k]! *= weight;
    }
    return { value, gradient: new Tensor(gradient, output.shape) };
  };
  return Object.freeze({ name, config: Object.freeze({ ...config }), prepare, compute });
}

/** Each row's part in the mean. Where nothing counts, the loss is 0, as in Keras. */
function rowWeights(rows: number, mask: Tensor | undefined): (row: number) => number {
  if (mask === undefined) return () => 1 / rows;
  const repeats = rows / mask.data.length;
  const counts = (row: number) => mask.data[Math.floor(row / repeats)] !== 0;
  let valid = 0;
  for (let row = 0; row < rows; row++) if (counts(row)) valid++;
  return (row) => counts(row) ? 1 / valid : 0;
}

/** Targets in the output's own shape; a last axis of 1 may be left out. */
export function prepareDense(
  name: LossName,
  target: Tensor,
  outputShape: readonly number[],
): Tensor {
  if (sameShape(target.shape, outputShape)) return target;
  if (outputShape.at(-1) === 1 && sameShape(target.shape, outputShape.slice(0, -1))) {
    return target.reshape(outputShape);
  }
  throw new TypeError(
    `Cannot take ${name}: the targets must have the output's shape ` +
      `${formatShape(outputShape)}, but the shape is ${formatShape(target.shape)}`,
  );
}

/** Throws where a target is not what the rule says; the first one is named. */
export function requireTargets(
  name: LossName,
  target: Tensor,
  rule: string,
  holds: (value: number) => boolean,
): void {
  const wrong = target.data.findIndex((value) => !holds(value));
  if (wrong === -1) return;
  const sample = Math.floor(wrong / sizeOf(target.shape.slice(1)));
  throw new RangeError(
    `Cannot take ${name}: ${rule}, but the target of sample ${sample} is ${target.data[wrong]}`,
  );
}
