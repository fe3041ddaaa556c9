// How each kind of value looks: the one place where views and values meet. Loaded by mod.ts.

import { attachViews } from "../base/shown.ts";
import { awaitOutputs } from "../display/jupyter.ts";
import { type View, viewOr } from "../display/view.ts";
import { savedView } from "../code/saved_view.ts";
import type { Attribution } from "../insight/attribution.ts";
import { checkupView } from "../insight/checkup_view.ts";
import { comparisonView } from "../insight/comparison_view.ts";
import { diagnosisView } from "../insight/diagnosis/diagnosis_view.ts";
import { memoryView } from "../insight/memory_view.ts";
import { modelComparisonView } from "../insight/model_comparison_view.ts";
import type { PatchSweep } from "../insight/patch_sweep.ts";
import { proofView } from "../insight/proof/proof_view.ts";
import { traceComparisonView } from "../insight/trace_comparison_view.ts";
import type { Model } from "../model/model.ts";
import { gatesView } from "./gates_view.ts";
import { historyView } from "./history_view.ts";
import { layerTraceView } from "./layer_trace_view.ts";
import { provenanceView } from "./provenance_view.ts";
import { tensorView } from "./tensor_view.ts";
import { traceView } from "./trace_view.ts";

const views = {
  Attribution: (attribution: Attribution) =>
    attribution.tokens === undefined ? attribution.heatmap() : attribution.words(),
  Checkup: checkupView,
  Comparison: comparisonView,
  Diagnosis: diagnosisView,
  Gates: gatesView,
  History: historyView,
  LayerTrace: layerTraceView,
  Memory: memoryView,
  Model: (model: Model) => model.summary(),
  ModelComparison: modelComparisonView,
  PatchSweep: (sweep: PatchSweep) => sweep.heatmap(),
  Proof: proofView,
  Provenance: provenanceView,
  SavedC: savedView,
  Tensor: tensorView,
  Trace: traceView,
  TraceComparison: traceComparisonView,
};

attachViews((kind, value) =>
  viewOr(value, views[kind as keyof typeof views] as (value: object) => View)
);
awaitOutputs();
