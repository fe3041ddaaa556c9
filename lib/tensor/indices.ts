// Which sample, timestep, unit or output an option means: one rule for all of them.

/** What is counted, for the error. */
export interface Counted {
  /** What is being done: "ablate". */
  readonly action: string;
  /** Whose they are: "the model". */
  readonly owner: string;
  /** What one of them is called: "unit". */
  readonly name: string;
  /** The option that says it. Default: `name`. */
  readonly option?: string;
}

/**
 * The index meant, counted from the front: a whole number, -1 is the last one.
 *
 * @throws {RangeError} where there is none such; the message has the range.
 */
export function indexAt(index: number | undefined, length: number, counted: Counted): number {
  const resolved = index !== undefined && index < 0 ? index + length : index;
  if (Number.isInteger(index) && resolved! >= 0 && resolved! < length) return resolved!;
  const { action, owner, name, option = name } = counted;
  const range = length === 0 ? `no ${name}s` : `${name}s 0 to ${length - 1} (-1 is the last)`;
  throw new RangeError(`Cannot ${action}: ${owner} has ${range}, but ${option} is ${index}`);
}

/** The indices meant, each once, in the order given; all of them where none are said. */
export function indices(
  chosen: number | readonly number[] | undefined,
  length: number,
  counted: Counted,
): number[] {
  if (chosen === undefined) return Array.from({ length }, (_, index) => index);
  return [...new Set([chosen].flat().map((index) => indexAt(index, length, counted)))];
}
