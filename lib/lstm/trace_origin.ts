// How a trace came about, for the equations beside it.

import type { LstmActivations } from "./cell.ts";

/** The activations' names as equations write them, and the direction. */
export interface TraceOrigin {
  readonly activation: string;
  readonly recurrentActivation: string;
  readonly goBackwards: boolean;
}

/** What equations write for a function that has no name. */
const UNKNOWN: TraceOrigin = { activation: "φ", recurrentActivation: "φ_rec", goBackwards: false };

const origins = new WeakMap<object, TraceOrigin>();

/** Remembers how a trace was computed. */
export function rememberOrigin<T extends object>(
  trace: T,
  options: LstmActivations & { readonly goBackwards?: boolean },
): T {
  origins.set(trace, {
    activation: nameOf(options.activation ?? "tanh", UNKNOWN.activation),
    recurrentActivation: nameOf(
      options.recurrentActivation ?? "sigmoid",
      UNKNOWN.recurrentActivation,
    ),
    goBackwards: options.goBackwards === true,
  });
  return trace;
}

/** How a trace was computed; a trace from elsewhere has functions without names. */
export function originOf(trace: object): TraceOrigin {
  return origins.get(trace) ?? UNKNOWN;
}

function nameOf(activation: LstmActivations["activation"], unknown: string): string {
  if (typeof activation !== "string") return unknown;
  return activation === "sigmoid" ? "σ" : activation;
}
