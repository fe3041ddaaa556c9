// Work that can stop between its pieces: done at once, or in turns with other code
// (lib/display/in_turns.ts). It is written once, as a generator.

/** Gives, between two pieces, how much of it is done: from 0 to 1. */
export type Work<T> = Generator<number, T, void>;

/** Whether something is to be done in pieces; else it is the result already. */
export function isWork<T extends object>(ran: T | Work<T>): ran is Work<T> {
  return "next" in ran;
}

/** Of something that may be either. */
export function* resultOf<T extends object>(ran: T | Work<T>): Work<T> {
  return isWork(ran) ? yield* ran : ran;
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
  let piece = work.next();
  while (piece.done !== true) {
    try {
      yield from + piece.value * (to - from);
    } catch (error) {
      piece = work.throw(error); // it may have a result where it is stopped
      continue;
    }
    piece = work.next();
  }
  return piece.value;
}

/** The part `k` of a work that has so many, as large as each other. */
export function equalPart<T>(work: Work<T>, k: number, count: number): Work<T> {
  return part(work, k / count, (k + 1) / count);
}

/** Thrown into work that is to stop: what it has done so far may be a result. */
export class Stopped extends Error {}
