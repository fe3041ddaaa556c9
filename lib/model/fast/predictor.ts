// What `Model.predict` runs.

import { numbersOf } from "./fast_form.ts";
import { BatchPlan } from "./batch_plan.ts";
import { type Chain, chainOf, layersOf } from "./fast_form.ts";
import { RecentlyUsed } from "./recently_used.ts";
import { sameShape } from "../../tensor/shape.ts";
import { asTensor, Tensor, type TensorLike } from "../../tensor/tensor.ts";
import type { Network } from "../network.ts";

/** How many sizes of input stay prepared. */
const PREPARED = 8;

/** A plan for inputs of one shape, with the weights it has read. */
interface Prepared {
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  readonly plan: BatchPlan;
  weights: readonly Tensor[];
}

/**
 * A network's predictions. In precision float32, LSTM and dense layers in a row are one call of WASM,
 * prepared for each shape of input and kept; other networks go layer by layer, each as fast as it can.
 */
export class Predictor {
  readonly #network: Network;
  readonly #prepared = new RecentlyUsed<Prepared | undefined>(PREPARED);
  #last: Prepared | undefined;
  #chain: Chain | undefined;
  #isSettled = false;

  constructor(network: Network) {
    this.#network = network;
  }

  /** The prediction in float32; stateful layers remember where they ended. */
  predict(x: TensorLike): Tensor {
    const given = asTensor(x);
    const prepared = this.#preparedFor(given);
    if (prepared !== undefined) {
      return new Tensor(prepared.plan.run(numbersOf(given)), prepared.outputShape);
    }
    const network = this.#network;
    const whole = network.checkInput(given, "predict", { batches: "any" });
    const samples = whole.shape[0]!;
    const { batchSize = samples } = network;
    if (batchSize === samples) return this.#predictBatch(whole);
    const each = whole.data.length / samples;
    const outputs: Tensor[] = [];
    for (let k = 0; k < samples; k += batchSize) {
      const part = whole.data.slice(k * each, (k + batchSize) * each);
      outputs.push(this.#predictBatch(new Tensor(part, [batchSize, ...whole.shape.slice(1)])));
    }
    const { length } = outputs[0]!.data;
    const data = new Float32Array(outputs.length * length);
    outputs.forEach((output, k) => data.set(output.data, k * length));
    return new Tensor(data, [samples, ...outputs[0]!.shape.slice(1)]);
  }

  /** Layer by layer; the next batch of a stateful network goes on where this one ends. */
  #predictBatch(x: Tensor): Tensor {
    const { output: { data, shape }, states } = this.#network.forward(x, { fast: true });
    this.#network.states = states;
    return new Tensor(data instanceof Float32Array ? data : new Float32Array(data), shape);
  }

  #preparedFor(x: Tensor): Prepared | undefined {
    const isLast = this.#last !== undefined && sameShape(this.#last.inputShape, x.shape);
    const found = isLast ? this.#last! : this.#prepared.get(x.shape.join(), () => this.#prepare(x));
    if (found === undefined) return undefined;
    this.#last = found;
    const { keptWeights } = this.#network;
    if (found.weights !== keptWeights) {
      found.plan.refresh(layersOf(this.#chain!, keptWeights));
      found.weights = keptWeights;
    }
    return found;
  }

  #prepare(x: Tensor): Prepared | undefined {
    const network = this.#network;
    if (!this.#isSettled) {
      const isChain = network.precision === "float32" && network.inputShape.length <= 2;
      this.#chain = isChain ? chainOf(network.layers) : undefined;
      this.#isSettled = true;
    }
    if (this.#chain === undefined) return undefined;
    const { shape } = network.checkInput(x, "predict");
    const [batch, timesteps] = [shape[0]!, shape.length === 3 ? shape[1]! : 1];
    const weights = network.keptWeights;
    const sizes = { batch, timesteps, inputSize: shape.at(-1)! };
    const outputShape = network.outputShape.map((length) => length ?? timesteps);
    return {
      inputShape: shape,
      outputShape: Object.freeze([batch, ...outputShape]),
      plan: new BatchPlan(layersOf(this.#chain, weights), sizes),
      weights,
    };
  }
}
