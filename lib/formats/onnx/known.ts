// What an ONNX graph computes of nothing but constants and the lengths of axes. Lengths that only a
// call tells are NaN until then, which carries through arithmetic by itself.

import type { Connection } from "../../layers/connection.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { UnreadNode } from "./errors.ts";

/** Numbers as far as they are known: NaN is a length or a number that is not. */
export interface Part {
  readonly shape: readonly number[];
  /** undefined where a length is not known. */
  readonly data: Float64Array<ArrayBuffer> | undefined;
}

/** The shapes of connections, the first axis included, and what was computed of them so far. */
export interface Lengths {
  readonly shapeOf: (connection: Connection) => readonly number[];
  readonly found: Map<Known, Part>;
}

/** Numbers that depend on no input, or on the lengths of its axes alone. */
export interface Known {
  readonly kind: "known";
  /** What it is called in the file. */
  readonly name: string;
  /** Whether these are whole numbers or truth values: their quotients are cut off. */
  readonly isWhole: boolean;
  /** Whose lengths it depends on; none of a constant. */
  readonly sources: readonly Connection[];
  /** How many nodes stand behind it, one after the other. */
  readonly depth: number;
  readonly compute: (lengths: Lengths) => Part;
  /** An array of the file, as it is there. */
  readonly tensor?: Tensor;
  /** Whether all of it is zeros, however many they are. */
  readonly zeros?: boolean;
}

/** How many numbers one result may have, and all of a graph together. */
const MOST = 2 ** 22;
const MOST_TOGETHER = 2 ** 24;
/** How many axes a shape may have. */
const MOST_AXES = 64;
/** How many nodes may compute with lengths one after the other. */
const DEEPEST = 500;

/** A constant. */
export function constant(name: string, tensor: Tensor, isWhole: boolean): Known {
  let part: Part | undefined;
  const compute = () => part ??= { shape: tensor.shape, data: Float64Array.from(tensor.data) };
  return { kind: "known", name, isWhole, sources: [], depth: 0, compute, tensor };
}

/** Numbers computed of others: at once where all are constants. */
export function computed(
  name: string,
  operands: readonly Known[],
  isWhole: boolean,
  work: (operands: readonly Part[]) => Part,
  more: readonly Connection[] = [],
): Known {
  const sources = [...new Set([...operands.flatMap((one) => one.sources), ...more])];
  const depth = 1 + Math.max(0, ...operands.map((one) => one.depth));
  if (depth > DEEPEST) {
    throw new UnreadNode(`more than ${DEEPEST} nodes compute with lengths, one after the other`);
  }
  const known: Known = {
    kind: "known",
    name,
    isWhole,
    sources,
    depth,
    compute: (lengths) => work(operands.map((one) => partOf(one, lengths))),
  };
  if (sources.length > 0) return known;
  const part = known.compute(noLengths());
  return { ...known, depth: 0, compute: () => part };
}

/** The lengths of a connection's axes, from one to another. */
export function lengthsOf(name: string, of: Connection, start: number, end: number): Known {
  return {
    kind: "known",
    name,
    isWhole: true,
    sources: [of],
    depth: 1,
    compute: ({ shapeOf }) => listed(shapeOf(of).slice(start, end)),
  };
}

/** A list of numbers. */
export function listed(numbers: readonly number[]): Part {
  return { shape: [numbers.length], data: Float64Array.from(numbers) };
}

/** What is known of it where the lengths are these. */
export function partOf(known: Known, lengths: Lengths): Part {
  const found = lengths.found.get(known);
  if (found !== undefined) return found;
  const part = known.compute(lengths);
  lengths.found.set(known, part);
  return part;
}

function noLengths(): Lengths {
  return { shapeOf: () => [], found: new Map() };
}

/** Whether it is the same for every input. */
export function isConstant({ sources }: Known): boolean {
  return sources.length === 0;
}

/** A constant's numbers. */
export function constantPart(known: Known): Part & { readonly data: Float64Array<ArrayBuffer> } {
  const { shape, data } = known.compute(noLengths());
  return { shape, data: data! };
}

/** A constant as a tensor. */
export function constantTensor(known: Known): Tensor {
  return known.tensor ?? tensorOfPart(constantPart(known));
}

/** Throws where a graph makes much of little. */
export function sizeLimit(): (known: Known) => void {
  let total = 0;
  return (known) => {
    if (known.sources.length > 0 || known.tensor !== undefined) return;
    total += constantPart(known).data.length;
    if (total > MOST_TOGETHER) {
      throw new UnreadNode(`constants computed of others have at most ${MOST_TOGETHER} numbers`);
    }
  };
}

/** Throws where there are more numbers than are computed of lengths. */
export function checkCount(count: number): void {
  if (!(count > MOST)) return;
  throw new UnreadNode(`what is computed of lengths has at most ${MOST} numbers: it has ${count}`);
}

/** A result's numbers, each computed of its place; none where a length is not known. */
export function filled(shape: readonly number[], number: (at: number) => number): Part {
  const size = sizeOf(shape);
  if (Number.isNaN(size)) return { shape, data: undefined };
  checkCount(size);
  return { shape, data: Float64Array.from({ length: size }, (_, k) => number(k)) };
}

/** The numbers as a tensor, where all are known. */
export function tensorOfPart({ shape, data }: Part): Tensor {
  return new Tensor(data!, shape);
}

/** The shape of two that are repeated along each other's axes, as NumPy does it. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, k) => {
    const [m, n] = [a[k - rank + a.length] ?? 1, b[k - rank + b.length] ?? 1];
    if (m === n || n === 1) return m;
    if (m === 1 || Number.isNaN(m)) return n;
    if (Number.isNaN(n)) return m;
    throw new UnreadNode(`its shapes [${a}] and [${b}] do not fit each other`);
  });
}

/** For each place of a shape, the place of what is repeated over it. */
export function broadcastPlace(
  from: readonly number[],
  to: readonly number[],
): (at: number) => number {
  const strides = from.map((length, axis) => length === 1 ? 0 : sizeOf(from.slice(axis + 1)));
  const around = to.length - from.length;
  return (at) => {
    let place = 0;
    let rest = at;
    for (let axis = to.length - 1; axis >= 0; axis--) {
      const length = to[axis]!;
      if (axis >= around) place += (rest % length) * strides[axis - around]!;
      rest = Math.floor(rest / length);
    }
    return place;
  };
}

/** The shape that Reshape asks for: 0 copies a length, −1 takes what is left. */
export function reshapedShape(
  shape: readonly number[],
  target: Part,
  allowsZero: boolean,
): number[] {
  const wanted = target.data === undefined
    ? new Array<number>(unknownRank(target)).fill(NaN)
    : [...target.data];
  const given = wanted.map((length, k) => length === 0 && !allowsZero ? shape[k] ?? NaN : length);
  const open = given.indexOf(-1);
  if (open !== given.lastIndexOf(-1) || given.some((length) => length < -1)) {
    throw new UnreadNode(`it turns [${shape}] into [${wanted}]`);
  }
  if (open === -1) {
    const [from, to] = [sizeOf(shape), sizeOf(given)];
    if (from !== to && !Number.isNaN(from) && !Number.isNaN(to)) {
      throw new UnreadNode(`it turns [${shape}] into [${wanted}]`);
    }
    return given;
  }
  // One length that is not known on both sides is the same: the samples.
  const unknown = (lengths: readonly number[]) => lengths.filter(Number.isNaN).length;
  const others = given.toSpliced(open, 1);
  const cancels = unknown(shape) === 1 && unknown(others) === 1;
  const product = (lengths: readonly number[]) =>
    sizeOf(cancels ? lengths.filter((length) => !Number.isNaN(length)) : lengths);
  const length = product(shape) / product(others);
  if (!Number.isNaN(length) && !Number.isInteger(length)) {
    throw new UnreadNode(`it turns [${shape}] into [${wanted}]`);
  }
  return given.with(open, length);
}

/** How many axes a list of lengths makes, whatever they are. */
export function unknownRank({ shape }: Part): number {
  const [rank = NaN] = shape;
  if (shape.length === 1 && rank <= MOST_AXES) return rank;
  throw new UnreadNode("how many axes its result has is not known");
}

/** A slice of an axis: the places it takes, in order; undefined where the length is not known. */
export function slicedPlaces(
  length: number,
  start: number,
  end: number,
  step: number,
): number[] | undefined {
  if (step === 0) throw new UnreadNode("its step is 0");
  if ([length, start, end, step].some(Number.isNaN)) return undefined;
  const [least, most] = step > 0 ? [0, length] : [-1, length - 1];
  const at = (place: number) => Math.min(Math.max(place < 0 ? place + length : place, least), most);
  const places: number[] = [];
  const [from, to] = [at(start), at(end)];
  checkCount((to - from) / step);
  for (let k = from; step > 0 ? k < to : k > to; k += step) places.push(k);
  return places;
}
