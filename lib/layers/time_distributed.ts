import { shapeOf } from "../values/arrange.ts";
import type { FastForm } from "./fast_form.ts";
import {
  defineLayer,
  formatOpenShape,
  innerWork,
  inPieces,
  type Layer,
  type OpenShape,
} from "./layer.ts";
import { checkOptions, definedOptions, type LayerName } from "./layer_options.ts";
import type { LayerKind } from "./kind.ts";

/**
 * The same layer, with the same weights, on each timestep by itself: `[timesteps, …]`, of which the
 * layer sees `[…]`. Source: keras/src/layers/rnn/time_distributed.py (Keras 3.15.1).
 *
 * @throws {TypeError} where it is no layer, or a stateful one.
 *
 * @example
 * ```ts
 * import { dense, lstm, sequential, timeDistributed } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([
 *   lstm({ units: 8, returnSequences: true }),
 *   timeDistributed(dense({ units: 2, activation: "softmax" })),
 * ], { inputShape: [3, 5] });
 * assertEquals(model.outputShape, [3, 2]);
 * ```
 */
export function timeDistributed(layer: Layer, options: LayerName = {}): Layer {
  const chosen = definedOptions("a TimeDistributed", options);
  checkOptions("a TimeDistributed", chosen, {});
  checkWrapped(layer);

  return defineLayer({
    className: "TimeDistributed",
    name: chosen.name,
    wrapped: layer,
    distributed: 1,
    overTime: "each",
    config: { layer: { class_name: layer.className, config: layer.config } },
    ...(layer.cells && { cells: layer.cells }),
    outputShape: (input: OpenShape) => {
      const [timesteps, ...rest] = checkedSteps(input);
      return [timesteps, ...layer.outputShape(rest)];
    },
    weights: (input: OpenShape) => layer.weights(checkedSteps(input).slice(1)),
    fast: (): FastForm | undefined => {
      const form = layer.fast?.();
      return form?.kind === "gated" ? undefined : form; // a chain's recurrent layer sees all timesteps
    },
    ...inPieces(function* (o, [x], weights, context) {
      const [batch, timesteps, ...rest] = shapeOf(o, x!) as [number, number, ...number[]];
      // To the layer, each timestep is a sample of its own.
      const steps = o.reshape(x!, [batch * timesteps, ...rest]);
      const { outputs, updates } = yield* innerWork(context, layer, [steps], weights, {
        ...context,
        masks: [undefined],
      });
      const results = outputs.map((output) =>
        o.reshape(output, [batch, timesteps, ...shapeOf(o, output).slice(1)])
      );
      return { outputs: results, mask: context.masks[0], updates };
    }),
  });
}

function checkWrapped(layer: Layer): void {
  if (typeof layer?.run !== "function") {
    throw new TypeError(
      `Cannot make a TimeDistributed: it takes a layer, made by dense() and its like, ` +
        `but it is ${typeof layer}`,
    );
  }
  if (layer.config.stateful === true) {
    throw new TypeError(
      "Cannot make a TimeDistributed: its layer starts anew at each timestep, " +
        "but it is stateful",
    );
  }
}

function checkedSteps(input: OpenShape): [number | null, ...(number | null)[]] {
  if (input.length >= 2) return input as [number | null, ...(number | null)[]];
  throw new TypeError(
    `Cannot build a TimeDistributed: its input must be [timesteps, …], 2 axes or more ` +
      `(returnSequences gives it all timesteps), ` +
      `but the input is ${formatOpenShape(input)}, None the batch`,
  );
}

/** Keras's TimeDistributed. */
export const TIME_DISTRIBUTED: LayerKind = {
  className: "TimeDistributed",
  options: ["layer"],
  read: (config, { layer }) => timeDistributed(layer(config.layer), { name: config.name }),
  write: ({ wrapped }, name, { layer }) => ({
    layer: layer(wrapped!.name ?? `${name}_layer`, wrapped!),
  }),
  paths: ({ wrapped }, count, pathsOf) => pathsOf(wrapped!, count).map((path) => `layer/${path}`),
  seeds: ({ wrapped }, seedsOf) => seedsOf(wrapped!).map((path) => `layer/${path}`),
};
