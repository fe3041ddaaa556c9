// Operators of ONNX whose results are truth values or whole numbers. They are read off the numbers:
// no gradient goes through them.

import { Connection } from "../../layers/connection.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { permuted } from "../../values/arrange.ts";
import { intOf } from "./attributes.ts";
import { axisOf, UnreadNode } from "./errors.ts";
import { FLOATS, WHOLES, WORDS } from "./kinds.ts";
import { broadcastPlace, broadcastShape, type Part } from "./known.ts";
import { asWeight, connectionOf, type Result, type Step } from "./step.ts";

const BOOL = 9; // TensorProto.DataType

type OfNumbers = (...numbers: number[]) => number;

const TRUE_OF: Readonly<Record<string, (...numbers: number[]) => boolean>> = {
  Equal: (a, b) => a === b,
  Less: (a, b) => a! < b!,
  LessOrEqual: (a, b) => a! <= b!,
  Greater: (a, b) => a! > b!,
  GreaterOrEqual: (a, b) => a! >= b!,
  And: (a, b) => a !== 0 && b !== 0,
  Or: (a, b) => a !== 0 || b !== 0,
  Xor: (a, b) => (a !== 0) !== (b !== 0),
  Not: (a) => a === 0,
  IsNaN: (a) => Number.isNaN(a),
};

const WHOLE_OF: Readonly<Record<string, OfNumbers>> = {
  Floor: (x) => Math.floor(x!),
  Ceil: (x) => Math.ceil(x!),
  Round: (x) => { // halves to the even one
    const near = Math.round(x!);
    return Math.abs(x! % 1) === 0.5 && near % 2 !== 0 ? near - 1 : near;
  },
  Sign: (x) => Math.sign(x!),
};

/** `Equal`, `Not` and their like: 1 where it is so, 0 where it is not. */
export function compare(step: Step): Result[] {
  const holds = TRUE_OF[step.operator]!;
  const results = ofNumbers(step, (...numbers) => Number(holds(...numbers)));
  step.build.addWords(...results);
  return results;
}

/** `Floor` and its like. */
export function round(step: Step): Result[] {
  return ofNumbers(step, WHOLE_OF[step.operator]!);
}

/** `Mod` of whole numbers: of the divisor's sign, with fmod of the dividend's. */
export function remainder(step: Step): Result[] {
  const { build } = step;
  checkWhole(step, "Mod");
  const isTruncated = intOf(step, "fmod", 0) !== 0;
  const results = ofNumbers(step, (a, b) => isTruncated ? a! % b! : a! - b! * Math.floor(a! / b!));
  build.addWords(...results);
  return results;
}

/** `Div` of whole numbers, cut off. */
export function quotient(step: Step): Connection[] {
  const results = ofNumbers(step, (a, b) => Math.trunc(a! / b!));
  step.build.addWords(...results);
  return results;
}

function checkWhole({ build, operands }: Step, operator: string): void {
  const areWhole = operands.every((one) =>
    one instanceof Connection ? build.areWords(one) : one!.isWhole
  );
  if (!areWhole) throw new UnreadNode(`${operator} of floats is not read`);
}

/** `Cast`: words stay whole, floats are cut off; those of an input that are words stay as they are. */
export function cast(step: Step): Result[] {
  const { build } = step;
  const [x, to] = [connectionOf(step, 0), intOf(step, "to", 0)];
  const isInput = build.viewOf(x).of.call === undefined;
  const areWords = build.areWords(x);
  if (FLOATS.includes(to)) return areWords && !isInput ? ofNumbers(step, (x) => x!) : [x];
  if (WORDS.includes(to) && (areWords || isInput)) {
    build.addWords(x); // floats that are words: checked at the table
    return [x];
  }
  if (!WHOLES.includes(to)) throw new UnreadNode(`it casts to data type ${to}`);
  const results = ofNumbers(step, to === BOOL ? (x) => Number(x !== 0) : (x) => Math.trunc(x!));
  build.addWords(...results);
  return results;
}

function ofNumbers({ build, operator, operands }: Step, f: OfNumbers): Connection[] {
  const all = operands as readonly Result[];
  const shapeOf = (parts: readonly Pick<Part, "shape">[]) =>
    parts.map(({ shape }) => shape).reduce(broadcastShape);
  const [first] = all.filter((one) => one instanceof Connection);
  const results = build.operate(operator, all, {
    shapes: (parts) => [[...shapeOf(parts)]],
    run: (o, running) => {
      const shape = shapeOf(running);
      const data = running.map(({ value }) => o.numbers(value).data);
      const places = running.map((one) => broadcastPlace(one.shape, shape));
      const found = Float64Array.from(
        { length: sizeOf(shape) },
        (_, k) => f(...data.map((numbers, n) => numbers[places[n]!(k)]!)),
      );
      return [o.given(new Tensor(found, shape))];
    },
  });
  if (results[0]!.shape.length === first!.shape.length) build.keepFirst(first!, ...results);
  return results;
}

/** `Where`: numbers of one or the other, as the condition says. */
export function where({ build, operands }: Step): Result[] {
  const [condition, a, b] = operands as [Result, Result, Result];
  const shapeOf = (parts: readonly Pick<Part, "shape">[]) =>
    parts.map(({ shape }) => shape).reduce(broadcastShape);
  const results = build.operate("Where", [condition, asWeight(a, "then"), asWeight(b, "else")], {
    shapes: (parts) => [[...shapeOf(parts)]],
    run: (o, [chosen, yes, no]) => {
      const all = [chosen, yes!, no!];
      const shape = shapeOf(all);
      const [from, ...places] = all.map((one) => broadcastPlace(one.shape, shape));
      const { data } = o.numbers(chosen.value);
      const moves: number[] = [];
      for (let k = 0; k < sizeOf(shape); k++) {
        const source = data[from!(k)] !== 0 ? 0 : 1;
        moves.push(source, places[source]!(k), k, 1);
      }
      return [o.arrange(shape, [yes!.value, no!.value], moves)];
    },
  });
  const areWords = (one: Result) => one instanceof Connection ? build.areWords(one) : one.isWhole;
  if (areWords(a) && areWords(b)) build.addWords(...results);
  const [first] = [condition, a, b].filter((one) => one instanceof Connection);
  if (results[0]!.shape.length === first!.shape.length) build.keepFirst(first!, ...results);
  return results;
}

/** `ArgMax` and `ArgMin`: the place of the largest number along an axis, the first or the last one. */
export function largestPlace(step: Step): Result[] {
  const x = connectionOf(step, 0);
  const rank = x.shape.length + 1;
  const axis = axisOf(intOf(step, "axis", 0), rank);
  const keeps = intOf(step, "keepdims", 1) !== 0;
  const takesLast = intOf(step, "select_last_index", 0) !== 0;
  const sign = step.operator === "ArgMax" ? 1 : -1;
  const shapeOf = (shape: readonly number[]) =>
    keeps ? shape.with(axis, 1) : shape.toSpliced(axis, 1);
  if (rank === 1 && !keeps) throw new UnreadNode("its result is a single number, without an axis");
  const order = [...Array(rank).keys()].filter((k) => k !== axis).concat(axis);
  const results = step.build.operate(step.operator, [x], {
    shapes: ([{ shape }]) => [shapeOf(shape)],
    run: (o, [{ value, shape }]) => {
      const { data } = o.numbers(permuted(o, value, order));
      const length = shape[axis]!;
      const found = Float64Array.from({ length: data.length / length }, (_, row) => {
        let best = 0;
        for (let k = 1; k < length; k++) {
          const ahead = sign * (data[row * length + k]! - data[row * length + best]!);
          if (ahead > 0 || takesLast && ahead === 0) best = k;
        }
        return best;
      });
      return [o.given(new Tensor(found, shapeOf(shape)))];
    },
  });
  step.build.addWords(...results);
  return results;
}
