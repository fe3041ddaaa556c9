// One LSTM over all timesteps with the error of each value; `step` in lib/lstm/cell.ts has the same
// equations without. Each value passes the observer right after it is computed and before it is used.

import type { Activation } from "../../lstm/activations.ts";
import type { SiteName } from "../../lstm/sites.ts";
import type { Mask } from "../../model/layer.ts";
import type { Estimate, Floats, Matrix } from "./estimate.ts";
import type { Tape } from "./tape.ts";

/** What can be looked at inside of an LSTM: a site. */
export type LstmValue = SiteName;

/** All of them, the gates as Keras's arrays have them. */
export const lstmValues: readonly LstmValue[] = [
  "gates.input",
  "gates.forget",
  "gates.candidate",
  "gates.output",
  "cellState",
  "hiddenState",
];

/**
 * Looks at a value `[batch, units]` of a timestep. What it returns are somebody else's numbers, from
 * which the next ones are computed.
 */
export type Observer = (
  site: { readonly value: LstmValue; readonly timestep: number; readonly mask: Floats | undefined },
  estimate: Estimate,
) => ArrayLike<number> | undefined;

/** An LSTM's weights and functions. */
export interface LstmParts {
  readonly W: Matrix;
  readonly U: Matrix;
  readonly b: Floats | undefined;
  readonly φ: Activation;
  readonly σ: Activation;
  readonly goBackwards: boolean;
}

/** What went into a step, and what came of it; `[batch, …]` each. */
export interface EstimatedStep {
  readonly x: Estimate;
  readonly before: { readonly c: Estimate; readonly h: Estimate };
  /** The four sums before their activations, side by side. */
  readonly z: Estimate;
  /** φ of the cell state. */
  readonly shown: Estimate;
  /** As computed, before somebody else's number took its place. */
  readonly computed: Readonly<Record<LstmValue, Estimate>>;
  /** As the next ones used it. */
  readonly used: Readonly<Record<LstmValue, Estimate>>;
}

/** All steps of an LSTM, by timestep, whatever the order they are computed in. */
export function estimateLstm(
  tape: Tape,
  x: Estimate, // [batch, timesteps, inputSize]
  { W, U, b, φ, σ, goBackwards }: LstmParts,
  start: { readonly c: Estimate; readonly h: Estimate },
  mask: Mask | undefined,
  observe: Observer,
): EstimatedStep[] {
  const [, timesteps] = x.shape as [number, number, number];
  const steps: EstimatedStep[] = [];
  let before = start;
  for (let k = 0; k < timesteps; k++) {
    const timestep = goBackwards ? timesteps - 1 - k : k;
    const counts = mask?.select(1, timestep).data as Floats | undefined;
    const computed = {} as Record<LstmValue, Estimate>;
    const used = {} as Record<LstmValue, Estimate>;
    const at = (value: LstmValue, estimate: Estimate) => {
      const given = observe({ value, timestep, mask: counts }, estimate);
      const carried = value === "cellState" || value === "hiddenState" ? counts : undefined;
      computed[value] = estimate;
      return used[value] = given === undefined ? estimate : tape.anchored(estimate, given, carried);
    };
    const input = stepOf(tape, x, timestep);
    const z = tape.affine([[input, W], [before.h, U]], b);
    const [z_i, z_f, z_c, z_o] = blocksOf(tape, z);

    const i = at("gates.input", tape.activation(σ, z_i));
    const f = at("gates.forget", tape.activation(σ, z_f));
    const c̃ = at("gates.candidate", tape.activation(φ, z_c));
    const o = at("gates.output", tape.activation(σ, z_o));
    const cNext = tape.sumOfProducts([f, before.c], [i, c̃]);
    const c = at("cellState", chosen(tape, counts, cNext, before.c));
    const shown = tape.activation(φ, c);
    const hNext = tape.sumOfProducts([o, shown]);
    const h = at("hiddenState", chosen(tape, counts, hNext, before.h));

    steps[timestep] = { x: input, before, z, shown, computed, used };
    before = { c, h };
  }
  return steps;
}

/** `[batch, size]` of one timestep. */
function stepOf(tape: Tape, x: Estimate, timestep: number): Estimate {
  const [batch, timesteps, size] = x.shape as [number, number, number];
  return tape.moved([batch, size], [x], (k) => {
    const n = Math.floor(k / size);
    return [0, (n * timesteps + timestep) * size + k % size];
  });
}

function blocksOf(tape: Tape, z: Estimate): [Estimate, Estimate, Estimate, Estimate] {
  const [batch, width] = z.shape as [number, number];
  const units = width / 4;
  const block = (g: number) =>
    tape.moved([batch, units], [z], (k) => {
      const n = Math.floor(k / units);
      return [0, n * width + g * units + k % units];
    });
  return [block(0), block(1), block(2), block(3)];
}

/** The new state, or the one before where the mask is 0. */
function chosen(tape: Tape, mask: Floats | undefined, next: Estimate, before: Estimate): Estimate {
  if (mask === undefined) return next;
  const units = next.shape[1]!;
  return tape.moved(
    next.shape,
    [next, before],
    (k) => [mask[Math.floor(k / units)] === 0 ? 1 : 0, k],
  );
}
