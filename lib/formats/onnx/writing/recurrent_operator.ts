// A cell as one of ONNX's recurrent operators, whose sequences are [timesteps, batch, size] and whose
// results are [timesteps, directions, batch, units].

import { joinGates, splitGates } from "../../../cells/gates.ts";
import type { Layer } from "../../../layers/layer.ts";
import { activationOf } from "../../../layers/layer_options.ts";
import { sizeOf } from "../../../tensor/shape.ts";
import { Tensor } from "../../../tensor/tensor.ts";
import type { Activation } from "../../../values/activations.ts";
import { activationLists } from "./activations.ts";
import type { Attributes, OnnxGraphWriter } from "./graph_writer.ts";
import type { Packed } from "./masks.ts";

/** A layer's options under Keras's names. */
export type Config = Layer["config"];

/** How a cell is written. */
export interface CellForm {
  readonly operator: "LSTM" | "GRU" | "RNN";
  /** How many blocks lie side by side. */
  readonly blocks: number;
  /** How many states it has. */
  readonly states: 1 | 2;
  /** Keras's blocks in ONNX's order. */
  readonly ordered: (array: Tensor) => Tensor;
  /** φ and σ of a configuration, as the operator takes them. */
  readonly functions: (φ: () => Activation, σ: () => Activation) => readonly Activation[];
  readonly attributes?: (config: Config) => Attributes;
}

/** The cells by Keras's class. */
export const CELLS: Readonly<Record<string, CellForm>> = {
  LSTM: {
    operator: "LSTM",
    blocks: 4,
    states: 2,
    ordered: (array) => joinGates(splitGates(array), "onnx"),
    functions: (φ, σ) => [σ(), φ(), φ()],
  },
  GRU: {
    operator: "GRU",
    blocks: 3,
    states: 1,
    ordered: (array) => joinGates(splitGates(array, "keras", { cell: "gru" }), "onnx"),
    functions: (φ, σ) => [σ(), φ()],
    attributes: (config) => ({ linear_before_reset: Number(config.reset_after === true) }),
  },
  SimpleRNN: {
    operator: "RNN",
    blocks: 1,
    states: 1,
    ordered: (array) => array,
    functions: (φ) => [φ()],
  },
};

/** One direction of a layer. */
export interface Half {
  readonly config: Config;
  readonly weights: readonly Tensor[];
  /** Where it starts, h first; zeros where there is none. */
  readonly states: readonly string[];
}

/** What all directions of a layer have. */
export interface Run {
  readonly cell: CellForm;
  readonly name: string;
  /** `[timesteps, batch, size]`. */
  readonly x: string;
  /** Where a mask comes with it: x holds the steps that count, first. */
  readonly pack: Packed | undefined;
}

/** The operator over one direction or two: Y, Y_h, and where the layer hands on its states Y_c. */
export function operate(
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
    const data = new Float32Array(halves.length * sizeOf(shape));
    let at = 0;
    for (const array of arrays) {
      data.set(array.data, at);
      at += array.data.length;
    }
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
    ...Array.from({ length: cell.states }, (_, k) => initial(k)),
  ];
  const activations = halves.flatMap(({ config }) =>
    functions(
      () => activationOf(config.activation),
      () => activationOf(config.recurrent_activation),
    )
  );
  return graph.addAll(operator, inputs, config.return_state === true ? 1 + cell.states : 2, {
    hidden_size: units,
    direction,
    ...activationLists(activations, name),
    ...attributes?.(config),
  });
}
