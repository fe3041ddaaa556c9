// The steps of lib/cells/{lstm,gru,simple_rnn}.ts on flat arrays, with the blocks wherever a reading
// has them: written again for speed, held against the cells by every proof that follows a screening.

import type { EquationChoice } from "./cell_readings.ts";

/** Numbers of any length. */
export type Floats = Float64Array<ArrayBuffer>;

/** One sample's run, as a step finds and leaves it. */
export interface FlatRun {
  readonly units: number;
  /** Of all columns: blocks · units. */
  readonly width: number;
  /** x·W + b of all samples and steps; the step's own begins at `row`. */
  sums: Floats;
  row: number;
  /** `[units, width]` */
  U: Floats;
  /** The recurrent kernel's own, `[width]`; undefined where there is one bias. */
  b_h: Floats | undefined;
  /** Where each gate's block begins, in Keras's order. */
  starts: readonly number[];
  φ: (x: number) => number;
  σ: (x: number) => number;
  equations: EquationChoice;
  /** For sums on the way, `[width]`. */
  readonly z: Floats;
  readonly rh: Floats;
  readonly h: Floats;
  readonly c: Floats;
  /** Where each site's values are left, in the order of the cell's sites, `[units]` each. */
  readonly seen: readonly Floats[];
}

/** h becomes h'. */
export type FlatStep = (run: FlatRun) => void;

/** z += h·U, of the columns from `start` on. */
function addProduct({ z, U, width, units }: FlatRun, h: Floats, start: number, count: number) {
  const end = start + count;
  for (let j = 0; j < units; j++) {
    const factor = h[j]!;
    const at = j * width;
    if (factor === 0) continue;
    for (let column = start; column < end; column++) z[column]! += factor * U[at + column]!;
  }
}

export function lstmStep(run: FlatRun): void {
  const { units, width, sums, row, starts, φ, σ, z, h, c, seen } = run;
  const { forgetBias } = run.equations;
  const [i, f, g, o] = [starts[0]!, starts[1]!, starts[2]!, starts[3]!];
  for (let column = 0; column < width; column++) z[column] = sums[row + column]!;
  addProduct(run, h, 0, width);
  const [is, fs, os, gs, cs, hs] = seen as [Floats, Floats, Floats, Floats, Floats, Floats];
  for (let unit = 0; unit < units; unit++) {
    const gate_i = is[unit] = σ(z[i + unit]!);
    const gate_f = fs[unit] = σ(z[f + unit]! + forgetBias);
    const gate_o = os[unit] = σ(z[o + unit]!);
    const candidate = gs[unit] = φ(z[g + unit]!);
    const next = cs[unit] = c[unit] = gate_f * c[unit]! + gate_i * candidate;
    hs[unit] = h[unit] = gate_o * φ(next);
  }
}

export function gruStep(run: FlatRun): void {
  const { units, width, sums, row, b_h, starts, φ, σ, z, rh, h, seen } = run;
  const { reset, update } = run.equations;
  const [u, r, g] = [starts[0]!, starts[1]!, starts[2]!];
  const isBefore = reset === "before";
  if (b_h === undefined) z.fill(0);
  else z.set(b_h);
  if (isBefore) {
    addProduct(run, h, u, units);
    addProduct(run, h, r, units);
  } else addProduct(run, h, 0, width);
  const [us, rs, gs, hs] = seen as [Floats, Floats, Floats, Floats];
  for (let unit = 0; unit < units; unit++) {
    us[unit] = σ(sums[row + u + unit]! + z[u + unit]!);
    rs[unit] = σ(sums[row + r + unit]! + z[r + unit]!);
  }
  if (isBefore) {
    for (let unit = 0; unit < units; unit++) rh[unit] = rs[unit]! * h[unit]!;
    addProduct(run, rh, g, units);
  }
  for (let unit = 0; unit < units; unit++) {
    const ofH = isBefore ? z[g + unit]! : rs[unit]! * z[g + unit]!;
    const candidate = gs[unit] = φ(sums[row + g + unit]! + ofH);
    const keep = update === "z" ? us[unit]! : 1 - us[unit]!;
    hs[unit] = h[unit] = keep * h[unit]! + (1 - keep) * candidate;
  }
}

export function simpleRnnStep(run: FlatRun): void {
  const { units, sums, row, starts, φ, z, h, seen } = run;
  const start = starts[0]!;
  for (let unit = 0; unit < units; unit++) z[unit] = sums[row + start + unit]!;
  addProduct(run, h, 0, units);
  const hs = seen[0]!;
  for (let unit = 0; unit < units; unit++) hs[unit] = h[unit] = φ(z[unit]!);
}
