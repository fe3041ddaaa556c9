import { isRecord } from "../files/json.ts";
import { asFileError, UnreadableFileError } from "../files/unreadable.ts";
import type { Layer } from "../layers/layer.ts";
import { activation } from "../layers/activation.ts";
import { bidirectional } from "../layers/bidirectional.ts";
import { dense } from "../layers/dense.ts";
import { dropout } from "../layers/dropout.ts";
import { embedding } from "../layers/embedding.ts";
import { lstm, type LstmLayer } from "../layers/lstm.ts";
import { masking } from "../layers/masking.ts";
import { timeDistributed } from "../layers/time_distributed.ts";
import type { MergeMode } from "../layers/merge_modes.ts";
import { kerasActivation } from "./keras_activation.ts";
import { checkLayerRecord } from "./keras_options.ts";
import type { KerasWriter } from "./keras_version.ts";

/** A layer as a configuration tells it. */
export interface KerasLayerConfig {
  readonly className: string;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** What is being read. */
export interface KerasReading {
  readonly writer: KerasWriter;
}

type Config = KerasLayerConfig["config"];
type Make = (config: Config, place: string, reading: KerasReading) => Layer;

const makers: Readonly<Record<string, Make>> = {
  LSTM: makeLstm,
  Dense: (config, place, { writer }) =>
    dense({
      name: config.name as string,
      units: config.units as number,
      activation: kerasActivation(config.activation ?? null, writer.generation, place),
      useBias: (config.use_bias ?? true) as boolean,
    }),
  Bidirectional: makeBidirectional,
  TimeDistributed: (config, place, reading) =>
    timeDistributed(inner(config.layer, place, reading), { name: config.name as string }),
  Embedding: (config) =>
    embedding({
      name: config.name as string,
      inputDim: config.input_dim as number,
      outputDim: config.output_dim as number,
      maskZero: (config.mask_zero ?? false) as boolean,
    }),
  Masking: (config) =>
    masking({ name: config.name as string, maskValue: (config.mask_value ?? 0) as number }),
  Dropout: (config) => dropout({ name: config.name as string, rate: config.rate as number }),
  Activation: (config, place, { writer }) =>
    activation(kerasActivation(config.activation ?? null, writer.generation, place), {
      name: config.name as string,
    }),
};

/** The layers that are read, for messages. */
export const KNOWN_LAYERS: string = Object.keys(makers).join(", ");

/** Options that change what a layer computes, and the one value of each that is read. */
const ONLY: Readonly<Record<string, unknown>> = {
  return_state: false,
  time_major: false,
  quantization_config: null,
  lora_rank: null,
  sparse: false,
  ragged: false,
};

/**
 * The layer that a configuration tells of.
 *
 * @throws {UnreadableFileError} where it is of a class or has an option that is not read: its name,
 * its class and what is read stand in the message.
 */
export function kerasLayer(
  { className, name, config }: KerasLayerConfig,
  reading: KerasReading,
): Layer {
  const place = `${JSON.stringify(name)} (${className})`;
  if (!Object.hasOwn(makers, className)) {
    throw new UnreadableFileError(
      `its layers must be of ${KNOWN_LAYERS}`,
      `the layer ${JSON.stringify(name)} is a ${className}`,
    );
  }
  for (const [option, only] of Object.entries(ONLY)) {
    const value = config[option] ?? only;
    if (value === only) continue;
    const rule = `${option} must be ${only}`;
    throw new UnreadableFileError(rule, `the value is ${JSON.stringify(value).slice(0, 100)}`, {
      source: place,
    });
  }
  return asFileError("its options must be a layer's", () => {
    return makers[className]!({ ...config, name }, place, reading);
  }, place);
}

/** The layers of a configuration's line. */
export function kerasLayers(
  { line }: { readonly line: readonly KerasLayerConfig[] },
  reading: KerasReading,
): Layer[] {
  const layers = line.map((node) => kerasLayer(node, reading));
  const { zeroOutputForMask, version } = reading.writer;
  let isMasked = false;
  for (const [k, { className, wrapped, config }] of layers.entries()) {
    if (className === "Masking" || config.mask_zero === true) isMasked = true;
    const givesSequence = wrapped?.config.return_sequences === true;
    if (!isMasked || className !== "Bidirectional" || !givesSequence) continue;
    if (zeroOutputForMask !== undefined) continue;
    const place = `${JSON.stringify(line[k]!.name)} (${className})`;
    const rule = "its version must tell what masked steps of a Bidirectional give: zeros, or the " +
      "result before them";
    throw new UnreadableFileError(rule, `the version is ${version}, under which both exist`, {
      source: place,
    });
  }
  return layers;
}

function makeLstm(config: Config, place: string, { writer }: KerasReading): LstmLayer {
  const { generation, recurrentActivation } = writer;
  if (config.recurrent_activation === undefined && recurrentActivation === undefined) {
    const rule = `Keras ${writer.version} has several defaults of recurrent_activation`;
    throw new UnreadableFileError(rule, "the configuration leaves it out", { source: place });
  }
  const options = { // null, as TF.js writes it, is the default
    units: config.units,
    activation: kerasActivation(given(config.activation, "tanh"), generation, place),
    recurrentActivation: kerasActivation(
      given(config.recurrent_activation, recurrentActivation),
      generation,
      place,
    ),
    useBias: config.use_bias ?? undefined,
    unitForgetBias: config.unit_forget_bias ?? undefined,
    returnSequences: config.return_sequences ?? undefined,
    goBackwards: config.go_backwards ?? undefined,
    stateful: config.stateful ?? undefined,
    dropout: config.dropout ?? undefined,
    recurrentDropout: config.recurrent_dropout ?? undefined,
    zeroOutputForMask: config.zero_output_for_mask ?? undefined,
    name: config.name,
  };
  return lstm(options as Parameters<typeof lstm>[0]); // which checks each of them
}

function makeBidirectional(config: Config, place: string, reading: KerasReading): Layer {
  const other = config.backward_layer ?? undefined;
  if (config.merge_mode === null) {
    const rule = "its merge_mode must be concat, sum, mul or ave";
    throw new UnreadableFileError(rule, "merge_mode is None, which gives two results", {
      source: place,
    });
  }
  return bidirectional(inner(config.layer, place, reading) as LstmLayer, {
    name: config.name as string,
    mergeMode: given(config.merge_mode, "concat") as MergeMode,
    zeroOutputForMask: reading.writer.zeroOutputForMask ?? true,
    ...(other === undefined ? {} : { backwardLayer: inner(other, place, reading) as LstmLayer }),
  });
}

/** The layer within Bidirectional and TimeDistributed. */
function inner(value: unknown, place: string, reading: KerasReading): Layer {
  const { class_name: className, config } = isRecord(value) ? value : {};
  if (isRecord(value)) checkLayerRecord(value, place);
  if (typeof className !== "string" || !isRecord(config)) {
    const state = `the layer is ${JSON.stringify(value)?.slice(0, 100)}`;
    throw new UnreadableFileError("it holds a layer of its own", state, { source: place });
  }
  const name = typeof config.name === "string" ? config.name : className;
  return kerasLayer({ className, name, config }, reading);
}

/** Absent is Keras's default; null is a value: linear, for an activation. */
function given(value: unknown, otherwise: unknown): unknown {
  return value === undefined ? otherwise : value;
}
