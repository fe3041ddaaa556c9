// Where the boxes of a graph stand: levels from top to bottom, few crossings, straight lines where
// they can be. Source: Sugiyama, Tagawa and Toda 1981.

/** A box, and which it hangs on. */
export interface Hanging {
  readonly width: number;
  /** The boxes above it that it is connected with, which stand before it in the list. */
  readonly above: readonly number[];
}

/** Where things stand, from the left and from the top. */
export interface GraphLayout {
  /** The middle of each box, and its level. */
  readonly boxes: readonly { readonly x: number; readonly level: number }[];
  /** For each box, each connection from above: its x at each level from there to here. */
  readonly lines: readonly (readonly (readonly number[])[])[];
  readonly width: number;
  readonly levels: number;
}

/** A box, or a place on a level that a longer line goes through. */
interface Item {
  readonly width: number;
  readonly level: number;
  readonly up: number[];
  readonly down: number[];
  x: number;
}

const SWEEPS = 12;
/** A line that passes boxes, in pixels. */
const LINE_WIDTH = 8;

/** Lays out a graph whose boxes stand `gap` pixels from each other. */
export function layoutGraph(boxes: readonly Hanging[], gap: number): GraphLayout {
  const levels = levelsOf(boxes);
  const items: Item[] = boxes.map(({ width }, k) => ({
    width,
    level: levels[k]!,
    up: [],
    down: [],
    x: 0,
  }));
  const connect = (from: number, to: number) => {
    items[from]!.down.push(to);
    items[to]!.up.push(from);
  };
  const ways = boxes.map(({ above }, to) =>
    above.map((from) => {
      const way = [from];
      for (let level = levels[from]! + 1; level < levels[to]!; level++) {
        items.push({ width: LINE_WIDTH, level, up: [], down: [], x: 0 });
        connect(way.at(-1)!, items.length - 1);
        way.push(items.length - 1);
      }
      connect(way.at(-1)!, to);
      return [...way, to];
    })
  );

  const rows: number[][] = Array.from({ length: Math.max(...levels) + 1 }, () => []);
  for (const [k, { level }] of items.entries()) rows[level]!.push(k);
  for (const row of rows) placeRow(items, row, gap, () => 0);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const down = sweep % 2 === 0;
    for (const row of down ? rows : rows.toReversed()) {
      const wanted = (k: number) => {
        const item = items[k]!;
        const near = down ? item.up : item.down;
        return near.length === 0
          ? item.x
          : near.reduce((sum, one) => sum + items[one]!.x, 0) / near.length;
      };
      const place = new Map(row.map((k) => [k, wanted(k)]));
      row.sort((a, b) => place.get(a)! - place.get(b)!); // stable: ties stay as they are
      placeRow(items, row, gap, (k) => place.get(k)!);
    }
  }
  const left = Math.min(...items.map(({ x, width }) => x - width / 2));
  const right = Math.max(...items.map(({ x, width }) => x + width / 2));
  const at = (k: number) => items[k]!.x - left;
  return {
    boxes: boxes.map((_, k) => ({ x: at(k), level: levels[k]! })),
    lines: ways.map((to) => to.map((way) => way.map(at))),
    width: right - left,
    levels: rows.length,
  };
}

/** One below the lowest that it hangs on; what hangs on nothing, right above what hangs on it. */
function levelsOf(boxes: readonly Hanging[]): number[] {
  const levels = boxes.map(() => 0);
  for (const [k, { above }] of boxes.entries()) {
    levels[k] = Math.max(-1, ...above.map((one) => levels[one]!)) + 1;
  }
  return levels.map((level, k) => {
    if (boxes[k]!.above.length > 0) return level;
    const below = boxes.flatMap(({ above }, b) => above.includes(k) ? [levels[b]!] : []);
    return below.length === 0 ? level : Math.min(...below) - 1;
  });
}

/**
 * Puts a row as near as can be to where its items want to be, in its order and without overlaps: the
 * least squares of the distances, by pooling neighbours that would overlap.
 */
function placeRow(
  items: Item[],
  row: readonly number[],
  gap: number,
  wanted: (k: number) => number,
) {
  let offset = 0;
  const offsets = row.map((k, i) => {
    if (i > 0) offset += (items[row[i - 1]!]!.width + items[k]!.width) / 2 + gap;
    return offset;
  });
  const pools: { sum: number; count: number }[] = [];
  const mean = ({ sum, count }: { sum: number; count: number }) => sum / count;
  for (const [i, k] of row.entries()) {
    let pool = { sum: wanted(k) - offsets[i]!, count: 1 };
    while (pools.length > 0 && mean(pools.at(-1)!) > mean(pool)) {
      const { sum, count } = pools.pop()!;
      pool = { sum: pool.sum + sum, count: pool.count + count };
    }
    pools.push(pool);
  }
  const starts = pools.flatMap((pool) => new Array<number>(pool.count).fill(mean(pool)));
  for (const [i, k] of row.entries()) items[k]!.x = starts[i]! + offsets[i]!;
}
