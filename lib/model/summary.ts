import { escapeHtml } from "../display/html.ts";
import { formatCount } from "../display/number.ts";
import { table } from "../display/table.ts";
import { JUPYTER_DISPLAY, View } from "../display/view.ts";
import { sizeOf } from "../tensor/shape.ts";
import { formatOpenShape, type WeightSpec } from "../layers/layer.ts";
import type { Network } from "./network.ts";

/**
 * What Keras's `summary()` prints: a line for each layer, and the totals.
 *
 * @param network the layers
 * @param optimizerParameters how many numbers the optimizer keeps; known once it has taken a step
 */
export function summaryView(network: Network, optimizerParameters: number = 0): View {
  const counted = network.layers.map(({ name, layer, outputShape, weights }) => ({
    name: `${name} (${layer.className})`,
    shape: formatOpenShape(outputShape),
    parameters: parametersOf(weights),
  }));
  const all = counted.reduce((sum, { parameters }) => sum + parameters, 0);
  const specs = network.weightSpecs;
  const trainable = network.trainable.reduce((sum, k) => sum + sizeOf(specs[k]!.shape), 0);
  const shown = table(
    counted.map(({ name, shape, parameters }) => ({
      "Layer (type)": name,
      "Output Shape": shape,
      "Param #": formatCount(parameters),
    })),
    { caption: `Model: "${network.isRow ? "sequential" : "functional"}"`, maxRows: Infinity },
  );
  const bytes = network.precision === "float64" ? 8 : 4;
  const total = (label: string, count: number) =>
    `${label} params: ${formatCount(count)} (${memory(count * bytes)})`;
  const totals = [
    total("Total", all + optimizerParameters),
    total("Trainable", trainable),
    total("Non-trainable", all - trainable),
    ...(optimizerParameters > 0 ? [total("Optimizer", optimizerParameters)] : []),
  ];
  return new View([shown.text, ...totals.map((line) => ` ${line}`)].join("\n"), async () => {
    const media = await shown[JUPYTER_DISPLAY]();
    return {
      "text/html": `${media["text/html"]}\n<p>${totals.map(escapeHtml).join("<br>")}</p>`,
    };
  });
}

/** How many numbers a layer has. */
export function parametersOf(weights: readonly WeightSpec[]): number {
  return weights.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

/** As Keras's readable_memory_size (keras/src/utils/summary_utils.py): 1.45 KB. */
function memory(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1);
  return `${(bytes / 1024 ** power).toFixed(2)} ${units[power]}`;
}
