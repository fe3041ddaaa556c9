/** In the order of the numbers in their names; undefined where the names differ otherwise. */
export function numbered<T>(
  all: readonly T[],
  name: (one: T) => string,
): readonly T[] | undefined {
  const [stem, ...others] = all.map((one) => name(one).replace(/\d+/g, "#"));
  if (others.some((other) => other !== stem)) return undefined;
  const numbers = (one: T) => name(one).match(/\d+/g)?.map(BigInt) ?? [];
  const order = (a: T, b: T) => {
    const [first, second] = [numbers(a), numbers(b)];
    const at = first.findIndex((number, k) => number !== second[k]);
    return at === -1 ? 0 : first[at]! < second[at]! ? -1 : 1;
  };
  const sorted = all.toSorted(order);
  return sorted.some((one, k) => k > 0 && order(sorted[k - 1]!, one) === 0) ? undefined : sorted;
}
