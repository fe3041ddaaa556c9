import { shownAs } from "../base/shown.ts";
import type { ChartLook } from "../display/chart_look.ts";
import type { Chart } from "../display/figure.ts";
import type { Cell } from "../cells/cell.ts";
import type { Gates } from "../cells/gates.ts";
import type { GruGates } from "../cells/gru_gates.ts";
import { cellOfLayer } from "../layers/recurrent.ts";
import { lastAxisParts } from "../values/arrange.ts";
import { numbers } from "../values/numbers.ts";
import { unwrapped } from "../layers/layer.ts";
import { type Model, networkOf } from "../model/model.ts";
import type { Network } from "../model/network.ts";
import { formatShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { weightHeatmap } from "./model_comparison_view.ts";
import {
  compareTensors,
  type Comparison,
  largestByUnit,
  type Tolerance,
} from "./tensor_comparison.ts";

/** One array of two models, or one gate's part of it. */
export interface WeightComparison {
  /** `lstm/kernel`, `dense/bias`, … */
  readonly weight: string;
  /** The gate, of a recurrent layer's arrays. */
  readonly gate?: keyof Gates | keyof GruGates;
  /** The largest difference, unit by unit: `[units]`. */
  readonly byUnit: Tensor;
  /** Over all of it. */
  readonly all: Comparison;
}

/** An option that two models do not share. */
export interface OptionDifference {
  /** The layer's name. */
  readonly layer: string;
  /** Keras's name of the option. */
  readonly option: string;
  /** The two values. */
  readonly actual: unknown;
  /** See `actual`. */
  readonly expected: unknown;
}

/** How far two models differ. */
export interface ModelComparison {
  /** Whether all weights are within the tolerance, and all options the same. */
  readonly within: boolean;
  /** The largest difference of a weight; NaN where either holds one. */
  readonly maxAbsDiff: number;
  /** The first array, or gate of it, beyond the tolerance; undefined where none is. */
  readonly firstDivergence: WeightComparison | undefined;
  /** All arrays in Keras's order, a recurrent layer's by gate. */
  readonly weights: readonly WeightComparison[];
  /** The options that differ. */
  readonly options: readonly OptionDifference[];
  /** The largest differences of the recurrent layers' weights as colours, gate × unit. */
  heatmap(look?: ChartLook): Chart;
}

/** Compares two models' weights and options: what {@linkcode compare} does with them. */
export function compareModels(
  actual: Model,
  expected: Model,
  tolerance: Tolerance,
): ModelComparison {
  const [ours, theirs] = [actual, expected].map((model) => networkOf(model, "compare")) as [
    Network,
    Network,
  ];
  const [mine, other] = [ours, theirs].map(describe) as [string, string];
  if (mine !== other) {
    throw new TypeError(
      `Cannot compare the models: their layers and weights must have the same shapes, ` +
        `but they are ${mine} and ${other}`,
    );
  }
  const weights = ours.weightSpecs.flatMap(({ name }, k) => {
    const [a, e] = [ours.weights[k]!, theirs.weights[k]!];
    const { gates } = cellOfWeight(ours, k) ?? { gates: [] };
    if (gates.length === 0) return [compareWeights({ weight: name }, a, e, tolerance)];
    const [split, other] = [a, e].map((one) => lastAxisParts(numbers, one, gates.length));
    return gates.map((gate, n) =>
      compareWeights(
        { weight: name, gate: gate as keyof Gates | keyof GruGates },
        split![n]!,
        other![n]!,
        tolerance,
      )
    );
  });
  const options = optionDifferences(ours, theirs);
  const comparison: ModelComparison = {
    within: weights.every(({ all }) => all.within) && options.length === 0,
    maxAbsDiff: weights.reduce((largest, { all }) => Math.max(largest, all.maxAbsDiff), 0),
    firstDivergence: weights.find(({ all }) => !all.within),
    weights,
    options,
    heatmap: (look) => weightHeatmap(comparison, look),
  };
  return Object.freeze(shownAs("ModelComparison", comparison));
}

function describe({ layers, weightSpecs }: Network): string {
  return [
    layers.map(({ layer }) => layer.className).join(" "),
    ...weightSpecs.map(({ shape }) => formatShape(shape)),
  ].join(", ");
}

/** The cell whose weight k is, its gates side by side; undefined where it is of another layer. */
function cellOfWeight({ layers }: Network, k: number): Cell | undefined {
  const { layer } = layers.findLast(({ firstWeight, weights }) =>
    weights.length > 0 && firstWeight <= k
  )!;
  return unwrapped(layer).cells && cellOfLayer(layer);
}

function compareWeights(
  name: Pick<WeightComparison, "weight" | "gate">,
  a: Tensor,
  e: Tensor,
  tolerance: Tolerance,
): WeightComparison {
  return { ...name, byUnit: largestByUnit(a, e), all: compareTensors(a, e, tolerance) };
}

/** Whether two options are the same: of functions, whether they are one. */
function sameOption(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  const [x, y] = [a, b] as [Record<string, unknown>, Record<string, unknown>];
  return [...keys].every((key) => sameOption(x[key], y[key]));
}

function optionDifferences(ours: Network, theirs: Network): OptionDifference[] {
  return ours.layers.flatMap(({ name, layer }, k) => {
    const other = theirs.layers[k]!.layer.config;
    const keys = new Set([...Object.keys(layer.config), ...Object.keys(other)]);
    return [...keys].flatMap((option) => {
      const [actual, expected] = [layer.config[option], other[option]];
      if (sameOption(actual, expected)) return [];
      return [{ layer: name, option, actual, expected }];
    });
  });
}
