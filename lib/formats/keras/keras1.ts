// A Keras 1 configuration in the words of Keras 2, which the rest reads. Source: keras 1.2.2, each
// layer's get_config(); keras/legacy/interfaces.py of Keras 2, which has the same pairs.

import { isRecord } from "../../files/json.ts";
import { UnreadableFileError } from "../../files/unreadable.ts";
import { asKeras1Branches } from "./keras1_branches.ts";
import { isModel } from "./options.ts";

type Config = Readonly<Record<string, unknown>>;

/** What a class became: its name, those of its options (null: none), what else is to be done. */
interface Renamed {
  /** Default: as it was. */
  readonly className?: string;
  readonly names?: Readonly<Record<string, string | null>>;
  /** Options that changed what it computes, and the one value of each that Keras 2 still has. */
  readonly only?: Config;
  /** Options that are new, out of those that were. */
  readonly more?: (config: Config, className: string) => Config;
}

/** Of every layer; the shape of a first one stands in `batch_input_shape` too. */
const EVERY: NonNullable<Renamed["names"]> = {
  input_dtype: "dtype",
  input_dim: null,
  input_length: null,
  init: "kernel_initializer",
  W_regularizer: "kernel_regularizer",
  b_regularizer: "bias_regularizer",
  W_constraint: "kernel_constraint",
  b_constraint: "bias_constraint",
  bias: "use_bias",
};

const RECURRENT: Renamed = {
  names: {
    output_dim: "units",
    inner_init: "recurrent_initializer",
    inner_activation: "recurrent_activation",
    U_regularizer: "recurrent_regularizer",
    dropout_W: "dropout",
    dropout_U: "recurrent_dropout",
    forget_bias_init: null,
    consume_less: null, // how it computes; with "gpu" its gates lie in one array
  },
};

const DENSE: Renamed = { names: { output_dim: "units" } };

const CONVOLUTION: Renamed["names"] = {
  nb_filter: "filters",
  filter_length: "kernel_size",
  nb_row: null,
  nb_col: null,
  subsample_length: "strides",
  subsample: "strides",
  atrous_rate: "dilation_rate",
  border_mode: "padding",
  dim_ordering: null,
};

const FORMATS: Readonly<Record<string, string>> = { tf: "channels_last", th: "channels_first" };
const formatOf = ({ dim_ordering: ordering }: Config) =>
  ordering === undefined ? {} : { data_format: FORMATS[String(ordering)] ?? String(ordering) };

const CONVOLUTION_1D: Renamed = { className: "Conv1D", names: CONVOLUTION };
const CONVOLUTION_2D: Renamed = {
  className: "Conv2D",
  names: CONVOLUTION,
  more: (config) => ({ kernel_size: [config.nb_row, config.nb_col], ...formatOf(config) }),
};
const POOLING: Renamed = {
  names: {
    pool_length: "pool_size",
    stride: "strides",
    border_mode: "padding",
    dim_ordering: null,
  },
  more: formatOf,
};
const RATE: Renamed = { names: { p: "rate", dim_ordering: null } };

/** How Keras 1 merged, and the layer that does. */
const MODES: Readonly<Record<string, string>> = {
  sum: "Add",
  mul: "Multiply",
  ave: "Average",
  max: "Maximum",
  concat: "Concatenate",
  dot: "Dot",
};

const CLASSES: Readonly<Record<string, Renamed>> = {
  InputLayer: {},
  LSTM: RECURRENT,
  GRU: RECURRENT,
  SimpleRNN: RECURRENT,
  Dense: DENSE,
  TimeDistributedDense: { ...DENSE, className: "Dense" }, // which takes sequences as well
  Bidirectional: {},
  TimeDistributed: {},
  Embedding: {
    names: {
      input_dim: "input_dim",
      input_length: "input_length",
      init: "embeddings_initializer",
      W_regularizer: "embeddings_regularizer",
      W_constraint: "embeddings_constraint",
      dropout: null, // of words, in training alone
    },
  },
  Masking: {},
  Dropout: RATE,
  SpatialDropout1D: RATE,
  GaussianDropout: RATE,
  GaussianNoise: { names: { sigma: "stddev" } },
  Activation: {},
  ActivityRegularization: {},
  Reshape: {},
  Permute: {},
  Flatten: {},
  RepeatVector: {},
  Convolution1D: CONVOLUTION_1D,
  AtrousConvolution1D: CONVOLUTION_1D,
  Convolution2D: CONVOLUTION_2D,
  AtrousConvolution2D: CONVOLUTION_2D,
  MaxPooling1D: POOLING,
  AveragePooling1D: POOLING,
  MaxPooling2D: POOLING,
  AveragePooling2D: POOLING,
  GlobalMaxPooling1D: {},
  GlobalAveragePooling1D: {},
  GlobalMaxPooling2D: POOLING,
  GlobalAveragePooling2D: POOLING,
  ZeroPadding1D: {},
  Cropping1D: {},
  UpSampling1D: { names: { length: "size" } },
  BatchNormalization: { names: { mode: null }, only: { mode: 0 } },
  LeakyReLU: {},
  PReLU: { names: { init: "alpha_initializer" } },
  ELU: {},
  Merge: {
    names: {
      mode: null,
      mode_type: null,
      concat_axis: null,
      dot_axes: null,
      output_shape: null,
      output_shape_type: null,
      output_mask: null,
      output_mask_type: null,
      arguments: null,
    },
    only: { mode_type: "raw" },
    more: ({ concat_axis: axis, dot_axes: axes }, className) => ({
      ...(className === "Concatenate" && { axis }),
      ...(className === "Dot" && { axes }),
    }),
  },
};

/**
 * A Keras 1 model in the words of Keras 2.
 *
 * @param model `{ class_name, config }`
 * @throws {UnreadableFileError} where it has a layer or a way of merging that Keras 2 does not have.
 */
export function fromKeras1(model: unknown): unknown {
  if (!isRecord(model) || !isModel(model.class_name)) return model; // said where it is read
  const { class_name: className, config } = asKeras1Branches(model);
  if (Array.isArray(config)) {
    return { ...model, class_name: className, config: config.map(layerOf) };
  }
  if (!isRecord(config) || !Array.isArray(config.layers)) return model;
  const layers = config.layers.map(layerOf);
  return { ...model, class_name: className, config: { ...config, layers } };
}

function layerOf(part: unknown): unknown {
  const { class_name: given, config } = isRecord(part) ? part : {};
  if (isModel(given)) return fromKeras1(part);
  if (!isRecord(part) || typeof given !== "string" || !isRecord(config)) return part;
  const renamed = Object.hasOwn(CLASSES, given) ? CLASSES[given] : undefined;
  const refuse = (rule: string, found: string): never => {
    throw new UnreadableFileError(rule, found, {
      source: `${JSON.stringify(config.name)} (${given})`,
    });
  };
  if (renamed === undefined) {
    return refuse(
      `a layer of Keras 1 must be one of ${Object.keys(CLASSES).join(", ")}`,
      `it is a ${given}`,
    );
  }
  const names = { ...EVERY, ...renamed.names };
  for (const [option, only] of Object.entries(renamed.only ?? {})) {
    const value = config[option] ?? only;
    if (value !== only) refuse(`${option} must be ${only}`, `it is ${JSON.stringify(value)}`);
  }
  const mode = String(config.mode);
  if (given === "Merge" && !Object.hasOwn(MODES, mode)) {
    refuse(
      `its mode must be one of ${Object.keys(MODES).join(", ")}`,
      `it is ${config.mode === undefined ? "not there" : mode.slice(0, 100)}`,
    );
  }
  const later = Object.values(names).filter((name) => name !== null && !Object.hasOwn(names, name));
  const stray = Object.keys(config).find((option) => later.includes(option) && option !== "dtype");
  if (stray !== undefined) refuse("its options must be those of Keras 1", `one is ${stray}`);
  const className = given === "Merge" ? MODES[mode]! : renamed.className ?? given;
  const kept = Object.entries(config).flatMap(([option, value]) => {
    const name = Object.hasOwn(names, option) ? names[option]! : option;
    return name === null ? [] : [[name, name === "layer" ? layerOf(value) : value]];
  });
  return {
    ...part,
    class_name: className,
    config: { ...Object.fromEntries(kept), ...renamed.more?.(config, className) },
  };
}
