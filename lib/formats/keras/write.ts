// A model as Keras 3 writes it: the configuration that `config.json` holds, and the arrays' places.

import { activationOf } from "../../layers/layer_options.ts";
import type { KerasWriting, LayerKind } from "../../layers/kind.ts";
import type { Layer, OpenShape } from "../../layers/layer.ts";
import { masksWithStates } from "../../layers/recurrent.ts";
import { snakeCase } from "../../layers/layer_names.ts";
import { kindOfLayer } from "../../layers/table.ts";
import { inKerasOrder, type Place } from "../../model/graph.ts";
import type { Network } from "../../model/network.ts";
import { isStateful } from "../../model/training/prepare_samples.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { activationToKeras } from "./activation.ts";
import { KNOWN_LAYERS } from "./layers.ts";
import { pathsOf } from "./weights.ts";

/** The state of a generator that nothing was drawn from yet. */
const SEED: Tensor = new Tensor(Int32Array.of(0, 0), [2]);

/** `config.json` without `compile_config`. */
export function configOf(network: Network, batchSize: number | null): Record<string, unknown> {
  if (batchSize === null && network.layers.some(({ layer }) => isStateful(layer))) {
    throw new TypeError(
      "Cannot write a .keras file: Keras's stateful layers need the batchSize option, " +
        "but batchSize is unset",
    );
  }
  const isPlain = network.isRow &&
    network.layers.every(({ name, layer }) => kindToWrite(name, layer).module === undefined);
  return isPlain ? sequentialConfig(network, batchSize) : functionalConfig(network, batchSize);
}

function sequentialConfig(
  network: Network,
  batchSize: number | null,
): Record<string, unknown> {
  const { inputs, layers, precision: dtype } = network;
  const written = writtenFor(network);
  const shape = [batchSize, ...inputs[0]!.shape];
  const isWords = layers[0]!.layer.takes === "words";
  return {
    module: "keras",
    class_name: "Sequential",
    config: {
      name: "sequential",
      trainable: true,
      dtype,
      layers: [
        inputConfig("input_layer", shape, isWords ? "int32" : dtype),
        ...layers.map(({ name, layer, inputShape }) => ({
          ...layerConfig(name, layer, written),
          build_config: { input_shape: [batchSize, ...inputShape] },
        })),
      ],
      build_input_shape: shape,
    },
    registered_name: null,
    build_config: { input_shape: shape },
  };
}

function functionalConfig(
  network: Network,
  batchSize: number | null,
): Record<string, unknown> {
  const { inputs, layers, nodes, outputs, precision: dtype } = network;
  const written = writtenFor(network);
  const callsOf = (k: number) => nodes.filter(({ layer }) => layer === k);
  const history = ([node, result]: Place): [string, number, number] => {
    if (node === -1) return [inputs[result]!.name, 0, 0];
    const { layer } = nodes[node]!;
    return [layers[layer]!.name, callsOf(layer).indexOf(nodes[node]!), result];
  };
  const isWords = (k: number) =>
    nodes.some(({ layer, inputs: [place] }) =>
      layers[layer]!.layer.takes === "words" && place![0] === -1 && place![1] === k
    );
  const shapeAt = ([node, result]: Place): OpenShape =>
    node === -1 ? inputs[result]!.shape : nodes[node]!.shapes[result]!;
  const tensorAt = (place: Place) => ({
    class_name: "__keras_tensor__",
    config: {
      shape: [batchSize, ...shapeAt(place)],
      dtype: place[0] === -1 && isWords(place[1]) ? "int32" : dtype,
      keras_history: history(place),
    },
  });
  return {
    module: "keras.src.models.functional",
    class_name: "Functional",
    config: {
      name: "functional",
      trainable: true,
      layers: [
        ...inputs.map(({ name, shape }, k) => ({
          ...inputConfig(name, [batchSize, ...shape], isWords(k) ? "int32" : dtype),
          name,
          inbound_nodes: [],
        })),
        ...layers.map(({ name, layer }, k) => ({
          ...layerConfig(name, layer, written),
          name,
          inbound_nodes: callsOf(k).map(({ inputs: places }) => {
            const given = places.map(tensorAt);
            const { takesArguments = false, moreInputs, writeCall, callKeywords } = kindToWrite(
              name,
              layer,
            );
            const [first, ...more] = given;
            const isApart = moreInputs !== undefined && more.length > 0;
            if (isApart) checkStates(network, layer, name);
            const isList = more.length > 0 && !takesArguments;
            const inputs = isApart ? [first] : isList ? [given] : given;
            const args = [...inputs, ...writeCall?.(layer) ?? []];
            const kwargs = { ...(isApart && { [moreInputs]: more }), ...callKeywords?.(layer) };
            return { args, kwargs };
          }),
        })),
      ],
      input_layers: inputs.map(({ name }) => [name, 0, 0]),
      output_layers: outputs.map(history),
    },
    registered_name: "Functional",
    build_config: { input_shape: null },
  };
}

/** Keras 3's recurrent layers pass over a mask where their first states come in. */
function checkStates({ layers }: Network, layer: Layer, name: string): void {
  if (!masksWithStates(layer) || !layers.some(({ layer }) => layer.makesMask === true)) return;
  throw new TypeError(
    `Cannot write a .keras file: Keras 3 passes over masks where a layer's first states come in, ` +
      `but the layer ${name} has maskWithStates true`,
  );
}

function inputConfig(name: string, shape: readonly unknown[], dtype: string) {
  return {
    module: "keras.layers",
    class_name: "InputLayer",
    config: { batch_shape: shape, dtype, sparse: false, name },
    registered_name: null,
  };
}

/** What the whole model says of its layers' records. */
type Written = Pick<Network, "precision"> & Pick<KerasWriting, "isMasked">;

function writtenFor({ layers, precision }: Network): Written {
  return { precision, isMasked: layers.some(({ layer }) => layer.makesMask === true) };
}

function layerConfig(name: string, layer: Layer, model: Written): Record<string, unknown> {
  const { precision: dtype, isMasked } = model;
  const { write = ownConfig, module } = kindToWrite(name, layer);
  const writing: KerasWriting = {
    activation: activationToKeras,
    isMasked,
    layer: (inner, wrapped) => layerConfig(inner, wrapped, model),
  };
  const own = write(layer, name, writing);
  if (module !== undefined) { // an operation
    const { className } = layer;
    return { module, class_name: className, config: { name, ...own }, registered_name: className };
  }
  return {
    module: "keras.layers",
    class_name: layer.className,
    config: { name, trainable: true, dtype, ...own },
    registered_name: null,
  };
}

function kindToWrite(name: string, { className }: Layer): LayerKind {
  const kind = kindOfLayer(className);
  if (kind !== undefined) return kind;
  throw new TypeError(
    `Cannot write a .keras file: its layers must be of ${KNOWN_LAYERS}, ` +
      `but the layer ${name} is a ${className}`,
  );
}

/** The layer's own options, its activations as Keras 3 reads them. */
function ownConfig({ config }: Layer, _name: string, { activation }: KerasWriting) {
  const activations = Object.fromEntries(
    ["activation", "recurrent_activation"].filter((key) => key in config)
      .map((key) => [key, activation(activationOf(config[key]))]),
  );
  return { ...config, ...activations };
}

/** What `model.weights.h5` holds: arrays by path, and the layers' names beside them. */
export function storeOf(network: Network, keptWeights: readonly Tensor[]): {
  arrays: Map<string, Tensor>;
  names: Map<string, string>;
} {
  const counts = new Map<string, number>();
  const arrays = new Map<string, Tensor>();
  const names = new Map<string, string>();
  // Keras numbers the groups in its own order, whatever the order of a file that was read
  const { nodes, outputs, layers } = network;
  for (const k of inKerasOrder(nodes, outputs)) {
    const { name, layer, firstWeight, weights: own } = layers[k]!;
    const stem = snakeCase(layer.className);
    const count = counts.get(stem) ?? 0;
    counts.set(stem, count + 1);
    const group = `layers/${stem}${count === 0 ? "" : `_${count}`}`;
    names.set(`${group}/vars`, name);
    const weights = keptWeights.slice(firstWeight, firstWeight + own.length);
    const paths = pathsOf(layer, weights.length);
    paths.forEach((path, k) => arrays.set(`${group}/${path}`, weights[k]!));
    for (const path of seedsOf(layer)) arrays.set(`${group}/${path}`, SEED);
  }
  return { arrays, names };
}

/** Where Keras keeps the states of the generators that its dropout draws from. */
function seedsOf(layer: Layer): string[] {
  return kindOfLayer(layer.className)?.seeds?.(layer, seedsOf) ?? [];
}
