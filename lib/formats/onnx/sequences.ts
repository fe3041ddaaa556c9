// Lists of results: PyTorch's unbind() is one, whose parts are taken by their places.

import type { Connection } from "../../layers/connection.ts";
import { pickedAlong } from "../../values/arrange.ts";
import { intOf } from "./attributes.ts";
import type { GraphBuild } from "./build.ts";
import { axisOf, UnreadNode } from "./errors.ts";
import { placeIn } from "./axes.ts";
import { pickPlace } from "./picks.ts";
import { connectionOf, numberOf, type Step } from "./step.ts";

/** The places of a result along an axis, one by one. */
export interface Places {
  readonly of: Connection;
  readonly axis: number;
}

/** The operators that take a list. */
export const OF_LISTS: readonly string[] = ["SequenceAt"];

/** `SplitToSequence` into single places, without their axis. */
export function splitToSequence(step: Step): Places {
  const of = connectionOf(step, 0);
  if (step.operands[1] !== undefined || intOf(step, "keepdims", 1) !== 0) {
    throw new UnreadNode("its parts must be single places, without their axis");
  }
  return { of, axis: axisOf(intOf(step, "axis", 0), of.shape.length + 1) };
}

/** `SequenceAt`. */
export function sequenceAt(step: Step, { of, axis }: Places): Connection {
  const place = numberOf(step, 1, "its position")!;
  return pickPlace(step.build, of, axis, place) ?? gathered(step.build, of, axis, place);
}

/** One place of an axis, which is gone. */
function gathered(build: GraphBuild, of: Connection, axis: number, place: number): Connection {
  return build.operate("SequenceAt", [of], {
    shapes: ([{ shape }]) => {
      placeIn(place, shape[axis]!);
      return [shape.toSpliced(axis, 1)];
    },
    run: (o, [{ value, shape }]) => {
      const one = pickedAlong(o, value, axis, [placeIn(place, shape[axis]!)]);
      return [o.reshape(one, shape.toSpliced(axis, 1))];
    },
  })[0]!;
}
