// What an output becomes where one value inside is another: many such runs side by side, each from the
// step of its patch on, since nothing before it changes.

import type { Work } from "../base/work.ts";
import { recurrenceOf, type RecurrentLayer } from "../layers/recurrent.ts";
import type { Layer, LayerContext, LayerResult, LayerRun } from "../layers/layer.ts";
import { blocksOf } from "../cells/cell.ts";
import type { SiteListener, SiteName } from "../cells/sites.ts";
import type { Network } from "../model/network.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { LstmPlace } from "../trace/places.ts";
import { join, pickedSteps } from "../values/arrange.ts";
import { numbers } from "../values/numbers.ts";
import { fastFormOf, type Fork, repeated, unpatched } from "./fork.ts";
import { PatchedRows } from "./patched_rows.ts";

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

/** The runs of a model with one value changed. */
export class PatchedRuns {
  /** The output without a patch, `[batch]`. */
  readonly baseline: Tensor;
  /** Whether the steps after a patch are computed in float32. */
  readonly isFast: boolean;
  /** How many rows each patch takes at a time: fast, one sample is computed after the other. */
  readonly rows: number;
  readonly #run: PatchedRun;
  /** Undefined where the runs begin at the first step: under a mask, and inside of another layer. */
  readonly #fork: Fork | undefined;
  /** The layer's runs in float32. */
  readonly #rows: PatchedRows | undefined;

  constructor(run: PatchedRun) {
    this.#run = run;
    const { network, inputs, place, target, fast } = run;
    const { output, fork } = unpatched(network, inputs, place);
    this.baseline = output.select(1, target);
    this.#fork = fork;
    const form = fast && fork !== undefined ? fastFormOf(network, fork.node) : undefined;
    this.isFast = form !== undefined;
    this.rows = form?.returnSequences === false ? 1 : inputs[0]!.shape[0]!;
    if (form === undefined) return;
    this.#rows = new PatchedRows(network, inputs, { form, fork: fork!, target });
  }

  /**
   * The output with each patch, minus the one without, as the mean over the samples; patches of one
   * timestep.
   */
  *effects(patches: readonly Patch[]): Work<number[]> {
    const { target, inputs } = this.#run;
    const samples = inputs[0]!.shape[0]!; // a layer at each step of another has more
    const means = (differences: (row: number, n: number) => number) =>
      patches.map((_, p) => {
        let sum = 0;
        for (let n = 0; n < samples; n++) sum += differences(p * samples + n, n);
        return sum / samples;
      });
    if (this.#rows === undefined) {
      const [{ data }, without] = [this.#outputs(patches).select(1, target), this.baseline.data];
      return means((row, n) => data[row]! - without[n]!);
    }
    const { result, more } = yield* this.#fastResult(this.#rows, patches);
    const { data } = this.#behind(patches.length + 1, () => result).select(1, target);
    const without = data.subarray(patches.length * samples);
    return means((row, n) => data[row]! - without[n]! + more[row]!);
  }

  #outputs(patches: readonly Patch[]): Tensor {
    const { network, inputs, place: { name } } = this.#run;
    if (this.#fork !== undefined) {
      return this.#behind(patches.length, (...run) => this.#result(patches, ...run));
    }
    const rows = inputs.map((x) => repeated(x, patches.length));
    return network.forward(rows, { listeners: new Map([[name, this.#put(patches)]]) }).output;
  }

  /** The output of so many runs that begin with the layer's result. */
  #behind(
    count: number,
    resultOf: (
      run: LayerRun<Tensor>,
      ...given: Parameters<LayerRun<Tensor>>
    ) => LayerResult<Tensor>,
  ): Tensor {
    const { network, inputs } = this.#run;
    const { node, results, after, beside, besideInputs } = this.#fork!;
    const names = network.nodes.map(({ name }) => name);
    const around = (run: LayerRun<Tensor>): LayerRun<Tensor> => (...given) => {
      const k = names.indexOf(given[3].name);
      if (k === node) return resultOf(run, ...given);
      if (k === -1 || after.has(k)) return run(...given);
      if (!beside.has(k)) return { outputs: results[k]! }; // which nobody reads
      return { outputs: results[k]!.map((result) => repeated(result, count)) };
    };
    const rows = inputs.map((x, k) => besideInputs.has(k) ? repeated(x, count) : x);
    return network.forward(rows, { fast: this.isFast, around }).output;
  }

  /** The layer's result with each patch, by its equations from the step of the patches on. */
  #result(
    patches: readonly Patch[],
    run: LayerRun<Tensor>,
    layer: Layer,
    _: readonly Tensor[],
    own: readonly Tensor[],
    context: LayerContext<Tensor>,
  ): LayerResult<Tensor> {
    const { x, order, states, results, node } = this.#fork!;
    const { goBackwards, returnSequences } = (layer as RecurrentLayer).options;
    const [{ timestep }, { length: count }] = [patches[0]!, patches];
    const k = order.indexOf(timestep);
    const [from, to] = goBackwards ? [0, order.length - k] : [k, order.length];
    const before = k === 0
      ? undefined
      : [states.map((state) => repeated(state.select(1, order[k - 1]!), count))];
    const first = goBackwards ? to - 1 : 0; // of those steps the one computed first
    const put = this.#put(patches);
    const { outputs: [end, ...ends] } = run(layer, [repeated(stepsOf(x, from, to), count)], own, {
      ...context,
      states: before,
      listen: () => (value, { site, timestep: t }) =>
        t === first ? put(value, { site, timestep } as never) : value,
    });
    if (!returnSequences) return { outputs: [end!, ...ends] };
    const begun = repeated(stepsOf(results[node]![0]!, 0, k), count);
    return { outputs: [join(numbers, [begun, end!], 1), ...ends] };
  }

  /** The same in float32, and last that without a patch. */
  *#fastResult(
    rows: PatchedRows,
    patches: readonly Patch[],
  ): Work<{ readonly result: LayerResult<Tensor>; readonly more: Float64Array }> {
    const { order, results, node } = this.#fork!;
    const { samples } = this.#run.place;
    const [{ timestep }, count] = [patches[0]!, patches.length + 1];
    const [k, put] = [order.indexOf(timestep), this.#put(patches)];
    const { ends, sequence, more } = yield* rows.run(k, count, (site, value) => {
      if (!patches.some((patch) => patch.site === site)) return value;
      const whole = value.shape[0] === samples ? repeated(value, count) : value;
      return put(whole, { site, timestep } as never);
    });
    const begun = () => repeated(stepsOf(results[node]![0]!, 0, k), count);
    const result = sequence === undefined ? ends.at(-1)! : join(numbers, [begun(), sequence], 1);
    const { length } = results[node]!; // the states are results as well, or are not
    return { result: { outputs: [result, ...ends.toReversed()].slice(0, length) }, more };
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

/** Some of the timesteps of `[batch, timesteps, …]`. */
function stepsOf(x: Tensor, from: number, to: number): Tensor {
  return pickedSteps(numbers, x, Array.from({ length: to - from }, (_, k) => from + k));
}
