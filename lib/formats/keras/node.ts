// The layers of a configuration as they are listed, those of models within a model too.

import { isRecord } from "../../files/json.ts";
import { UnreadableFileError } from "../../files/unreadable.ts";
import type { KerasConfig } from "../../layers/kind.ts";
import { MAX_LAYERS } from "../build_model.ts";
import { layerOfCell } from "../../layers/rnn_kinds.ts";
import { type KerasLayerConfig, placeOf } from "./layers.ts";
import { checkLayerRecord, isModel } from "./options.ts";

/** A layer of a configuration, and what leads to it in a Functional model. */
export interface KerasNode extends KerasLayerConfig {
  readonly inbound: readonly unknown[];
  /** Its name in its own model; `name` has those of the models around it before it. */
  readonly ownName: string;
  /** The names of the models around its own. */
  readonly around: readonly string[];
  /** The layers of a model that stands in a layer's place, and how they are connected. */
  readonly inner?: KerasParts;
  /** How many TimeDistributed stand around its model. */
  readonly distributed: number;
  /** Of one of several cells of an RNN: the cell's class, after which its group is named. */
  readonly cellName?: string;
}

/** A model's layers, and how they are connected. */
export interface KerasParts {
  readonly listed: readonly KerasNode[];
  readonly config: KerasConfig;
  /** Whether each layer takes the one before it. */
  readonly isSequential: boolean;
}

/** The layers themselves, those of models within a model in their place. */
export function leavesOf<T extends { readonly inner?: { readonly listed: readonly T[] } }>(
  listed: readonly T[],
): T[] {
  return listed.flatMap((node) => node.inner === undefined ? [node] : leavesOf(node.inner.listed));
}

/** A model's layers; `around` are the names of the models that it stands in. */
export function partsOf(
  { class_name: className, config }: Readonly<Record<string, unknown>>,
  around: readonly string[],
  distributed: number,
): KerasParts {
  const parts = isRecord(config) ? config.layers : config; // Keras before 2.3: the list itself
  if (!Array.isArray(parts)) {
    const found = JSON.stringify(parts)?.slice(0, 100) ?? "nothing";
    throw new UnreadableFileError("its model must have a list of layers", `there is ${found}`);
  }
  if (parts.length > MAX_LAYERS || around.length > MAX_LAYERS) {
    const rule = `it may have at most ${MAX_LAYERS} layers`;
    throw new UnreadableFileError(rule, `the count is ${Math.max(parts.length, around.length)}`);
  }
  return {
    listed: parts.map((part) => nodeOf(part, around, distributed)),
    config: isRecord(config) ? config : {},
    isSequential: className === "Sequential",
  };
}

function nodeOf(part: unknown, around: readonly string[], distributed: number): KerasNode {
  const { class_name: className, config, inbound_nodes: inbound = [], name: own } = isRecord(part)
    ? part
    : {};
  const isPart = isRecord(config) || isModel(className) && Array.isArray(config);
  if (typeof className !== "string" || !isPart || !Array.isArray(inbound)) {
    const rule = "each of its layers has a class_name and a config";
    throw new UnreadableFileError(rule, `the layer is ${JSON.stringify(part)?.slice(0, 200)}`);
  }
  const options = isRecord(config) ? config : {};
  const called = own ?? options.name;
  const ownName = typeof called === "string" ? called : className;
  const path = [...around, ownName];
  const name = path.join("_");
  checkLayerRecord(part as Record<string, unknown>, placeOf({ name, className }));
  const node = { className, name, ownName, config: options, inbound, around, distributed };
  if (isModel(className)) {
    return { ...node, inner: partsOf(part as Record<string, unknown>, path, distributed) };
  }
  const cells = stackedCells(node);
  if (cells !== undefined) return { ...node, inner: cells };
  const { layer } = options;
  if (className !== "TimeDistributed" || !isRecord(layer) || !isModel(layer.class_name)) {
    return node;
  }
  checkLayerRecord(layer, placeOf({ name, className }));
  return { ...node, inner: partsOf(layer, path, distributed + 1) };
}

/**
 * An RNN of several cells, as layers one after the other; undefined of any other layer. Each step is
 * the same either way.
 */
export function stackedCells(node: KerasNode): KerasParts | undefined {
  const { className, config: { cell, ...options }, name, ownName, around } = node;
  if (className !== "RNN" || !isRecord(cell) || cell.class_name !== "StackedRNNCells") {
    return undefined;
  }
  const { cells } = isRecord(cell.config) ? cell.config : {};
  const place = placeOf(node);
  if (!Array.isArray(cells) || cells.length === 0 || cells.length > MAX_LAYERS) {
    const state = `they are ${JSON.stringify(cells)?.slice(0, 100)}`;
    throw new UnreadableFileError("its cells must be a list", state, { source: place });
  }
  for (const option of ["go_backwards", "return_state"]) {
    if ((options[option] ?? false) === false) continue;
    const rule = `${option} must be false where it has several cells`;
    throw new UnreadableFileError(rule, "it is true", { source: place });
  }
  const entry = "input";
  const part = { around: [...around, ownName], distributed: node.distributed };
  const listed = cells.map((one, k): KerasNode => {
    const isLast = k === cells.length - 1;
    const layer = layerOfCell(one, {
      ...options,
      return_sequences: isLast ? options.return_sequences : true,
      zero_output_for_mask: isLast ? options.zero_output_for_mask ?? false : false,
    });
    if (layer === undefined) {
      const found = isRecord(one) ? JSON.stringify(one.class_name) : typeof one;
      throw new UnreadableFileError(
        "each of its cells must be one that is read",
        `one is ${found}`,
        {
          source: place,
        },
      );
    }
    checkLayerRecord(layer, place);
    return {
      ...part,
      className: String(layer.class_name),
      cellName: String((one as Record<string, unknown>).class_name),
      name: `${name}_cell_${k}`,
      ownName: String(k),
      config: layer.config as KerasConfig,
      inbound: [[[k === 0 ? entry : String(k - 1), 0, 0, {}]]],
    };
  });
  const input = {
    ...part,
    className: "InputLayer",
    name: `${name}_${entry}`,
    ownName: entry,
    config: {},
    inbound: [],
  };
  return {
    listed: [input, ...listed],
    config: { input_layers: [[entry, 0, 0]], output_layers: [[String(cells.length - 1), 0, 0]] },
    isSequential: false,
  };
}
