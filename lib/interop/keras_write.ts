// A model as Keras 3 writes it: the configuration that `config.json` holds, and the arrays' places.

import type { Layer } from "../layers/layer.ts";
import { activationOf } from "../layers/layer_options.ts";
import { snakeCase } from "../layers/layer_names.ts";
import type { Model } from "../model/model.ts";
import { Tensor } from "../tensor/tensor.ts";
import { activationToKeras } from "./keras_activation.ts";
import { pathsOf } from "./keras_weights.ts";

/** The classes that Keras has too. */
const CLASSES = [
  ...["LSTM", "Dense", "Bidirectional", "TimeDistributed", "Embedding", "Masking"],
  ...["Dropout", "Activation"],
];

/** The state of a generator that nothing was drawn from yet. */
const SEED: Tensor = new Tensor(Int32Array.of(0, 0), [2]);

/** `config.json` without `compile_config`. */
export function configOf(model: Model, batchSize: number | null): Record<string, unknown> {
  const { layers, inputShape, precision: dtype } = model;
  const isStateful = layers.some(({ layer }) => layer.config.stateful === true);
  if (isStateful && batchSize === null) {
    throw new TypeError(
      "Cannot write a .keras file: Keras's stateful layers need the batchSize option, " +
        "but batchSize is unset",
    );
  }
  const shape = [batchSize, ...inputShape];
  const wordsFirst = layers[0]!.layer.className === "Embedding";
  const input = {
    module: "keras.layers",
    class_name: "InputLayer",
    config: {
      batch_shape: shape,
      dtype: wordsFirst ? "int32" : dtype,
      sparse: false,
      name: "input_layer",
    },
    registered_name: null,
  };
  return {
    module: "keras",
    class_name: "Sequential",
    config: {
      name: "sequential",
      trainable: true,
      dtype,
      layers: [
        input,
        ...layers.map(({ name, layer, inputShape }) => ({
          ...layerConfig(name, layer, dtype),
          build_config: { input_shape: [batchSize, ...inputShape] },
        })),
      ],
      build_input_shape: shape,
    },
    registered_name: null,
    build_config: { input_shape: shape },
  };
}

function layerConfig(name: string, layer: Layer, dtype: string): Record<string, unknown> {
  const { className, config } = layer;
  if (!CLASSES.includes(className)) {
    throw new TypeError(
      `Cannot write a .keras file: its layers must be of ${CLASSES.join(", ")}, ` +
        `but the layer ${name} is a ${className}`,
    );
  }
  if (className === "Bidirectional") checkMaskedSteps(name, config);
  const inner = (own: string, value: unknown) => {
    const { config } = value as { config: Layer["config"] };
    return layerConfig(own, { className: "LSTM", config } as Layer, dtype);
  };
  const wrapped = className === "Bidirectional"
    ? {
      layer: inner(`forward_${name}`, config.layer),
      backward_layer: inner(`backward_${name}`, config.backward_layer),
    }
    : className === "TimeDistributed"
    ? { layer: layerConfig(layer.wrapped!.name ?? `${name}_layer`, layer.wrapped!, dtype) }
    : {};
  const activations = Object.fromEntries(
    ["activation", "recurrent_activation"].filter((key) => key in config)
      .map((key) => [key, activationToKeras(activationOf(config[key]))]),
  );
  const { stateful: _, ...unwrapped } = config; // Bidirectional takes it from its layers
  return {
    module: "keras.layers",
    class_name: className,
    config: {
      name,
      trainable: true,
      dtype,
      ...(className === "Bidirectional" ? unwrapped : config),
      ...wrapped,
      ...activations,
    },
    registered_name: null,
  };
}

/** Keras 3's Bidirectional always gives zeros at masked steps of a sequence. */
function checkMaskedSteps(name: string, { layer }: Layer["config"]): void {
  const { config } = layer as { config: Layer["config"] };
  if (config.return_sequences !== true || config.zero_output_for_mask === true) return;
  throw new TypeError(
    "Cannot write a .keras file: Keras 3's Bidirectional gives zeros at masked steps, but " +
      `layer ${name} has zeroOutputForMask false`,
  );
}

/** What `model.weights.h5` holds: arrays by path, and the layers' names beside them. */
export function storeOf(model: Model): {
  arrays: Map<string, Tensor>;
  names: Map<string, string>;
} {
  const counts = new Map<string, number>();
  const arrays = new Map<string, Tensor>();
  const names = new Map<string, string>();
  for (const { name, layer, getWeights } of model.layers) {
    const stem = snakeCase(layer.className);
    const count = counts.get(stem) ?? 0;
    counts.set(stem, count + 1);
    const group = `layers/${stem}${count === 0 ? "" : `_${count}`}`;
    names.set(`${group}/vars`, name);
    const weights = getWeights();
    pathsOf(layer).forEach((path, k) => arrays.set(`${group}/${path}`, weights[k]!));
    for (const path of seedPaths(layer)) arrays.set(`${group}/${path}`, SEED);
  }
  return { arrays, names };
}

/** Where Keras keeps the states of the generators that its dropout draws from. */
function seedPaths({ className, config, wrapped }: Layer): string[] {
  const path = "seed_generator/vars/0";
  const drops = (value: Layer["config"]) => value.dropout !== 0 || value.recurrent_dropout !== 0;
  switch (className) {
    case "Dropout":
      return config.rate === 0 ? [] : [path];
    case "LSTM":
      return drops(config) ? [`cell/${path}`] : [];
    case "Bidirectional":
      return ["forward_layer", "backward_layer"].flatMap((direction) => {
        const key = direction === "forward_layer" ? "layer" : "backward_layer";
        const { config: own } = config[key] as { config: Layer["config"] };
        return drops(own) ? [`${direction}/cell/${path}`] : [];
      });
    case "TimeDistributed":
      return seedPaths(wrapped!).map((inner) => `layer/${inner}`);
    default:
      return [];
  }
}
