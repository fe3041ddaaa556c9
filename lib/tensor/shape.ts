/** How many elements a shape holds: the product of its axes, 1 for a scalar's `[]`. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** Whether two shapes are the same, axis by axis. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

/** A shape as it is written everywhere in this project: `[4, 3, 2]`. */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}

/** An axis counted from the front; `-1` is the last one. Throws a RangeError outside the shape. */
export function resolveAxis(axis: number, shape: readonly number[], action: string): number {
  const resolved = axis < 0 ? axis + shape.length : axis;
  if (!Number.isInteger(axis) || resolved < 0 || resolved >= shape.length) {
    throw new RangeError(
      `Cannot ${action}: the shape ${formatShape(shape)} has ${shape.length} axes, ` +
        `but the axis is ${axis}`,
    );
  }
  return resolved;
}

/** An index counted from the front; `-1` is the last one. Throws a RangeError outside the axis. */
export function resolveIndex(index: number, length: number, action: string): number {
  const resolved = index < 0 ? index + length : index;
  if (!Number.isInteger(index) || resolved < 0 || resolved >= length) {
    throw new RangeError(
      length === 0
        ? `Cannot ${action}: the axis is empty, but the index is ${index}`
        : `Cannot ${action}: the axis has indices 0 to ${length - 1}, but the index is ${index}`,
    );
  }
  return resolved;
}
