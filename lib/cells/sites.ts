// The named sites of an LSTM: each value passes one right after it is computed and before it is
// used. Copying it there is a trace, returning another one in its place is an intervention.

import type { Tensor } from "../tensor/tensor.ts";

/** The sites of one step, in the order in which a step passes them. */
export const siteNames = [
  "gates.input",
  "gates.forget",
  "gates.output",
  "gates.candidate",
  "cellState",
  "hiddenState",
] as const;

/**
 * A value of a cell, named as in its trace: `"gates.forget"`, `"cellState"`, …; of a cell of one's own
 * any gate and any state that it names.
 */
export type SiteName =
  | typeof siteNames[number]
  | "gates.update"
  | "gates.reset"
  | `gates.${string}`
  | string & Record<never, never>;

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

/** Whether a site is a gate's; else it is a state's. */
export function isGate(site: SiteName): boolean {
  return site.startsWith("gates.");
}

/** The sites of Keras's cells, the gates as its arrays have them. */
const inOrder: readonly SiteName[] = [
  "gates.input",
  "gates.forget",
  "gates.update",
  "gates.reset",
  "gates.candidate",
  "gates.output",
  "cellState",
  "hiddenState",
];

/** The sites of a step or a trace, the gates as the cell's arrays have them. */
export function sitesOf(trace: object): SiteName[] {
  const { gates, source: _, ...states } = trace as Record<string, object>;
  const found = [
    ...Object.keys(gates ?? {}).map((gate) => `gates.${gate}`),
    ...Object.keys(states).filter((state) => states[state] !== undefined),
  ];
  const isKnown = found.every((site) => inOrder.includes(site));
  return isKnown ? inOrder.filter((site) => found.includes(site)) : found;
}

const SYMBOLS: Readonly<Record<string, string>> = {
  "gates.input": "i",
  "gates.forget": "f",
  "gates.update": "z",
  "gates.reset": "r",
  "gates.output": "o",
  cellState: "c",
  hiddenState: "h",
};

/** What the equations call a site, among those of its cell: a candidate by the state it is for. */
export function symbolOf(site: SiteName, sites: readonly SiteName[]): string {
  if (site !== "gates.candidate") return SYMBOLS[site] ?? site.replace("gates.", "");
  return sites.includes("cellState") || sites.includes("gates.forget") ? "c̃" : "h̃";
}

/** What a site is called in a sentence: `forget gate`, `candidate`, `hidden state`. */
export function nameOf(site: SiteName): string {
  const name = site.replace("gates.", "").replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return isGate(site) && name !== "candidate" ? `${name} gate` : name;
}

/** A symbol as an index: W_c for c̃. */
export function indexOf(symbol: string): string {
  return symbol.normalize("NFD").replace("\u0303", "");
}

/** The value of a site in a step, or in a whole trace; throws where that cell has none. */
export function valueAt(trace: object, site: SiteName): Tensor {
  const found = valueIfAt(trace, site);
  if (found !== undefined) return found;
  throw new TypeError(`Cannot read a trace: its sites are its cell's, but it has no ${site}`);
}

/** The same; undefined where that cell has none. */
export function valueIfAt<V = Tensor>(trace: object, site: SiteName): V | undefined {
  const { gates, ...states } = trace as Readonly<Record<string, Readonly<Record<string, V>>>>;
  return isGate(site)
    ? gates?.[site.slice("gates.".length)]
    : states[site] as unknown as V | undefined;
}
