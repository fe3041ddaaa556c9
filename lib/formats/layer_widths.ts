// How many features go into a layer of a row, and the arrays that it needs for them, before any shape
// of an input is known.

import type { Layer, WeightSpec } from "../layers/layer.ts";

/** The lengths of an input for which most layers can tell their result; the last is its width. */
const AROUND: readonly (readonly number[])[] = [[4096], [], [256, 256], [16, 256, 256]];
const WIDTH = 5040; // which many groups divide

/** How many features go into a layer; undefined where only the file tells. */
export function widthBefore(layers: readonly Layer[], at: number): number | undefined {
  for (const layer of layers.slice(0, at).reverse()) {
    const [one, two] = [WIDTH, 2 * WIDTH].map((width) => widthAfter(layer, width));
    if (one === two) return one;
    if (one !== WIDTH || two !== 2 * WIDTH) return undefined; // of other axes, too
  }
  return undefined;
}

function widthAfter(layer: Layer, width: number): number | undefined {
  return attempted((around) => layer.outputShape([...around, width]).at(-1) ?? undefined);
}

/** The arrays that a layer needs; none where that takes a width that is not known. */
export function specsOf(layer: Layer, width = WIDTH): readonly WeightSpec[] {
  return attempted((around) => layer.weights([...around, width])) ?? [];
}

/** `kernel [3, …, 8], bias [8]`, as far as the lengths are known. */
export function shownSpecs(layer: Layer, width: number | undefined): string {
  const others = specsOf(layer, width ?? 2 * WIDTH);
  return specsOf(layer, width).map(({ name, shape }, k) => {
    return `${name} [${shape.map((n, axis) => n === others[k]!.shape[axis] ? n : "…").join(", ")}]`;
  }).join(", ");
}

/** What is found with the first of the axes that a layer takes. */
function attempted<T>(work: (around: readonly number[]) => T): T | undefined {
  for (const around of AROUND) {
    try {
      return work(around);
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    }
  }
  return undefined;
}
