// Layers that compute each row of the last axis by itself.

import { activationOf } from "../../../layers/layer_options.ts";
import { getActivation } from "../../../values/activations.ts";
import { sizeOf } from "../../../tensor/shape.ts";
import { Tensor, tensor } from "../../../tensor/tensor.ts";
import { writeActivation } from "./activations.ts";
import { channelsFirst, channelsLast } from "./channels.ts";
import type { OnnxGraphWriter } from "./graph_writer.ts";
import { type LayerUse, type OnnxKinds, rowwise } from "./layer_use.ts";

/** The smallest σ that a Normalization divides by, and the shortest length of a UnitNormalization. */
const [SMALLEST, SHORTEST] = [1e-7, 1e-12];

/** Those that change nothing when they predict. */
const unchanged = rowwise((_, x) => x);

/** The kinds of this file. */
export const ROW_LAYERS: OnnxKinds = {
  Dense: rowwise(writeDense),
  Activation: rowwise((graph, x, { name, layer }) =>
    writeActivation(graph, x, activationOf(layer.config.activation), name)
  ),
  ReLU: rowwise((graph, x, { name, layer: { config } }) =>
    writeActivation(
      graph,
      x,
      getActivation("relu", {
        negativeSlope: config.negative_slope as number,
        threshold: config.threshold as number,
        maxValue: config.max_value as number | null,
      }),
      name,
    )
  ),
  LeakyReLU: rowwise((graph, x, { layer: { config } }) =>
    graph.add("LeakyRelu", [x], { alpha: { float: config.negative_slope as number } })
  ),
  ELU: rowwise((graph, x, { layer: { config } }) =>
    graph.add("Elu", [x], { alpha: { float: config.alpha as number } })
  ),
  PReLU: rowwise((graph, x, { weights: [alpha] }) =>
    graph.add("PRelu", [x, graph.constant("alpha", alpha!)])
  ),
  BatchNormalization: rowwise(writeBatchNormalization),
  LayerNormalization: rowwise(writeLayerNormalization),
  UnitNormalization: rowwise((graph, x) => unitRows(graph, x, SHORTEST)),
  Normalization: rowwise(writeNormalization),
  Rescaling: rowwise((graph, x, { layer: { config: { scale, offset } } }) => {
    const scaled = graph.add("Mul", [x, graph.number(scale as number)]);
    return offset === 0 ? scaled : graph.add("Add", [scaled, graph.number(offset as number)]);
  }),
  Identity: unchanged,
  ActivityRegularization: unchanged,
  Dropout: unchanged,
  GaussianNoise: unchanged,
  GaussianDropout: unchanged,
  AlphaDropout: unchanged,
  SpatialDropout1D: unchanged,
};

function writeDense(
  graph: OnnxGraphWriter,
  x: string,
  { name, layer, weights: [kernel, bias] }: LayerUse,
): string {
  const product = graph.add("MatMul", [x, graph.constant("kernel", kernel!)]);
  const sum = bias === undefined
    ? product
    : graph.add("Add", [product, graph.constant("bias", bias)]);
  return writeActivation(graph, sum, activationOf(layer.config.activation), name);
}

function writeBatchNormalization(
  graph: OnnxGraphWriter,
  x: string,
  { layer: { config }, inputs: [input], weights }: LayerUse,
): string {
  const [mean, variance] = weights.slice(-2) as [Tensor, Tensor];
  const gamma = config.scale === true ? weights[0]! : filled(mean.shape, 1);
  const beta = config.center === true ? weights.at(-3)! : filled(mean.shape, 0);
  const rank = input!.shape.length + 1;
  const inputs = [
    channelsFirst(graph, x, rank),
    graph.constant("gamma", gamma),
    graph.constant("beta", beta),
    graph.constant("moving_mean", mean),
    graph.constant("moving_variance", variance),
  ];
  const attributes = { epsilon: { float: config.epsilon as number } };
  return channelsLast(graph, graph.add("BatchNormalization", inputs, attributes), rank);
}

function writeLayerNormalization(
  graph: OnnxGraphWriter,
  x: string,
  { layer: { config }, inputs: [input], weights }: LayerUse,
): string {
  const gamma = config.scale === true ? weights[0]! : filled([input!.shape.at(-1)!], 1);
  const beta = config.center === true ? graph.constant("beta", weights.at(-1)!) : undefined;
  return graph.add("LayerNormalization", [x, graph.constant("gamma", gamma), beta], {
    axis: -1,
    epsilon: { float: config.epsilon as number },
  });
}

function writeNormalization(
  graph: OnnxGraphWriter,
  x: string,
  { layer: { config }, weights }: LayerUse,
): string {
  const moment = (given: unknown, k: number) =>
    given === null ? weights[k]! : tensor([given as number | number[]].flat());
  const [mean, variance] = [moment(config.mean, 0), moment(config.variance, 1)];
  const deviation = new Tensor(
    Float64Array.from(variance.data, (one) => Math.max(Math.sqrt(one), SMALLEST)),
    variance.shape,
  );
  const [μ, σ] = [graph.constant("mean", mean), graph.constant("deviation", deviation)];
  return config.invert === true
    ? graph.add("Add", [graph.add("Mul", [x, σ]), μ])
    : graph.add("Div", [graph.add("Sub", [x, μ]), σ]);
}

/** x / max(‖x‖, shortest) over the last axis. */
export function unitRows(graph: OnnxGraphWriter, x: string, shortest: number): string {
  const squares = graph.add("Mul", [x, x]);
  const sum = graph.add("ReduceSum", [squares, graph.integers("last", [-1])]);
  const least = graph.add("Max", [sum, graph.number(shortest ** 2)]);
  return graph.add("Div", [x, graph.add("Sqrt", [least])]);
}

function filled(shape: readonly number[], value: number): Tensor {
  return new Tensor(new Float32Array(sizeOf(shape)).fill(value), shape);
}
