// The one way through a graph, whatever a value is.

import { isWork, part, type Work } from "../base/work.ts";
import {
  equationsBy,
  type LayerContext,
  type LayerWork,
  type Mask,
  wholeRun,
} from "../layers/layer.ts";
import type { Inside } from "../layers/inside.ts";
import type { Random } from "../tensor/random.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Ops } from "../values/ops.ts";
import type { Graph, Place } from "./graph.ts";

/** What the stateful layers remember, by layer; undefined is zeros. */
export type States<V> = readonly (readonly (readonly V[])[] | undefined)[];

/** What a walk may depend on besides inputs and weights. */
export interface WalkContext<V> {
  /** Whether dropout drops. */
  readonly training?: boolean | undefined;
  readonly random?: Random | undefined;
  readonly states?: States<V> | undefined;
  /** Runs a layer; its equation unless something else knows how. */
  readonly work?: LayerWork<V> | undefined;
  readonly listen?: LayerContext<V>["listen"];
  readonly anchor?: LayerContext<V>["anchor"];
  readonly inside?: ((inside: Inside<V>) => void) | undefined;
}

/** What a walk gave. */
export interface Walked<V> {
  readonly outputs: readonly V[];
  /** Which steps of each output count; all where there is none. */
  readonly masks: readonly (Mask | undefined)[];
  /** Each node's results. */
  readonly results: readonly (readonly V[])[];
  readonly states: States<V>;
  /** What becomes of each weight by a run in training; undefined where nothing does. */
  readonly updates: readonly (V | undefined)[];
}

/** Runs a graph: each node once, in order. */
export function* walk<V>(
  graph: Graph,
  inputs: readonly V[],
  weights: readonly V[],
  o: Ops<V>,
  context: WalkContext<V> = {},
): Work<Walked<V>> {
  const { layers, nodes, outputs } = graph;
  const results: (readonly V[])[] = [];
  const masks: (Mask | undefined)[] = [];
  const states: (readonly (readonly V[])[] | undefined)[] = layers.map(() => undefined);
  const updates = new Array<V | undefined>(weights.length);
  const valueAt = ([node, result]: Place) =>
    node === -1 ? inputs[result]! : results[node]![result]!;
  const maskAt = ([node]: Place) => node === -1 ? undefined : masks[node];
  const { work = equationsBy(o), training = false, states: before, ...rest } = context;
  const run = wholeRun(work);
  const done = sharesDone(graph, o.numbers(inputs[0]!).shape);
  for (let n = 0; n < nodes.length; n++) {
    const { name, layer: k, inputs: places } = nodes[n]!;
    const { layer, firstWeight, weights: { length } } = layers[k]!;
    const own = weights.slice(firstWeight, firstWeight + length);
    const ran = work(layer, places.map(valueAt), own, {
      ...rest,
      name,
      training,
      run,
      work,
      masks: places.map(maskAt),
      states: before?.[k],
    });
    const result = isWork(ran) ? yield* part(ran, done[n - 1] ?? 0, done[n]!) : ran;
    yield done[n]!;
    results.push(result.outputs);
    masks.push(result.mask);
    states[k] = result.states;
    result.updates?.forEach((update, w) => updates[firstWeight + w] = update);
  }
  return { outputs: outputs.map(valueAt), masks: outputs.map(maskAt), results, states, updates };
}

/** What is done after each node, as it was last asked for. */
const shares = new WeakMap<Graph, { readonly timesteps: number; readonly done: number[] }>();

/** The share of a walk that is done after each node: about, by the multiplications with its weights. */
function sharesDone(graph: Graph, [, timesteps = 1]: readonly number[]): readonly number[] {
  const known = shares.get(graph);
  if (known?.timesteps === timesteps) return known.done;
  const { layers, nodes } = graph;
  let all = 0;
  const sums = nodes.map(({ layer, shapes: [shape] }) => {
    const steps = shape!.slice(0, -1).reduce<number>((n, length) => n * (length ?? timesteps), 1);
    const each = layers[layer]!.weights.reduce((sum, { shape }) => sum + sizeOf(shape), 1);
    return all += steps * each;
  });
  const done = sums.map((sum) => sum / all);
  shares.set(graph, { timesteps, done });
  return done;
}
