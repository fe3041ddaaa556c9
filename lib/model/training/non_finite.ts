// Where a number stopped being one: the run that failed, replayed layer by layer.

import type { CellTrace } from "../../cells/cell_run.ts";
import { randomFromState } from "../../tensor/random.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { orderOf } from "../../cells/recurrence.ts";
import { sitesOf, valueAt } from "../../cells/sites.ts";
import type { Network, Precision } from "../network.ts";

const MAX_FLOAT32 = 2 ** 128 - 2 ** 104;
const EXPONENT = 0x7f800000; // of a float32, all set

/** Whether all numbers are finite, and stay so in float32 where they are kept in it. */
export function isUsable(x: Tensor, precision: Precision): boolean {
  return firstUnusable(x, precision) === -1;
}

/**
 * Names the first value that is not finite, in the order in which they are computed: the input, the
 * weights, each layer's gates and states step by step, its output, the loss; then the gradients,
 * from the last layer to the first, and the moved weights.
 *
 * @param places where the batch's samples stand among all, for their numbers
 * @returns as `lstm, gates.forget of sample 2, timestep 4, unit 7: Infinity`
 */
export function findNonFinite(
  network: Network,
  inputs: readonly Tensor[],
  dropout: readonly number[],
  places: readonly number[],
  gradients: readonly Tensor[] = [],
  moved: readonly Tensor[] = [],
): string {
  const { precision } = network;
  const names = network.weightSpecs.map(({ name }) => name);
  const inWeights = (tensors: readonly Tensor[], prefix: string) =>
    names.flatMap((name, k) =>
      tensors[k] === undefined ? [] : nameIn(tensors[k], `${prefix} ${name}`, precision) ?? []
    );
  const named = inputs.map((x, k) =>
    nameIn(x, k === 0 ? "the input" : `input ${network.inputs[k]!.name}`, "float64", places)
  );
  return named.find((found) => found !== undefined) ??
    inWeights(network.weights, "weight")[0] ??
    inLayers(network, inputs, dropout, places) ??
    inWeights(gradients, "the gradient of weight").at(-1) ??
    inWeights(moved, "weight")[0] ??
    "the loss itself: every layer's output is finite";
}

function inLayers(
  network: Network,
  inputs: readonly Tensor[],
  dropout: readonly number[],
  places: readonly number[],
): string | undefined {
  const random = randomFromState(dropout); // what was dropped then is dropped now
  const { traces, results } = network.forward(inputs, { training: true, random });
  for (const [k, { layer }] of network.nodes.entries()) {
    const { name } = network.layers[layer]!;
    const own = traces.filter((one) => one.name === name || one.name.startsWith(`${name}/`));
    for (const { trace } of own) {
      const found = inTrace(trace, name, places);
      if (found !== undefined) return found;
    }
    for (const output of results[k]!) {
      const found = nameIn(output, `${name}, output`, "float64", places);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** The first step that is not finite, in the order in which the steps are computed. */
function inTrace(
  trace: CellTrace,
  layer: string,
  places: readonly number[],
): string | undefined {
  const sites = sitesOf(trace).map((site): [string, Tensor] => [site, valueAt(trace, site)]);
  const { hiddenState, source } = trace;
  const [batch, timesteps, units] = hiddenState.shape as [number, number, number];
  for (const t of orderOf(timesteps, source?.direction === "backward")) {
    for (const [site, { data }] of sites) {
      for (let n = 0; n < batch; n++) {
        for (let unit = 0; unit < units; unit++) {
          const value = data[(n * timesteps + t) * units + unit]!;
          if (Number.isFinite(value)) continue;
          return `${layer}, ${site} of sample ${places[n]}, timestep ${t}, unit ${unit}: ${value}`;
        }
      }
    }
  }
  return undefined;
}

function nameIn(
  x: Tensor,
  name: string,
  precision: Precision,
  places?: readonly number[],
): string | undefined {
  const at = firstUnusable(x, precision);
  if (at === -1) return undefined;
  const index = x.shape.map((length, axis) =>
    Math.floor(at / x.shape.slice(axis + 1).reduce((a, b) => a * b, 1)) % length
  );
  if (places === undefined) return `${name} at [${index.join(", ")}]: ${x.data[at]}`;
  const [n, ...rest] = index;
  return `${name} of sample ${places[n!]} at [${rest.join(", ")}]: ${x.data[at]}`;
}

function firstUnusable({ data }: Tensor, precision: Precision): number {
  if (data instanceof Float32Array && areFinite(data)) return -1;
  const largest = precision === "float32" ? MAX_FLOAT32 : Number.MAX_VALUE;
  for (let k = 0; k < data.length; k++) if (!(Math.abs(data[k]!) <= largest)) return k;
  return -1;
}

/** By their bits, as every number of every batch passes here: NaN and Infinity have this exponent. */
function areFinite({ buffer, byteOffset, length }: Float32Array): boolean {
  const bits = new Int32Array(buffer, byteOffset, length);
  for (let k = 0; k < length; k++) if ((bits[k]! & EXPONENT) === EXPONENT) return false;
  return true;
}
