// What an output becomes where one value inside is another: many such runs side by side, each from the
// step of its patch on, since nothing before it changes.

import { recurrenceOf, type RecurrentLayer } from "../layers/recurrent.ts";
import type { Layer, LayerContext, LayerResult } from "../layers/layer.ts";
import { blocksOf } from "../cells/cell.ts";
import { orderOf, type Passer } from "../cells/recurrence.ts";
import { type SiteListener, type SiteName, valueAt } from "../cells/sites.ts";
import { availableBuild } from "../compute/engine.ts";
import { type Network, numbersOfRun } from "../model/network.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { LstmPlace } from "../trace/places.ts";
import { join, pickedSteps } from "../values/arrange.ts";
import { numbers } from "../values/numbers.ts";

/** One value that is put in. */
export interface Patch {
  readonly site: SiteName;
  readonly timestep: number;
  readonly unit: number;
}

/** What a patch puts in: `[batch, timesteps, units]` of each site. */
export type PatchSource = (site: SiteName) => Tensor;

/** What is patched. */
export interface PatchedRun {
  readonly network: Network;
  readonly inputs: readonly Tensor[];
  readonly place: LstmPlace;
  /** Which output is watched. */
  readonly target: number;
  readonly source: PatchSource | undefined;
  /** Whether the steps after a patch may be computed in float32, as predictions are. */
  readonly fast: boolean;
}

/** A recurrent layer in a run without patches: what it got, and what all layers gave. */
interface Fork {
  readonly node: number;
  /** In float64. */
  readonly weights: readonly Tensor[];
  readonly x: Tensor;
  readonly order: readonly number[];
  /** Its states after each step, `[batch, timesteps, units]` each. */
  readonly states: readonly Tensor[];
  readonly results: readonly (readonly Tensor[])[];
  /** The nodes that anything reaches from it. */
  readonly after: ReadonlySet<number>;
}

type Run = LayerContext<Tensor>["run"];

/** The runs of a model with one value changed. */
export class PatchedRuns {
  /** The output without a patch, `[batch]`. */
  readonly baseline: Tensor;
  /** Whether the steps after a patch are computed in float32. */
  readonly isFast: boolean;
  readonly #run: PatchedRun;
  /** Undefined where the runs begin at the first step: under a mask, and inside of another layer. */
  readonly #fork: Fork | undefined;
  readonly #ops = numbersOfRun(); // the weights are packed once for all runs

  constructor(run: PatchedRun) {
    this.#run = run;
    const { output, fork } = unpatched(run);
    this.baseline = output.select(1, run.target);
    this.#fork = fork;
    this.isFast = run.fast && fork !== undefined && isFastFrom(run.network, fork.node);
  }

  /** The output with each patch, minus the one without, as the mean over the samples; patches of one timestep. */
  effects(patches: readonly Patch[]): number[] {
    const { target, inputs } = this.#run;
    const samples = inputs[0]!.shape[0]!; // a layer at each step of another has more
    // what float32 adds of its own is in a run without a patch, too
    const outputs =
      (this.isFast ? this.#forked(patches, patches.length + 1) : this.#outputs(patches)).select(
        1,
        target,
      ).data;
    const without = this.isFast ? outputs.subarray(patches.length * samples) : this.baseline.data;
    return patches.map((_, p) => {
      let sum = 0;
      for (let n = 0; n < samples; n++) sum += outputs[p * samples + n]! - without[n]!;
      return sum / samples;
    });
  }

  #outputs(patches: readonly Patch[]): Tensor {
    if (this.#fork !== undefined) return this.#forked(patches, patches.length);
    const { network, inputs, place: { name } } = this.#run;
    const rows = inputs.map((x) => repeated(x, patches.length));
    return network.forward(rows, { listeners: new Map([[name, this.#put(patches)]]) }).output;
  }

  /** From the step of the patches on; in the last of more runs than patches nothing is put in. */
  #forked(patches: readonly Patch[], count: number): Tensor {
    const { network, inputs } = this.#run;
    const { node, results, after } = this.#fork!;
    const names = network.nodes.map(({ name }) => name);
    const around = (run: Run): Run => (layer, given, own, context) => {
      const k = names.indexOf(context.name);
      if (k === node) return this.#layer(run, layer, own, context, patches, count);
      if (k === -1 || after.has(k)) return run(layer, given, own, context);
      return { outputs: results[k]!.map((result) => repeated(result, count)) };
    };
    const rows = inputs.map((x) => repeated(x, count));
    return network.forward(rows, { fast: this.isFast, around }).output;
  }

  #layer(
    run: Run,
    layer: Layer,
    own: readonly Tensor[],
    context: LayerContext<Tensor>,
    patches: readonly Patch[],
    count: number,
  ): LayerResult<Tensor> {
    const { x, order, states, results, node } = this.#fork!;
    const { goBackwards, returnSequences } = (layer as RecurrentLayer).options;
    const { timestep } = patches[0]!;
    const k = order.indexOf(timestep);
    const stepsFrom = (first: number, stop: number) => {
      const [from, to] = goBackwards ? [order.length - stop, order.length - first] : [first, stop];
      return repeated(stepsOf(x, from, to), count);
    };
    const before = k === 0
      ? undefined
      : [states.map((state) => repeated(state.select(1, order[k - 1]!), count))];
    const put = this.#put(patches);
    const listenAt = (step: number): Passer<Tensor> => (value, { site, timestep: t }) =>
      t === step ? put(value, { site, timestep } as never) : value;
    const given = { ...context, states: before };
    const parts: LayerResult<Tensor>[] = [];
    if (this.isFast) {
      const first = layer.run(this.#ops, [stepsFrom(k, k + 1)], this.#fork!.weights, {
        ...given,
        keepsStates: true,
        listen: () => listenAt(0),
      });
      parts.push(first);
      const { states } = first;
      const rest = [stepsFrom(k + 1, order.length)];
      if (k + 1 < order.length) parts.push(run(layer, rest, own, { ...context, states }));
    } else {
      const first = goBackwards ? order.length - k - 1 : 0; // of those steps the one computed first
      parts.push(run(layer, [stepsFrom(k, order.length)], own, {
        ...given,
        listen: () => listenAt(first),
      }));
    }
    const { outputs: [end, ...ends] } = parts.at(-1)!;
    if (!returnSequences) return { outputs: [end!, ...ends] };
    const begun = repeated(stepsOf(results[node]![0]!, 0, k), count);
    const whole = join(numbers, [begun, ...parts.map(({ outputs }) => outputs[0]!)], 1);
    return { outputs: [whole, ...ends] };
  }

  /** Puts each patch into its own run. */
  #put(patches: readonly Patch[]): SiteListener {
    const { source, place: { samples, timesteps, units } } = this.#run;
    return (value, { site, timestep }) => {
      if (!patches.some((one) => one.site === site && one.timestep === timestep)) return value;
      const patched = Float64Array.from(value.data);
      const others = source?.(site).data;
      patches.forEach((patch, p) => {
        if (patch.site !== site || patch.timestep !== timestep) return;
        for (let n = 0; n < samples; n++) {
          const other = others?.[(n * timesteps + timestep) * units + patch.unit];
          patched[(p * samples + n) * units + patch.unit] = other ?? 0;
        }
      });
      return new Tensor(patched, value.shape);
    };
  }
}

/** How many multiplications all patches take by the equations. */
export function multiplicationsOf({ network, inputs, place }: PatchedRun, count: number): number {
  const node = network.nodes.find(({ name }) => name === place.name);
  if (node === undefined) return 0;
  const { layer, inputShape } = network.layers[node.layer]!;
  const made = recurrenceOf(layer);
  if (made === undefined) return 0;
  const each = (inputShape.at(-1)! + place.units) * blocksOf(made.cell) * place.units;
  return count * inputs[0]!.shape[0]! * place.timesteps / 2 * each;
}

/** The run without patches, and where the others leave it. */
function unpatched({ network, inputs, place }: PatchedRun): { output: Tensor; fork?: Fork } {
  let [x, masked] = [undefined as Tensor | undefined, false];
  const around = (run: Run): Run => (layer, given, own, context) => {
    const result = run(layer, given, own, context);
    masked ||= result.mask !== undefined || context.masks.some((mask) => mask !== undefined);
    if (context.name === place.name && given.length === 1) x = given[0]!;
    return result;
  };
  const { output, results, traces } = network.forward(inputs, { around });
  const node = network.nodes.findIndex(({ name }) => name === place.name);
  if (x === undefined || masked || node === -1) return { output };
  const { layer, firstWeight, weights: { length } } = network.layers[network.nodes[node]!.layer]!;
  const weights = network.weights.slice(firstWeight, firstWeight + length);
  const made = recurrenceOf(layer);
  if (made === undefined) return { output };
  const { trace } = traces.find(({ name }) => name === place.name)!;
  const after = new Set<number>();
  network.nodes.forEach(({ inputs }, k) => {
    if (inputs.some(([from]) => from === node || after.has(from))) after.add(k);
  });
  const { goBackwards } = (layer as RecurrentLayer).options;
  const states = made.cell.states.map((state) => valueAt(trace, state));
  const order = orderOf(place.timesteps, goBackwards);
  return { output, fork: { node, weights, x, order, states, results, after } };
}

/** Whether a node's layer runs in float32. */
function isFastFrom({ precision, nodes, layers }: Network, node: number): boolean {
  const { layer } = layers[nodes[node]!.layer]!;
  return precision === "float32" && availableBuild() !== undefined &&
    layer.fast?.()?.kind === "gated";
}

/** The samples so many times, one after the other. */
function repeated(x: Tensor, count: number): Tensor {
  return join(numbers, new Array<Tensor>(count).fill(x), 0);
}

/** Some of the timesteps of `[batch, timesteps, …]`. */
function stepsOf(x: Tensor, from: number, to: number): Tensor {
  return pickedSteps(numbers, x, Array.from({ length: to - from }, (_, k) => from + k));
}
