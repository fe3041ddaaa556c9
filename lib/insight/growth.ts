// How much small differences of a gated layer's states grow, along the run without a patch.

import type { Work } from "../base/work.ts";
import type { SharedInput } from "../compute/shared_input.ts";
import { seededRandom } from "../tensor/random.ts";
import { type Fork, inputOf } from "./fork.ts";

/** So many random differences go along; after some steps they lie where differences grow most. */
const DIFFERENCES = 8;

/**
 * By how much a difference of one sample may be larger at any later time than after so many steps, for
 * every `every`-th step: at least 1, by what becomes of random ones, which are made small again there
 * (Benettin et al. 1980). Differences are counted in `little`, a number for each unit of each state.
 */
export function* growthEvery(
  every: number,
  rest: SharedInput,
  fork: Fork,
  sample: number,
  little: readonly Float64Array[],
): Work<ReadonlyMap<number, number>> {
  const { order, order: { length }, states } = fork;
  const random = seededRandom(sample);
  const randoms = () =>
    little.map((own) =>
      Float64Array.from({ length: DIFFERENCES * own.length }, () => random.normal())
    );
  const growths: number[] = [];
  let differences = randoms();
  for (let begin = every; begin < length; begin += every) {
    let before = largest(differences);
    if (!(before > 0)) before = largest(differences = randoms()); // none is left
    const rows = states.map((state, s) => {
      const own = state.at(sample, order[begin - 1]!).data;
      const { length: units } = own;
      return Float64Array.from({ length: (DIFFERENCES + 1) * units }, (_, k) => {
        const difference = k < DIFFERENCES * units ? differences[s]![k]! / before : 0;
        return own[k % units]! + difference * little[s]![k % units]!;
      });
    });
    const { states: after } = rest.run(
      inputOf(fork, sample, begin, Math.min(begin + every, length)),
      rows,
    );
    differences = after.map((state, s) => {
      const { length: units } = little[s]!;
      const last = DIFFERENCES * units;
      return Float64Array.from(
        { length: last },
        (_, k) => (state[k]! - state[last + k % units]!) / little[s]![k % units]! || 0,
      );
    });
    growths.push(largest(differences));
    yield begin / length;
  }
  let reach = 1;
  return new Map(
    growths.map((growth, k) => [k, growth] as const).reverse().map(([k, growth]) => {
      reach = Math.max(1, growth * reach);
      return [(k + 1) * every, reach];
    }),
  );
}

function largest(differences: readonly Float64Array[]): number {
  let most = 0;
  for (const own of differences) for (const one of own) most = Math.max(most, Math.abs(one));
  return most;
}
