import { lineChart } from "../display/line_chart.ts";
import { formatNumber } from "../display/number.ts";
import { View } from "../display/view.ts";
import type { History } from "../model/training/history.ts";

/** The losses as lines over the epochs; what else there is stands in the title. */
export function historyView({ epoch, loss, accuracy, valLoss, aborted }: History): View {
  const stopped = aborted ? ", stopped" : "";
  if (loss.length === 0) return new View(`History: no epoch was finished${stopped}`);
  const epochs = loss.length === 1 ? "1 epoch" : `${loss.length} epochs`;
  const right = accuracy === undefined ? "" : `, accuracy ${formatNumber(accuracy.at(-1)!)}`;
  return lineChart({ loss, ...(valLoss === undefined ? {} : { "validation loss": valLoss }) }, {
    x: epoch,
    title: `Loss ${formatNumber(loss[0]!)} to ${formatNumber(loss.at(-1)!)} in ${epochs}` +
      `${right}${stopped}`,
    xTitle: "epoch",
    yTitle: "loss",
  });
}
