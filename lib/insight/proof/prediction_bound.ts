// How far rounding may move a prediction. The error that travelled along with the values is sure, but
// grows at each step by the worst that could have met; the gradients of the prediction with respect
// to every rounding know what cancels and what fades. The smaller of the two is taken.

import { equalPart, type Work } from "../../base/work.ts";
import type { Floats } from "../../values/bounds/estimate.ts";
import type { EstimatedRun } from "./estimated_run.ts";

/** For what is of higher order in the roundings, and so not in a gradient. */
export const HIGHER_ORDERS = 1.25;

/** How many of a sample's numbers are followed back: each costs about a run of the model. */
const MOST_FOLLOWED = 32;

/** And of those whose error that travelled along is the widest: are they as wide in truth? */
const MOST_WIDE = 4;

/** A bound for each number of a prediction, and which of them were followed back. */
export interface PredictionBounds {
  readonly bounds: Floats;
  readonly followed: ReadonlySet<number>;
}

/**
 * A bound for each number of the prediction, and which numbers were followed back: the bounds of the
 * others are wider than they need be.
 *
 * @param differences as large as the prediction: where a sample has more numbers than can be followed
 * back, those with the largest are
 */
export function* predictionBounds(
  { bounds: tape, result, unknown }: EstimatedRun,
  differences: Floats,
): Work<PredictionBounds> {
  const batch = result.shape[0]!;
  const each = result.value.length / batch;
  const bounds = result.error.slice();
  const most = (of: (k: number) => number) => (element: number) => {
    let found = 0;
    for (let n = 0; n < batch; n++) found = Math.max(found, of(n * each + element));
    return found;
  };
  const bySize = (size: (element: number) => number) =>
    elements.map((element) => ({ element, size: size(element) }))
      .sort((a, b) => b.size - a.size).map(({ element }) => element);
  const elements = Array.from({ length: each }, (_, element) => element);
  const followed = each <= MOST_FOLLOWED ? elements : new Set([
    ...bySize(most((k) => differences[k]! / result.error[k]!)).slice(0, MOST_FOLLOWED - MOST_WIDE),
    ...bySize(most((k) => result.error[k]!)).slice(0, MOST_WIDE),
  ]);
  if (unknown === undefined && !tape.keepsSamples(result, batch)) {
    return yield* followedAlone({ bounds: tape, result }, differences);
  }
  const sure = unknown === undefined ? [...followed] : []; // else no gradient is
  for (const [k, element] of sure.entries()) {
    const moved = yield* equalPart(tape.sensitivity(result, element), k, sure.length);
    for (let n = 0; n < batch; n++) {
      const k = n * each + element;
      const bound = HIGHER_ORDERS * moved[n]!;
      if (bound < bounds[k]!) bounds[k] = bound; // not where it is NaN
    }
  }
  const everywhere = [...followed].flatMap((element) =>
    Array.from({ length: batch }, (_, n) => n * each + element)
  );
  return { bounds, followed: new Set(everywhere) };
}

/** The same where numbers move from one sample to another on the way: each is followed by itself. */
function* followedAlone(
  { bounds: tape, result }: Pick<EstimatedRun, "bounds" | "result">,
  differences: Floats,
): Work<PredictionBounds> {
  const bounds = result.error.slice();
  const places = [...bounds.keys()];
  const size = (k: number) => differences[k]! / bounds[k]!;
  const followed = new Set([
    ...places.toSorted((a, b) => size(b) - size(a)).slice(0, MOST_FOLLOWED - MOST_WIDE),
    ...places.toSorted((a, b) => bounds[b]! - bounds[a]!).slice(0, MOST_WIDE),
  ]);
  for (const [k, place] of [...followed].entries()) {
    const moved = yield* equalPart(tape.sensitivityOf(result, place), k, followed.size);
    const bound = HIGHER_ORDERS * moved;
    if (bound < bounds[place]!) bounds[place] = bound; // not where it is NaN
  }
  return { bounds, followed };
}
