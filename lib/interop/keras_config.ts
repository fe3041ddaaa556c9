// A Keras model's configuration, in the spellings of Keras 2, Keras 3 and TF.js: Sequential, or
// Functional.

import { isRecord } from "../files/json.ts";
import { UnreadableFileError } from "../files/unreadable.ts";
import type { Layer, OpenShape } from "../layers/layer.ts";
import { kindOfLayer } from "../layers/table.ts";
import type { Connections } from "../model/graph.ts";
import { MAX_LAYERS } from "./build_model.ts";
import type { KerasGeneration } from "./keras_activation.ts";
import { kerasGraph } from "./keras_graph.ts";
import {
  checkMaskedSteps,
  kerasLayer,
  type KerasLayerConfig,
  KNOWN_LAYERS,
  placeOf,
} from "./keras_layers.ts";
import { checkLayerRecord, checkModelRecord } from "./keras_options.ts";
import type { KerasWriter } from "./keras_version.ts";

/** A layer of a configuration, and what leads to it in a Functional model. */
export interface KerasNode extends KerasLayerConfig {
  readonly inbound: readonly unknown[];
}

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
}

/**
 * The model that a configuration tells of.
 *
 * @param value what stands in `config.json`, in the attribute `model_config` or in `modelTopology`
 * @throws {UnreadableFileError} where it is no Sequential or Functional model that is read.
 */
export function kerasModel(value: unknown, writer: KerasWriter): KerasModel {
  if (isRecord(value)) checkModelRecord(value);
  const { class_name: className, config } = isRecord(value) ? value : {};
  const parts = isRecord(config) ? config.layers : config; // Keras before 2.3: the list itself
  const isKnown = className === "Sequential" || className === "Functional" || className === "Model";
  if (!isKnown || !Array.isArray(parts)) {
    const rule = "its model must be a Sequential or a Functional one";
    throw new UnreadableFileError(rule, `the class is ${JSON.stringify(className) ?? "none"}`);
  }
  if (parts.length > MAX_LAYERS) {
    const rule = `it may have at most ${MAX_LAYERS} layers`;
    throw new UnreadableFileError(rule, `the count is ${parts.length}`);
  }
  const listed = parts.map((part) => nodeOf(part));
  const computing = listed.filter((node) => node.className !== "InputLayer");
  if (computing.length === 0) {
    throw new UnreadableFileError(`its layers are of ${KNOWN_LAYERS}`, "the model has none");
  }
  const own = isRecord(config) ? config : {};
  const known = computing.filter((node) => kindOfLayer(node.className) !== undefined);
  const precision = precisionOf(known, writer.generation);
  const model = className === "Sequential"
    ? rowOf(listed, own, writer)
    : graphOf(listed, own, writer);
  checkMaskedSteps(model.layers, writer);
  return { listed, ...model, precision };
}

type Read = Omit<KerasModel, "listed" | "precision">;

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

function graphOf(
  listed: readonly KerasNode[],
  config: Record<string, unknown>,
  writer: KerasWriter,
): Read {
  let batchSize: number | undefined;
  const graph = kerasGraph(listed, config, {
    shapeOf: (node) => {
      const known = checkedShape(shapeIn(node));
      batchSize ??= known.batchSize;
      return known.shape;
    },
    layerOf: (node) => kerasLayer(node, writer),
  });
  const { layers } = graph;
  return { layers, parts: graph, inputShape: undefined, batchSize };
}

function nodeOf(part: unknown): KerasNode {
  const { class_name: className, config, inbound_nodes: inbound = [], name: own } = isRecord(part)
    ? part
    : {};
  if (typeof className !== "string" || !isRecord(config) || !Array.isArray(inbound)) {
    const rule = "each of its layers has a class_name and a config";
    throw new UnreadableFileError(rule, `the layer is ${JSON.stringify(part)?.slice(0, 200)}`);
  }
  const called = own ?? config.name;
  const shown = typeof called === "string" ? called : className;
  checkLayerRecord(part as Record<string, unknown>, placeOf({ name: shown, className }));
  return {
    className,
    name: shown,
    config,
    inbound,
  };
}

/** `batch_shape` (Keras 3), `batch_input_shape` (Keras 2), of an InputLayer or a first layer. */
function shapeIn({ config }: KerasNode): unknown {
  return config.batch_shape ?? config.batch_input_shape ?? config.batchInputShape;
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

/** The dtype is a text, or a policy with a name; only whole precisions are computed in. */
function precisionOf(
  line: readonly KerasNode[],
  generation: KerasGeneration,
): "float32" | "float64" {
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
    if (isPlain && (kind === "float32" || kind === "float64")) return kind;
    const shown = isPolicy && !isPlain
      ? `a ${dtype.class_name} ${JSON.stringify(own) ?? ""}`.trim()
      : JSON.stringify(kind);
    const rule = "its dtype must be float32 or float64";
    throw new UnreadableFileError(rule, `the dtype is ${shown.slice(0, 100)}`, { source: place });
  };
  const kinds = line.map((node) => kindOf(node.config, placeOf(node)));
  return kinds.every((kind) => kind === "float64") ? "float64" : "float32";
}
