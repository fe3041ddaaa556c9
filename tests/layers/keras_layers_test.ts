// The layers that stand around an LSTM, against Keras 3.15.1 (tests/fixtures/formats/keras_layers.py).
// Tolerance 1e-6 of the largest number: float32 on Keras's side.

import {
  batchNormalization,
  conv1D,
  conv2D,
  dense,
  loadModel,
  lstm,
  maxPooling1D,
  sequential,
} from "@gatescope/lstm";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { snakeCase } from "../../lib/layers/layer_names.ts";
import { kindOfLayer } from "../../lib/layers/table.ts";
import { networkOf } from "../../lib/model/model.ts";
import { formatFile } from "../formats/loaded.ts";
import { assertClose, testKerasFiles } from "./keras_files.ts";

const arrays = await testKerasFiles("keras_layers");

Deno.test("a CNN-LSTM with BatchNormalization learns as in Keras: losses, weights, moving statistics", async () => {
  const trained = await loadModel(formatFile("keras_layers/cnn_lstm.keras"));
  const model = sequential([
    conv1D({ filters: 4, kernelSize: 2, activation: "relu" }),
    batchNormalization(),
    maxPooling1D({ poolSize: 2 }),
    lstm({ units: 5 }),
    dense({ units: 2, activation: "softmax" }),
  ], { inputShape: [7, 3] });
  model.setWeights(trained.getWeights());
  assertEquals(networkOf(model).trainable.length, model.getWeights().length - 2);
  const { adam } = await import("@gatescope/lstm");
  model.compile({ optimizer: adam({ learningRate: 0.01 }), loss: "categorical_crossentropy" });
  const { loss } = await model.fit(arrays.get("x_cnn_lstm")!, arrays.get("target")!, {
    epochs: 3,
    batchSize: 2,
    shuffle: false,
    verbose: false,
  });
  loss.forEach((value, k) => {
    const theirs = arrays.get("loss")!.data[k]!;
    assert(
      Math.abs(value - theirs) <= 2e-6 * Math.max(1, theirs),
      `epoch ${k}: ${value}, ${theirs}`,
    );
  });
  model.getWeights().forEach((weight, k) => {
    assertClose(weight, arrays.get(`after_${k}`)!, 5e-6, networkOf(model).weightSpecs[k]!.name);
  });
});

Deno.test("a class in snake case is as keras.src.utils.naming.to_snake_case has it", () => {
  const theirs = {
    Conv1D: "conv1d",
    Conv2D: "conv2d",
    SeparableConv1D: "separable_conv1d",
    MaxPooling1D: "max_pooling1d",
    GlobalAveragePooling2D: "global_average_pooling2d",
    SpatialDropout1D: "spatial_dropout1d",
    ZeroPadding1D: "zero_padding1d",
    UpSampling1D: "up_sampling1d",
    TimeDistributed: "time_distributed",
    CuDNNLSTM: "cu_dnnlstm",
    LSTM: "lstm",
    GRUCell: "gru_cell",
    ReLU: "re_lu",
    LeakyReLU: "leaky_re_lu",
    PReLU: "p_re_lu",
    ELU: "elu",
  };
  for (const [className, name] of Object.entries(theirs)) assertEquals(snakeCase(className), name);
});

Deno.test("strides and dilations that Keras does not take together are refused", () => {
  assertThrows(
    () => conv1D({ filters: 1, kernelSize: 2, strides: 2, dilationRate: 3 }),
    RangeError,
    "Cannot make a Conv1D: strides or dilationRate must be 1, but they are 2 and 3",
  );
  assertThrows(
    () => conv2D({ filters: 1, kernelSize: [2, 2], strides: [1, 2], dilationRate: [2, 1] }),
    RangeError,
    "strides or dilationRate must be 1",
  );
});

Deno.test("a ZeroPadding1D of channels_first is not read as one of channels_last", () => {
  assertEquals(kindOfLayer("ZeroPadding1D")!.only, { data_format: "channels_last" });
});
