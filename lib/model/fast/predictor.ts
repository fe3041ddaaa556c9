// What `Model.predict` runs.

import { BatchPlan } from "./batch_plan.ts";
import { type Chain, chainOf, layersOf, numbersOf } from "./chain.ts";
import type { Work } from "../../base/work.ts";
import { RecentlyUsed } from "./recently_used.ts";
import { sameShape } from "../../tensor/shape.ts";
import { asFloat32, Tensor } from "../../tensor/tensor.ts";
import { type ModelInput, tensorsOf } from "../inputs.ts";
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
 * A network's predictions. In precision float32, recurrent and dense layers in a row are one call of WASM,
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

  /** The predictions in float32; stateful layers remember where they ended. */
  predict(x: ModelInput): Tensor[] {
    const network = this.#network;
    const given = tensorsOf(x, network.inputs, "predict");
    const planned = this.#planned(given[0]!);
    if (planned !== undefined) return [planned];
    const whole = network.checkInputs(given, "predict", { batches: "any" });
    const samples = whole[0]!.shape[0]!;
    const { batchSize = samples } = network;
    if (batchSize === samples) return this.#predictBatch(whole);
    const parts: Tensor[][] = [];
    for (let k = 0; k < samples; k += batchSize) {
      parts.push(this.#predictBatch(whole.map((one) => samplesOf(one, k, k + batchSize))));
    }
    return network.outputs.map((_, k) => joinSamples(parts.map((part) => part[k]!)));
  }

  /** The predictions of one batch, in pieces; stateful layers remember nothing of it. */
  *work(x: ModelInput): Work<Tensor[]> {
    const network = this.#network;
    const given = tensorsOf(x, network.inputs, "predict");
    const planned = this.#planned(given[0]!);
    if (planned !== undefined) return [planned];
    const inputs = network.checkInputs(given, "predict");
    const { outputs } = yield* network.forwardWork(inputs, { fast: true });
    return outputs.map(asFloat32);
  }

  /** By one call of WASM, where the network is such a row. */
  #planned(x: Tensor): Tensor | undefined {
    const prepared = this.#preparedFor(x);
    if (prepared === undefined) return undefined;
    return new Tensor(prepared.plan.run(numbersOf(x)), prepared.outputShape);
  }

  /** Layer by layer; the next batch of a stateful network goes on where this one ends. */
  #predictBatch(inputs: readonly Tensor[]): Tensor[] {
    const { outputs, states } = this.#network.forward(inputs, { fast: true });
    this.#network.states = states;
    return outputs.map(asFloat32);
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
      this.#chain = network.precision === "float32" ? chainOf(network) : undefined;
      this.#isSettled = true;
    }
    if (this.#chain === undefined) return undefined;
    const [{ shape }] = network.checkInputs([x], "predict") as [Tensor];
    const [batch, timesteps] = [shape[0]!, shape.length === 3 ? shape[1]! : 1];
    const weights = network.keptWeights;
    const sizes = { batch, timesteps, inputSize: shape.at(-1)! };
    const outputShape = network.outputShapes[0]!.map((length) => length ?? timesteps);
    return {
      inputShape: shape,
      outputShape: Object.freeze([batch, ...outputShape]),
      plan: new BatchPlan(layersOf(this.#chain, weights), sizes),
      weights,
    };
  }
}

function samplesOf({ data, shape }: Tensor, from: number, to: number): Tensor {
  const each = data.length / shape[0]!;
  return new Tensor(data.slice(from * each, to * each), shape.with(0, to - from));
}

function joinSamples(parts: readonly Tensor[]): Tensor {
  const { data: { length }, shape } = parts[0]!;
  const data = new Float32Array(parts.length * length);
  parts.forEach((part, k) => data.set(part.data, k * length));
  return new Tensor(data, shape.with(0, parts.length * shape[0]!));
}
