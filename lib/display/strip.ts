// Numbers as a strip of blocks, ▁ to █: a chart where there is only text.

const BLOCKS = "▁▂▃▄▅▆▇█";
const WIDEST = 48;
const GAP = "·";

/**
 * The values in a line of blocks, averaged where there are more than fit.
 *
 * @param values numbers; anything else is a gap, written `·`
 * @param low what the lowest block stands for
 * @param high what the highest block stands for
 */
export function strip(values: ArrayLike<unknown>, low: number, high: number): string {
  const size = Math.max(1, Math.ceil(values.length / WIDEST));
  let text = "";
  for (let start = 0; start < values.length; start += size) {
    let [sum, count] = [0, 0];
    for (let i = start; i < Math.min(start + size, values.length); i++) {
      const value = values[i];
      if (typeof value !== "number" || !Number.isFinite(value)) continue;
      sum += value;
      count++;
    }
    text += count === 0 ? GAP : BLOCKS[levelOf(sum / count, low, high)];
  }
  return text;
}

function levelOf(value: number, low: number, high: number): number {
  const share = high > low ? (value - low) / (high - low) : 0.5;
  return Math.min(BLOCKS.length - 1, Math.max(0, Math.floor(share * BLOCKS.length)));
}
