// What a program should compute of its inputs, by the equations in float64, and how far rounding in
// float32 may move each number.

import { part, type Work } from "../base/work.ts";
import { HIGHER_ORDERS } from "../insight/proof/prediction_bound.ts";
import { isWide, largestOf, rangeOf } from "../insight/proof/wide.ts";
import { type Network, productOfRun } from "../model/network.ts";
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

/** What is done, about, when the equations have run. */
const WALKED = 0.9;

/** Runs a network from its start, whatever its stateful layers remember. */
export function* expectedRun(
  network: Network,
  inputs: readonly Tensor[],
): Work<ExpectedSite[]> {
  const bounds = new Bounds(() => {}, productOfRun());
  const cells = new Map<string, Estimate[]>(); // by layer and site, then by timestep
  const walking = network.walk(bounds, inputs, {
    states: network.layers.map(() => undefined),
    anchor: (layer) => (value, { site, timestep }) => {
      const key = JSON.stringify([layer, site]);
      const steps = cells.get(key) ?? [];
      if (!cells.has(key)) cells.set(key, steps);
      steps[timestep] = value;
      return value;
    },
  });
  const { results, outputs } = yield* part(walking, 0, WALKED);
  const sure = ({ error }: Estimate, range: number) =>
    error.map((one) => isWide(one, range) ? -1 : one);
  let left = MOST_FOLLOWED;
  /** The same; those that are not sure are followed back. */
  const followed = function* (estimate: Estimate, range: number): Work<Float64Array> {
    const found = sure(estimate, range);
    for (let k = 0; k < found.length && left > 0; k++) {
      if (found[k] !== -1) continue;
      left--;
      const moved = yield* part(bounds.sensitivityOf(estimate, k), WALKED, WALKED);
      const bound = Math.min(estimate.error[k]!, HIGHER_ORDERS * moved);
      if (!isWide(bound, range) && Number.isFinite(bound)) found[k] = bound;
    }
    return found;
  };
  const sites: ExpectedSite[] = [];
  for (const [key, steps] of cells) {
    const [layer, site] = JSON.parse(key) as [string, string];
    const [batch, units] = steps[0]!.shape as [number, number];
    if (batch !== inputs[0]!.shape[0]) continue; // timesteps as samples of a layer inside
    const range = rangeOf(site, steps.reduce((most, step) => Math.max(most, largestIn(step)), 0));
    const size = batch * steps.length * units;
    const [values, own] = [new Float64Array(size), new Float64Array(size)];
    steps.forEach((step, t) => {
      const bound = sure(step, range);
      for (let n = 0; n < batch; n++) {
        const to = (n * steps.length + t) * units;
        values.set(step.value.subarray(n * units, (n + 1) * units), to);
        own.set(bound.subarray(n * units, (n + 1) * units), to);
      }
    });
    sites.push({ layer, site, timesteps: steps.length, units, values, bounds: own });
    yield WALKED;
  }
  const whole = function* (layer: string, site: string, estimate: Estimate): Work<ExpectedSite> {
    const { shape, value } = estimate;
    const timesteps = shape.length > 2 ? shape[1]! : 0;
    return {
      layer,
      site,
      timesteps,
      units: value.length / shape[0]! / Math.max(1, timesteps),
      values: value,
      bounds: yield* followed(estimate, largestIn(estimate)),
    };
  };
  const [[last]] = network.outputs as [[number, number]];
  const { name } = network.nodes[last]!;
  sites.push(yield* whole(name, "prediction", outputs[0]!)); // first to be followed
  for (const [k, { name }] of network.nodes.entries()) {
    sites.push(yield* whole(name, "output", results[k]![0]!));
  }
  return sites;
}

const largestIn = ({ value, shape }: Estimate) => largestOf({ data: value, shape });
