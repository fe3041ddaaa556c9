// What a program should compute of its inputs, by the equations in float64, and how far rounding in
// float32 may move each number.

import { finish } from "../base/work.ts";
import { HIGHER_ORDERS } from "../insight/proof/prediction_bound.ts";
import { isWide, largestOf, rangeOf } from "../insight/proof/wide.ts";
import type { Network } from "../model/network.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Bounds } from "../values/bounds/bounds.ts";
import type { Estimate } from "../values/bounds/estimate.ts";

/** The numbers of one site, sample by sample, timestep by timestep. */
export interface ExpectedSite {
  readonly layer: string;
  /** `gates.forget`, `hiddenState`, … of a cell; `output` of any layer; `prediction` of the model. */
  readonly site: string;
  /** How many timesteps; 0 where its numbers are no sequence. */
  readonly timesteps: number;
  /** How many numbers at each. */
  readonly units: number;
  readonly values: Float64Array;
  /** What rounding explains of each; −1 where that is too much to tell anything. */
  readonly bounds: Float64Array;
}

/** So many outputs that rounding may move far are followed back: each costs about a run. */
const MOST_FOLLOWED = 64;

/** Runs a network from its start, whatever its stateful layers remember. */
export function expectedRun(network: Network, inputs: readonly Tensor[]): ExpectedSite[] {
  const bounds = new Bounds();
  const cells = new Map<string, Estimate[]>(); // by layer and site, then by timestep
  const { results, outputs } = finish(network.walk(bounds, inputs, {
    states: network.layers.map(() => undefined),
    anchor: (layer) => (value, { site, timestep }) => {
      const key = JSON.stringify([layer, site]);
      const steps = cells.get(key) ?? [];
      if (!cells.has(key)) cells.set(key, steps);
      steps[timestep] = value;
      return value;
    },
  }));
  let left = MOST_FOLLOWED;
  const boundsOf = (estimate: Estimate, range: number, isFollowed = false) =>
    estimate.error.map((error, k) => {
      if (!isWide(error, range)) return error;
      if (!isFollowed || left-- <= 0) return -1;
      const bound = Math.min(error, HIGHER_ORDERS * finish(bounds.sensitivityOf(estimate, k)));
      return isWide(bound, range) || !Number.isFinite(bound) ? -1 : bound;
    });
  const sites: ExpectedSite[] = [];
  for (const [key, steps] of cells) {
    const [layer, site] = JSON.parse(key) as [string, string];
    const [batch, units] = steps[0]!.shape as [number, number];
    if (batch !== inputs[0]!.shape[0]) continue; // timesteps as samples of a layer inside
    const range = rangeOf(site, steps.reduce((most, step) => Math.max(most, largestIn(step)), 0));
    const size = batch * steps.length * units;
    const [values, own] = [new Float64Array(size), new Float64Array(size)];
    steps.forEach((step, t) => {
      const bound = boundsOf(step, range);
      for (let n = 0; n < batch; n++) {
        const to = (n * steps.length + t) * units;
        values.set(step.value.subarray(n * units, (n + 1) * units), to);
        own.set(bound.subarray(n * units, (n + 1) * units), to);
      }
    });
    sites.push({ layer, site, timesteps: steps.length, units, values, bounds: own });
  }
  const whole = (layer: string, site: string, estimate: Estimate): ExpectedSite => {
    const { shape, value } = estimate;
    const timesteps = shape.length > 2 ? shape[1]! : 0;
    return {
      layer,
      site,
      timesteps,
      units: value.length / shape[0]! / Math.max(1, timesteps),
      values: value,
      bounds: boundsOf(estimate, largestIn(estimate), true),
    };
  };
  const [[last]] = network.outputs as [[number, number]];
  sites.push(whole(network.nodes[last]!.name, "prediction", outputs[0]!)); // first to be followed
  network.nodes.forEach(({ name }, k) => sites.push(whole(name, "output", results[k]![0]!)));
  return sites;
}

const largestIn = ({ value, shape }: Estimate) => largestOf({ data: value, shape });
