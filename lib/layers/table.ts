// The table of layers. Another kind is a file that exports it, and a line here.

import { ACTIVATION } from "./activation.ts";
import { ACTIVATION_LAYERS } from "./activation_layers.ts";
import { NORMALIZATION } from "./adapted_normalization.ts";
import { ATTENTION_LAYERS } from "./attention.ts";
import { BIDIRECTIONAL } from "./bidirectional.ts";
import { CONCATENATE } from "./concatenate.ts";
import { CONV_1D, CONV_2D } from "./convolution.ts";
import { DENSE } from "./dense.ts";
import { DOT } from "./dot_product.ts";
import { DROPOUT } from "./dropout.ts";
import { EMBEDDING } from "./embedding.ts";
import { FLATTEN } from "./flatten.ts";
import { GRU } from "./gru.ts";
import { GET_ITEM } from "./get_item.ts";
import type { LayerKind } from "./kind.ts";
import { LSTM } from "./lstm.ts";
import { MASKING } from "./masking.ts";
import { MERGES } from "./merges.ts";
import { NOISE_LAYERS } from "./noise_layers.ts";
import { BATCH_NORMALIZATION, LAYER_NORMALIZATION } from "./normalization.ts";
import { PERMUTE } from "./permute.ts";
import { POOLING } from "./pooling.ts";
import { PRE_LU } from "./pre_lu.ts";
import { REPEAT_VECTOR } from "./repeat_vector.ts";
import { ACTIVITY_REGULARIZATION, IDENTITY, RESCALING } from "./rescaling.ts";
import { RESHAPE } from "./reshape.ts";
import { SIMPLE_RNN } from "./simple_rnn.ts";
import { CU_DNN_GRU, CU_DNN_LSTM, RNN } from "./rnn_kinds.ts";
import { SEPARABLE_CONV_1D } from "./separable_convolution.ts";
import { CROPPING_1D, UP_SAMPLING_1D, ZERO_PADDING_1D } from "./steps.ts";
import { TIME_DISTRIBUTED } from "./time_distributed.ts";
import { UNIT_NORMALIZATION } from "./unit_normalization.ts";

/** The kinds of layers that are read from files and written to them. */
export const LAYER_KINDS: readonly LayerKind[] = [
  LSTM,
  GRU,
  SIMPLE_RNN,
  RNN,
  CU_DNN_LSTM,
  CU_DNN_GRU,
  BIDIRECTIONAL,
  TIME_DISTRIBUTED,
  DENSE,
  EMBEDDING,
  MASKING,
  CONV_1D,
  CONV_2D,
  SEPARABLE_CONV_1D,
  ...POOLING,
  BATCH_NORMALIZATION,
  LAYER_NORMALIZATION,
  UNIT_NORMALIZATION,
  NORMALIZATION,
  RESCALING,
  FLATTEN,
  RESHAPE,
  PERMUTE,
  REPEAT_VECTOR,
  ZERO_PADDING_1D,
  CROPPING_1D,
  UP_SAMPLING_1D,
  CONCATENATE,
  ...MERGES,
  DOT,
  ...ATTENTION_LAYERS,
  DROPOUT,
  ...NOISE_LAYERS,
  ACTIVATION,
  ...ACTIVATION_LAYERS,
  PRE_LU,
  IDENTITY,
  ACTIVITY_REGULARIZATION,
  GET_ITEM,
];

/** The kind of that class. */
export function kindOfLayer(className: string): LayerKind | undefined {
  return LAYER_KINDS.find((kind) => kind.className === className);
}
