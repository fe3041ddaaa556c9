// A Keras model's configuration, in the spellings of Keras 2, Keras 3 and TF.js: Sequential, or
// Functional.

import { isRecord } from "../../files/json.ts";
import { UnreadableFileError } from "../../files/unreadable.ts";
import type { Layer, OpenShape } from "../../layers/layer.ts";
import { kindOfLayer } from "../../layers/table.ts";
import { timeDistributed } from "../../layers/time_distributed.ts";
import type { Connections } from "../../model/graph.ts";
import { MAX_LAYERS } from "../build_model.ts";
import type { KerasGeneration } from "./activation.ts";
import { kerasGraph } from "./graph.ts";
import { type KerasNode, type KerasParts, leavesOf, partsOf } from "./node.ts";
import {
  checkMaskedSteps,
  checkUnrolled,
  kerasLayer,
  type KerasLayerConfig,
  KNOWN_LAYERS,
  placeOf,
} from "./layers.ts";
import { checkModelRecord, isModel } from "./options.ts";
import type { KerasWriter } from "./version.ts";

/** A configuration's model. */
export interface KerasModel {
  /** All layers, as they are listed: the groups of a file are numbered in this order. */
  readonly listed: readonly KerasNode[];
  /** Those that compute, as they are listed. */
  readonly layers: readonly Layer[];
  /** The same in a row, or connected. */
  readonly parts: readonly Layer[] | Connections;
  /** A sample's shape; undefined where the configuration does not tell. */
  readonly inputShape: OpenShape | undefined;
  /** How many samples a batch has, where the configuration tells. */
  readonly batchSize: number | undefined;
  /** What the numbers are kept in. */
  readonly precision: "float32" | "float64";
  /** What is worth knowing of it. */
  readonly notes: readonly string[];
}

/**
 * The model that a configuration tells of.
 *
 * @param value what stands in `config.json`, in the attribute `model_config` or in `modelTopology`
 * @throws {UnreadableFileError} where it is no Sequential or Functional model that is read.
 */
export function kerasModel(value: unknown, writer: KerasWriter): KerasModel {
  if (isRecord(value)) checkModelRecord(value);
  const record = isRecord(value) ? value : {};
  const { class_name: className } = record;
  if (!isModel(className)) {
    const rule = "its model must be a Sequential or a Functional one";
    throw new UnreadableFileError(rule, `the class is ${JSON.stringify(className) ?? "none"}`);
  }
  const parts = partsOf(record, [], 0);
  const { listed, config, isSequential } = parts;
  const leaves = leavesOf(listed);
  if (leaves.length > MAX_LAYERS) {
    const rule = `it may have at most ${MAX_LAYERS} layers`;
    throw new UnreadableFileError(rule, `the count is ${leaves.length}`);
  }
  const computing = leaves.filter((node) => node.className !== "InputLayer");
  if (computing.length === 0) {
    throw new UnreadableFileError(`its layers are of ${KNOWN_LAYERS}`, "the model has none");
  }
  const known = computing.filter((node) => kindOfLayer(node.className) !== undefined);
  const precision = precisionOf(known, writer.generation);
  const isRow = isSequential && listed.every(({ inner }) => inner === undefined);
  const model = isRow ? rowOf(listed, config, writer) : graphOf(parts, writer);
  checkMaskedSteps(model.layers, writer);
  checkUnrolled(computing, model.layers, writer);
  return { listed, ...model, ...precision };
}

type Read = Omit<KerasModel, "listed" | "precision" | "notes">;

function rowOf(
  listed: readonly KerasNode[],
  { build_input_shape: built }: Record<string, unknown>,
  writer: KerasWriter,
): Read {
  const layers = listed.filter(({ className }) => className !== "InputLayer")
    .map((node) => kerasLayer(node, writer));
  const shape = shapeIn(listed[0]!) ?? built;
  const known = shape === undefined || shape === null ? undefined : checkedShape(shape);
  return { layers, parts: layers, inputShape: known?.shape, batchSize: known?.batchSize };
}

function graphOf(parts: KerasParts, writer: KerasWriter): Read {
  let batchSize: number | undefined;
  const graph = kerasGraph(parts, {
    shapeOf: (node) => {
      const known = checkedShape(shapeIn(node) ?? parts.config.build_input_shape);
      batchSize ??= known.batchSize;
      return known.shape;
    },
    layerOf: (node, call) => distributed(node, kerasLayer(node, writer, call)),
  });
  const { layers } = graph;
  return { layers, parts: graph, inputShape: undefined, batchSize };
}

/** A layer of a model inside of TimeDistributed: on each timestep, as each layer before it. */
function distributed({ name, className, distributed: times }: KerasNode, layer: Layer): Layer {
  if (times > 0 && layer.makesMask === true) {
    const rule = "a model inside of TimeDistributed may not tell which steps count";
    throw new UnreadableFileError(rule, `${placeOf({ name, className })} does`);
  }
  let around = layer;
  for (let k = 0; k < times; k++) around = timeDistributed(around, { name });
  return around;
}

/** `batch_shape` (Keras 3), `batch_input_shape` (Keras 2), of an InputLayer or a first layer. */
function shapeIn({ config, inner, className }: KerasNode): unknown {
  const first = className === "TimeDistributed" ? undefined : inner?.listed[0];
  const within = first && shapeIn(first);
  return within ?? config.batch_shape ?? config.batch_input_shape ?? config.batchInputShape;
}

function checkedShape(shape: unknown): { shape: OpenShape; batchSize: number | undefined } {
  const isLength = (x: unknown) => x === null || Number.isSafeInteger(x) && (x as number) > 0;
  if (!Array.isArray(shape) || shape.length < 2 || shape.length > 5 || !shape.every(isLength)) {
    const rule = "its input must be [batch, timesteps, inputSize], or [batch, timesteps] of words";
    const shown = JSON.stringify(shape)?.slice(0, 100) ?? "not there";
    throw new UnreadableFileError(rule, `the shape is ${shown}`);
  }
  return { shape: shape.slice(1), batchSize: shape[0] ?? undefined };
}

/** A policy of its own for parts of a layer, or of whole numbers: these are named by their class. */
const POLICIES = ["DTypePolicy", "Policy", "FloatDTypePolicy"];

/** Policies that compute in 16 bits, or keep weights so; here they are computed in float32. */
const HALVES = ["float16", "bfloat16", "mixed_float16", "mixed_bfloat16"];

/** The dtype is a text, or a policy with a name. */
export function precisionOf(
  line: readonly KerasNode[],
  generation: KerasGeneration,
): Pick<KerasModel, "precision" | "notes"> {
  const kindOf = (config: KerasLayerConfig["config"], place: string): string => {
    const { dtype = null } = config;
    const isPolicy = isRecord(dtype);
    const own = isPolicy && isRecord(dtype.config) ? dtype.config.name : dtype;
    // Keras before 2.3: that of its input, the numbers of words
    const isWords = generation === "keras2" && own === "int32" && "input_dim" in config;
    const kind = own === null || isWords ? "float32" : own;
    const isPlain = !isPolicy || POLICIES.includes(String(dtype.class_name));
    const inner = [config.layer, config.backward_layer].filter(isRecord);
    for (const { config } of inner) if (isRecord(config)) kindOf(config, place);
    const isKnown = kind === "float32" || kind === "float64" || HALVES.includes(String(kind));
    if (isPlain && isKnown) return String(kind);
    const shown = isPolicy && !isPlain
      ? `a ${dtype.class_name} ${JSON.stringify(own) ?? ""}`.trim()
      : JSON.stringify(kind) ?? "none";
    const rule = `its dtype must be one of float32, float64, ${HALVES.join(", ")}`;
    throw new UnreadableFileError(rule, `the dtype is ${shown.slice(0, 100)}`, { source: place });
  };
  const kinds = line.map((node) => kindOf(node.config, placeOf(node)));
  const half = kinds.find((kind) => HALVES.includes(kind));
  return {
    precision: kinds.every((kind) => kind === "float64") ? "float64" : "float32",
    notes: half === undefined ? [] : [`Computed in float32, where the file says ${half}`],
  };
}
