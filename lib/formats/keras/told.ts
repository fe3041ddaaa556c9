// What a Keras configuration tells of its layers, whatever they are: also those of a class that is
// not read, of the author's own, and of models within models.

import { isRecord } from "../../files/json.ts";
import { UnreadableFileError } from "../../files/unreadable.ts";
import { kindOfLayer } from "../../layers/table.ts";
import { MAX_LAYERS } from "../build_model.ts";
import { callOf } from "./graph.ts";
import { stackedCells } from "./node.ts";

/** A layer as it is told of. */
export interface ToldLayer {
  readonly className: string;
  /** Its own name, those of the models around it before it: `encoder/lstm`. */
  readonly name: string;
  readonly ownName: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Its whole record. */
  readonly record: Readonly<Record<string, unknown>>;
  /** The layers before it, by their own names; undefined in a Sequential model. */
  readonly inbound: readonly unknown[] | undefined;
  /** The layers among which it stands. */
  readonly siblings: readonly ToldLayer[];
  readonly around: ToldLayer | undefined;
  /** The layers of a model that stands in its place. */
  readonly inner?: { readonly listed: readonly ToldLayer[] };
  readonly distributed: number;
  /** Of one of several cells of an RNN: its class. */
  readonly cellName?: string;
}

const MOST_LEVELS = 50;

/** The layers of a model's record; none where it tells of none. */
export function toldLayers(model: unknown, around?: ToldLayer, level = 0): readonly ToldLayer[] {
  const { class_name: className, config } = isRecord(model) ? model : {};
  const records = isRecord(config) ? config.layers : config;
  if (!Array.isArray(records) || level > MOST_LEVELS) return [];
  const siblings: ToldLayer[] = [];
  for (const record of records.slice(0, MAX_LAYERS)) {
    if (!isRecord(record) || typeof record.class_name !== "string") continue;
    const own = isRecord(record.config) ? record.config : {};
    const called = record.name ?? own.name;
    const ownName = typeof called === "string" ? called : record.class_name;
    const inbound = Array.isArray(record.inbound_nodes) ? record.inbound_nodes : [];
    const isDistributed = record.class_name === "TimeDistributed" && isModelRecord(own.layer);
    const told = {
      className: record.class_name,
      name: around === undefined ? ownName : `${around.name}/${ownName}`,
      ownName,
      config: own,
      record,
      inbound: className === "Sequential" ? undefined : inbound,
      siblings,
      around,
      distributed: 0, // each stands for itself
    };
    const held = isDistributed ? own.layer : record;
    const inner = isModelRecord(held) ? toldLayers(held, told, level + 1) : cellsOf(told);
    siblings.push(inner === undefined ? told : { ...told, inner: { listed: inner } });
  }
  return siblings;
}

/** The cells of an RNN that has several, as layers; undefined of others, and where one is not read. */
function cellsOf(told: ToldLayer): ToldLayer[] | undefined {
  const { className, name, ownName, config } = told;
  const node = { className, name, ownName, config, inbound: [], around: [], distributed: 0 };
  try {
    const cells = stackedCells(node)?.listed.filter((cell) => cell.cellName !== undefined);
    const siblings: ToldLayer[] = [];
    cells?.forEach(({ inner: _, ...cell }) => {
      const record = { class_name: cell.className, config: cell.config };
      const place = { name: `${name}/${cell.ownName}`, record, siblings, around: told };
      siblings.push({ ...cell, ...place, distributed: 0 });
    });
    return cells && siblings;
  } catch (error) {
    if (!(error instanceof UnreadableFileError)) throw error;
    return undefined; // said where the layer itself is read
  }
}

/** Whether a record has layers of its own. */
function isModelRecord(record: unknown): boolean {
  if (!isRecord(record)) return false;
  const { config } = record;
  const layers = isRecord(config) ? config.layers : config;
  return Array.isArray(layers) && layers.every(isRecord);
}

/** What the first call of a layer was given. */
export function firstCall({ inbound }: ToldLayer): ReturnType<typeof callOf> | undefined {
  return inbound?.[0] === undefined ? undefined : callOf(inbound[0]);
}

/** Layers that hand a mask on as it came: `supports_masking` (keras/src/layers, Keras 3.15.1). */
const PASSING = new Set([
  ...["LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "TimeDistributed", "Dense"],
  ...["Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout", "AlphaDropout"],
  ...["Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "Identity"],
  ...["BatchNormalization", "LayerNormalization", "UnitNormalization", "ActivityRegularization"],
  ...["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"],
]);

/** Which steps count to a layer: all, those that are no zeros, or those that a mask says. */
export function maskOf(layer: ToldLayer): "input" | "zeros" | undefined {
  const before = layersBefore(layer);
  const isMasked = (firstCall(layer)?.mask.length ?? 0) > 0 || // Keras 3 says so in Functional models
    before.some((one) => handsMask(one, new Set()));
  if (!isMasked) return undefined;
  const isZeros = before.length === 1 && before[0]!.className === "Masking" &&
    (before[0]!.config.mask_value ?? 0) === 0;
  return isZeros ? "zeros" : "input";
}

function handsMask(layer: ToldLayer, seen: Set<ToldLayer>): boolean {
  if (seen.has(layer)) return false;
  seen.add(layer);
  if (layer.config.mask_value !== undefined || layer.config.mask_zero === true) return true;
  const { return_sequences: own, layer: half } = layer.config;
  const sequences = own ??
    (isRecord(half) && isRecord(half.config) ? half.config.return_sequences : undefined);
  if (sequences === false) return false;
  const isPassing = PASSING.has(layer.className) || layer.className === "InputLayer";
  return isPassing && layersBefore(layer).some((one) => handsMask(one, seen));
}

/** The layers whose results it takes; those before its model, where it is the first in one. */
function layersBefore(layer: ToldLayer): readonly ToldLayer[] {
  const { inbound, siblings, around } = layer;
  const names = inbound === undefined
    ? siblings.slice(0, siblings.indexOf(layer)).slice(-1).map(({ ownName }) => ownName)
    : firstCall(layer)?.inputs.map(([name]) => name) ?? [];
  const found = siblings.filter(({ ownName }) => names.includes(ownName));
  if (found.length === 0) return around === undefined ? [] : layersBefore(around);
  return found.map(lastOf);
}

/** What a model within a model ends with. */
function lastOf(layer: ToldLayer): ToldLayer {
  const last = layer.inner?.listed.at(-1);
  return last === undefined ? layer : lastOf(last);
}

/**
 * A layer of an unknown class between one and a mask: the file does not tell whether that comes through.
 * Functional models of Keras 3 tell where masks go.
 */
export function unknownBefore(
  layer: ToldLayer,
  seen = new Set<ToldLayer>(),
): ToldLayer | undefined {
  if (seen.has(layer) || isRecord(layer.inbound?.[0])) return undefined;
  seen.add(layer);
  for (const one of layersBefore(layer)) {
    const isUnknown = kindOfLayer(one.className) === undefined && !PLAIN.includes(one.className);
    if (isUnknown && layersBefore(one).some((before) => handsMask(before, new Set()))) return one;
    const found = isUnknown || PASSING.has(one.className) ? unknownBefore(one, seen) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What is known, and no kind of layer; a Lambda hands no mask on. */
const PLAIN: readonly string[] = ["InputLayer", "Lambda"];
