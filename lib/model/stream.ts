import { checkOptions, type KeysOf } from "../base/options.ts";
import type { LayerContext } from "../layers/layer.ts";
import { formatShape, sizeOf } from "../tensor/shape.ts";
import { asFloat32, asFloat64, Tensor } from "../tensor/tensor.ts";
import { join, pickedSteps, shapeOf } from "../values/arrange.ts";
import { numbers } from "../values/numbers.ts";
import { type ModelInput, tensorsOf } from "./inputs.ts";
import type { Network } from "./network.ts";
import { type StreamPlan, streamPlan } from "./stream_plan.ts";

/** How a sequence is streamed. */
export interface StreamOptions {
  /** How many sequences go side by side. Default: 1. */
  readonly batch?: number;
}

const OPTIONS: KeysOf<StreamOptions> = { batch: "optional" };

type Run = LayerContext<Tensor>["run"];

/** What a node keeps from one piece to the next: its states, or the timesteps before. */
type Kept = ReadonlyMap<string, readonly Tensor[]>;

/**
 * A model that takes a sequence as it comes: what {@linkcode Model.stream} returns. It remembers where
 * it is; the model is left as it was.
 */
export class Stream {
  /** How many sequences go side by side. */
  readonly batch: number;
  readonly #network: Network;
  readonly #plan: StreamPlan;
  #kept: Kept = new Map();
  #timesteps = 0;

  /** @internal */
  constructor(network: Network, options: StreamOptions) {
    checkOptions("stream", options, OPTIONS);
    const { batch = network.batchSize ?? 1 } = options;
    if (!Number.isSafeInteger(batch) || batch < 1) {
      throw new RangeError(
        `Cannot stream: batch must be a whole number from 1, but it is ${batch}`,
      );
    }
    if (network.batchSize !== undefined && batch !== network.batchSize) {
      throw new TypeError(
        `Cannot stream: a stateful model's file tells its batch, ${network.batchSize}, ` +
          `but batch is ${batch}`,
      );
    }
    this.batch = batch;
    this.#network = network;
    this.#plan = streamPlan(network);
    Object.freeze(this);
  }

  /** How many timesteps have come since the start, or since {@linkcode Stream.reset}. */
  get timesteps(): number {
    return this.#timesteps;
  }

  /**
   * One timestep in, one out.
   *
   * @param x `[batch, size]`, or `[batch]` of words: one timestep of each input `[timesteps, …]`;
   * inputs without timesteps as they are, with each call
   * @returns `[batch, …]` in float32: this timestep of an output `[timesteps, …]`, else the output as
   * the sequence so far gives it
   * @throws {TypeError} where a shape is not the model's, or it has several outputs.
   */
  step(x: ModelInput): Tensor {
    return this.#one(this.stepAll(x));
  }

  /** The same, all outputs. */
  stepAll(x: ModelInput): Tensor[] {
    const pieces = this.#tensors(x).map((one, k) =>
      this.#plan.inputs[k] === "piece"
        ? one.reshape([one.shape[0] ?? 1, 1, ...one.shape.slice(1)])
        : one
    );
    return this.#run(pieces).map((one, k) =>
      this.#plan.outputs[k] === "piece" ? one.select(1, 0) : one
    );
  }

  /**
   * A piece of any length in.
   *
   * @param x `[batch, timesteps, …]`, as for `predict`
   * @returns in float32: of an output `[timesteps, …]` as many timesteps, else the output as the
   * sequence so far gives it
   * @throws {TypeError} where a shape is not the model's, or it has several outputs.
   */
  push(x: ModelInput): Tensor {
    return this.#one(this.pushAll(x));
  }

  /** The same, all outputs. */
  pushAll(x: ModelInput): Tensor[] {
    return this.#run(this.#tensors(x));
  }

  /** The next timestep is a first one again. */
  reset(): void {
    this.#kept = new Map();
    this.#timesteps = 0;
  }

  #tensors(x: ModelInput): Tensor[] {
    return tensorsOf(x, this.#network.inputs, "stream").map(asFloat64);
  }

  #one(outputs: readonly Tensor[]): Tensor {
    if (outputs.length === 1) return outputs[0]!;
    throw new TypeError(
      `Cannot stream: step and push give the one output of a model, but this one has ` +
        `${outputs.length}; stepAll and pushAll give all`,
    );
  }

  #run(inputs: readonly Tensor[]): Tensor[] {
    const timesteps = this.#checked(inputs);
    const kept = new Map<string, readonly Tensor[]>();
    const { outputs } = this.#network.forward(inputs, {
      fast: true,
      around: (run) => along(run, this.#plan, this.#kept, kept),
    });
    this.#kept = kept;
    this.#timesteps += timesteps;
    return outputs.map(asFloat32);
  }

  /** How many timesteps a piece has; throws where a shape is not the model's. */
  #checked(inputs: readonly Tensor[]): number {
    let timesteps: number | undefined;
    inputs.forEach(({ shape }, k) => {
      const { name, shape: own } = this.#network.inputs[k]!;
      const isPiece = this.#plan.inputs[k] === "piece";
      const rest = isPiece ? shape.slice(2) : shape.slice(1);
      const wanted = isPiece ? own.slice(1) : own;
      if (isPiece) timesteps ??= shape[1];
      const fits = shape[0] === this.batch && sizeOf(shape) > 0 && rest.length === wanted.length &&
        rest.every((length, axis) => (wanted[axis] ?? length) === length) &&
        (!isPiece || shape[1] === timesteps);
      if (fits) return;
      const axes = [this.batch, ...(isPiece ? ["timesteps"] : []), ...wanted];
      throw new TypeError(
        `Cannot stream: ${inputs.length === 1 ? "the input" : `input ${name}`} must be ` +
          `[${axes.join(", ")}]${isPiece ? ", step() takes it without timesteps" : ""}, ` +
          `but its shape is ${formatShape(shape)}`,
      );
    });
    return timesteps!;
  }
}

/** Runs each layer on a piece, with what it kept of the pieces before. */
function along(
  run: Run,
  { nodes }: StreamPlan,
  before: Kept,
  after: Map<string, readonly Tensor[]>,
): Run {
  const inside = (context: LayerContext<Tensor>) => ({ ...context, run });
  return (layer, inputs, weights, context) => {
    const plan = nodes.get(context.name)!;
    if (plan === "as it is") {
      return run(layer, inputs, weights, { ...inside(context), states: undefined });
    }
    const kept = before.get(context.name);
    if (plan === "states") {
      const [mask] = context.masks;
      if (inputs.length > 1 && mask !== undefined) {
        throw new TypeError(
          `Cannot stream: a layer whose first states are given must count all timesteps, ` +
            `but ${context.name} has a mask`,
        );
      }
      const given = kept === undefined ? inputs : [inputs[0]!];
      const states = kept === undefined ? undefined : [kept];
      const result = run(layer, given, weights, { ...inside(context), states, keepsStates: true });
      after.set(context.name, result.states![0]!);
      return result;
    }
    const [x] = inputs as [Tensor];
    const [batch, timesteps, ...rest] = shapeOf(numbers, x) as [number, number, ...number[]];
    const shape = [batch, plan, ...rest];
    const [past] = kept ?? [new Tensor(new Float64Array(sizeOf(shape)), shape)];
    const whole = join(numbers, [past!, asFloat64(x)], 1);
    const last = (one: Tensor, count: number) => {
      const length = one.shape[1]!;
      return pickedSteps(numbers, one, Array.from({ length: count }, (_, t) => length - count + t));
    };
    const { outputs } = run(layer, [whole], weights, { ...inside(context), masks: [undefined] });
    after.set(context.name, [last(whole, plan)]);
    return { outputs: outputs.map((one) => last(asFloat64(one), timesteps)) };
  };
}
