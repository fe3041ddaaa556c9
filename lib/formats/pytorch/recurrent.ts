// PyTorch's recurrent modules, out of the names of their arrays: weight_ih_l0, weight_hh_l0,
// bias_ih_l0, bias_hh_l0, …, `_reverse` behind those of the other direction; a cell's have no `_l0`
// (torch/nn/modules/rnn.py). How many blocks they have tells an LSTM, a GRU and an RNN apart.

import { UnreadableFileError } from "../../files/unreadable.ts";
import { bidirectional } from "../../layers/bidirectional.ts";
import { gru } from "../../layers/gru.ts";
import type { Layer } from "../../layers/layer.ts";
import { lstm } from "../../layers/lstm.ts";
import type { RecurrentLayer, RecurrentOptions } from "../../layers/recurrent.ts";
import { simpleRnn } from "../../layers/simple_rnn.ts";
import { formatShape, sameShape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import {
  type Converted,
  gruLettersOf,
  lettersOf,
  reorderedGru,
  stacked,
  summed,
  taken,
  transposed,
} from "../conversion.ts";

type Arrays = ReadonlyMap<string, Tensor>;

/** The names of its arrays: what stands before, the kind, the layer, the direction. */
const ARRAY = /^(?:(.*)\.)?(weight_ih|weight_hh|weight_hr|bias_ih|bias_hh)(?:_l(\d+)(_reverse)?)?$/;

/** A kind of recurrent module. */
export interface TorchCell {
  /** Keras's class. */
  readonly className: string;
  /** Behind `nn.`; of a cell, `Cell` follows. */
  readonly module: string;
  /** The order of its gates; undefined where it has none. */
  readonly letters?: string;
  /** What makes the layer. */
  readonly make: (options: RecurrentOptions) => RecurrentLayer;
  readonly matrix: (array: Converted) => Converted;
  readonly bias: (input: Converted, recurrent: Converted) => Converted;
}

const gated = (array: Converted) => reorderedGru(array, "pytorch");

/** By how many blocks of units stand on top of each other in its arrays. */
const CELLS: ReadonlyMap<number, TorchCell> = new Map<number, TorchCell>([
  [4, {
    className: "LSTM",
    module: "LSTM",
    letters: lettersOf("pytorch"),
    make: lstm,
    matrix: transposed,
    bias: summed,
  }],
  [3, {
    className: "GRU",
    module: "GRU",
    letters: gruLettersOf("pytorch"),
    make: gru,
    matrix: (array) => gated(transposed(array)),
    bias: (input, recurrent) => stacked(gated(input), gated(recurrent)),
  }],
  [1, {
    className: "SimpleRNN",
    module: "RNN",
    make: simpleRnn,
    matrix: transposed,
    bias: summed,
  }],
]);

/** One recurrent module: its layers, each with one or two directions. */
export interface TorchStack {
  /** What stands before the names: `encoder.lstm`; empty for a bare one. */
  readonly prefix: string;
  readonly cell: TorchCell;
  /** Whether it is a cell, which computes one step. */
  readonly isCell: boolean;
  readonly layers: readonly TorchLayer[];
}

/** One layer of a recurrent module. */
export interface TorchLayer {
  readonly units: number;
  readonly inputSize: number;
  readonly useBias: boolean;
  readonly isBidirectional: boolean;
  /** Keras's arrays: kernel, recurrent kernel, bias, of each direction. */
  readonly weights: readonly Converted[];
}

/** Whether an array is one of a recurrent module, by its name. */
export function isRecurrentArray(key: string): boolean {
  return ARRAY.test(key);
}

/** What its module is called: `nn.LSTM`, `nn.GRUCell`. */
export function moduleName({ cell, isCell }: Pick<TorchStack, "cell" | "isCell">): string {
  return `nn.${cell.module}${isCell ? "Cell" : ""}`;
}

/** The layer of one of its layers. */
export function layerOf(
  { cell }: TorchStack,
  { units, useBias, isBidirectional }: TorchLayer,
  options: Partial<RecurrentOptions>,
): Layer {
  const one = cell.make({ ...options, units, useBias });
  return isBidirectional ? bidirectional(one) : one;
}

/** The orders of the gates in these modules: `i f g o`, `r z n`, or both. */
export function gateOrderOf(stacks: readonly TorchStack[]): string {
  const letters = stacks.flatMap(({ cell }) => cell.letters ?? []);
  return [...new Set(letters)].join(", ") || "none";
}

/**
 * All recurrent modules among the arrays, in their order.
 *
 * @param unread takes what would be thrown of a module
 * @throws {UnreadableFileError} where one has proj_size, is of no known kind, or lacks an array.
 */
export function stacksIn(arrays: Arrays, unread?: string[]): TorchStack[] {
  const found = new Map<string, Place>();
  for (const key of arrays.keys()) {
    const [, prefix = "", kind, index] = ARRAY.exec(key) ?? [];
    if (kind === undefined) continue;
    const isCell = index === undefined;
    const name = `${isCell} ${prefix}`;
    const depth = Math.max(found.get(name)?.depth ?? 0, Number(index ?? 0) + 1);
    const projection = found.get(name)?.projection ?? (kind === "weight_hr" ? key : undefined);
    found.set(name, { prefix, isCell, depth, projection });
  }
  return [...found.values()].flatMap((place) => {
    try {
      return stackAt(place, arrays);
    } catch (error) {
      if (unread === undefined || !(error instanceof UnreadableFileError)) throw error;
      unread.push(error.message.replace("Cannot read the file: ", ""));
      return [];
    }
  });
}

interface Place {
  readonly prefix: string;
  readonly isCell: boolean;
  readonly depth: number;
  /** An array of an nn.LSTM whose hidden state is multiplied once more. */
  readonly projection: string | undefined;
}

function stackAt({ prefix, isCell, depth, projection }: Place, arrays: Arrays): TorchStack {
  if (projection !== undefined) {
    const state = `${projection} ${formatShape(arrays.get(projection)!.shape)} is there`;
    throw new UnreadableFileError("an nn.LSTM with proj_size is not read", state);
  }
  if (depth > arrays.size) missing(`${prefix && `${prefix}.`}weight_ih_l0`, arrays);
  const layers = Array.from({ length: depth }, (_, k) => {
    return torchLayer(arrays, prefix, isCell ? undefined : k);
  });
  const { cell } = layers[0]!;
  const other = layers.find((layer) => layer.cell !== cell);
  if (other === undefined) return { prefix, cell, isCell, layers };
  const rule = "all layers of a module must be of one kind";
  const state = `of ${prefix || "it"} one is ${cell.module}, one ${other.cell.module}`;
  throw new UnreadableFileError(rule, state);
}

function torchLayer(
  arrays: Arrays,
  prefix: string,
  index: number | undefined,
): TorchLayer & { readonly cell: TorchCell } {
  const keyOf = (kind: string, suffix: string) =>
    `${prefix && `${prefix}.`}${kind}${index === undefined ? "" : `_l${index}`}${suffix}`;
  const isBidirectional = arrays.has(keyOf("weight_ih", "_reverse"));
  const useBias = arrays.has(keyOf("bias_ih", ""));
  const get = (kind: string, suffix: string): Converted => {
    const key = keyOf(kind, suffix);
    return taken(key, arrays.get(key) ?? missing(key, arrays));
  };
  const halves = (isBidirectional ? ["", "_reverse"] : [""]).map((suffix) => {
    const parts = {
      kernel: get("weight_ih", suffix),
      recurrent: get("weight_hh", suffix),
      biases: useBias ? [get("bias_ih", suffix), get("bias_hh", suffix)] as const : undefined,
    };
    return { ...parts, cell: cellOf(parts.kernel, parts.recurrent, parts.biases ?? []) };
  });
  const { cell, kernel, recurrent } = halves[0]!;
  const [, inputSize] = kernel.tensor.shape as [number, number];
  const [, units] = recurrent.tensor.shape as [number, number];
  const weights = halves.flatMap((half) => {
    if (half.cell !== cell) missing(keyOf("weight_ih", "_reverse"), arrays);
    const { biases } = half;
    return [
      cell.matrix(half.kernel),
      cell.matrix(half.recurrent),
      ...(biases === undefined ? [] : [cell.bias(...biases)]),
    ];
  });
  return { cell, units, inputSize, useBias, isBidirectional, weights };
}

/** The kind by the shapes, which must be those of one. */
function cellOf(
  kernel: Converted,
  recurrent: Converted,
  biases: readonly Converted[],
): TorchCell {
  const [rows = 0, units = 0] = recurrent.tensor.shape;
  const cell = CELLS.get(rows / units);
  const fits = kernel.tensor.shape.length === 2 && recurrent.tensor.shape.length === 2 &&
    kernel.tensor.shape[0] === rows && kernel.tensor.shape[1]! > 0 &&
    biases.every(({ tensor }) => sameShape(tensor.shape, [rows]));
  if (cell !== undefined && fits) return cell;
  const shapes = [kernel, recurrent, ...biases]
    .map(({ from, tensor }) => `${from} is ${formatShape(tensor.shape)}`).join(", ");
  const rule = "a recurrent module's arrays are [blocks·units, inputSize], [blocks·units, units] " +
    "and [blocks·units] twice: 4 blocks of an LSTM, 3 of a GRU, 1 of an RNN";
  throw new UnreadableFileError(rule, shapes);
}

/** Throws: an array of a recurrent module is not there. */
export function missing(key: string, arrays: Arrays): never {
  const known = [...arrays.keys()].slice(0, 8).map((name) => JSON.stringify(name)).join(", ");
  const rule = `PyTorch's recurrent modules need ${key}`;
  throw new UnreadableFileError(rule, `the arrays are ${known || "none"}`);
}
