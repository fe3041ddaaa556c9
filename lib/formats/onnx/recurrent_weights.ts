// The arrays and activations of ONNX's recurrent operators (onnx/defs/rnn/defs.cc): W [directions,
// blocks·units, inputSize], R [directions, blocks·units, units], B [directions, 2·blocks·units].

import type { Activation } from "../../values/activations.ts";
import { type Converted, part, reordered, reshaped, summed, transposed } from "../conversion.ts";
import { listedActivations } from "./activation.ts";
import { floatsOf, intOf, textsOf } from "./attributes.ts";
import { UnreadNode } from "./errors.ts";
import { arrayOf, constantOperand, type Step } from "./step.ts";

/** How an operator lays out its arrays. */
export interface Blocks {
  readonly count: number;
  /** Whether the gates stand in ONNX's order, not in Keras's. */
  readonly isReordered: boolean;
  /** Whether the biases of x and of h stay apart. */
  readonly keepsBiases: boolean;
}

/** The arrays of each direction as Keras has them, one after the other. */
export function recurrentArrays(
  step: Step,
  directions: number,
  { count, isReordered, keepsBiases }: Blocks,
): { readonly units: number; readonly inputSize: number; readonly arrays: Converted[][] } {
  const get = (k: number, what: string) => {
    const known = constantOperand(step, k, what);
    return known && arrayOf(known);
  };
  const [W, R] = [get(1, "its weights W"), get(2, "its weights R")];
  const B = get(3, "its bias B");
  if (W === undefined || R === undefined) throw new UnreadNode("it must have W and R");
  const [units = 0, inputSize = 0] = [R.tensor.shape[2], W.tensor.shape[2]];
  const width = count * units;
  const fits = ({ tensor }: Converted, shape: number[]) => tensor.shape.join() === shape.join();
  if (
    units === 0 || inputSize === 0 || intOf(step, "hidden_size", units) !== units ||
    !fits(W, [directions, width, inputSize]) || !fits(R, [directions, width, units]) ||
    B !== undefined && !fits(B, [directions, 2 * width])
  ) {
    const shapes = [W, R, ...(B ? [B] : [])].map(({ tensor }) => `[${tensor.shape}]`).join(", ");
    throw new UnreadNode(`its arrays do not fit ${directions} directions: they are ${shapes}`);
  }
  const inOrder = (array: Converted) => isReordered ? reordered(array, "onnx") : array;
  const arrays = Array.from({ length: directions }, (_, d) => {
    const one = (array: Converted, shape: number[]) =>
      reshaped(directions === 1 ? array : part(array, d, d + 1, `direction ${d}`), shape);
    const matrix = (array: Converted, rows: number) =>
      inOrder(transposed(one(array, [width, rows])));
    if (B === undefined) return [matrix(W, inputSize), matrix(R, units)];
    const both = one(B, [2, width]);
    const half = (k: number) => ({ ...both, tensor: both.tensor.at(k) });
    const bias = keepsBiases ? both : inOrder(summed(half(0), half(1)));
    return [matrix(W, inputSize), matrix(R, units), bias];
  });
  return { units, inputSize, arrays };
}

/** The activations of each direction, in the operator's order. */
export function recurrentActivations(
  step: Step,
  directions: number,
  defaults: readonly string[],
): Activation[][] {
  const given = textsOf(step, "activations");
  const names = given.length === 0
    ? Array.from({ length: directions }, () => defaults).flat()
    : given;
  const each = defaults.length;
  if (names.length !== each * directions) {
    throw new UnreadNode(`it has ${names.length} activations for ${directions} directions`);
  }
  const found = listedActivations(
    names,
    floatsOf(step, "activation_alpha"),
    floatsOf(step, "activation_beta"),
  );
  return Array.from({ length: directions }, (_, d) => found.slice(each * d, each * (d + 1)));
}
