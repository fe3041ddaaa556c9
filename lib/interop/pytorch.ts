// PyTorch's nn.LSTM, out of the names of its state_dict: weight_ih_l0, weight_hh_l0, bias_ih_l0,
// bias_hh_l0, …, `_reverse` behind those of the other direction (torch/nn/modules/rnn.py).

import type { SafetensorsFile } from "../files/safetensors.ts";
import { quoted } from "../base/quoted.ts";
import { UnreadableFileError } from "../files/unreadable.ts";
import { bidirectional } from "../layers/bidirectional.ts";
import { lstm } from "../layers/lstm.ts";
import { formatShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type LoadedModel, rowWithArrays } from "./build_model.ts";
import { type Converted, lettersOf, summed, taken, transposed } from "./conversion.ts";
import { type FileSource, refuseWeightsAlone } from "./proposal.ts";
import { pytorchProposal, strayArray } from "./pytorch_proposal.ts";

/** The names of an nn.LSTM's arrays: what stands before, the kind, the layer, the direction. */
export const LSTM_ARRAY: RegExp =
  /^(?:(.*)\.)?(weight_ih|weight_hh|weight_hr|bias_ih|bias_hh)_l(\d+)(_reverse)?$/;

/** The arrays of a state_dict. */
export type PytorchArrays = SafetensorsFile & {
  /** Whether they come in the order of the state_dict. Default: false, by the alphabet. */
  readonly isOrdered?: boolean;
};

/** One nn.LSTM: its layers, each with one or two directions. */
export interface TorchLstm {
  /** What stands before the names: `encoder.lstm`; empty for a bare one. */
  readonly prefix: string;
  readonly layers: readonly TorchLayer[];
}

/** One layer of an nn.LSTM. */
export interface TorchLayer {
  readonly units: number;
  readonly inputSize: number;
  readonly useBias: boolean;
  readonly isBidirectional: boolean;
  /** Keras's arrays: kernel, recurrent kernel, bias, of each direction. */
  readonly weights: readonly Converted[];
}

/** Whether arrays have the names that nn.LSTM and nn.LSTMCell give theirs. */
export function isStateDict(arrays: ReadonlyMap<string, Tensor>): boolean {
  return [...arrays.keys()].some((key) => LSTM_ARRAY.test(key) || /(^|\.)weight_ih$/.test(key));
}

/**
 * Opens the state_dict of a bare nn.LSTM: all hidden states, as its own `output`.
 *
 * @throws {UnreadableFileError} where it is none, with the call that opens it where one is known.
 */
export function openPytorch(file: PytorchArrays, from: FileSource): LoadedModel {
  const { arrays, metadata } = file;
  const stacks = lstmStacks(arrays);
  const others = [...arrays.keys()].filter((key) => !LSTM_ARRAY.test(key));
  if (stacks.length !== 1 || others.length > 0) refuseOthers(file, stacks, others, from);
  const layers = stacks[0]!.layers.map(({ units, useBias, isBidirectional, weights }) => {
    const one = lstm({ units, useBias, returnSequences: true });
    return { layer: isBidirectional ? bidirectional(one) : one, weights };
  });
  const isDouble = [...arrays.values()].every(({ data }) => data instanceof Float64Array);
  return {
    ...rowWithArrays(layers),
    inputShape: [null, stacks[0]!.layers[0]!.inputSize],
    precision: isDouble ? "float64" : "float32",
    provenance: pytorchProvenance(metadata),
  };
}

function refuseOthers(
  file: PytorchArrays,
  stacks: readonly TorchLstm[],
  others: readonly string[],
  from: FileSource,
): never {
  const stray = strayArray(file, others);
  const found = stray === undefined ? pytorchProposal(file, stacks, others) : undefined;
  if (found !== undefined) refuseWeightsAlone(found, from);
  if (stacks.length === 0) missing("weight_ih_l0", file.arrays);
  const state = stray === undefined
    ? `the LSTMs are ${stacks.slice(0, 8).map(({ prefix }) => quoted(prefix)).join(", ")}`
    : `the array ${quoted(stray)} ${
      formatShape(file.arrays.get(stray)!.shape)
    } is of another layer`;
  const rule = "a state_dict tells no layers, so it must be one nn.LSTM alone " +
    "(for others give loadModel(source, { layers }), or use model.loadWeights(source))";
  throw new UnreadableFileError(rule, state);
}

/** What is known of a file by PyTorch. */
export function pytorchProvenance(
  metadata: SafetensorsFile["metadata"],
): LoadedModel["provenance"] {
  const { format, ...others } = metadata;
  return {
    framework: "PyTorch",
    gateOrder: lettersOf("pytorch"),
    notes: [
      "Input and result are [batch, timesteps, …], whatever batch_first was.",
      ...(format === undefined || format === "pt" ? [] : [`Its metadata says format ${format}.`]),
      ...Object.entries(others).map(([key, text]) => `Its metadata says ${key}: ${text}`),
    ],
  };
}

/**
 * All nn.LSTMs among the arrays.
 *
 * @throws {UnreadableFileError} where one has proj_size, is a GRU or an RNN, or lacks an array.
 */
export function lstmStacks(arrays: ReadonlyMap<string, Tensor>): TorchLstm[] {
  const depths = new Map<string, number>();
  for (const key of arrays.keys()) {
    const [, prefix = "", kind, index] = LSTM_ARRAY.exec(key) ?? [];
    if (kind === undefined) continue;
    if (kind === "weight_hr") {
      const state = `${key} ${formatShape(arrays.get(key)!.shape)} is there`;
      throw new UnreadableFileError("an nn.LSTM with proj_size is not read", state);
    }
    depths.set(prefix, Math.max(depths.get(prefix) ?? 0, Number(index) + 1));
  }
  return [...depths].map(([prefix, depth]) => {
    if (depth > arrays.size) missing(`${prefix && `${prefix}.`}weight_ih_l0`, arrays);
    const layers = Array.from({ length: depth }, (_, k) => torchLayer(arrays, prefix, k));
    return { prefix, layers };
  });
}

function torchLayer(
  arrays: ReadonlyMap<string, Tensor>,
  prefix: string,
  index: number,
): TorchLayer {
  const keyOf = (kind: string, suffix: string) =>
    `${prefix && `${prefix}.`}${kind}_l${index}${suffix}`;
  const isBidirectional = arrays.has(keyOf("weight_ih", "_reverse"));
  const useBias = arrays.has(keyOf("bias_ih", ""));
  const get = (kind: string, suffix: string): Converted => {
    const key = keyOf(kind, suffix);
    return taken(key, arrays.get(key) ?? missing(key, arrays));
  };
  const weights = (isBidirectional ? ["", "_reverse"] : [""]).flatMap((suffix) => {
    const [kernel, recurrent] = [get("weight_ih", suffix), get("weight_hh", suffix)];
    checkGates(kernel, recurrent);
    return [
      transposed(kernel),
      transposed(recurrent),
      ...(useBias ? [summed(get("bias_ih", suffix), get("bias_hh", suffix))] : []),
    ];
  });
  const [inputSize, four] = weights[0]!.tensor.shape as [number, number];
  return { units: four / 4, inputSize, useBias, isBidirectional, weights };
}

/** nn.GRU and nn.RNN use the same names: they have 3 blocks and 1. */
function checkGates(kernel: Converted, recurrent: Converted): void {
  const [rows, units] = recurrent.tensor.shape;
  if (
    kernel.tensor.shape.length === 2 && recurrent.tensor.shape.length === 2 &&
    rows === 4 * units! && kernel.tensor.shape[0] === rows
  ) return;
  const kinds = new Map([[3, "an nn.GRU"], [1, "an nn.RNN"]]);
  const kind = kinds.get(rows! / units!) ?? "no nn.LSTM";
  const shapes = `${kernel.from} is ${formatShape(kernel.tensor.shape)}, ` +
    `${recurrent.from} ${formatShape(recurrent.tensor.shape)}, which is ${kind}`;
  const rule = "an nn.LSTM's arrays are [4·units, inputSize] and [4·units, units]";
  throw new UnreadableFileError(rule, shapes);
}

export function missing(key: string, arrays: ReadonlyMap<string, Tensor>): never {
  const cell = [...arrays.keys()].find((found) => /(^|\.)weight_ih$/.test(found));
  if (cell !== undefined) {
    const rule = "an nn.LSTMCell is not read (an nn.LSTM computes the same and names its arrays " +
      "weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0)";
    throw new UnreadableFileError(rule, `the array ${quoted(cell)} is of one`);
  }
  const known = [...arrays.keys()].slice(0, 8).map(quoted).join(", ") || "none";
  throw new UnreadableFileError(`an nn.LSTM needs ${key}`, `the arrays are ${known}`);
}
