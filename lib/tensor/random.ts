// Chance that can be repeated: the same seed gives the same numbers, on every machine.

import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";

/** A generator of random numbers, which is where its last call left it. */
export interface Random {
  /** The next number, evenly spread over [0, 1). */
  uniform(): number;
  /** The next number, normally distributed with mean 0 and deviation 1. */
  normal(): number;
  /** The whole numbers below `count` in a new order, each order as likely. */
  permutation(count: number): number[];
  /** Where the generator is: {@linkcode randomFromState} goes on from here. */
  getState(): readonly number[];
}

/**
 * A generator that starts at a seed: the same seed gives the same numbers, always.
 *
 * @param seed any whole number that a float64 holds exactly
 * @param stream which of the seed's generators: their numbers have nothing to do with each other
 * @throws {RangeError} where the seed is no such number.
 */
export function seededRandom(seed: number, stream: number = 0): Random {
  if (!Number.isSafeInteger(seed)) {
    throw new RangeError(
      `Cannot start a random generator: its seed must be a whole number, but the seed is ${seed}`,
    );
  }
  // The generator itself begins with its seed's own bits, alike for seeds that are near.
  const words = [seed | 0, Math.floor(seed / 2 ** 32) | 0, stream | 0];
  let mixed = 0;
  const state = [1, 2, 3, 4].map((place) => {
    for (const word of [...words, place]) mixed = scramble(Math.imul(mixed, 31) + word | 0);
    return mixed;
  });
  return randomFromState(state);
}

/**
 * A generator that goes on where `getState()` was asked.
 *
 * @throws {RangeError} where this is no generator's state.
 */
export function randomFromState(state: readonly number[]): Random {
  // All zeros is the one state that never leaves itself.
  if (state.length !== 4 || !state.every(isInt32) || state.every((word) => word === 0)) {
    throw new RangeError(
      `Cannot continue a random generator: its state is 4 whole numbers of 32 bits, not all 0, ` +
        `but the state is [${state.join(", ")}]`,
    );
  }
  return randomOf(xoroshiro128plusFromState(state));
}

function randomOf(generator: ReturnType<typeof xoroshiro128plusFromState>): Random {
  const uniform = () => {
    const high = generator.next() >>> 5; // 27 bits
    const low = generator.next() >>> 6; // 26 bits
    return (high * 2 ** 26 + low) / 2 ** 53;
  };
  return {
    uniform,
    // Box and Muller 1958. The second number that it could give is left, lest it be state too.
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    // Fisher and Yates, in Durstenfeld's form (1964).
    permutation: (count) => {
      const order = Array.from({ length: count }, (_, index) => index);
      for (let last = count - 1; last > 0; last--) {
        const chosen = Math.floor(uniform() * (last + 1));
        [order[last], order[chosen]] = [order[chosen]!, order[last]!];
      }
      return order;
    },
    getState: () => generator.getState().map((word) => word | 0),
  };
}

const isInt32 = (word: number) => (word | 0) === word;

/** Each bit of the word moves half of the result's (MurmurHash3's finalizer, Appleby 2011). */
function scramble(word: number): number {
  word = Math.imul(word ^ word >>> 16, 0x85ebca6b);
  word = Math.imul(word ^ word >>> 13, 0xc2b2ae35);
  return word ^ word >>> 16;
}
