// LSTM, GRU and SimpleRNN as ONNX's recurrent operators, whose sequences are [timesteps, batch, size]
// and whose results are [timesteps, directions, batch, units].

import { joinGates, splitGates } from "../../cells/gates.ts";
import type { Layer } from "../../layers/layer.ts";
import { activationOf } from "../../layers/layer_options.ts";
import { masksWithStates } from "../../layers/recurrent.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { Activation } from "../../values/activations.ts";
import { activationLists } from "./activations.ts";
import type { Attributes, OnnxGraphWriter } from "./graph_writer.ts";
import type { Given, GraphValue, LayerUse, OnnxKinds } from "./layer_use.ts";
import { type Packed, packed, unpacked, whereAnyCounts } from "./masks.ts";
import { slice } from "./shape_layers.ts";

type Config = Layer["config"];

/** How a cell is written. */
interface CellForm {
  readonly operator: "LSTM" | "GRU" | "RNN";
  /** How many blocks lie side by side. */
  readonly blocks: number;
  /** Names of its states, in Keras's order of results. */
  readonly states: readonly ("hidden" | "cell")[];
  /** Keras's blocks in ONNX's order. */
  readonly ordered: (array: Tensor) => Tensor;
  /** φ and σ of a configuration, as the operator takes them. */
  readonly functions: (φ: () => Activation, σ: () => Activation) => readonly Activation[];
  readonly attributes?: (config: Config) => Attributes;
}

/** By Keras's class. */
const CELLS: Readonly<Record<string, CellForm>> = {
  LSTM: {
    operator: "LSTM",
    blocks: 4,
    states: ["hidden", "cell"],
    ordered: (array) => joinGates(splitGates(array), "onnx"),
    functions: (φ, σ) => [σ(), φ(), φ()],
  },
  GRU: {
    operator: "GRU",
    blocks: 3,
    states: ["hidden"],
    ordered: (array) => joinGates(splitGates(array, "keras", { cell: "gru" }), "onnx"),
    functions: (φ, σ) => [σ(), φ()],
    attributes: (config) => ({ linear_before_reset: Number(config.reset_after === true) }),
  },
  SimpleRNN: {
    operator: "RNN",
    blocks: 1,
    states: ["hidden"],
    ordered: (array) => array,
    functions: (φ) => [φ()],
  },
};

/** One direction of a layer. */
interface Half {
  readonly config: Config;
  readonly weights: readonly Tensor[];
  /** Where it starts, h first; zeros where there is none. */
  readonly states: readonly string[];
}

/** What all directions of a layer have. */
interface Run {
  readonly cell: CellForm;
  readonly name: string;
  /** `[timesteps, batch, size]`. */
  readonly x: string;
  /** Where a mask comes with it: x holds the steps that count, first. */
  readonly pack: Packed | undefined;
}

/** `[batch, timesteps, units]` or `[batch, units]`, and the states after the last step, h first. */
interface Ran {
  readonly output: string;
  readonly ends: readonly string[];
}

const one = (className: string) => ({
  write: (graph: OnnxGraphWriter, use: LayerUse) => {
    const { layer: { config }, inputs: [, ...states], weights } = use;
    const half = { config, weights, states: states.map(({ name }) => name) };
    return given(runHalf(graph, runOf(graph, use, className), half), use, config);
  },
});

/** The kinds of this file. */
export const RECURRENT_LAYERS: OnnxKinds = {
  LSTM: one("LSTM"),
  GRU: one("GRU"),
  SimpleRNN: one("SimpleRNN"),
  Bidirectional: { write: writeBoth },
};

function given({ output, ends }: Ran, { inputs: [x] }: LayerUse, config: Config): Given {
  return {
    outputs: [output, ...ends],
    mask: config.return_sequences === true ? x!.mask : undefined,
  };
}

function runOf(graph: OnnxGraphWriter, use: LayerUse, className: string): Run {
  const { name, layer, inputs: [x, ...states] } = use as LayerUse & { inputs: [GraphValue] };
  const isMasked = states.length === 0 || masksWithStates(layer);
  const pack = isMasked && x.mask !== undefined ? packed(graph, x, x.mask) : undefined;
  return {
    cell: CELLS[className]!,
    name,
    x: turned(graph, pack?.x ?? x.name),
    pack,
  };
}

/** In Keras's order, which is that of computation. */
function runHalf(graph: OnnxGraphWriter, run: Run, half: Half): Ran {
  const { config } = half;
  const backwards = config.go_backwards === true;
  const [all, ...last] = operate(graph, run, [half], backwards ? "reverse" : "forward");
  const without = (x: string, axis: number) =>
    graph.add("Squeeze", [x, graph.integers("directions", [axis])]);
  const { return_sequences: isSequence, return_state: hasStates } = config;
  const found = hasStates === true || isSequence !== true ? last.map((end) => without(end, 0)) : [];
  const { pack } = run;
  const ends = hasStates !== true
    ? []
    : pack === undefined || half.states.length === 0
    ? found
    : found.map((end, k) => whereAnyCounts(graph, pack, end, half.states[k]!));
  if (isSequence !== true) return { output: found[0]!, ends };
  const inTime = turned(graph, without(all!, 1));
  const zeros = config.zero_output_for_mask === true;
  const result = pack === undefined ? inTime : unpacked(graph, inTime, pack, { backwards, zeros });
  return { output: backwards ? reversed(graph, result) : result, ends };
}

function reversed(graph: OnnxGraphWriter, sequence: string): string {
  return slice(graph, sequence, 1, -1, -(2 ** 31), -1);
}

function writeBoth(graph: OnnxGraphWriter, use: LayerUse): Given {
  const { layer, inputs: [, ...states], weights } = use;
  const configs = [layer.config.layer, layer.config.backward_layer]
    .map((one) => (one as { readonly config: Config }).config) as [Config, Config];
  const count = configs[0].use_bias === true ? 3 : 2;
  const half = (k: number): Half => ({
    config: configs[k]!,
    weights: k === 0 ? weights.slice(0, count) : weights.slice(count),
    states: states.slice(k * states.length / 2, (k + 1) * states.length / 2).map(({ name }) =>
      name
    ),
  });
  const run = runOf(graph, use, layer.wrapped!.className);
  const mode = layer.config.merge_mode as string;
  const ran = run.pack === undefined && areOne(configs)
    ? runAtOnce(graph, run, [half(0), half(1)], mode)
    : runApart(graph, run, [half(0), half(1)], mode);
  return given(ran, use, configs[0]);
}

/** Whether one operator can be both: the first goes forward, and they differ in nothing else. */
function areOne([ahead, back]: readonly [Config, Config]): boolean {
  const same = ["units", "use_bias", "reset_after"].every((key) => ahead[key] === back[key]);
  return same && ahead.go_backwards !== true;
}

function runApart(
  graph: OnnxGraphWriter,
  run: Run,
  [ahead, back]: readonly [Half, Half],
  mode: string,
): Ran {
  const [one, two] = [runHalf(graph, run, ahead), runHalf(graph, run, back)];
  const isSequence = ahead.config.return_sequences === true;
  const pair = [one.output, isSequence ? reversed(graph, two.output) : two.output];
  const output = mode === "concat"
    ? graph.add("Concat", pair, { axis: -1 })
    : mode === "mul"
    ? graph.add("Mul", pair)
    : mode === "sum"
    ? graph.add("Add", pair)
    : graph.add("Mul", [graph.add("Add", pair), graph.number(0.5)]);
  return { output, ends: [...one.ends, ...two.ends] };
}

function runAtOnce(
  graph: OnnxGraphWriter,
  run: Run,
  halves: readonly [Half, Half],
  mode: string,
): Ran {
  const [all, ...last] = operate(graph, run, halves, "bidirectional");
  const { return_sequences: isSequence, return_state: hasStates } = halves[0].config;
  const end = (direction: number, k: number) =>
    graph.add("Gather", [last[k]!, graph.integers(`direction_${direction}`, direction)], {
      axis: 0,
    });
  const ends = hasStates === true
    ? [0, 1].flatMap((direction) => run.cell.states.map((_, k) => end(direction, k)))
    : [];
  if (isSequence !== true) return { output: joined(graph, last[0]!, mode, [1, 0, 2], 0), ends };
  const output = joined(graph, all!, mode, [2, 0, 1, 3], 1);
  return { output: mode === "concat" ? output : turned(graph, output), ends };
}

const turned = (graph: OnnxGraphWriter, x: string) =>
  graph.add("Transpose", [x], { perm: [1, 0, 2] });

/** The axis of directions, gone. */
function joined(
  graph: OnnxGraphWriter,
  x: string,
  mode: string,
  perm: readonly number[],
  axis: number,
): string {
  if (mode === "concat") { // beside the units
    return graph.reshape(
      graph.add("Transpose", [x], { perm }),
      perm.slice(2).map(() => 0).concat(-1),
    );
  }
  if (mode === "sum") { // whose axes are an input since opset 13
    return graph.add("ReduceSum", [x, graph.integers("directions", [axis])], { keepdims: 0 });
  }
  return graph.add(mode === "mul" ? "ReduceProd" : "ReduceMean", [x], {
    axes: [axis],
    keepdims: 0,
  });
}

/** Y, Y_h and Y_c. */
function operate(
  graph: OnnxGraphWriter,
  { cell, name, x, pack }: Run,
  halves: readonly Half[],
  direction: string,
): string[] {
  const [{ config, weights: [kernel, , bias], states }] = halves as readonly [Half];
  const { operator, blocks, ordered, functions, attributes } = cell;
  const units = config.units as number;
  const stacked = (
    label: string,
    k: number,
    shape: number[],
    convert: (array: Tensor) => Tensor[],
  ) => {
    const arrays = halves.flatMap(({ weights }) => convert(weights[k]!));
    const data = Float32Array.from(arrays.flatMap((array) => [...array.data]));
    return graph.constant(label, new Tensor(data, [halves.length, ...shape]));
  };
  const matrix = (array: Tensor) => [ordered(array).transpose()];
  const biases = (array: Tensor) =>
    array.shape.length === 2
      ? [ordered(array.at(0)), ordered(array.at(1))]
      : [ordered(array), new Tensor(new Float32Array(blocks * units), [blocks * units])];
  const initial = (k: number) => {
    if (states.length === 0) return undefined;
    const each = halves.map((half) =>
      graph.add("Unsqueeze", [half.states[k]!, graph.integers("axes", [0])])
    );
    return each.length === 1 ? each[0]! : graph.add("Concat", each, { axis: 0 });
  };
  const inputs = [
    x,
    stacked("W", 0, [blocks * units, kernel!.shape[0]!], matrix),
    stacked("R", 1, [blocks * units, units], matrix),
    bias && stacked("B", 2, [2 * blocks * units], biases),
    pack?.counts,
    ...cell.states.map((_, k) => initial(k)),
  ];
  const activations = halves.flatMap(({ config }) =>
    functions(
      () => activationOf(config.activation),
      () => activationOf(config.recurrent_activation),
    )
  );
  return graph.addAll(operator, inputs, config.return_state === true ? 1 + cell.states.length : 2, {
    hidden_size: units,
    direction,
    ...activationLists(activations, name),
    ...attributes?.(config),
  });
}
