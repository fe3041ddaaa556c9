/**
 * Opens up an LSTM: its weights split by gate, every step computed by hand, shown in tables and
 * charts, and proved against Keras.
 *
 * @example The article's question: is the computation by hand what Keras predicts?
 * ```ts
 * import { compare, denseForward, loadNpy, loadNpz, lstmForward } from "@gatescope/lstm";
 *
 * // in Python: np.savez("weights.npz", *model.get_weights())
 * const weights = await loadNpz("notebooks/data/experiment1_tanh_sigmoid.npz");
 * const array = (k: number) => weights.get(`arr_${k}`)!;
 * const x = await loadNpy("notebooks/data/x.npy"); // [batch, timesteps, inputSize]
 *
 * const lstm = { kernel: array(0), recurrentKernel: array(1), bias: array(2) };
 * const lastHidden = lstmForward(x, lstm).hiddenState.select(1, -1); // [batch, units]
 * const dense = { kernel: array(3), bias: array(4) };
 * const probabilities = denseForward(lastHidden, dense, { activation: "softmax" });
 *
 * const keras = await loadNpy("notebooks/data/experiment1_tanh_sigmoid_prediction.npy");
 * console.log(compare(probabilities, keras, { atol: 2e-7 }));
 * ```
 *
 * @module
 */

import "./lib/views/attach.ts"; // how values look

// numbers
export { arange, Tensor, tensor } from "./lib/tensor/tensor.ts";
export type { NestedNumbers, TensorData, TensorLike } from "./lib/tensor/tensor.ts";
export { add, dot, multiply, subtract } from "./lib/tensor/arithmetic.ts";

// files
export { loadNpy, saveNpy } from "./lib/files/npy.ts";
export { loadNpz, saveNpz } from "./lib/files/npz.ts";
export type { Source } from "./lib/files/source.ts";
export { UnreadableFileError } from "./lib/files/unreadable.ts";
export { loadModel } from "./lib/formats/load_model.ts";
export type { KerasConfiguration } from "./lib/formats/keras/configuration.ts";
export type { LoadModelOptions } from "./lib/formats/load_model.ts";
export { loadRecurrent } from "./lib/formats/load_recurrent.ts";
export type { LoadRecurrentOptions } from "./lib/formats/load_recurrent.ts";
export { saveKeras } from "./lib/formats/keras/save_keras.ts";
export type { SaveKerasOptions } from "./lib/formats/keras/save_keras.ts";
export { saveOnnx } from "./lib/formats/onnx/save_onnx.ts";
export type { ArrayProvenance, Provenance } from "./lib/model/provenance.ts";

// the equations
export { getActivation, relu, sigmoid, softmax, tanh } from "./lib/values/activations.ts";
export type { Activation, ActivationName, ActivationOptions } from "./lib/values/activations.ts";
export type { ElementwiseActivationName } from "./lib/values/activation_curves.ts";
export type { RowActivationName } from "./lib/values/activation_rows.ts";
export { gateOrders, joinGates, splitGates } from "./lib/cells/gates.ts";
export type { GateAxis, GateOrder, Gates } from "./lib/cells/gates.ts";
export { gruOrders } from "./lib/cells/gru_gates.ts";
export type { GruGates, GruOrder } from "./lib/cells/gru_gates.ts";
export { gruCell, gruForward } from "./lib/cells/gru.ts";
export type {
  GruCellOptions,
  GruOptions,
  GruState,
  GruStep,
  GruTrace,
  GruWeights,
} from "./lib/cells/gru.ts";
export { simpleRnnForward } from "./lib/cells/simple_rnn.ts";
export type { SimpleRnnOptions, SimpleRnnTrace, SimpleRnnWeights } from "./lib/cells/simple_rnn.ts";
export type { CellRunOptions, CellWeightsLike } from "./lib/cells/cell_run.ts";
export { lstmCell } from "./lib/cells/lstm.ts";
export type {
  LstmActivations,
  LstmDropout,
  LstmState,
  LstmStep,
  LstmWeights,
} from "./lib/cells/lstm.ts";
export { lstmForward } from "./lib/cells/lstm_forward.ts";
export type { LayerTrace, LstmOptions } from "./lib/cells/lstm_forward.ts";
export type { CellTrace } from "./lib/cells/cell_run.ts";
export type { TraceSource } from "./lib/cells/traced_run.ts";
export { lstmBackward } from "./lib/cells/lstm_backward.ts";
export type { LstmGradients, LstmRun } from "./lib/cells/lstm_backward.ts";
export { gateView } from "./lib/views/gate_view.ts";
export type { GateViewOptions } from "./lib/views/gate_view.ts";
export { plotModel } from "./lib/views/model_plot.ts";
export { weightTable } from "./lib/views/weight_table.ts";
export { denseBackward, denseForward } from "./lib/cells/dense.ts";
export type { DenseActivation, DenseGradients, DenseRun, DenseWeights } from "./lib/cells/dense.ts";

// models
export { activation } from "./lib/layers/activation.ts";
export {
  additiveAttention,
  type AdditiveAttentionOptions,
  attention,
  type AttentionOptions,
  multiHeadAttention,
  type MultiHeadAttentionOptions,
} from "./lib/layers/attention.ts";
export { bidirectional } from "./lib/layers/bidirectional.ts";
export type { BidirectionalOptions } from "./lib/layers/bidirectional.ts";
export { dense } from "./lib/layers/dense.ts";
export type { DenseLayerOptions } from "./lib/layers/dense.ts";
export { dropout } from "./lib/layers/dropout.ts";
export type { DropoutOptions } from "./lib/layers/dropout.ts";
export { embedding } from "./lib/layers/embedding.ts";
export type { EmbeddingOptions } from "./lib/layers/embedding.ts";
export { concatenate } from "./lib/layers/concatenate.ts";
export type { ConcatenateOptions } from "./lib/layers/concatenate.ts";
export type { MaskWay, MergeOptions } from "./lib/layers/merges.ts";
export { lstm } from "./lib/layers/lstm.ts";
export type { LstmLayer, LstmLayerOptions } from "./lib/layers/lstm.ts";
export { gru } from "./lib/layers/gru.ts";
export type { GruLayer, GruLayerOptions } from "./lib/layers/gru.ts";
export { simpleRnn } from "./lib/layers/simple_rnn.ts";
export type { SimpleRnnLayer, SimpleRnnLayerOptions } from "./lib/layers/simple_rnn.ts";
export type { RecurrentLayer, RecurrentOptions } from "./lib/layers/recurrent.ts";
export { defineCell } from "./lib/layers/define_cell.ts";
export type {
  CellDefinition,
  CellLayerOptions,
  StepValues,
  StepWeights,
  WeightAxes,
} from "./lib/layers/define_cell.ts";
export type { Equations } from "./lib/values/equations.ts";
export { masking } from "./lib/layers/masking.ts";
export type { MaskingOptions } from "./lib/layers/masking.ts";
export { timeDistributed } from "./lib/layers/time_distributed.ts";
export type { MergeMode } from "./lib/layers/merge_modes.ts";
export type { LayerName } from "./lib/layers/layer_options.ts";
export { defineLayer } from "./lib/layers/define_layer.ts";
export type { OwnLayer, OwnWeight } from "./lib/layers/define_layer.ts";
export type {
  Layer,
  LayerContext,
  LayerDefinition,
  LayerResult,
  LayerState,
  Mask,
  OpenShape,
  WeightSpec,
} from "./lib/layers/layer.ts";
export type { Moves, Ops } from "./lib/values/ops.ts";
export { conv1D, conv2D } from "./lib/layers/convolution.ts";
export type { Conv1DOptions, Conv2DOptions, Padding } from "./lib/layers/convolution.ts";
export { separableConv1D } from "./lib/layers/separable_convolution.ts";
export type { SeparableConv1DOptions } from "./lib/layers/separable_convolution.ts";
export {
  averagePooling1D,
  averagePooling2D,
  globalAveragePooling1D,
  globalAveragePooling2D,
  globalMaxPooling1D,
  globalMaxPooling2D,
  maxPooling1D,
  maxPooling2D,
} from "./lib/layers/pooling.ts";
export type {
  GlobalPoolingOptions,
  Pooling1DOptions,
  Pooling2DOptions,
} from "./lib/layers/pooling.ts";
export { batchNormalization, layerNormalization } from "./lib/layers/normalization.ts";
export type {
  BatchNormalizationOptions,
  LayerNormalizationOptions,
} from "./lib/layers/normalization.ts";
export { unitNormalization } from "./lib/layers/unit_normalization.ts";
export type { UnitNormalizationOptions } from "./lib/layers/unit_normalization.ts";
export { normalization } from "./lib/layers/adapted_normalization.ts";
export type { NormalizationOptions } from "./lib/layers/adapted_normalization.ts";
export { getItem } from "./lib/layers/get_item.ts";
export type { GetItemOptions, ItemIndex } from "./lib/layers/get_item.ts";
export { flatten } from "./lib/layers/flatten.ts";
export { reshape } from "./lib/layers/reshape.ts";
export type { ReshapeOptions } from "./lib/layers/reshape.ts";
export { permute } from "./lib/layers/permute.ts";
export type { PermuteOptions } from "./lib/layers/permute.ts";
export { repeatVector } from "./lib/layers/repeat_vector.ts";
export type { RepeatVectorOptions } from "./lib/layers/repeat_vector.ts";
export { cropping1D, upSampling1D, zeroPadding1D } from "./lib/layers/steps.ts";
export type {
  Cropping1DOptions,
  UpSampling1DOptions,
  ZeroPadding1DOptions,
} from "./lib/layers/steps.ts";
export { activityRegularization, identity, rescaling } from "./lib/layers/rescaling.ts";
export type { ActivityRegularizationOptions, RescalingOptions } from "./lib/layers/rescaling.ts";
export { elu, leakyReLU, reLU, softmaxLayer } from "./lib/layers/activation_layers.ts";
export type { ELUOptions, LeakyReLUOptions, ReLUOptions } from "./lib/layers/activation_layers.ts";
export { pReLU } from "./lib/layers/pre_lu.ts";
export type { PReLUOptions } from "./lib/layers/pre_lu.ts";
export {
  alphaDropout,
  gaussianDropout,
  gaussianNoise,
  spatialDropout1D,
} from "./lib/layers/noise_layers.ts";
export type { GaussianNoiseOptions, RateOptions } from "./lib/layers/noise_layers.ts";
export {
  addition,
  average,
  maximum,
  minimum,
  multiplication,
  subtraction,
} from "./lib/layers/merges.ts";
export { dotProduct } from "./lib/layers/dot_product.ts";
export type { DotProductOptions } from "./lib/layers/dot_product.ts";
export { sequential } from "./lib/model/sequential.ts";
export { functional, input } from "./lib/model/functional.ts";
export type { InputOptions } from "./lib/model/functional.ts";
export type { Call, Connection } from "./lib/layers/connection.ts";
export type { ModelInput } from "./lib/model/inputs.ts";
export { Model } from "./lib/model/model.ts";

export type { Stream, StreamOptions } from "./lib/model/stream.ts";
export type { EvaluateOptions } from "./lib/model/model.ts";
export type { Evaluation } from "./lib/model/training/validate.ts";
export type { ModelOptions, SequentialOptions } from "./lib/model/architecture.ts";
export type { Connections } from "./lib/model/graph.ts";
export type { ModelLayer } from "./lib/model/model_layer.ts";
export type { Precision } from "./lib/model/network.ts";
export type { Random } from "./lib/tensor/random.ts";

// training
export type { CompileOptions, MetricName } from "./lib/model/training/compile.ts";
export type { EarlyStopping, FitOptions } from "./lib/model/training/fit_options.ts";
export type { EpochReport, History } from "./lib/model/training/history.ts";
export type { RunningEpoch, TrainingState } from "./lib/model/training/training_state.ts";
export { useThreads } from "./lib/model/fast/use_threads.ts";
export { gradients } from "./lib/model/training/gradients.ts";
export type { GradientsOptions } from "./lib/model/training/gradients.ts";
export { adam } from "./lib/model/training/optimizers/adam.ts";
export type { AdamOptions } from "./lib/model/training/optimizers/adam.ts";
export type { GradientClipping } from "./lib/model/training/optimizers/clipping.ts";
export { rmsprop } from "./lib/model/training/optimizers/rmsprop.ts";
export type { RmspropOptions } from "./lib/model/training/optimizers/rmsprop.ts";
export { sgd } from "./lib/model/training/optimizers/sgd.ts";
export type { SgdOptions } from "./lib/model/training/optimizers/sgd.ts";
export type { OptimizerIdentifier } from "./lib/model/training/optimizers/get_optimizer.ts";
export type {
  Optimizer,
  OptimizerName,
  OptimizerState,
  OptimizerStep,
} from "./lib/model/training/optimizers/optimizer.ts";
export { binaryCrossentropy } from "./lib/model/training/losses/binary_crossentropy.ts";
export { categoricalCrossentropy } from "./lib/model/training/losses/categorical_crossentropy.ts";
export type { CrossentropyOptions } from "./lib/model/training/losses/categorical_crossentropy.ts";
export { meanAbsoluteError } from "./lib/model/training/losses/mean_absolute_error.ts";
export { meanSquaredError } from "./lib/model/training/losses/mean_squared_error.ts";
export { sparseCategoricalCrossentropy } from "./lib/model/training/losses/sparse_categorical_crossentropy.ts";
export type { LossIdentifier } from "./lib/model/training/losses/get_loss.ts";
export type { Loss, LossName, LossResult } from "./lib/model/training/losses/loss.ts";

// inside
export { trace } from "./lib/trace/trace.ts";
export type { Trace, TraceOptions } from "./lib/trace/trace.ts";
export type { Intervention, InterventionPlace } from "./lib/trace/interventions.ts";
export type { LstmChoice } from "./lib/cells/choose_lstm.ts";
export { siteNames } from "./lib/cells/sites.ts";
export type { SiteListener, SiteName, SiteVisit } from "./lib/cells/sites.ts";
export type { SiteListeners } from "./lib/layers/layer.ts";

// what it means
export { attribute } from "./lib/insight/attribution.ts";
export type { AttributeOptions, Attribution } from "./lib/insight/attribution.ts";
export type { AttributionHeatmapOptions } from "./lib/insight/attribution_view.ts";
export type { Tokens, WordsOptions } from "./lib/insight/attribution_words.ts";
export { gateSliders } from "./lib/insight/gate_sliders.ts";
export type { GateSlidersOptions } from "./lib/insight/gate_sliders.ts";
export type { SliderStart } from "./lib/insight/slider_start.ts";
export { patchSweep } from "./lib/insight/patch_sweep.ts";
export type { PatchSweep, PatchSweepOptions } from "./lib/insight/patch_sweep.ts";
export type { SweepHeatmapOptions } from "./lib/insight/patch_sweep_view.ts";
export { memory } from "./lib/insight/memory.ts";
export type { Memory, MemoryOptions } from "./lib/insight/memory.ts";
export type { MemoryCurveOptions } from "./lib/insight/memory_view.ts";
export { checkup } from "./lib/insight/checkup.ts";
export type { Checkup, CheckupOptions } from "./lib/insight/checkup.ts";
export type { Finding, FindingKind, Measurement } from "./lib/insight/checks/finding.ts";
export { compare } from "./lib/insight/compare.ts";
export type { Comparison, Tolerance } from "./lib/insight/tensor_comparison.ts";
export type {
  Divergence,
  SiteComparison,
  TraceComparison,
} from "./lib/insight/trace_comparison.ts";
export type { SiteHeatmapOptions } from "./lib/insight/trace_comparison_view.ts";
export type {
  ModelComparison,
  OptionDifference,
  WeightComparison,
} from "./lib/insight/model_comparison.ts";
export type { AtOnce, InTurns } from "./lib/display/in_turns.ts";
export { prove } from "./lib/insight/proof/proof.ts";
export type { Proof, ProveOptions } from "./lib/insight/proof/proof.ts";
export type { Difference, ProofPlace, ProofRow } from "./lib/insight/proof/differences.ts";
export type { ExpectedLayer, ExpectedTrace } from "./lib/insight/proof/expected.ts";
export type { LstmValue } from "./lib/cells/lstm.ts";
export { diagnose } from "./lib/insight/diagnosis/diagnose.ts";
export type { Diagnosis, Reading } from "./lib/insight/diagnosis/diagnose.ts";
export type { DiagnoseOptions } from "./lib/insight/diagnosis/diagnose_options.ts";
export type { Answers } from "./lib/insight/diagnosis/readings.ts";
export type { Verdict } from "./lib/insight/proof/compare_runs.ts";

// as a program
export { saveC } from "./lib/code/save_c.ts";
export type { SaveCOptions, SavedC } from "./lib/code/save_c.ts";
export { saveNumpy } from "./lib/code/save_numpy.ts";
export type { SaveNumpyOptions } from "./lib/code/save_numpy.ts";
export { equations } from "./lib/code/equations.ts";
export { loadTrace } from "./lib/code/load_trace.ts";
export type { DeviceTrace } from "./lib/code/load_trace.ts";

// shown by the Deno kernel
export { table } from "./lib/display/table.ts";
export type {
  TableCell,
  TableColumns,
  TableInput,
  TableOptions,
  TableRecord,
} from "./lib/display/table.ts";
export type { Labels } from "./lib/display/labels.ts";
export { heatmap } from "./lib/display/heatmap.ts";
export type { HeatmapOptions } from "./lib/display/heatmap.ts";
export { lineChart } from "./lib/display/line_chart.ts";
export type { LineChartOptions, Series } from "./lib/display/line_chart.ts";
export { Chart, plot } from "./lib/display/figure.ts";
export type { Figure } from "./lib/display/plain_figure.ts";
export { savePicture, toPng, toSvg } from "./lib/display/picture.ts";
export type { PictureOptions } from "./lib/display/picture.ts";
export type { ChartLook } from "./lib/display/chart_look.ts";
export { embedPlotly } from "./lib/display/embed_plotly.ts";
export { Html, html } from "./lib/display/html_tag.ts";
export { show } from "./lib/display/show.ts";
export type { NestedArrayLike, NumberArray } from "./lib/display/array.ts";
export { View } from "./lib/display/view.ts";
export type { Media, MediaBundle } from "./lib/display/view.ts";
