// Functions inside of layers that are no activations of Keras's: no name leads to them, yet their
// slopes and their rounding are known.

import { type Activation, elementwise } from "./activations.ts";
import { builtIn } from "./built_in.ts";
import { normalCdf } from "./normal_distribution.ts";

const made = (name: string, f: (x: number) => number, derivative: (x: number) => number) =>
  builtIn(elementwise(name, {}, { f, derivative }));

/** 1/√x */
export const inverseRoot: Activation = made(
  "inverse_root",
  (x) => 1 / Math.sqrt(x),
  (x) => -0.5 / (x * Math.sqrt(x)),
);

/** 1/x */
export const inverse: Activation = made("inverse", (x) => 1 / x, (x) => -1 / (x * x));

/** |x|; its slope at 0 is 0. */
export const absolute: Activation = made("absolute", Math.abs, Math.sign);

/** √x */
export const root: Activation = made("root", Math.sqrt, (x) => 0.5 / Math.sqrt(x));

/** ln x */
export const logarithm: Activation = made("logarithm", Math.log, (x) => 1 / x);

/** erf x = 2/√π · ∫₀ˣ e^(−t²) dt */
export const errorFunction: Activation = made(
  "error_function",
  (x) => 2 * normalCdf(x * Math.SQRT2) - 1,
  (x) => 2 / Math.sqrt(Math.PI) * Math.exp(-x * x),
);
