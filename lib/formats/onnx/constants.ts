// What an ONNX graph computes of constants and of lengths, node by node.

import type { OnnxFile } from "../../files/onnx.ts";
import type { OnnxTensor } from "../../files/onnx_schema.ts";
import { Connection } from "../../layers/connection.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { floatOf, hasAttribute, intOf, intsOf, tensorOf } from "./attributes.ts";
import { UnreadNode } from "./errors.ts";
import { foldOf, TRUTHS } from "./folding.ts";
import {
  computed,
  constant,
  constantPart,
  filled,
  isConstant,
  type Known,
  lengthsOf,
  listed,
  type Part,
  unknownRank,
} from "./known.ts";
import { FLOATS, WHOLES } from "./kinds.ts";
import { connectionOf, type Step } from "./step.ts";

/** Whether a node of constants alone is computed here. */
export function isFolded(operator: string): boolean {
  return operator === "Cast" || foldOf(operator) !== undefined;
}

/** What depends on no input's numbers. */
export function folded(step: Step, operands: readonly (Known | undefined)[]): Known[] {
  const { operator, node } = step;
  const there = operands.filter((one) => one !== undefined);
  const areWhole = there.every((one) => one.isWhole);
  const make = (isWhole: boolean, fold: (parts: readonly (Part | undefined)[]) => Part[]) =>
    (node.outputs ?? [""]).map((name, k) => {
      const known = computed(name, there, isWhole, (parts) => {
        const all = operands.map((one) => one && parts[there.indexOf(one)]);
        const found = fold(all)[k];
        if (found === undefined) throw new UnreadNode(`it has no result ${k}`);
        return found;
      });
      const moved = operator === "Concat" ? there : there.slice(0, 1);
      return MOVING.includes(operator) && moved.every(areZeros) ? { ...known, zeros: true } : known;
    });
  if (operator === "Cast") {
    const to = intOf(step, "to", 0);
    const isWhole = WHOLES.includes(to);
    if (!isWhole && !FLOATS.includes(to)) throw new UnreadNode(`it casts to data type ${to}`);
    const f = to === 9
      ? (x: number) => Number.isNaN(x) ? NaN : Number(x !== 0)
      : isWhole
      ? Math.trunc
      : (x: number) => x;
    return make(isWhole, ([x]) => [{ shape: x!.shape, data: x!.data?.map(f) }]);
  }
  const fold = foldOf(operator);
  if (fold === undefined) {
    throw new UnreadNode("it computes with constants alone, and is none of those that are read so");
  }
  const isWhole = TRUTHS.includes(operator) || ["Shape", "Size"].includes(operator) ||
    (["Gather", "Slice", "Reshape", "Expand", "Squeeze", "Unsqueeze", "Split", "Dropout"]
        .includes(operator)
      ? there[0]!.isWhole
      : operator === "Where"
      ? there.slice(1).every((one) => one.isWhole)
      : areWhole);
  return make(isWhole, (parts) => fold(parts, step, areWhole));
}

/** Operators whose results are zeros where what they move is. */
const MOVING = [
  "Concat",
  "Expand",
  "Slice",
  "Unsqueeze",
  "Squeeze",
  "Gather",
  "Reshape",
  "Cast",
  "Identity",
  "Transpose",
  "Split",
];

function areZeros(known: Known): boolean {
  return known.zeros === true ||
    isConstant(known) && constantPart(known).data.every((value) => value === 0);
}

/** `Constant`. */
export function constantNode(step: Step, file: OnnxFile): Known {
  const name = nameOf(step);
  const raw = tensorOf(step, "value");
  if (raw !== undefined) {
    const tensor = file.attributes.get(raw)!;
    return constant(name, tensor, WHOLES.includes(Number(raw.dataType)));
  }
  const part = (numbers: readonly number[], shape: readonly number[]): Part => ({
    shape,
    data: Float64Array.from(numbers),
  });
  const [float, floats] = [floatOf(step, "value_float"), hasAttribute(step, "value_floats")];
  if (float !== undefined) return computed(name, [], false, () => part([float], []));
  if (floats) {
    const list = step.node.attributes!.find((one) => one.name === "value_floats")!.floats ?? [];
    return computed(name, [], false, () => listed(list));
  }
  if (hasAttribute(step, "value_int")) {
    return computed(name, [], true, () => part([intOf(step, "value_int", 0)], []));
  }
  if (hasAttribute(step, "value_ints")) {
    return computed(name, [], true, () => listed(intsOf(step, "value_ints", NaN)!));
  }
  throw new UnreadNode("a Constant must have a value that is a number or an array");
}

/** `ConstantOfShape`. */
export function constantOfShape(step: Step, file: OnnxFile): Known {
  const [shape] = step.operands;
  if (shape === undefined || shape instanceof Connection) {
    throw new UnreadNode("its shape must not depend on the inputs' numbers");
  }
  const raw: OnnxTensor | undefined = tensorOf(step, "value");
  const value: Tensor | undefined = raw && file.attributes.get(raw);
  const number = value?.data[0] ?? 0;
  const isWhole = raw !== undefined && WHOLES.includes(Number(raw.dataType));
  const known = computed(nameOf(step), [shape], isWhole, ([wanted]) =>
    filled(
      wanted!.data === undefined
        ? new Array<number>(unknownRank(wanted!)).fill(NaN)
        : [...wanted!.data],
      () => number,
    ));
  return number === 0 ? { ...known, zeros: true } : known;
}

/** `Shape`. */
export function shapeOf(step: Step): Known {
  const end = hasAttribute(step, "end") ? intOf(step, "end", 0) : Infinity;
  return lengthsOf(nameOf(step), connectionOf(step, 0), intOf(step, "start", 0), end);
}

function nameOf({ node }: Step): string {
  return node.outputs?.[0] ?? "";
}

/** `Size`. */
export function countOf(step: Step): Known {
  const fold = foldOf("Size")!;
  const shape = lengthsOf("", connectionOf(step, 0), 0, Infinity);
  return computed(
    nameOf(step),
    [shape],
    true,
    ([of]) => fold([{ shape: [...of!.data!], data: undefined }], step, true)[0]!,
  );
}
