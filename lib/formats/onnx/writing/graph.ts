// A model's graph as ONNX's.

import type { OnnxGraph, OnnxValue } from "../../../files/onnx_schema.ts";
import { type Graph, outputNames, type Place, shapesOf } from "../../../model/graph.ts";
import type { Network } from "../../../model/network.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { DATA_TYPES, OnnxGraphWriter } from "./graph_writer.ts";
import type { GraphValue } from "./layer_use.ts";
import { writeLayer } from "./table.ts";

/** Its one input is `x` and its one output `prediction`; of several, each has its own name. */
export function onnxGraphOf(network: Network, weights: readonly Tensor[]): OnnxGraph {
  const { inputs, layers, nodes, outputs, outputShapes } = network;
  const inputNames = inputs.length === 1 ? ["x"] : inputs.map(({ name }) => name);
  const ends = outputs.length === 1
    ? ["prediction"]
    : outputNames(network).map((name) => inputNames.includes(name) ? `${name}_output` : name);
  const words = inputs.map((_, k) => areWords(network, k));
  const graph = new OnnxGraphWriter([...inputNames, ...ends]);
  const results: (readonly GraphValue[])[] = [];
  const valueAt = ([node, result]: Place): GraphValue =>
    node === -1
      ? { name: inputNames[result]!, shape: inputs[result]!.shape, isWords: words[result]! }
      : results[node]![result]!;
  for (const { name, layer: k, inputs: places, shapes } of nodes) {
    const { name: owner, layer, firstWeight, weights: own } = layers[k]!;
    const since = graph.nodes.length;
    const { outputs, mask } = graph.within({ use: name, owner }, () =>
      writeLayer(graph, {
        name: owner,
        layer,
        inputs: places.map(valueAt),
        weights: weights.slice(firstWeight, firstWeight + own.length),
      }));
    const named = new Map<string, string>(); // two results may be one value
    results.push(shapes.map((shape, result) => {
      const value = outputs[result]!;
      const to = result === 0 ? name : `${name}:${result}`;
      const renamed = named.get(value) ?? graph.renamed(value, to, since);
      named.set(value, renamed);
      return { name: renamed, shape, mask: result === 0 ? mask : undefined };
    }));
  }
  outputs.forEach((place, k) =>
    graph.nodes.push({
      type: "Identity",
      name: ends[k]!,
      inputs: [valueAt(place).name],
      outputs: [ends[k]!],
    })
  );
  const axes = axesOf(network, { inputs: inputNames, outputs: ends });
  return {
    name: "model",
    nodes: graph.nodes,
    initializers: graph.initializers,
    inputs: inputs.map((_, k) =>
      describe(inputNames[k]!, axes.inputs[k]!, words[k] ? "int64" : "float")
    ),
    outputs: outputShapes.map((_, k) => describe(ends[k]!, axes.outputs[k]!, "float")),
  };
}

/** Whether an input stands for words wherever it is taken. */
function areWords({ nodes, layers, outputs }: Graph, input: number): boolean {
  const isIt = ([node, result]: Place) => node === -1 && result === input;
  return !outputs.some(isIt) &&
    nodes.filter(({ inputs }) => inputs.some(isIt))
      .every(({ layer }) => layers[layer]!.layer.takes === "words");
}

/** An axis: how long it is, or the name of an open length. */
type Axis = number | string;

/**
 * The axes of inputs and outputs, the batch first. An open axis of an output has the name of an
 * input's where it is as long as that in two tries, else one of its own.
 */
function axesOf(network: Graph, names: Record<"inputs" | "outputs", readonly string[]>) {
  const { inputs, outputs, outputShapes, areSamples } = network;
  const open = inputs.flatMap(({ shape }) => shape.filter((length) => length === null)).length;
  const nameOf = (value: string, axis: number) => open === 1 ? "timesteps" : `${value}_${axis}`;
  const named = inputs.map(({ shape }, k): Axis[] => [
    areSamples || k === 0 ? "batch" : nameOf(names.inputs[k]!, 0),
    ...shape.map((length, axis) => length ?? nameOf(names.inputs[k]!, axis + 1)),
  ]);
  const params = [...new Set(named.flat().filter((axis) => typeof axis === "string"))];
  const tries = TRIES.map(([first, step]) => {
    const lengthOf = (axis: Axis) =>
      typeof axis === "number" ? axis : first! + step! * params.indexOf(axis);
    try {
      const { at, firstAt } = shapesOf(network, named.map((axes) => axes.map(lengthOf)));
      return { lengthOf, shapes: outputs.map((place) => [firstAt(place), ...at(place)]) };
    } catch (error) {
      if (error instanceof TypeError || error instanceof RangeError) return undefined;
      throw error; // lengths that do not fit each other tell nothing
    }
  });
  const nameAt = (k: number, axis: number) =>
    params.find((param) =>
      tries.every((one) => one !== undefined && one.shapes[k]![axis] === one.lengthOf(param))
    ) ?? `${names.outputs[k]!}_${axis}`;
  return {
    inputs: named,
    outputs: outputShapes.map((shape, k): Axis[] => [
      areSamples ? "batch" : nameAt(k, 0),
      ...shape.map((length, axis) => length ?? nameAt(k, axis + 1)),
    ]),
  };
}

/** Lengths that are tried: of the first open axis, and how much longer each further one is. */
const TRIES = [[1009, 13], [2003, 17]];

function describe(name: string, axes: readonly Axis[], type: keyof typeof DATA_TYPES): OnnxValue {
  return {
    name,
    type: {
      tensor: {
        dataType: DATA_TYPES[type],
        shape: {
          axes: axes.map((axis) =>
            typeof axis === "number" ? { length: axis } : { parameter: axis }
          ),
        },
      },
    },
  };
}
