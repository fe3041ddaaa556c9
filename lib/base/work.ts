// Work that can stop between its pieces: done at once, or in turns with other code
// (lib/display/in_turns.ts). It is written once, as a generator.

/** Gives, between two pieces, how much of it is done: from 0 to 1. */
export type Work<T> = Generator<number, T, void>;

/** Whether something is to be done in pieces; else it is the result already. */
export function isWork<T extends object>(work: T | Work<T>): work is Work<T> {
  return "next" in work;
}

/** Does all of it at once. */
export function finish<T>(work: Work<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}

/** The part of a larger work that leads it from `from` to `to`. */
export function* part<T>(work: Work<T>, from: number, to: number): Work<T> {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    yield from + value * (to - from);
  }
}

/** Thrown into work that is to stop: what it has done so far may be a result. */
export class Stopped extends Error {}
