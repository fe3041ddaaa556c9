// The named sites of an LSTM: each value passes one right after it is computed and before it is
// used. Copying it there is a trace, returning another one in its place is an intervention.

import type { Tensor } from "../tensor/tensor.ts";
import type { LstmStep } from "./lstm.ts";

/** The sites of one step, in the order in which a step passes them. */
export const siteNames = [
  "gates.input",
  "gates.forget",
  "gates.output",
  "gates.candidate",
  "cellState",
  "hiddenState",
] as const;

/** A value of an LSTM or a GRU, named as in a `LayerTrace`: `"gates.forget"`, `"cellState"`, … */
export type SiteName = typeof siteNames[number] | "gates.update" | "gates.reset";

/** Where and when a value passes. */
export interface SiteVisit {
  /** Whose value it is. */
  readonly site: SiteName;
  /** The timestep of the input that is being computed. */
  readonly timestep: number;
  /** The value after the step computed before; for a gate in the first step there is none. */
  readonly before: Tensor | undefined;
  /** The value after the step of that timestep; undefined where it is yet to be computed. */
  readonly after: (timestep: number) => Tensor | undefined;
}

/**
 * Sees each value of an LSTM, `[batch, units]`, right after it is computed. What it returns is used
 * in the value's place: the value itself, or a new tensor of its shape; it never writes into it.
 */
export type SiteListener = (value: Tensor, visit: SiteVisit) => Tensor;

/** The sites of every cell, the gates as Keras's arrays have them. */
export const allSites: readonly SiteName[] = [
  "gates.input",
  "gates.forget",
  "gates.update",
  "gates.reset",
  "gates.candidate",
  "gates.output",
  "cellState",
  "hiddenState",
];

/** The value of a site in a step, or in a whole trace; throws where that cell has none. */
export function valueAt(trace: LstmStep, site: SiteName): Tensor {
  const found = valueIfAt(trace, site);
  if (found !== undefined) return found;
  throw new TypeError(`Cannot read a trace: its sites are its cell's, but it has no ${site}`);
}

/** The same; undefined where that cell has none. */
export function valueIfAt(trace: LstmStep, site: SiteName): Tensor | undefined {
  const { gates, ...states } = trace as unknown as Readonly<Record<string, unknown>>;
  const [part, gate] = site.split(".") as [string, string?];
  return (gate === undefined ? states[part] : (gates as Record<string, unknown>)[gate]) as
    | Tensor
    | undefined;
}
