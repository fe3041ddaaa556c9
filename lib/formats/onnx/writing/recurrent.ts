// LSTM, GRU, SimpleRNN and Bidirectional: what Keras's layers make of ONNX's operators.

import { masksWithStates } from "../../../layers/recurrent.ts";
import type { OnnxGraphWriter } from "./graph_writer.ts";
import {
  type Given,
  type GraphValue,
  type LayerUse,
  type OnnxKinds,
  refusal,
} from "./layer_use.ts";
import { packed, unpacked, whereAnyCounts } from "./masks.ts";
import { CELLS, type Config, type Half, operate, type Run } from "./recurrent_operator.ts";
import { slice } from "./shape_layers.ts";

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
  const { className } = layer.wrapped!;
  if (!Object.hasOwn(CELLS, className)) {
    const rule = `ONNX's recurrent operators are of ${Object.keys(CELLS).join(", ")}`;
    throw refusal(rule, use.name, `a Bidirectional of a ${className}`);
  }
  const run = runOf(graph, use, className);
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
    ? [0, 1].flatMap((direction) => last.map((_, k) => end(direction, k)))
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
