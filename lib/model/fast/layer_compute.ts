// The fast equations of one layer in its place: in training, and where a network is no single chain.

import type { LstmLayer, SequenceSizes } from "../../compute/lstm_layer.ts";
import { DenseTraining } from "../../compute/dense_training.ts";
import { type LstmForm, LstmTraining } from "../../compute/lstm_training.ts";
import { gatesOf } from "../../cells/gates.ts";
import type { LstmStep } from "../../cells/lstm.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { FastForm } from "../../layers/fast_form.ts";
import { BatchPlan } from "./batch_plan.ts";
import { denseArrays, lstmArrays, numbersOf } from "./chain.ts";
import { reverseTimesteps } from "./masked_lstm.ts";
import { RecentlyUsed } from "./recently_used.ts";

/** A run of one layer, and the way back through it. */
export interface FastRun {
  readonly output: Tensor;
  /** From the gradient with respect to the output; that of the input may be left out. */
  readonly backward: (
    gradient: Tensor,
    options?: { readonly byInput?: boolean },
  ) => { readonly input?: Tensor; readonly weights: readonly Tensor[] };
}

type DenseForm = Extract<FastForm, { readonly kind: "dense" }>;

/** How many sizes of a layer stay prepared: full batches, the last one, those of a validation. */
const PREPARED = 4;

/** A plan with the weights it has read. */
interface Prepared {
  readonly plan: BatchPlan;
  weights: readonly Tensor[];
}

/** What a layer in its place needs for its runs; kept from run to run. */
export class LayerCompute {
  readonly #plans = new RecentlyUsed<Prepared>(PREPARED);
  readonly #lstms = new RecentlyUsed<LstmTraining>(PREPARED);
  readonly #denses = new RecentlyUsed<DenseTraining>(PREPARED);

  /** An LSTM over `x`, `[batch, timesteps, inputSize]`, from zeros; all steps count. */
  lstm(form: LstmForm, x: Tensor, weights: readonly Tensor[], training: boolean): FastRun {
    const sizes = sizesOf(x);
    const { batch, timesteps } = sizes;
    const { units, returnSequences = false } = form;
    const shape = returnSequences ? [batch, timesteps, units] : [batch, units];
    // under a mask, the same layer runs in another form
    const key = `${Object.values(sizes)} ${returnSequences} ${form.goBackwards}`;
    if (!training) {
      const layer = (): LstmLayer => ({ ...form, kind: "lstm", ...lstmArrays(weights) });
      return predicted(this.#plan(key, weights, layer, sizes).run(numbersOf(x)), shape);
    }
    const run = this.#lstms.get(key, () => new LstmTraining(form, sizes))
      .forward(numbersOf(x), lstmArrays(weights));
    return {
      output: new Tensor(run.output, shape),
      backward: (gradient, options) => {
        const g = run.backward(numbersOf(gradient), options);
        const arrays = [g.kernel, g.recurrentKernel, g.bias];
        return gradientsOf(g.x, x, arrays, weights);
      },
    };
  }

  /** The same in prediction, with every gate and state, in the order of the input. */
  recordedLstm(
    form: LstmForm,
    x: Tensor,
    weights: readonly Tensor[],
  ): FastRun & { readonly trace: LstmStep } {
    const sizes = sizesOf(x);
    const { batch, timesteps } = sizes;
    const { units, returnSequences = false, goBackwards = false } = form;
    const layer = () => ({ ...form, kind: "lstm", record: true, ...lstmArrays(weights) } as const);
    // under a mask, the same layer runs in another form
    const key = `record ${Object.values(sizes)} ${returnSequences} ${goBackwards}`;
    const plan = this.#plan(key, weights, layer, sizes);
    const { output, recorded } = plan.record(numbersOf(x));
    const inOrder = (name: keyof typeof recorded) => {
      const sequence = new Tensor(recorded[name], [batch, timesteps, units]);
      return goBackwards ? reverseTimesteps(sequence) : sequence;
    };
    const [input, forget] = [inOrder("input"), inOrder("forget")];
    const [candidate, outputGate] = [inOrder("candidate"), inOrder("output")];
    const gates = gatesOf({ input, forget, candidate, output: outputGate });
    const [cellState, hiddenState] = [inOrder("cellState"), inOrder("hiddenState")];
    return {
      ...predicted(output, returnSequences ? [batch, timesteps, units] : [batch, units]),
      trace: { gates, cellState, hiddenState },
    };
  }

  /** A dense layer over `x`, `[…, inputSize]`. */
  dense(form: DenseForm, x: Tensor, weights: readonly Tensor[], training: boolean): FastRun {
    const inputSize = x.shape.at(-1)!;
    const rows = x.data.length / inputSize;
    const shape = x.shape.with(-1, form.units);
    const key = `${rows} ${inputSize}`;
    if (!training) {
      const layer = () => ({ ...form, ...denseArrays(weights) });
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

function sizesOf({ shape }: Tensor): SequenceSizes {
  const [batch, timesteps, inputSize] = shape as [number, number, number];
  return { batch, timesteps, inputSize };
}

function predicted(output: Float32Array<ArrayBuffer>, shape: readonly number[]): FastRun {
  return {
    output: new Tensor(output, shape),
    backward: () => {
      throw new Error(
        "Cannot go backward: a run that trains keeps what is needed, but this one was a prediction",
      );
    },
  };
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
