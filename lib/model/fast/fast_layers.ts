// The layers of a network that lib/compute knows, each computed by it; all others by their equation.

import type { LayerTrace } from "../../cells/lstm_forward.ts";
import { layerTraceOf } from "../../cells/lstm_forward.ts";
import type { Layer, LayerContext, LayerResult, Mask } from "../../layers/layer.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Gradients, Variable } from "../../values/gradients.ts";
import { numbers } from "../../values/numbers.ts";
import { fastLstm } from "./fast_lstm.ts";
import { type FastRun, LayerCompute } from "./layer_compute.ts";

/** A layer's fast run, with the mask that the next one gets and, where it records, its trace. */
export type FastLayerRun = FastRun & {
  readonly mask: Mask | undefined;
  readonly trace?: LayerTrace;
};

/** What a network's layers keep for their fast runs. */
export class FastLayers {
  readonly #computes = new Map<string, LayerCompute>(); // by the layer's name

  /** Runs a layer on numbers. */
  run({ records, inside }: {
    readonly records: boolean;
    readonly inside: (one: { readonly name: string; readonly trace: LayerTrace }) => void;
  }): LayerContext<Tensor>["run"] {
    return (layer, inputs, weights, context) => {
      const fast = this.#fast(layer, inputs, weights, context, records);
      if (fast === undefined) return layer.run(numbers, inputs, weights, context);
      if (fast.trace !== undefined) inside({ name: context.name, trace: fast.trace });
      return { outputs: [fast.output], mask: fast.mask };
    };
  }

  /** Runs a layer on a tape. */
  runOnTape(tape: Gradients): LayerContext<Variable>["run"] {
    return (layer, inputs, weights, context): LayerResult<Variable> => {
      const [x] = inputs as [Variable];
      const own = weights.map(({ value }) => value);
      const fast = this.#fast(layer, inputs.map(({ value }) => value), own, context, false);
      if (fast === undefined) return layer.run(tape, inputs, weights, context);
      const output = tape.computed(fast.output, [x, ...weights], (gradient) => {
        const { input, weights } = fast.backward(gradient, { byInput: x.needed });
        return [input, ...weights];
      });
      return { outputs: [output], mask: fast.mask };
    };
  }

  #fast<V>(
    layer: Layer,
    [x, ...more]: readonly Tensor[],
    weights: readonly Tensor[],
    { name, masks: [mask], states, training, random }: LayerContext<V>,
    records: boolean,
  ): FastLayerRun | undefined {
    const form = layer.fast?.();
    if (form?.kind !== "lstm" && form?.kind !== "dense" || layer.distributed !== undefined) {
      return undefined; // the layer inside is asked by itself
    }
    if (x === undefined || more.length > 0) return undefined; // states come in
    const compute = this.#computes.get(name) ?? new LayerCompute();
    this.#computes.set(name, compute);
    if (form.kind === "dense") return { ...compute.dense(form, x, weights, training), mask };
    if (states?.[0] !== undefined) return undefined;
    const run = fastLstm(compute, form, x, weights, { mask, training, random, records });
    if (run?.trace === undefined) return run;
    const [kernel, recurrentKernel, bias] = weights as [Tensor, Tensor, Tensor?];
    const given = {
      x,
      weights: { kernel, recurrentKernel, ...(bias && { bias }) },
      options: {
        activation: form.functions.φ,
        recurrentActivation: form.functions.σ,
        goBackwards: form.goBackwards ?? false,
        mask,
      },
    };
    return { ...run, trace: layerTraceOf(run.trace, given) };
  }
}
