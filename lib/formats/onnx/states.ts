// The states that a recurrent operator begins with, and the lengths of its samples.

import { Connection } from "../../layers/connection.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { pickedAlong } from "../../values/arrange.ts";
import { isZero } from "./cells.ts";
import { UnreadNode } from "./errors.ts";
import { fullShape, type Operand } from "./node_layers.ts";
import { pickPlace } from "./picks.ts";
import { isGiven, openPart, type Result, type Step } from "./step.ts";

/** The shapes of an operator's states. */
export interface StateForm {
  readonly directions: number;
  readonly units: number;
  readonly batchFirst: boolean;
  /** How many there are: h, or h and c. */
  readonly kinds: 1 | 2;
}

const NAMES = ["initial_h", "initial_c"];

/** h, or h and c, of each direction, `[batch, units]`; none where they are zeros. */
export function statesOf(step: Step, x: Connection, form: StateForm): Connection[] {
  const given = [step.operands[5], step.operands[6]].slice(0, form.kinds);
  given.forEach((one, k) => one && checkState(shapeOfResult(one), form, k));
  if (given.every((one) => one === undefined || isZero(one) || isOpenZero(one))) return [];
  const perKind = given.map((one, k) => {
    if (isGiven(one) && openPart(one).shape[form.batchFirst ? 0 : 1]! > 1) step.build.isTied = true;
    return Array.from({ length: form.directions }, (_, d) => stateOf(step, x, one, form, k, d));
  });
  return Array.from({ length: form.directions }, (_, d) => perKind.map((states) => states[d]!))
    .flat();
}

function stateOf(
  { build }: Step,
  x: Connection,
  one: Result | undefined,
  { units, directions, batchFirst }: StateForm,
  k: number,
  d: number,
): Connection {
  const axis = batchFirst ? 1 : 0;
  const isOne = one instanceof Connection && directions === 1 &&
    build.viewOf(one).axes[axis]!.length === 0;
  const own = isOne ? pickPlace(build, one, axis, d) : undefined;
  if (own !== undefined && own.shape.length === 1 && own.shape[0] === units) return own;
  const operands: Operand[] = one === undefined ? [x] : [x, one];
  return build.operate("State", operands, {
    shapes: ([{ shape }]) => [[shape[0]!, units]],
    run: (o, [sequence, state]) => {
      const shape = [sequence.shape[0]!, units];
      if (state === undefined) return [o.arrange(shape, [], [])];
      const wanted = batchFirst ? [shape[0]!, directions, units] : [directions, ...shape];
      if (wanted.join() !== state.shape.join()) {
        throw new UnreadNode(`${NAMES[k]} is [${state.shape}] for ${shape[0]} samples`);
      }
      return [o.reshape(pickedAlong(o, state.value, axis, [d]), shape)];
    },
  })[0]!;
}

/** Zeros in as many rows as the input has. */
function isOpenZero(operand: Result): boolean {
  return !(operand instanceof Connection) && operand.zeros === true;
}

function shapeOfResult(one: Result): readonly number[] {
  return one instanceof Connection ? fullShape(one) : openPart(one).shape;
}

function checkState(
  shape: readonly number[],
  { directions, units, batchFirst }: StateForm,
  k: number,
): void {
  const fits = (length: number | undefined, wanted: number) =>
    length === wanted || Number.isNaN(length);
  if (shape.length === 3 && fits(shape[batchFirst ? 1 : 0], directions) && fits(shape[2], units)) {
    return;
  }
  throw new UnreadNode(`${NAMES[k]} is [${shape}]`);
}

/** A sequence that knows which of its steps count. */
export function maskedSequence({ build }: Step, x: Connection, lengths: Result): Connection {
  if (!(lengths instanceof Connection)) { // as far as the file tells
    const { data = new Float64Array() } = openPart(lengths);
    checkLengths(data, x.shape[0] ?? NaN, NaN);
    if (data.some((length) => length !== data[0])) build.isTied = true;
  }
  return build.operate("SequenceLens", [x, lengths], {
    shapes: ([{ shape }]) => [shape],
    run: (o, [{ value, shape }]) => [o.reshape(value, shape)],
    mask: (o, [{ shape }, own]) => {
      const { data } = o.numbers(own!.value);
      const [batch, timesteps] = shape as [number, number, number];
      checkLengths(data, timesteps, batch);
      if (data.every((length) => length === timesteps)) return undefined;
      const counts = Float64Array.from({ length: batch * timesteps }, (_, k) => {
        return k % timesteps < data[Math.floor(k / timesteps)]! ? 1 : 0;
      });
      return new Tensor(counts, [batch, timesteps]);
    },
  })[0]!;
}

/** A sample has a step or more, and at most those that there are. */
function checkLengths(data: ArrayLike<number>, timesteps: number, batch: number): void {
  const lengths = Array.from(data);
  const other = lengths.find((length) => length < 1 || length > timesteps);
  if (other !== undefined) {
    throw new UnreadNode(`it has sequence_lens of ${other} where the timesteps are ${timesteps}`);
  }
  if (lengths.length === batch || Number.isNaN(batch)) return;
  throw new UnreadNode(`it has ${lengths.length} sequence_lens for ${batch} samples`);
}
