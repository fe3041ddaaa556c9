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

/** The way back: what the padding holds is left out. */
export function unpackGates(from: usize, depth: i32, units: i32, to: usize): void {
  const panels = (units + 3) >> 2;
  for (let p = 0; p < panels; p++) {
    const first = p << 2;
    const filled = min(4, units - first);
    for (let k = 0; k < depth; k++) {
      for (let gate = 0; gate < BLOCKS; gate++) {
        const target = to + (<usize>(k * 4 + gate) * units + first) * 4;
        storeSome(target, v128.load(from), filled);
        from += 16;
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
        const value = column < columns ? load<f32>(from + (<usize>k * columns + column) * 4) : filler;
        store<f32>(to, value);
        to += 4;
      }
    }
  }
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
