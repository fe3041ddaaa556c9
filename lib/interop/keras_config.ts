// A Keras model's configuration, in the spellings of Keras 2, Keras 3 and TF.js: Sequential, or a
// Functional model whose layers lie in a row.

import { isRecord } from "../files/json.ts";
import { UnreadableFileError } from "../files/unreadable.ts";
import type { OpenShape } from "../layers/layer.ts";
import { MAX_LAYERS } from "./build_model.ts";
import { straightLine } from "./keras_functional.ts";
import type { KerasGeneration } from "./keras_activation.ts";
import { type KerasLayerConfig, KNOWN_LAYERS } from "./keras_layers.ts";
import { checkLayerRecord, checkModelRecord } from "./keras_options.ts";
import type { KerasWriter } from "./keras_version.ts";

/** A layer of a configuration, and what leads to it in a Functional model. */
export interface KerasNode extends KerasLayerConfig {
  readonly inbound: readonly unknown[];
}

/** A configuration's layers. */
export interface KerasConfig {
  /** All of them, as they are listed: the groups of a file are numbered in this order. */
  readonly listed: readonly KerasNode[];
  /** Those that compute, in the order of computation. */
  readonly line: readonly KerasNode[];
  /** A sample's shape; undefined where the configuration does not tell. */
  readonly inputShape: OpenShape | undefined;
  /** How many samples a batch has, where the configuration tells. */
  readonly batchSize: number | undefined;
  /** What the numbers are kept in. */
  readonly precision: "float32" | "float64";
}

/**
 * The layers of a model's configuration.
 *
 * @param value what stands in `config.json`, in the attribute `model_config` or in `modelTopology`
 * @throws {UnreadableFileError} where it is no Sequential model and no straight line.
 */
export function kerasConfig(
  value: unknown,
  { generation }: KerasWriter,
): KerasConfig {
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
  const functional = className !== "Sequential";
  const all = functional ? straightLine(listed, config as Record<string, unknown>) : listed;
  const line = all.filter((node) => node.className !== "InputLayer");
  if (line.length === 0) {
    throw new UnreadableFileError(`its layers are of ${KNOWN_LAYERS}`, "the model has none");
  }
  return {
    listed,
    line,
    ...inputOf(all, isRecord(config) ? config : {}),
    precision: precisionOf(line, generation),
  };
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
  checkLayerRecord(part as Record<string, unknown>, placeOf(shown, className));
  return {
    className,
    name: shown,
    config,
    inbound,
  };
}

/** `batch_shape` (Keras 3), `batch_input_shape` (Keras 2), or that of a first layer. */
function inputOf(
  line: readonly KerasNode[],
  model: Record<string, unknown>,
): Pick<KerasConfig, "inputShape" | "batchSize"> {
  const { config } = line[0]!;
  const shape = config.batch_shape ?? config.batch_input_shape ?? config.batchInputShape ??
    model.build_input_shape;
  if (shape === undefined || shape === null) return { inputShape: undefined, batchSize: undefined };
  const isLength = (x: unknown) => x === null || Number.isSafeInteger(x) && (x as number) > 0;
  if (!Array.isArray(shape) || shape.length < 2 || shape.length > 3 || !shape.every(isLength)) {
    const rule = "its input must be [batch, timesteps, inputSize], or [batch, timesteps] of words";
    throw new UnreadableFileError(rule, `the shape is ${JSON.stringify(shape).slice(0, 100)}`);
  }
  return { inputShape: shape.slice(1), batchSize: shape[0] ?? undefined };
}

/** A policy of its own for parts of a layer, or of whole numbers: these are named by their class. */
const POLICIES = ["DTypePolicy", "Policy", "FloatDTypePolicy"];

/** The dtype is a text, or a policy with a name; only whole precisions are computed in. */
function precisionOf(
  line: readonly KerasNode[],
  generation: KerasGeneration,
): "float32" | "float64" {
  const kindOf = ({ className, config }: KerasLayerConfig, place: string): string => {
    const { dtype = null } = config;
    const isPolicy = isRecord(dtype);
    const own = isPolicy && isRecord(dtype.config) ? dtype.config.name : dtype;
    // Keras before 2.3: that of its input, the numbers of words
    const isWords = className === "Embedding" && generation === "keras2" && own === "int32";
    const kind = own === null || isWords ? "float32" : own;
    const isPlain = !isPolicy || POLICIES.includes(String(dtype.class_name));
    const inner = [config.layer, config.backward_layer].filter(isRecord);
    for (const { class_name: className, config } of inner) {
      if (isRecord(config)) kindOf({ className: String(className), name: "", config }, place);
    }
    if (isPlain && (kind === "float32" || kind === "float64")) return kind;
    const shown = isPolicy && !isPlain
      ? `a ${dtype.class_name} ${JSON.stringify(own) ?? ""}`.trim()
      : JSON.stringify(kind);
    const rule = "its dtype must be float32 or float64";
    throw new UnreadableFileError(rule, `the dtype is ${shown.slice(0, 100)}`, { source: place });
  };
  const kinds = line.map((node) => kindOf(node, placeOf(node.name, node.className)));
  return kinds.every((kind) => kind === "float64") ? "float64" : "float32";
}

function placeOf(layer: string, className: string): string {
  return `${JSON.stringify(layer)} (${className})`;
}
