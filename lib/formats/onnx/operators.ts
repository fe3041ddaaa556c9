// What each operator of ONNX becomes: the table, and what stands in for loops and their like.

import { Connection } from "../../layers/connection.ts";
import type { OnnxFile } from "../../files/onnx.ts";
import { clip, combine, power, unary } from "./arithmetic.ts";
import { checkAttributes } from "./attributes.ts";
import { gatherElements, gatherNd } from "./lookups.ts";
import { constantNode, constantOfShape, countOf, folded, isFolded, shapeOf } from "./constants.ts";
import { cast, compare, largestPlace, remainder, round, where } from "./comparisons.ts";
import { activate, gemm, matMul } from "./dense.ts";
import { einsum } from "./einsum.ts";
import { UnreadNode } from "./errors.ts";
import { constantPart, isConstant, type Known } from "./known.ts";
import {
  changeAxes,
  expand,
  flatten,
  pad,
  reshape,
  reverseSequence,
  tile,
  transpose,
} from "./movements.ts";
import { concat, gather, slice, split } from "./parts.ts";
import {
  normalizeChannels,
  normalizeGroups,
  normalizeRoots,
  normalizeRows,
} from "./normalization.ts";
import { recur } from "./recurrent.ts";
import { cumulate, reduce } from "./reductions.ts";
import { OF_LISTS, sequenceAt, splitToSequence } from "./sequences.ts";
import { connectionOf, type Result, type Step } from "./step.ts";
import { convolve, pool, poolAll } from "./windows.ts";

type Read = (step: Step) => (Result | undefined)[];

/** Each operator over what comes from the inputs. */
const OPERATORS: Readonly<Record<string, Read>> = {
  LSTM: recur,
  GRU: recur,
  RNN: recur,
  MatMul: matMul,
  Gemm: gemm,
  Add: combine,
  Sum: combine,
  Mean: combine,
  Sub: combine,
  Mul: combine,
  Div: combine,
  Max: combine,
  Min: combine,
  PRelu: combine,
  Neg: unary,
  Sqrt: unary,
  Reciprocal: unary,
  Exp: unary,
  Log: unary,
  Abs: unary,
  Erf: unary,
  Pow: power,
  Clip: clip,
  Reshape: reshape,
  Squeeze: changeAxes,
  Unsqueeze: changeAxes,
  Flatten: flatten,
  Transpose: transpose,
  Concat: concat,
  Slice: slice,
  Split: split,
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  Expand: expand,
  Tile: tile,
  Where: where,
  Equal: compare,
  Less: compare,
  LessOrEqual: compare,
  Greater: compare,
  GreaterOrEqual: compare,
  And: compare,
  Or: compare,
  Xor: compare,
  Not: compare,
  IsNaN: compare,
  Floor: round,
  Ceil: round,
  Round: round,
  Sign: round,
  Mod: remainder,
  ArgMax: largestPlace,
  ArgMin: largestPlace,
  Pad: pad,
  ReverseSequence: reverseSequence,
  ReduceMean: reduce,
  ReduceSum: reduce,
  ReduceMax: reduce,
  ReduceMin: reduce,
  ReduceProd: reduce,
  ReduceL1: reduce,
  ReduceL2: reduce,
  ReduceSumSquare: reduce,
  ReduceLogSum: reduce,
  ReduceLogSumExp: reduce,
  CumSum: cumulate,
  Einsum: einsum,
  LayerNormalization: normalizeRows,
  InstanceNormalization: normalizeGroups,
  GroupNormalization: normalizeGroups,
  RMSNormalization: normalizeRoots,
  BatchNormalization: normalizeChannels,
  Conv: convolve,
  MaxPool: pool,
  AveragePool: pool,
  GlobalAveragePool: poolAll,
  GlobalMaxPool: poolAll,
  Identity: (step) => [connectionOf(step, 0)],
  Dropout: (step) => [connectionOf(step, 0)],
  Cast: cast,
  Shape: (step) => [shapeOf(step)],
  Size: (step) => [countOf(step)],
};

/** What to do where numbers are of 8 bits. */
export const QUANTIZED =
  "numbers of 8 bits are not read (the model as it was before it was quantized opens)";

/** Operators that compute a model's result on their own, whatever they take. */
const WHOLE: Readonly<Record<string, string>> = {
  Loop:
    "loops are not read (tf2onnx writes masks, GRUs and other cells as loops: the Keras model " +
    "itself, by model.save() as .keras or .h5, opens)",
  Scan: "loops are not read (converters write masks and other cells as loops: the Keras model " +
    "itself, by model.save() as .keras or .h5, opens)",
  If:
    "branches are not read (PyTorch writes squeeze() as one where an axis may not be 1: x[:, 0] says it is)",
};

/**
 * A node's results.
 *
 * @throws {UnreadNode} where it is not read as it stands.
 */
export function readNode(step: Step, file: OnnxFile): (Result | undefined)[] {
  const { operator, operands, node, build } = step;
  if (Object.hasOwn(WHOLE, operator)) throw new UnreadNode(WHOLE[operator]);
  if (/^QLinear|Integer$|^(Dynamic)?(Quantize|Dequantize)/.test(operator)) {
    throw new UnreadNode(QUANTIZED);
  }
  checkAttributes(step);
  const lists = (node.inputs ?? []).map((key) => build.lists.get(key));
  if (lists.some((list) => list !== undefined) && !OF_LISTS.includes(operator)) {
    throw new UnreadNode("it takes a list of results");
  }
  if (operator === "SequenceAt" && lists[0] !== undefined) return [sequenceAt(step, lists[0])];
  if (operator === "SplitToSequence") {
    build.lists.set(node.outputs?.[0] ?? "", splitToSequence(step));
    return [];
  }
  if (operator === "Constant") return [constantNode(step, file)];
  if (operator === "ConstantOfShape") return [constantOfShape(step, file)];
  const drops = operands[2];
  if (operator === "Dropout" && drops !== undefined) checkDrops(drops);
  const read = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator]! : activate;
  if (operands.some((one) => one instanceof Connection)) return read(step);
  return isFolded(operator)
    ? folded(step, operands as readonly (Known | undefined)[])
    : read(withConnections(step, operands as readonly (Known | undefined)[]));
}

/** What a layer computes of constants alone: the first of them comes out of a layer, too. */
function withConnections(step: Step, operands: readonly (Known | undefined)[]): Step {
  const { build } = step;
  const [anchor] = build.inputs.keys(); // any of them
  if (anchor === undefined) throw new UnreadNode("it computes with constants alone");
  return {
    ...step,
    operands: operands.map((one, k) => {
      if (one === undefined || k > 0 && isConstant(one)) return one;
      return build.operate("Constant", [anchor, one], {
        shapes: ([, known]) => [known!.shape],
        run: (_, [, known]) => [known!.value],
      })[0]!;
    }),
  };
}

function checkDrops(drops: Result): void {
  const isOff = !(drops instanceof Connection) && isConstant(drops) &&
    constantPart(drops).data.every((value) => value === 0);
  if (!isOff) throw new UnreadNode("it always trains");
}
