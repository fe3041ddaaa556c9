import { harmless } from "../base/quoted.ts";

const LONGEST = 1_000;

/**
 * What reading throws when a file is not there, not allowed, damaged, or of a kind that is not read.
 * The message names the file, the rule, and what was found; `cause` holds the error underneath,
 * where there is one.
 *
 * @example
 * ```ts
 * import { loadNpy, UnreadableFileError } from "@gatescope/lstm";
 * import { assertRejects } from "@std/assert";
 *
 * await assertRejects(() => loadNpy(new Uint8Array(3)), UnreadableFileError, "Cannot read the given bytes");
 * ```
 */
export class UnreadableFileError extends Error {
  static {
    this.prototype.name = "UnreadableFileError";
  }

  /** The file as it was named: a path, a URL, `arr_0.npy in weights.npz`. */
  readonly source: string;

  /**
   * Puts the message together: `Cannot read <source> as <rule>: current <state>`.
   *
   * Files may hold anything as a name: what is longer than 1,000 characters is cut, and control
   * characters are written out.
   *
   * @param source the file as it was named
   * @param rule what must hold
   * @param state what was found, after the word "current"
   * @param options the error underneath
   */
  constructor(source: string, rule: string, state: string, options?: ErrorOptions) {
    const [place, must, found] = [source, rule, state].map((text) => harmless(text, LONGEST));
    const { cause } = options ?? {};
    // A runtime prints the cause as well: one that holds what is not to be shown is left out.
    const told = cause instanceof Error ? cause.message.replaceAll("\n", " ") : "";
    const isShown = harmless(told, 10 * LONGEST) === told;
    super(`Cannot read ${place} as ${must}: current ${found}`, isShown ? options : undefined);
    this.source = place!;
  }
}

const KNOWN_STARTS: readonly (readonly [start: string, kind: string])[] = [
  ["\x93NUMPY", "file is a .npy array (loadNpy reads it)"],
  ["PK", "file is a zip archive, as .npz is (loadNpz reads it)"],
  ["\x89HDF", "file is HDF5"],
  ["\x80", "file may be a Python pickle (save arrays with np.savez instead)"],
];

/** What a file of another kind seems to be, for the end of a message. */
export function describeStart(bytes: Uint8Array): string {
  if (bytes.length === 0) return "file is empty";
  const start = String.fromCharCode(...bytes.subarray(0, 16));
  return KNOWN_STARTS.find(([known]) => start.startsWith(known))?.[1] ??
    `file starts with "${start.replace(/[^\x20-\x7e]/g, "·")}"`;
}
