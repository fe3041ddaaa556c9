// Where a number stopped being one: the run that failed, replayed layer by layer.

import type { LayerTrace } from "../../lstm/sequence.ts";
import { randomFromState } from "../../tensor/random.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Mask } from "../layer.ts";
import type { Network, PlacedLayer, Precision } from "../network.ts";

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
  x: Tensor,
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
  return nameIn(x, "the input", "float64", places) ??
    inWeights(network.weights, "weight")[0] ??
    inLayers(network, x, dropout, places) ??
    inWeights(gradients, "the gradient of weight").at(-1) ??
    inWeights(moved, "weight")[0] ??
    "the loss itself: every layer's output is finite";
}

function inLayers(
  network: Network,
  x: Tensor,
  dropout: readonly number[],
  places: readonly number[],
): string | undefined {
  const random = randomFromState(dropout); // what was dropped then is dropped now
  let [output, mask] = [x, undefined as Mask | undefined];
  for (const [k, placed] of network.layers.entries()) {
    const { name, layer, firstWeight } = placed;
    const weights = network.weights.slice(firstWeight, firstWeight + placed.weights.length);
    const state = network.states[k];
    const run = layer.forward(output, weights, { training: true, random, mask, state });
    const found = (run.traces ?? []).map((trace, direction) =>
      inTrace(trace, name, isBackward(placed, direction), places)
    ).find((culprit) =>
      culprit !== undefined
    ) ?? nameIn(run.output, `${name}, output`, "float64", places);
    if (found !== undefined) return found;
    [output, mask] = [run.output, run.mask];
  }
  return undefined;
}

/** The first step that is not finite, in the order in which the steps are computed. */
function inTrace(
  trace: LayerTrace,
  layer: string,
  backward: boolean,
  places: readonly number[],
): string | undefined {
  const { gates, cellState, hiddenState } = trace;
  const sites: [string, Tensor][] = [
    ["gates.input", gates.input],
    ["gates.forget", gates.forget],
    ["gates.candidate", gates.candidate],
    ["gates.output", gates.output],
    ["cellState", cellState],
    ["hiddenState", hiddenState],
  ];
  const [batch, timesteps, units] = cellState.shape as [number, number, number];
  for (let k = 0; k < timesteps; k++) {
    const t = backward ? timesteps - 1 - k : k;
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

/** Whether an LSTM of this layer runs from the last step to the first; Bidirectional has two. */
function isBackward({ layer }: PlacedLayer, direction: number): boolean {
  const goesBackwards = (layer.wrapped ?? layer).config.go_backwards === true;
  return goesBackwards !== (direction === 1);
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
