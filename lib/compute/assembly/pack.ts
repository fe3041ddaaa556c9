// Weights from Keras's layout into panels of 16 columns, [panel][k][16], and back.

const BLOCKS: i32 = 4;

/**
 * `[depth, 4·units]` to panels: 4 units of i, of f, of c̃, of o; zeros where units end.
 * A bias is a row of it (depth 1).
 */
export function packGates(from: usize, depth: i32, units: i32, to: usize): void {
  const panels = (units + 3) >> 2;
  for (let p = 0; p < panels; p++) {
    const first = p << 2;
    const filled = min(4, units - first);
    for (let k = 0; k < depth; k++) {
      for (let gate = 0; gate < BLOCKS; gate++) {
        const source = from + (<usize>(k * 4 + gate) * units + first) * 4;
        if (filled == 4) {
          v128.store(to, v128.load(source));
        } else {
          for (let lane = 0; lane < 4; lane++) {
            store<f32>(to + lane * 4, lane < filled ? load<f32>(source + lane * 4) : 0);
          }
        }
        to += 16;
      }
    }
  }
}

/** The way back, from panels of `panelRows` rows: what the padding holds is left out. */
export function unpackGates(
  from: usize, depth: i32, panelRows: i32, units: i32, to: usize,
): void {
  const panels = (units + 3) >> 2;
  for (let p = 0; p < panels; p++) {
    const first = p << 2;
    const filled = min(4, units - first);
    for (let k = 0; k < depth; k++) {
      const row = from + <usize>(p * panelRows + k) * 64;
      for (let gate = 0; gate < BLOCKS; gate++) {
        const target = to + (<usize>(k * 4 + gate) * units + first) * 4;
        storeSome(target, v128.load(row + gate * 16), filled);
      }
    }
  }
}

/**
 * The transpose of `[rows, 4·units]` to panels of 16 rows, [panel][k][16]: its k runs over the
 * gates as `packGates` orders them, [4 units][gate][lane].
 */
export function packGatesTransposed(from: usize, rows: i32, units: i32, to: usize): void {
  const panels = (units + 3) >> 2;
  for (let first = 0; first < rows; first += 16) {
    for (let p = 0; p < panels; p++) {
      for (let gate = 0; gate < BLOCKS; gate++) {
        for (let lane = 0; lane < 4; lane++) {
          const unit = p * 4 + lane;
          const source = from + <usize>(gate * units + unit) * 4;
          for (let r = first; r < first + 16; r++) {
            const inside = r < rows && unit < units;
            store<f32>(to, inside ? load<f32>(source + <usize>(r * 4 * units) * 4) : 0);
            to += 4;
          }
        }
      }
    }
  }
}

/** `[depth, columns]` to panels; `filler` where columns end. */
export function packColumns(from: usize, depth: i32, columns: i32, to: usize, filler: f32): void {
  for (let first = 0; first < columns; first += 16) {
    for (let k = 0; k < depth; k++) {
      for (let lane = 0; lane < 16; lane++) {
        const column = first + lane;
        const at = from + (<usize>k * columns + column) * 4;
        store<f32>(to, column < columns ? load<f32>(at) : filler);
        to += 4;
      }
    }
  }
}

/** The way back. */
export function unpackColumns(
  from: usize, depth: i32, columns: i32, to: usize,
): void {
  for (let k = 0; k < depth; k++) {
    for (let first = 0; first < columns; first += 4) {
      const row = from + <usize>((first >> 4) * depth + k) * 64;
      const value = v128.load(row + <usize>(first & 15) * 4);
      storeSome(to, value, min(4, columns - first));
      to += <usize>min(4, columns - first) * 4;
    }
  }
}

/** The transpose of `[rows, columns]` to panels of 16 rows, [panel][k][16]; k in whole sixteens. */
export function packColumnsTransposed(from: usize, rows: i32, columns: i32, to: usize): void {
  const depth = (columns + 15) & ~15;
  for (let first = 0; first < rows; first += 16) {
    for (let k = 0; k < depth; k++) {
      for (let r = first; r < first + 16; r++) {
        const inside = r < rows && k < columns;
        store<f32>(to, inside ? load<f32>(from + (<usize>r * columns + k) * 4) : 0);
        to += 4;
      }
    }
  }
}

/** The first `count` numbers at an address, 0 in place of the others. */
// @ts-ignore: decorator
@inline
export function loadSome(from: usize, count: i32): v128 {
  if (count >= 4) return v128.load(from);
  if (count == 1) return v128.load32_zero(from);
  const two = v128.load64_zero(from);
  return count == 2 ? two : v128.load32_lane(from, two, 2, 8);
}

/** The first `count` of four numbers. */
// @ts-ignore: decorator
@inline
export function storeSome(to: usize, value: v128, count: i32): void {
  if (count == 4) {
    v128.store(to, value);
    return;
  }
  v128.store32_lane(to, value, 0);
  if (count > 1) v128.store32_lane(to, value, 1, 4);
  if (count > 2) v128.store32_lane(to, value, 2, 8);
}
