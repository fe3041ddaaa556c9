// A model's run with the error of each value.

import { resultOf, type Work } from "../../base/work.ts";
import type { RecurrentStep } from "../../cells/recurrence.ts";
import type { LstmValue } from "../../cells/lstm.ts";
import { isGate } from "../../cells/sites.ts";
import type { Inside } from "../../layers/inside.ts";
import { equationsBy } from "../../layers/layer.ts";
import { type Network, productOfRun } from "../../model/network.ts";
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
  /** What each layer gives, by its name. */
  readonly results: ReadonlyMap<string, Estimate>;
  readonly lstms: readonly EstimatedLstm[];
  /** The first activation whose rounding nobody knows, and its layer; undefined where there is none. */
  readonly unknown: UnknownActivation | undefined;
}

/** A function that `getActivation` did not make, in its place. */
export interface UnknownActivation {
  readonly layer: string;
  readonly activationName: string;
}

/** Who looks on. */
export interface Observer {
  /** Sees each value `[batch, units]` as it is computed. */
  readonly see: (site: Site, estimate: Estimate) => void;
  /** Somebody else's numbers, from which the next ones are computed; undefined where there are none. */
  readonly given: (site: Site) => ArrayLike<number> | undefined;
  /** The same of what a whole layer gives. */
  readonly output?: (layer: string, estimate: Estimate) => ArrayLike<number> | undefined;
}

/** Runs the network as it predicts; it is left as it was. */
export function* estimateRun(
  network: Network,
  inputs: readonly Tensor[],
  { see, given, output }: Observer,
): Work<EstimatedRun> {
  let [layer, unknown] = ["", undefined as UnknownActivation | undefined];
  let isOver = false; // a step that is explained is computed again
  const bounds = new Bounds(
    (f) => {
      if (!isBuiltIn(f)) unknown ??= { layer, activationName: f.activationName };
    },
    productOfRun(),
  );
  const lstms: EstimatedLstm[] = [];
  const results = new Map<string, Estimate>();
  let depth = 0;
  const equations = equationsBy(bounds);
  const { outputs } = yield* network.walk(bounds, inputs, {
    work: function* (inner, given, weights, context) {
      layer = context.name;
      depth++;
      const result = yield* resultOf(equations(inner, given, weights, context));
      if (--depth > 0) return result; // of a layer inside of another
      const [own, ...more] = result.outputs as [Estimate, ...Estimate[]];
      results.set(context.name, own);
      const theirs = output?.(context.name, own);
      return theirs === undefined
        ? result
        : { ...result, outputs: [bounds.anchored(own, theirs), ...more] };
    },
    anchor: () => {
      const lstm = lstms.length;
      return (estimate, { site, timestep, mask }) => {
        const value = site as LstmValue;
        const counts = mask?.data as Floats | undefined;
        const place = { lstm, value, timestep, mask: counts };
        if (!isOver) see(place, estimate);
        const theirs = given(place);
        return theirs === undefined
          ? estimate
          : bounds.anchored(estimate, theirs, isGate(value) ? undefined : counts);
      };
    },
    inside: (inside) => lstms.push(inside),
  });
  isOver = true;
  return { bounds, result: outputs[0]!, results, lstms, unknown };
}
