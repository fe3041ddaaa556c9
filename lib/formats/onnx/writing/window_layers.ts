// Convolutions and pooling.

import { activationOf } from "../../../layers/layer_options.ts";
import type { OpenShape } from "../../../layers/layer.ts";
import { Tensor } from "../../../tensor/tensor.ts";
import { permuted } from "../../../values/arrange.ts";
import { numbers } from "../../../values/numbers.ts";
import { writeActivation } from "./activations.ts";
import { channelsFirst, channelsLast } from "./channels.ts";
import type { OnnxGraphWriter } from "./graph_writer.ts";
import {
  type GraphValue,
  type LayerUse,
  type OnnxKind,
  type OnnxKinds,
  plain,
  refusal,
} from "./layer_use.ts";
import { meanOfSteps } from "./masks.ts";

/** How Keras's windows lie. */
interface Windows {
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padding: "valid" | "same" | "causal";
}

const convolution = plain(writeConvolution);
const maxPooling = pooling("MaxPool");
const averagePooling = pooling("AveragePool"); // which leaves out what lies outside

/** The kinds of this file. */
export const WINDOW_LAYERS: OnnxKinds = {
  Conv1D: convolution,
  Conv2D: convolution,
  SeparableConv1D: plain(writeSeparableConvolution),
  MaxPooling1D: maxPooling,
  MaxPooling2D: maxPooling,
  AveragePooling1D: averagePooling,
  AveragePooling2D: averagePooling,
  GlobalMaxPooling1D: globalPooling("ReduceMax"),
  GlobalMaxPooling2D: globalPooling("ReduceMax"),
  GlobalAveragePooling1D: plain((graph, x, use) =>
    x.mask === undefined
      ? reduceSpace(graph, "ReduceMean", x, use)
      : meanOfSteps(graph, x.name, x.mask, keeps(use))
  ),
  GlobalAveragePooling2D: globalPooling("ReduceMean"),
};

function writeConvolution(graph: OnnxGraphWriter, x: GraphValue, use: LayerUse): string {
  const { name, layer: { config }, weights: [kernel, bias] } = use;
  const windows = windowsOf(config.kernel_size, use);
  const first = channelsFirst(graph, x.name, x.shape.length + 1);
  const made = graph.add("Conv", [
    first,
    graph.constant("kernel", filtersFirst(kernel!)),
    bias && graph.constant("bias", bias),
  ], { ...attributesOf(windows, x.shape, name), group: config.groups as number });
  const last = channelsLast(graph, made, x.shape.length + 1);
  return writeActivation(graph, last, activationOf(config.activation), name);
}

/** Of each channel by itself, then of all channels at each place. */
function writeSeparableConvolution(graph: OnnxGraphWriter, x: GraphValue, use: LayerUse): string {
  const { name, layer: { config }, weights: [depthwise, pointwise, bias] } = use;
  const [size, channels, multiplier] = depthwise!.shape as [number, number, number];
  const own = new Tensor(depthwise!.data, [size, 1, channels * multiplier]); // a channel's stand together
  const made = graph.add("Conv", [
    channelsFirst(graph, x.name, 3),
    graph.constant("depthwise_kernel", filtersFirst(own)),
  ], { ...attributesOf(windowsOf(config.kernel_size, use), x.shape, name), group: channels });
  const mixed = graph.add("Conv", [
    made,
    graph.constant("pointwise_kernel", filtersFirst(pointwise!)),
    bias && graph.constant("bias", bias),
  ], { kernel_shape: [1] });
  return writeActivation(
    graph,
    channelsLast(graph, mixed, 3),
    activationOf(config.activation),
    name,
  );
}

function pooling(operator: string): OnnxKind {
  return plain((graph, x, use) => {
    const windows = windowsOf(use.layer.config.pool_size, use);
    const first = channelsFirst(graph, x.name, x.shape.length + 1);
    const { dilations: _, ...attributes } = attributesOf(windows, x.shape, use.name);
    return channelsLast(graph, graph.add(operator, [first], attributes), x.shape.length + 1);
  });
}

function globalPooling(operator: string): OnnxKind {
  return plain((graph, x, use) => reduceSpace(graph, operator, x, use));
}

function reduceSpace(graph: OnnxGraphWriter, operator: string, x: GraphValue, use: LayerUse) {
  const axes = x.shape.slice(0, -1).map((_, k) => k + 1);
  return graph.add(operator, [x.name], { axes, keepdims: Number(keeps(use)) });
}

const keeps = ({ layer }: LayerUse) => layer.config.keepdims === true;

function windowsOf(sizes: unknown, { layer: { config } }: LayerUse): Windows {
  const list = sizes as readonly number[];
  return {
    sizes: list,
    strides: config.strides as readonly number[],
    dilations: (config.dilation_rate ?? list.map(() => 1)) as readonly number[],
    padding: config.padding as Windows["padding"],
  };
}

/** With `same`, the odd place stands after. */
function attributesOf(
  { sizes, strides, dilations, padding }: Windows,
  shape: OpenShape,
  name: string,
) {
  const reaches = sizes.map((size, axis) => (size - 1) * dilations[axis]! + 1);
  const attributes = { kernel_shape: sizes, strides, dilations };
  /** How many places are missing, on both sides together; NaN where it depends on an open length. */
  const missing = reaches.map((reach, axis) => {
    const [stride, length] = [strides[axis]!, shape[axis] ?? NaN];
    if (padding === "valid" || reach === 1) return 0;
    if (padding === "causal" || stride === 1) return reach - 1;
    return Math.max(0, (Math.ceil(length / stride) - 1) * stride + reach - length);
  });
  if (missing.every((count) => !Number.isNaN(count))) {
    const before = missing.map((count) => padding === "causal" ? count : Math.floor(count / 2));
    const after = missing.map((count, axis) => count - before[axis]!);
    return { ...attributes, pads: [...before, ...after] };
  }
  if (reaches.every((reach, axis) => reach >= strides[axis]!)) {
    return { ...attributes, auto_pad: "SAME_UPPER" };
  }
  const rule = "with padding same, windows that leave steps out need a length that is known";
  throw refusal(rule, name, `one of ${reaches} steps that moves on by ${strides}`);
}

/** `[…sizes, channels, filters]` becomes `[filters, channels, …sizes]`. */
function filtersFirst(kernel: Tensor): Tensor {
  const last = kernel.shape.length - 1;
  const axes = [last, last - 1, ...kernel.shape.slice(0, -2).map((_, k) => k)];
  return permuted(numbers, kernel, axes);
}
