// Where a run that differs from another by little need not go on: what follows is slope × difference.

import type { Work } from "../base/work.ts";
import type { Numbers } from "../compute/gated_layer.ts";
import type { SharedInput } from "../compute/shared_input.ts";
import type { FastGated } from "../layers/fast_form.ts";
import type { Network } from "../model/network.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Fork } from "./fork.ts";
import { growthEvery } from "./growth.ts";
import { hasSlopes, type Slopes, slopesEvery } from "./last_slopes.ts";

/** After so many steps each, a run may end. */
export const PIECE = 8;
/**
 * A run ends whose states will not differ by more than that from the other's, as far as differences
 * grow: what follows is of first order. What a step bends, the square of it, is what float32 rounds.
 */
const LITTLE = 2 ** -12;

type Floats = Float64Array<ArrayBuffer>;

/** What the ends of a layer's runs depend on. */
interface Ending {
  readonly slopes: ReadonlyMap<number, Slopes>;
  /** How much is little, `[units]` of each state. */
  readonly little: readonly Floats[];
  /** How many times that differences become after so many steps, for each sample. */
  readonly growth: readonly ReadonlyMap<number, number>[];
}

/**
 * Looks where the runs of a layer may end.
 *
 * @param target which output the runs are for
 * @param rest the layer, to see how much differences grow
 */
export function* earlyEnds(
  network: Network,
  inputs: readonly Tensor[],
  own: { readonly form: FastGated; readonly fork: Fork; readonly target: number },
  rest: SharedInput,
): Work<EarlyEnds> {
  const { form, fork } = own;
  const little = fork.states.map((state) => littleOf(state));
  const growth: ReadonlyMap<number, number>[] = [];
  if (!hasSlopes(network, form, fork)) return new EarlyEnds({ slopes: new Map(), little, growth });
  const slopes = yield* slopesEvery(PIECE, network, inputs, own);
  for (let n = 0; n < fork.x.shape[0]!; n++) {
    growth.push(yield* growthEvery(PIECE, rest, fork, n, little));
  }
  return new EarlyEnds({ slopes, little, growth });
}

/** The ends of a layer's runs before its last step. */
export class EarlyEnds {
  readonly #ending: Ending;

  constructor(ending: Ending) {
    this.#ending = ending;
  }

  /**
   * Which of a sample's runs end after so many steps: what each makes of the output, minus what the last
   * one does.
   *
   * @param states `[runs, units]` each
   */
  after(step: number, sample: number, states: readonly Numbers[]): ReadonlyMap<number, number> {
    const ends = new Map<number, number>();
    const slopes = this.#ending.slopes.get(step);
    const growth = this.#ending.growth[sample]?.get(step);
    if (slopes === undefined || growth === undefined) return ends;
    const own = slopes.map((slope) => slope.at(sample).data as Floats);
    const last = states[0]!.length / own[0]!.length - 1;
    for (let run = 0; run < last; run++) {
      if (!this.#differLittle(states, run, last, growth)) continue;
      ends.set(run, firstOrder(own, states, run, last));
    }
    return ends;
  }

  #differLittle(states: readonly Numbers[], a: number, b: number, growth: number): boolean {
    return this.#ending.little.every((little, s) => {
      const [state, units] = [states[s]!, little.length];
      for (let u = 0; u < units; u++) {
        const difference = Math.abs(state[a * units + u]! - state[b * units + u]!);
        if (!(difference * growth <= little[u]!)) return false; // NaN is not little
      }
      return true;
    });
  }
}

/** `LITTLE` of the largest that each unit's state becomes, and of 1 at most. */
function littleOf({ data, shape }: Tensor): Floats {
  const units = shape.at(-1)!;
  const largest = new Float64Array(units);
  data.forEach((value, k) => largest[k % units] = Math.max(largest[k % units]!, Math.abs(value)));
  return largest.map((value) => LITTLE * Math.min(value, 1));
}

/** Σ slope · (a − b) */
function firstOrder(slopes: readonly Floats[], states: readonly Numbers[], a: number, b: number) {
  let sum = 0;
  slopes.forEach((slope, s) => {
    const [state, units] = [states[s]!, slope.length];
    for (let u = 0; u < units; u++) {
      sum += slope[u]! * (state[a * units + u]! - state[b * units + u]!);
    }
  });
  return sum;
}
