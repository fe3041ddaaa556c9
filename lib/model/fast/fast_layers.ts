// The layers of a network that lib/compute knows, each computed by it; all others by their equation.

import type { CellTrace } from "../../cells/cell_run.ts";
import { traceOfRun } from "../../cells/trace_of_run.ts";
import { activateBackward, activateNumbers } from "../../compute/activate.ts";
import { type FastActivation, LINEAR, SOFTMAX } from "../../compute/activations.ts";
import { availableBuild } from "../../compute/engine.ts";
import type { FastGated } from "../../layers/fast_form.ts";
import {
  equationsBy,
  type Layer,
  type LayerContext,
  type LayerResult,
  type LayerWork,
  type Mask,
} from "../../layers/layer.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { Gradients, Variable } from "../../values/gradients.ts";
import { numbers } from "../../values/numbers.ts";
import { numbersOf } from "./chain.ts";
import { computedTogether } from "./computed_together.ts";
import { fastGatedRun } from "./fast_gated.ts";
import { fastNormalization } from "./fast_normalization.ts";
import { fastConvolution, fastPooling } from "./fast_windows.ts";
import type { FastRun } from "./fast_run.ts";
import { LayerCompute } from "./layer_compute.ts";

/** A layer's fast run, and how its result and its states become what a walk wants. */
interface FastLayerRun extends FastRun {
  readonly mask: Mask | undefined;
  readonly arranged: <V>(
    output: V,
    ends: readonly V[],
  ) => Pick<LayerResult<V>, "outputs" | "states">;
  /** There where it records. */
  readonly trace?: CellTrace;
}

/** What a network's layers keep for their fast runs. */
export class FastLayers {
  readonly #computes = new Map<string, LayerCompute>(); // by the layer's name

  /** Runs a layer on numbers. */
  run({ records, inside }: {
    readonly records: boolean;
    readonly inside: (one: { readonly name: string; readonly trace: CellTrace }) => void;
  }): LayerWork<Tensor> {
    const equations = equationsBy(numbers);
    return (layer, inputs, weights, context) => {
      const fast = this.#fast(layer, inputs, weights, context, records);
      if (fast === undefined) return equations(layer, inputs, weights, context);
      const { output, ends = [], mask, trace } = fast;
      if (trace !== undefined) inside({ name: context.name, trace });
      return { ...fast.arranged(output, ends), mask };
    };
  }

  /** Runs a layer on a tape; what is no training keeps nothing to go back through. */
  runOnTape(tape: Gradients): LayerWork<Variable> {
    const equations = equationsBy(tape);
    return (layer, inputs, weights, context) => {
      const [x, ...more] = inputs as [Variable, ...Variable[]];
      const valuesOf = (variables: readonly Variable[]) => variables.map(({ value }) => value);
      const given = { ...context, states: context.states?.map(valuesOf) };
      const fast = context.training
        ? this.#fast(layer, valuesOf(inputs), valuesOf(weights), given, false)
        : undefined;
      if (fast === undefined) return equations(layer, inputs, weights, context);
      const { output, ends = [], mask } = fast;
      const starts = startOf(more, context.states) ?? [];
      const [y, ...last] = computedTogether(
        tape,
        [output, ...ends],
        [x, ...starts, ...weights],
        ([gradient, ...byEnds]) => {
          const found = fast.backward(gradient!, { byInput: x.needed, byEnds });
          return [found.input, ...starts.map((_, k) => found.start?.[k]), ...found.weights];
        },
      );
      const updates = fast.updates?.map((update) => update && tape.given(update));
      return { ...fast.arranged(y!, last), mask, updates };
    };
  }

  #fast(
    layer: Layer,
    [x, ...more]: readonly Tensor[],
    weights: readonly Tensor[],
    context: FastContext,
    records: boolean,
  ): FastLayerRun | undefined {
    const form = availableBuild() && layer.fast?.();
    if (form === undefined || layer.distributed !== undefined) {
      return undefined; // the layer inside is asked by itself
    }
    const { name, training, masks: [mask] } = context;
    const compute = this.#computes.get(name) ?? new LayerCompute();
    this.#computes.set(name, compute);
    switch (form.kind) {
      case "gated":
        return runGated(compute, form, x!, more, weights, { ...context, records });
      case "dense":
        return asResult(compute.dense(form, x!, weights, training), mask);
      case "convolution":
        return asResult(fastConvolution(compute, form, x!, weights, training), undefined);
      case "pooling":
        if (form.by === "average" && form.around && mask) return undefined; // of its steps alone
        return asResult(fastPooling(compute, form, x!), undefined);
      case "normalization":
        if (training && mask) return undefined;
        return asResult(fastNormalization(form, x!, weights, training), mask);
      case "activation":
        return asResult(fastActivation(form.activation, x!), mask);
      default:
        return undefined; // a layer that changes nothing is its equation
    }
  }
}

/** An activation layer on its own; a softmax's rows are short. */
function fastActivation(activation: FastActivation, x: Tensor): FastRun | undefined {
  if (activation.kind === LINEAR || activation.kind === SOFTMAX) return undefined;
  const y = activateNumbers(activation, numbersOf(x));
  return {
    output: new Tensor(y, x.shape),
    backward: (gradient) => {
      const dx = activateBackward(activation, y, numbersOf(gradient));
      return { input: new Tensor(dx, x.shape), weights: [] };
    },
  };
}

function asResult(run: FastRun | undefined, mask: Mask | undefined): FastLayerRun | undefined {
  if (run === undefined) return undefined;
  return { ...run, mask, arranged: (output) => ({ outputs: [output] }) };
}

/** What a fast run depends on, of what any run does. */
type FastContext = Pick<
  LayerContext<Tensor>,
  "name" | "masks" | "states" | "training" | "random" | "keepsStates"
>;

/** A recurrent layer's run, states in and states out. */
function runGated(
  compute: LayerCompute,
  form: FastGated,
  x: Tensor,
  given: readonly Tensor[],
  weights: readonly Tensor[],
  { masks: [mask], states: remembered, training, random, keepsStates, records }:
    & FastContext
    & { readonly records: boolean },
): FastLayerRun | undefined {
  const { cell, functions, goBackwards = false, returnSequences, returnState, stateful } = form;
  const before = startOf(given, remembered);
  const zeros = () => cell.states.map(() => zerosOf(x.shape[0]!, form.units));
  const start = before ?? (returnState || stateful || keepsStates ? zeros() : undefined);
  if (start?.some(({ shape }) => shape[0] !== x.shape[0])) return undefined; // the equation says it
  const run = fastGatedRun(compute, form, x, weights, { mask, training, random, records, start });
  if (run === undefined) return undefined;
  const { sites, ...rest } = run;
  const result: FastLayerRun = {
    ...rest,
    mask: returnSequences ? mask : undefined,
    arranged: (output, ends) => ({
      outputs: returnState ? [output, ...ends.toReversed()] : [output],
      states: stateful || keepsStates ? [ends] : undefined,
    }),
  };
  if (sites === undefined) return result;
  const from = { x, weights, functions, goBackwards, mask, before };
  return { ...result, trace: traceOfRun(cell, (site) => sites.get(site)!, from) };
}

/** The states before the first step: Keras gives h first, which the cell hands on last. */
function startOf<V>(
  given: readonly V[],
  remembered: readonly (readonly V[])[] | undefined,
): readonly V[] | undefined {
  return given.length > 0 ? given.toReversed() : remembered?.[0];
}

function zerosOf(batch: number, units: number): Tensor {
  return new Tensor(new Float32Array(batch * units), [batch, units]);
}
