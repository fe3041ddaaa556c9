// ONNX's LSTM operator (onnx/defs/rnn/defs.cc): W [directions, 4·units, inputSize], R [directions,
// 4·units, units], B [directions, 8·units], gates i o f c.

import { quoted } from "../base/quoted.ts";
import type { Activation } from "../values/activations.ts";
import type { Layer } from "../layers/layer.ts";
import { bidirectional } from "../layers/bidirectional.ts";
import { lstm } from "../layers/lstm.ts";
import type { LoadedLayer } from "./build_model.ts";
import {
  type Converted,
  part,
  reordered,
  reshaped,
  summed,
  taken,
  transposed,
} from "./conversion.ts";
import { listedActivations } from "./onnx_activation.ts";
import { reverseLstm } from "./onnx_layers.ts";
import { floatsOf, hasAttribute, intOf, textOf, textsOf } from "./onnx_attributes.ts";
import {
  type AxisName,
  constantOf,
  type Flow,
  type GraphNode,
  UnreadAxes,
  UnreadNode,
  type Value,
} from "./onnx_values.ts";

/** Its three results: the sequence Y, the last hidden state Y_h, the last cell state Y_c. */
export function readLstm(node: GraphNode): Value[] {
  const flow = node.inputs[0];
  if (flow?.kind !== "flow") throw new UnreadNode("its input X must come from the graph's input");
  checkUnread(node);
  const layout = intOf(node, "layout", 0);
  if (layout !== 0 && layout !== 1) throw new UnreadNode(`its layout is ${layout}`);
  const batchFirst = layout === 1;
  const wanted: AxisName[] = batchFirst
    ? ["batch", "time", "feature"]
    : ["time", "batch", "feature"];
  if (flow.axes.join() !== wanted.join()) {
    throw new UnreadAxes(`its input X must be [${wanted}]: it is [${flow.axes}]`);
  }
  const direction = textOf(node, "direction", "forward");
  if (!["forward", "reverse", "bidirectional"].includes(direction)) {
    throw new UnreadNode(`its direction is ${quoted(direction)}`);
  }
  const directions = direction === "bidirectional" ? 2 : 1;
  const { units, weights } = convert(node, directions);
  const make = layersOf(activationsOf(node, directions), {
    units,
    useBias: weights.length === 3 * directions,
  }, direction);
  const result = (layer: Layer, axes: AxisName[]): Flow => {
    const layers: LoadedLayer[] = [...flow.layers, { layer, weights }];
    return { kind: "flow", axes, directions, layers, isInput: false };
  };
  return [
    result(
      make(true),
      batchFirst
        ? ["batch", "time", "direction", "feature"]
        : ["time", "direction", "batch", "feature"],
    ),
    result(
      make(false),
      batchFirst ? ["batch", "direction", "feature"] : ["direction", "batch", "feature"],
    ),
    { kind: "beside" },
  ];
}

/** What changes the computation and is not read. */
function checkUnread(node: GraphNode): void {
  const [, , , , lengths, hidden, cell, peepholes] = node.inputs;
  if (hasAttribute(node, "clip")) throw new UnreadNode("it has clip");
  if (intOf(node, "input_forget", 0) !== 0) throw new UnreadNode("it has input_forget");
  if (lengths !== undefined) throw new UnreadNode("it has sequence_lens");
  const isZero = (value: Value | undefined) =>
    value === undefined || value.kind === "zeros" ||
    value.kind === "constant" && value.tensor.data.every((x) => x === 0);
  if (!isZero(hidden)) throw new UnreadNode("it has initial_h that is not zero");
  if (!isZero(cell)) throw new UnreadNode("it has initial_c that is not zero");
  if (!isZero(peepholes)) throw new UnreadNode("it has peepholes P");
}

/** Keras's arrays of each direction. */
export function convert(
  node: GraphNode,
  directions: number,
): { units: number; weights: Converted[] } {
  const get = (input: number, what: string) => {
    const { name, tensor } = constantOf(node, input, what);
    return taken(name, tensor);
  };
  const [W, R] = [get(1, "its weights W"), get(2, "its weights R")];
  const B = node.inputs[3] === undefined ? undefined : get(3, "its bias B");
  const units = R.tensor.shape[2] ?? 0;
  const inputSize = W.tensor.shape[2] ?? 0;
  const fits = ({ tensor }: Converted, shape: number[]) => tensor.shape.join() === shape.join();
  if (
    units === 0 || inputSize === 0 || intOf(node, "hidden_size", units) !== units ||
    !fits(W, [directions, 4 * units, inputSize]) || !fits(R, [directions, 4 * units, units]) ||
    B !== undefined && !fits(B, [directions, 8 * units])
  ) {
    const shapes = [W, R, ...(B ? [B] : [])].map(({ tensor }) => `[${tensor.shape}]`).join(", ");
    throw new UnreadNode(`its arrays do not fit ${directions} directions: they are ${shapes}`);
  }
  const weights = Array.from({ length: directions }, (_, d) => {
    const one = (array: Converted, shape: number[]) =>
      reshaped(directions === 1 ? array : part(array, d, d + 1, `direction ${d}`), shape);
    const matrix = (array: Converted, rows: number) =>
      reordered(transposed(one(array, [4 * units, rows])), "onnx");
    if (B === undefined) return [matrix(W, inputSize), matrix(R, units)];
    const both = one(B, [2, 4 * units]).tensor;
    const half = (k: number) => ({ ...one(B, [2, 4 * units]), tensor: both.at(k) });
    return [
      matrix(W, inputSize),
      matrix(R, units),
      reordered(summed(half(0), half(1)), "onnx"),
    ];
  });
  return { units, weights: weights.flat() };
}

/** f, g and h of each direction: gates, candidate, and the cell state on its way out. */
export function activationsOf(
  node: GraphNode,
  directions: number,
): { activation: Activation; recurrentActivation: Activation }[] {
  const given = textsOf(node, "activations");
  const names = given.length === 0
    ? Array.from({ length: directions }, () => ["Sigmoid", "Tanh", "Tanh"]).flat()
    : given;
  if (names.length !== 3 * directions) {
    throw new UnreadNode(`it has ${names.length} activations for ${directions} directions`);
  }
  const found = listedActivations(
    names,
    floatsOf(node, "activation_alpha"),
    floatsOf(node, "activation_beta"),
  );
  return Array.from({ length: directions }, (_, d) => {
    const [f, g, h] = found.slice(3 * d, 3 * d + 3) as [Activation, Activation, Activation];
    const same = g.activationName === h.activationName &&
      JSON.stringify(g.options) === JSON.stringify(h.options);
    if (same) return { activation: g, recurrentActivation: f };
    const pair = names.slice(3 * d + 1, 3 * d + 3).join(" and ");
    throw new UnreadNode(`its activations g and h must be the same: they are ${pair}`);
  });
}

/** Makes the layer, of all hidden states or of the last. */
function layersOf(
  activations: readonly { activation: Activation; recurrentActivation: Activation }[],
  sizes: { units: number; useBias: boolean },
  direction: string,
): (returnSequences: boolean) => Layer {
  const [first, second] = activations.map((own) => ({ ...sizes, ...own }));
  if (direction === "forward") return (returnSequences) => lstm({ ...first!, returnSequences });
  if (direction === "reverse") {
    return (returnSequences) =>
      returnSequences ? reverseLstm(first!) : lstm({ ...first!, goBackwards: true });
  }
  return (returnSequences) =>
    bidirectional(lstm({ ...first!, returnSequences }), {
      backwardLayer: lstm({ ...second!, returnSequences, goBackwards: true }),
    });
}
