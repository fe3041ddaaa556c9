import type { Moves } from "./ops.ts";

/** Numbers of any of a tensor's kinds. */
type Numbers = Float64Array | Float32Array | Int32Array;

/** Puts the sources' numbers at their new places. */
export function move(
  into: Float64Array<ArrayBuffer>,
  sources: readonly Numbers[],
  moves: Moves,
): Float64Array<ArrayBuffer> {
  for (let m = 0; m < moves.length; m += 4) {
    const source = sources[moves[m]!]!;
    const [from, to, length] = [moves[m + 1]!, moves[m + 2]!, moves[m + 3]!];
    if (length > 16) into.set(source.subarray(from, from + length), to);
    else for (let k = 0; k < length; k++) into[to + k] = source[from + k]!;
  }
  return into;
}

/** Adds the numbers of one source's places to where they came from. */
export function moveBack(into: Float64Array, source: number, moved: Numbers, moves: Moves): void {
  for (let m = 0; m < moves.length; m += 4) {
    if (moves[m] !== source) continue;
    const [from, to, length] = [moves[m + 1]!, moves[m + 2]!, moves[m + 3]!];
    for (let k = 0; k < length; k++) into[from + k]! += moved[to + k]!;
  }
}
