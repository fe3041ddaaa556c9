// ONNX's LSTM operator as a layer, its axes turned before and after.

import { Connection } from "../layers/connection.ts";
import { bidirectional } from "../layers/bidirectional.ts";
import { lstm } from "../layers/lstm.ts";
import type { Layer } from "../layers/layer.ts";
import { quoted } from "../base/quoted.ts";
import { Tensor } from "../tensor/tensor.ts";
import { join, permuted, pickedAlong } from "../values/arrange.ts";
import { hasAttribute, intOf, textOf } from "./onnx_attributes.ts";
import { constantPart, isConstant } from "./onnx_known.ts";
import { activationsOf, convert } from "./onnx_lstm.ts";
import { fullShape, type Operand } from "./onnx_node_layers.ts";
import { connectionOf, constantOperand, openPart, type Result, type Step } from "./onnx_step.ts";
import { type GraphNode, UnreadNode } from "./onnx_values.ts";

/** Its results that are taken: the sequence Y, the last hidden state Y_h, the last cell state Y_c. */
export function recur(step: Step): (Result | undefined)[] {
  checkUnread(step);
  const direction = textOf(step, "direction", "forward");
  if (!["forward", "reverse", "bidirectional"].includes(direction)) {
    throw new UnreadNode(`its direction is ${quoted(direction)}`);
  }
  const layout = intOf(step, "layout", 0);
  if (layout !== 0 && layout !== 1) throw new UnreadNode(`its layout is ${layout}`);
  const directions = direction === "bidirectional" ? 2 : 1;
  const node = withConstants(step);
  const { units, weights } = convert(node, directions);
  const sizes = { units, useBias: weights.length === 3 * directions };
  const activations = activationsOf(node, directions);

  const { build } = step;
  const x = build.pinned(sequenceOf(step, layout === 1), weights[0]!.tensor.shape[0]!);
  const states = statesOf(step, x, { directions, units, batchFirst: layout === 1 });
  const [sequence, hidden, cell] = [0, 1, 2].map((k) => (step.uses[k] ?? 0) > 0) as [
    boolean,
    boolean,
    boolean,
  ];
  const returnState = cell || sequence && hidden;
  const returnSequences = sequence;
  const own = activations.map((one) => ({ ...sizes, ...one, returnSequences, returnState }));
  const zeroOutputForMask = returnSequences; // steps beyond a sample's length give zeros
  const layer: Layer = directions === 2
    ? bidirectional(lstm(own[0]!), {
      backwardLayer: lstm({ ...own[1]!, goBackwards: true }),
      zeroOutputForMask,
    })
    : lstm({ ...own[0]!, goBackwards: direction === "reverse", zeroOutputForMask });
  const [result, ...ends] = build.apply(layer, [x, ...states], weights);
  // Keras's states are h and c of each direction in turn.
  const last = returnState
    ? { hidden: ends.filter((_, k) => k % 2 === 0), cell: ends.filter((_, k) => k % 2 === 1) }
    : { hidden: [result!], cell: [] };
  const form = { directions, units, batchFirst: layout === 1, reverse: direction === "reverse" };
  return [
    sequence ? sequenceResult(step, result!, form) : undefined,
    hidden ? stateResult(step, last.hidden, form) : undefined,
    cell ? stateResult(step, last.cell, form) : undefined,
  ];
}

interface Form {
  readonly directions: number;
  readonly units: number;
  readonly batchFirst: boolean;
  readonly reverse?: boolean;
}

/** The node with its arrays as they are read where graphs are rows of layers. */
function withConstants(step: Step): GraphNode {
  const names = ["its input X", "its weights W", "its weights R", "its bias B"];
  return {
    ...step,
    inputs: step.inputs.map((value, k) => {
      if (k > 0 && k < names.length) constantOperand(step, k, names[k]!);
      return value;
    }),
  };
}

function checkUnread(step: Step): void {
  if (hasAttribute(step, "clip")) throw new UnreadNode("it has clip");
  if (intOf(step, "input_forget", 0) !== 0) throw new UnreadNode("it has input_forget");
  const peepholes = step.operands[7];
  if (peepholes !== undefined && !isZero(peepholes)) throw new UnreadNode("it has peepholes P");
}

function isZero(operand: Result): boolean {
  return !(operand instanceof Connection) && isConstant(operand) &&
    constantPart(operand).data.every((value) => value === 0);
}

/** X as `[batch, timesteps, inputSize]`, its lengths whole. */
function sequenceOf(step: Step, batchFirst: boolean): Connection {
  const { build, operands } = step;
  const x = connectionOf(step, 0);
  if (x.shape.length !== 2) {
    throw new UnreadNode(`its input X must have 3 axes: it has ${x.shape.length + 1}`);
  }
  const time = batchFirst ? 1 : 0;
  if (build.firstAxes.get(x) === time) build.isTied = true;
  const lengths = operands[4];
  if (lengths === undefined && batchFirst) return x;
  const order = batchFirst ? [0, 1, 2] : [1, 0, 2];
  if (lengths === undefined) {
    return build.operate("Transpose", [x], {
      shapes: ([{ shape }]) => [order.map((axis) => shape[axis]!)],
      run: (o, [{ value }]) => [permuted(o, value, order)],
    })[0]!;
  }
  if (!(lengths instanceof Connection)) { // as far as the file tells
    const { data = new Float64Array() } = openPart(lengths);
    checkLengths(data, build.given.get(x) ?? NaN, NaN);
    if (data.some((length) => length !== data[0])) build.isTied = true;
  }
  return build.operate("SequenceLens", [x, lengths], {
    shapes: ([{ shape }]) => [order.map((axis) => shape[axis]!)],
    run: (o, [{ value }]) => [batchFirst ? value : permuted(o, value, order)],
    mask: (o, [{ shape }, own]) => {
      const { data } = o.numbers(own!.value);
      const [batch, timesteps] = [shape[1 - time]!, shape[time]!];
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

/** h and c of each direction, `[batch, units]`, where they are not zeros. */
function statesOf(step: Step, x: Connection, form: Form): Connection[] {
  const { build } = step;
  const given = [step.operands[5], step.operands[6]];
  if (given.every((one) => one === undefined || isZero(one) || isOpenZero(one))) {
    given.forEach((one, k) => one && checkState(shapeOfResult(one), form, k));
    return [];
  }
  const perKind = given.map((one, k) => {
    if (one !== undefined) {
      const shape = shapeOfResult(one);
      checkState(shape, form, k);
      const isFixed = !(one instanceof Connection) && isConstant(one);
      if (isFixed && shape[form.batchFirst ? 0 : 1]! > 1) build.isTied = true;
    }
    return Array.from({ length: form.directions }, (_, d) => {
      const operands: Operand[] = one === undefined ? [x] : [x, one];
      return build.operate("State", operands, {
        shapes: ([{ shape }]) => [[shape[0]!, form.units]],
        run: (o, [sequence, state]) => {
          const shape = [sequence.shape[0]!, form.units];
          if (state === undefined) return [o.arrange(shape, [], [])];
          const wanted = form.batchFirst
            ? [shape[0]!, form.directions, form.units]
            : [form.directions, ...shape];
          if (wanted.join() !== state.shape.join()) {
            throw new UnreadNode(
              `${["initial_h", "initial_c"][k]} is [${state.shape}] for ${shape[0]} samples`,
            );
          }
          const one = pickedAlong(o, state.value, form.batchFirst ? 1 : 0, [d]);
          return [o.reshape(one, shape)];
        },
      })[0]!;
    });
  });
  const [hidden, cell] = perKind as [Connection[], Connection[]];
  return hidden.flatMap((h, d) => [h, cell[d]!]);
}

/** Zeros in as many rows as the input has. */
function isOpenZero(operand: Result): boolean {
  return !(operand instanceof Connection) && operand.zeros === true;
}

function shapeOfResult(one: Result): readonly number[] {
  return one instanceof Connection ? fullShape(one) : openPart(one).shape;
}

function checkState(shape: readonly number[], form: Form, k: number): void {
  const at = form.batchFirst ? 1 : 0;
  const isDirections = (length: number) => length === form.directions || Number.isNaN(length);
  const isUnits = (length: number) => length === form.units || Number.isNaN(length);
  if (shape.length === 3 && isDirections(shape[at]!) && isUnits(shape[2]!)) return;
  throw new UnreadNode(`${["initial_h", "initial_c"][k]} is [${shape}]`);
}

/** Y: `[timesteps, directions, batch, units]`, with layout 1 the batch first. */
function sequenceResult({ build }: Step, result: Connection, form: Form): Connection {
  const { directions, units, batchFirst, reverse } = form;
  const order = batchFirst ? [0, 1, 2, 3] : [1, 2, 0, 3];
  return build.operate("Sequence", [result], {
    shapes: ([{ shape: [batch, timesteps] }]) => {
      const shape = [batch!, timesteps!, directions, units];
      return [order.map((axis) => shape[axis]!)];
    },
    run: (o, [{ value, shape: [batch, timesteps] }]) => {
      const backwards = Array.from({ length: timesteps! }, (_, t) => timesteps! - 1 - t);
      const inTime = reverse ? pickedAlong(o, value, 1, backwards) : value;
      return [permuted(o, o.reshape(inTime, [batch!, timesteps!, directions, units]), order)];
    },
  })[0]!;
}

/** Y_h or Y_c: `[directions, batch, units]`, with layout 1 the batch first. */
function stateResult({ build }: Step, parts: readonly Connection[], form: Form): Connection {
  const { directions, units, batchFirst } = form;
  const order = batchFirst ? [0, 1, 2] : [1, 0, 2];
  return build.operate("States", parts, {
    shapes: ([{ shape: [batch] }]) => {
      const shape = [batch!, directions, units];
      return [order.map((axis) => shape[axis]!)];
    },
    run: (o, states) => {
      const joined = states.length === 1
        ? states[0].value
        : join(o, states.map(({ value }) => value));
      return [permuted(o, o.reshape(joined, [states[0].shape[0]!, directions, units]), order)];
    },
  })[0]!;
}
