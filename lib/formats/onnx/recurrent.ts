// ONNX's recurrent operators as layers, their axes turned before and after.

import { quoted } from "../../base/quoted.ts";
import { bidirectional } from "../../layers/bidirectional.ts";
import { concatenate } from "../../layers/concatenate.ts";
import type { Connection } from "../../layers/connection.ts";
import type { Layer } from "../../layers/layer.ts";
import type { MergeMode } from "../../layers/merge_modes.ts";
import type { Converted } from "../conversion.ts";
import { floatOf, intOf, textOf } from "./attributes.ts";
import type { Variant } from "./build.ts";
import { cellOf } from "./cells.ts";
import { UnreadNode } from "./errors.ts";
import { permute } from "./movements.ts";
import { recurrentActivations, recurrentArrays } from "./recurrent_weights.ts";
import { maskedSequence, type StateForm, statesOf } from "./states.ts";
import { connectionOf, type Result, type Step } from "./step.ts";

const DIRECTIONS = ["forward", "reverse", "bidirectional"];

/** A recurrent operator: what it computes, whatever goes in. */
export interface RecurrentOperator {
  readonly inputSize: number;
  readonly form: StateForm;
  readonly isReversed: boolean;
  /** Keras's arrays of each direction. */
  readonly arrays: readonly (readonly Converted[])[];
  /** Makes the layer. */
  readonly make: (options: {
    readonly returnSequences: boolean;
    readonly returnState: boolean;
    /** Whether samples have lengths of their own. */
    readonly isMasked: boolean;
    readonly mergeMode?: MergeMode | undefined;
  }) => Layer;
}

/** The operator that a node is. */
export function recurrentOperator(step: Step): RecurrentOperator {
  const clip = floatOf(step, "clip") ?? 0;
  if (clip !== 0) throw new UnreadNode(`it has clip ${clip}`);
  const direction = textOf(step, "direction", "forward");
  if (!DIRECTIONS.includes(direction)) {
    throw new UnreadNode(`its direction is ${quoted(direction)}`);
  }
  const layout = intOf(step, "layout", 0);
  if (layout !== 0 && layout !== 1) throw new UnreadNode(`its layout is ${layout}`);
  const cell = cellOf(step);
  const directions = direction === "bidirectional" ? 2 : 1;
  const { units, inputSize, arrays: own } = recurrentArrays(step, directions, cell.blocks);
  const more = cell.more?.(units, directions);
  const arrays = own.map((one, d) => [...one, ...more?.[d] ?? []]);
  const activations = recurrentActivations(step, directions, cell.activations);
  const isReversed = direction === "reverse";
  return {
    inputSize,
    form: { directions, units, batchFirst: layout === 1, kinds: cell.states },
    isReversed,
    arrays,
    make: ({ returnSequences, returnState, isMasked, mergeMode = "concat" }) => {
      const maskWithStates = isMasked;
      const half = (k: number, goBackwards: boolean, zeroOutputForMask: boolean) => {
        const useBias = step.operands[3] !== undefined;
        const options = { units, useBias, returnSequences, returnState, goBackwards };
        return cell.make({ ...options, maskWithStates, zeroOutputForMask }, activations[k]!);
      };
      // steps beyond a sample's length give zeros
      if (directions === 1) return half(0, isReversed, isMasked && returnSequences);
      return bidirectional(half(0, false, false), {
        backwardLayer: half(1, true, false),
        mergeMode,
      });
    },
  };
}

/** Its results that are taken: the sequence Y, the last hidden state Y_h, the last cell state Y_c. */
export function recur(step: Step): (Result | undefined)[] {
  const { build } = step;
  const { inputSize, form, isReversed, arrays, make } = recurrentOperator(step);
  const [x, isMasked] = sequenceOf(step, form.batchFirst, inputSize);
  const isTaken = (k: number) => (step.uses[k] ?? 0) > 0;
  const [sequence, hidden, memory] = [isTaken(0), isTaken(1), isTaken(2)];
  const returnState = memory || sequence && hidden;
  const vary = ({ mergeMode, returnSequences = sequence }: Variant): Layer =>
    make({ returnSequences, returnState, isMasked, mergeMode });
  const layer = vary({});
  if (!isMasked) build.variants.set(layer, vary);
  const states = statesOf(step, x, form);
  const [result, ...ends] = build.apply(layer, [x, ...states], arrays.flat())
    .map((one) => unmasked(step, one, isMasked));
  // Keras's states are h and c of each direction in turn.
  const endsOf = (kind: number) => ends.filter((_, k) => k % form.kinds === kind);
  return [
    sequence ? shownSequence(step, result!, form, isReversed) : undefined,
    hidden ? shownState(step, returnState ? endsOf(0) : [result!], form) : undefined,
    memory ? shownState(step, endsOf(1), form) : undefined,
  ];
}

/** X as `[batch, timesteps, inputSize]`, and whether samples have lengths of their own. */
function sequenceOf(
  step: Step,
  batchFirst: boolean,
  inputSize: number,
): [x: Connection, isMasked: boolean] {
  const { build } = step;
  const given = connectionOf(step, 0);
  if (given.shape.length !== 2) {
    throw new UnreadNode(`its input X must have 3 axes: it has ${given.shape.length + 1}`);
  }
  if (build.firstAxisOf(given) === (batchFirst ? 1 : 0)) build.isTied = true;
  const turned = batchFirst ? given : permute(build, given, [1, 0, 2]);
  const x = build.pinned(turned, inputSize);
  const lengths = step.operands[4];
  if (lengths === undefined) return [x, false];
  return [maskedSequence(step, x, lengths), true];
}

/** A result whose later layers know nothing of the samples' lengths. */
function unmasked({ build }: Step, result: Connection, isMasked: boolean): Connection {
  if (!isMasked) return result;
  return build.operate("Unmasked", [result], {
    shapes: ([{ shape }]) => [shape],
    run: (o, [{ value, shape }]) => [o.reshape(value, shape)],
  })[0]!;
}

/** Y: `[timesteps, directions, batch, units]`, with layout 1 the batch first. */
function shownSequence(
  { build }: Step,
  result: Connection,
  { directions, units, batchFirst }: StateForm,
  isReversed: boolean,
): Connection {
  const [timesteps] = result.shape;
  const view = build.part(result, [[NaN], [timesteps ?? NaN], [directions, units]]);
  const [batch, time, features] = view.own;
  const [direction, own] = [features!.slice(0, directions - 1), features!.slice(directions - 1)];
  const axes = batchFirst ? [batch!, time!, direction, own] : [time!, direction, batch!, own];
  return build.show({ ...view, axes, backwards: new Set(isReversed ? time : []) }, "Sequence");
}

/** Y_h or Y_c: `[directions, batch, units]`, with layout 1 the batch first. */
function shownState(
  { build }: Step,
  parts: readonly Connection[],
  { directions, units, batchFirst }: StateForm,
): Connection {
  const joined = parts.length === 1 ? parts[0]! : build.apply(concatenate(), parts)[0]!;
  const view = build.part(joined, [[NaN], [directions, units]]);
  const [batch, features] = view.own;
  const [direction, own] = [features!.slice(0, directions - 1), features!.slice(directions - 1)];
  const axes = batchFirst ? [batch!, direction, own] : [direction, batch!, own];
  return build.show({ ...view, axes }, "State");
}
