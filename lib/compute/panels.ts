// Weights as the tiles read them: panels of 16 columns. Which column of Keras's layout stands where
// is a table of vectors of 4, [first column, how many].

import type { Arena } from "./arena.ts";
import type { CellKind } from "./cell_kinds.ts";
import type { Numbers } from "./gated_layer.ts";

/** The panels of a matrix. */
export class Panels {
  /** How many there are. */
  readonly count: number;
  /** How many columns the matrix has. */
  readonly width: number;
  readonly #table: Int32Array;

  /** @param vectors what each vector holds; padded to whole panels */
  constructor(width: number, vectors: readonly (readonly [first: number, count: number])[]) {
    this.count = Math.ceil(vectors.length / 4);
    this.width = width;
    this.#table = new Int32Array(this.count * 8);
    this.#table.set(vectors.flat());
  }

  /** `[depth, width]` to panels; `filler` where columns end. */
  pack(arena: Arena, from: Numbers, depth: number, to: number, filler = 0): void {
    const { table, numbers } = this.#stage(arena, from.length);
    arena.floats.set(from, numbers / 4);
    arena.engine.packPanels(numbers, depth, this.width, table, this.count, to, filler);
  }

  /** The transpose of `[rows, width]` to panels of 16 rows. */
  packTransposed(arena: Arena, from: Numbers, rows: number, to: number): void {
    const { table, numbers } = this.#stage(arena, from.length);
    arena.floats.set(from, numbers / 4);
    arena.engine.packPanelsTransposed(numbers, rows, this.width, table, this.count, to);
  }

  /** Panels as `[depth, width]` again. */
  unpack(arena: Arena, from: number, depth: number): Float32Array<ArrayBuffer> {
    const length = depth * this.width;
    const { table, numbers } = this.#stage(arena, length);
    arena.engine.unpackPanels(from, depth, this.width, table, this.count, numbers);
    return arena.floats.slice(numbers / 4, numbers / 4 + length);
  }

  #stage(arena: Arena, length: number) {
    const { length: entries } = this.#table;
    const table = arena.scratch(4 * (entries + length));
    arena.integers.set(this.#table, table / 4);
    return { table, numbers: table + 4 * entries };
  }
}

/** The columns as they are. */
export function plainPanels(columns: number): Panels {
  const vectors = Array.from(
    { length: Math.ceil(columns / 4) },
    (_, v) => [4 * v, Math.min(4, columns - 4 * v)] as const,
  );
  return new Panels(columns, vectors);
}

/**
 * A gated cell's blocks, group by group of units: of an LSTM 4 units of i, of f, of c̃, of o; of a GRU
 * 16 of z, of r, of h̃.
 *
 * @param only the blocks that these panels have. Default: all.
 */
export function gatePanels(
  { blocks, together }: CellKind,
  units: number,
  only: readonly number[] = Array.from({ length: blocks }, (_, block) => block),
): Panels {
  const vectors: [number, number][] = [];
  for (let group = 0; group < units; group += together) {
    for (const block of only) {
      for (let unit = group; unit < group + together; unit += 4) {
        const count = Math.max(0, Math.min(4, units - unit));
        vectors.push([count === 0 ? 0 : block * units + unit, count]);
      }
    }
  }
  return new Panels(blocks * units, vectors);
}
