// A model's run with the error of each value.

import type { RecurrentStep } from "../../cells/recurrence.ts";
import type { LstmValue } from "../../cells/lstm.ts";
import { isGate } from "../../cells/sites.ts";
import type { Inside } from "../../layers/inside.ts";
import type { Network } from "../../model/network.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { Bounds } from "../../values/bounds/bounds.ts";
import type { Estimate, Floats } from "../../values/bounds/estimate.ts";
import { isBuiltIn } from "../../values/built_in.ts";

/** One value inside: `[batch, units]` at one timestep of the recurrent layer that is `trace.layers[lstm]`. */
export interface Site {
  readonly lstm: number;
  readonly value: LstmValue;
  readonly timestep: number;
  /** Which samples' steps count; all where there is none. */
  readonly mask: Floats | undefined;
}

/** A recurrent layer of the run. */
export type EstimatedLstm = Inside<Estimate>;

/** One step of it. */
export type EstimatedStep = RecurrentStep<Estimate>;

/** A run of all layers. */
export interface EstimatedRun {
  readonly bounds: Bounds;
  readonly result: Estimate;
  readonly lstms: readonly EstimatedLstm[];
  /** The first activation whose rounding nobody knows, and its layer; undefined where there is none. */
  readonly unknown: UnknownActivation | undefined;
}

/** A function that `getActivation` did not make, in its place. */
export interface UnknownActivation {
  readonly layer: string;
  readonly activationName: string;
}

/**
 * Looks at a value `[batch, units]` of a timestep. What it returns are somebody else's numbers, from
 * which the next ones are computed.
 */
export type Observer = (site: Site, estimate: Estimate) => ArrayLike<number> | undefined;

/** Runs the network as it predicts; it is left as it was. */
export function estimateRun(
  network: Network,
  inputs: readonly Tensor[],
  observe: Observer,
): EstimatedRun {
  let [layer, unknown] = ["", undefined as UnknownActivation | undefined];
  const bounds = new Bounds((f) => {
    if (!isBuiltIn(f)) unknown ??= { layer, activationName: f.activationName };
  });
  const lstms: EstimatedLstm[] = [];
  const { outputs } = network.walk(bounds, inputs, {
    run: (inner, given, weights, context) => {
      layer = context.name;
      return inner.run(bounds, given, weights, context);
    },
    anchor: () => (estimate, { site, timestep, mask }) => {
      const value = site as LstmValue;
      const counts = mask?.data as Floats | undefined;
      const given = observe({ lstm: lstms.length, value, timestep, mask: counts }, estimate);
      return given === undefined
        ? estimate
        : bounds.anchored(estimate, given, isGate(value) ? undefined : counts);
    },
    inside: (inside) => lstms.push(inside),
  });
  return { bounds, result: outputs[0]!, lstms, unknown };
}
