// The fast equations of one layer in its place: in training, and where a network is no single chain.

import { type DenseForm, DenseTraining } from "../../compute/dense_training.ts";
import type { GatedForm, GatedLayer, SequenceSizes } from "../../compute/gated_layer.ts";
import { GatedTraining } from "../../compute/gated_training.ts";
import type { FastConvolution, FastPooling } from "../../layers/fast_form.ts";
import { joined } from "../../compute/lengths.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { BatchPlan } from "./batch_plan.ts";
import { denseArrays, gatedArrays, numbersOf } from "./chain.ts";
import { type FastRun, predicted } from "./fast_run.ts";
import { type PlacedWindows, placedWindows } from "./fast_windows.ts";
import { reverseTimesteps } from "./masked_steps.ts";
import { RecentlyUsed } from "./recently_used.ts";

/** How many sizes of a layer stay prepared: full batches, the last one, those of a validation. */
const PREPARED = 4;

/** A plan with the weights it has read. */
interface Prepared {
  readonly plan: BatchPlan;
  weights: readonly Tensor[];
}

/** The values of each site, in the order of the input. */
export type SiteValues = ReadonlyMap<string, Tensor>;

/** A run of a recurrent layer. */
export interface GatedRun extends FastRun {
  /** Its gates and states, where they were recorded. */
  readonly sites?: SiteValues;
}

/** How a recurrent layer predicts. */
export interface Prediction {
  /** The sites to record, in Keras's order; none where they are not wanted. */
  readonly sites: readonly string[];
  /** The states that it starts from, `[batch, units]` each. Default: zeros, which it does not tell. */
  readonly start?: readonly Tensor[] | undefined;
}

/** What a layer in its place needs for its runs; kept from run to run. */
export class LayerCompute {
  readonly #plans = new RecentlyUsed<Prepared>(PREPARED);
  readonly #gated = new RecentlyUsed<GatedTraining>(PREPARED);
  readonly #denses = new RecentlyUsed<DenseTraining>(PREPARED);
  readonly #windows = new RecentlyUsed<PlacedWindows>(PREPARED);

  /** The windows of a convolution or a pooling over axes of these lengths. */
  windows(form: FastConvolution | FastPooling, space: readonly number[]): PlacedWindows {
    return this.#windows.get(space.join(), () => placedWindows(form, space));
  }

  /** A recurrent layer over `x`, `[batch, timesteps, inputSize]`; all steps count. */
  gated(
    form: GatedForm,
    x: Tensor,
    weights: readonly Tensor[],
    { sites, start }: Prediction,
  ): GatedRun {
    const sizes = sizesOf(x);
    const { units, goBackwards = false } = form;
    const [record, takesStates] = [sites.length > 0, start !== undefined];
    const layer = (): GatedLayer => ({
      ...form,
      kind: "gated",
      ...{ record, takesStates },
      ...gatedArrays(weights),
    });
    const key = `${keyOf(form, sizes)} ${record} ${takesStates}`;
    const { output, recorded, ends } = this.#plan(key, weights, layer, sizes)
      .runLayer(numbersOf(x), { start: start?.map(numbersOf), records: record });
    const values = sites.map((site, k) => {
      const sequence = new Tensor(recorded[k]!, [sizes.batch, sizes.timesteps, units]);
      return [site, goBackwards ? reverseTimesteps(sequence) : sequence] as const;
    });
    return {
      ...predicted(output, outputShapeOf(form, sizes)),
      ...(record && { sites: new Map(values) }),
      ...(takesStates && { ends: ends.map((end) => new Tensor(end, [sizes.batch, units])) }),
    };
  }

  /** The same, and the way back. */
  trainGated(
    form: GatedForm,
    x: Tensor,
    weights: readonly Tensor[],
    start?: readonly Tensor[],
  ): FastRun {
    const sizes = sizesOf(x);
    const takesStates = start !== undefined;
    const run = this.#gated.get(
      `${keyOf(form, sizes)} ${takesStates}`,
      () => new GatedTraining({ ...form, takesStates }, sizes),
    ).forward(numbersOf(x), gatedArrays(weights), start?.map(numbersOf));
    const shape = outputShapeOf(form, sizes);
    const [length, state] = [sizeOf(shape), sizes.batch * form.units];
    const ends = (start ?? []).map(({ shape }, k) => {
      const from = length + k * state;
      return new Tensor(run.output.slice(from, from + state), shape);
    });
    return {
      output: new Tensor(takesStates ? run.output.slice(0, length) : run.output, shape),
      ends,
      backward: (gradient, { byEnds = [], ...options } = {}) => {
        const whole = takesStates
          ? joined([gradient, ...byEnds].map(({ data }) => Float32Array.from(data)))
          : numbersOf(gradient);
        const g = run.backward(whole, options);
        return {
          ...gradientsOf(g.x, x, [g.kernel, g.recurrentKernel, g.bias], weights),
          start: g.start.map((values, k) => new Tensor(values, start![k]!.shape)),
        };
      },
    };
  }

  /** A dense layer over `x`, `[…, inputSize]`. */
  dense(form: DenseForm, x: Tensor, weights: readonly Tensor[], training: boolean): FastRun {
    const inputSize = x.shape.at(-1)!;
    const rows = x.data.length / inputSize;
    const shape = x.shape.with(-1, form.units);
    const key = `${rows} ${inputSize}`;
    if (!training) {
      const layer = () => ({ ...form, kind: "dense", ...denseArrays(weights) } as const);
      const sizes = { batch: rows, timesteps: 1, inputSize };
      return predicted(this.#plan(key, weights, layer, sizes).run(numbersOf(x)), shape);
    }
    const run = this.#denses.get(key, () => new DenseTraining(form, rows, inputSize))
      .forward(numbersOf(x), denseArrays(weights));
    return {
      output: new Tensor(run.output, shape),
      backward: (gradient, options) => {
        const g = run.backward(numbersOf(gradient), options);
        return gradientsOf(g.x, x, [g.kernel, g.bias], weights);
      },
    };
  }

  #plan(
    key: string,
    weights: readonly Tensor[],
    layer: () => ConstructorParameters<typeof BatchPlan>[0][number],
    sizes: ConstructorParameters<typeof BatchPlan>[1],
  ): BatchPlan {
    const prepared = this.#plans.get(
      key,
      () => ({ plan: new BatchPlan([layer()], sizes), weights }),
    );
    if (prepared.weights.some((weight, k) => weight !== weights[k])) {
      prepared.plan.refresh([layer()]);
      prepared.weights = weights;
    }
    return prepared.plan;
  }
}

/** Under a mask, the same layer runs in another form. */
function keyOf({ returnSequences, goBackwards }: GatedForm, sizes: SequenceSizes): string {
  return `${Object.values(sizes)} ${returnSequences} ${goBackwards}`;
}

function outputShapeOf(
  { units, returnSequences }: GatedForm,
  { batch, timesteps }: SequenceSizes,
): number[] {
  return returnSequences ? [batch, timesteps, units] : [batch, units];
}

function sizesOf({ shape }: Tensor): SequenceSizes {
  const [batch, timesteps, inputSize] = shape as [number, number, number];
  return { batch, timesteps, inputSize };
}

function gradientsOf(
  byInput: Float32Array<ArrayBuffer> | undefined,
  x: Tensor,
  byArrays: readonly Float32Array<ArrayBuffer>[],
  weights: readonly Tensor[],
) {
  return {
    ...(byInput && { input: new Tensor(byInput, x.shape) }),
    // a bias has a gradient, whether or not there is one
    weights: weights.map(({ shape }, k) => new Tensor(byArrays[k]!, shape)),
  };
}
