// Damage that can be repeated: each seed gives the same bytes on every machine.

/** A generator of whole numbers below a limit (mulberry32). */
export function chance(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = state + 0x6d2b79f5 >>> 0;
    let mixed = Math.imul(state ^ state >>> 15, 1 | state);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return Math.floor(((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32 * below);
  };
}

const INTERESTING = [0, 1, 0x7f, 0x80, 0xff];

/**
 * A copy with damage of one kind, or of several: bits, bytes and whole numbers changed, parts cut
 * out, doubled, exchanged or zeroed, the end gone.
 *
 * @param within where the damage lies: the first bytes, mostly, since headers are there
 */
export function mutated(
  bytes: Uint8Array,
  seed: number,
  within: number = bytes.length,
): Uint8Array<ArrayBuffer> {
  const next = chance(seed);
  let copy = new Uint8Array(bytes);
  for (let count = 1 + next(3); count > 0; count--) {
    const at = next(Math.min(within, copy.length));
    const length = Math.min(1 + next(16), copy.length - at);
    switch (next(8)) {
      case 0:
      case 1:
        copy[at]! ^= 1 << next(8);
        break;
      case 2:
        copy[at] = next(256);
        break;
      case 3:
        copy.fill(INTERESTING[next(INTERESTING.length)]!, at, at + [1, 2, 4, 8][next(4)]!);
        break;
      case 4: // cut out
        copy = joined(copy.subarray(0, at), copy.subarray(at + length));
        break;
      case 5: // doubled
        copy = joined(copy.subarray(0, at + length), copy.subarray(at));
        break;
      case 6: { // another part in its place
        const from = next(copy.length - length + 1);
        copy.set(copy.slice(from, from + length), at);
        break;
      }
      case 7:
        if (next(4) === 0) copy = copy.slice(0, at);
        else copy.fill(0, at, at + length);
    }
    if (copy.length === 0) return copy;
  }
  return copy;
}

function joined(start: Uint8Array, end: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(start.length + end.length);
  bytes.set(start);
  bytes.set(end, start.length);
  return bytes;
}
