import { harmless } from "../base/quoted.ts";

const LONGEST = 1_000;

/** The same error with a name: of `arr_0.npy` in `w.npz`, it becomes one of `arr_0.npy in w.npz`. */
let named: (error: UnreadableFileError, name: string) => UnreadableFileError;
/** The same error, and what can be done. */
export let advised: (error: UnreadableFileError, advice: string) => UnreadableFileError;

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
    advised = (error, advice) => {
      const { source, cause } = error;
      return new UnreadableFileError(error.#rule, error.#found + advice, { source, cause });
    };
    named = (error, name) => {
      const source = error.source === "" ? name : `${error.source} in ${name}`;
      return new UnreadableFileError(error.#rule, error.#found, { source, cause: error.cause });
    };
  }

  /** The file as it was named: a path, a URL, `arr_0.npy in weights.npz`. */
  readonly source: string;
  readonly #rule: string;
  readonly #found: string;

  /**
   * Puts the message together: `Cannot read <source>: <rule>, but <found>`.
   *
   * Files may hold anything as a name: what is longer than 1,000 characters is cut, and control
   * characters are written out.
   *
   * @param rule what must hold
   * @param found what was found
   * @param options the part that it is about, and the error underneath
   */
  constructor(
    rule: string,
    found: string,
    { source = "", cause }: ErrorOptions & { readonly source?: string } = {},
  ) {
    const [place, must, state] = [source, rule, found].map((text) => harmless(text, LONGEST));
    // A runtime prints the cause as well: one that holds what is not to be shown is left out.
    const told = cause instanceof Error ? cause.message.replaceAll("\n", " ") : "";
    const isShown = cause !== undefined && harmless(told, 10 * LONGEST) === told;
    super(`Cannot read ${place || "the file"}: ${must}, but ${state}`, isShown ? { cause } : {});
    this.source = place!;
    [this.#rule, this.#found] = [rule, found];
  }
}

/** Does the work, on a file or a part of one: an error of it gets the name. */
export function within<T>(name: string, work: () => T): T {
  return mapErrors(work, (error) => {
    return error instanceof UnreadableFileError ? named(error, name) : error;
  });
}

/**
 * Does what is asked; an error that is not yet one of the file's becomes one, with itself as cause.
 *
 * @param rule what must hold of the file where the work fails
 * @param source the part that it is about
 */
export function asFileError<T>(rule: string, work: () => T, source?: string): T {
  return mapErrors(work, (cause) => {
    if (cause instanceof UnreadableFileError) return cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new UnreadableFileError(rule, `reading it failed: ${reason}`, {
      cause,
      ...(source === undefined ? {} : { source }),
    });
  });
}

/** Of work that is done at once, and of work that is a promise. */
function mapErrors<T>(work: () => T, change: (error: unknown) => unknown): T {
  const rethrow = (error: unknown): never => {
    throw change(error);
  };
  try {
    const result = work();
    return result instanceof Promise ? result.catch(rethrow) as T : result;
  } catch (error) {
    return rethrow(error);
  }
}
