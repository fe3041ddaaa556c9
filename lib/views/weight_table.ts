import { checkParts, refuseOptions } from "../base/options.ts";
import { table } from "../display/table.ts";
import { View } from "../display/view.ts";
import { JUPYTER_DISPLAY } from "../display/view.ts";
import { numberSummary } from "../display/number_summary.ts";
import { formatShape } from "../tensor/shape.ts";
import { asTensor, Tensor } from "../tensor/tensor.ts";
import { LSTM_WEIGHTS, type LstmWeights } from "../cells/lstm.ts";
import { splitGates } from "../cells/gates.ts";

const SYMBOLS = ["i", "f", "c", "o"];
const NAMES = ["input", "forget", "candidate", "output"];

/**
 * Shows an LSTM's weights split by gate, each number saying from where to where it leads:
 * `W_f[x₁ → unit 3] = 0.21`.
 *
 * @param weights Keras's kernel `[inputSize, 4·units]`, recurrent kernel `[units, 4·units]` and
 * bias `[4·units]`
 * @returns three tables: W and U with a block for each gate, b with a row for each
 * @throws {TypeError} where the last axis of a weight is no multiple of 4.
 *
 * @example
 * ```ts
 * import { arange, weightTable } from "@gatescope/lstm";
 *
 * const kernel = arange(16).reshape([2, 8]); // 2 inputs, 2 units
 * const recurrentKernel = arange(16).reshape([2, 8]);
 * console.log(weightTable({ kernel, recurrentKernel, bias: arange(8) }));
 * ```
 */
export function weightTable(weights: LstmWeights): View {
  checkParts("show the weights", "they", weights, LSTM_WEIGHTS);
  refuseOptions("show the weights", arguments, 1);
  const { kernel, recurrentKernel, bias } = weights;
  const { shape } = asTensor(recurrentKernel);
  if (shape[1] !== 4 * shape[0]!) {
    throw new TypeError(
      `Cannot show the weights: they must be an LSTM's, with a recurrentKernel [units, 4·units], but ` +
        `its shape is ${formatShape(shape)}`,
    );
  }
  const views = [
    matrixView("W", "kernel", stacked(kernel), (from) => `x${subscript(from)}`),
    matrixView("U", "recurrent kernel", stacked(recurrentKernel), (from) => `unit ${from}`),
    ...(bias === undefined ? [] : [biasView(stacked(bias))]),
  ];
  return new View(views.map(({ text }) => text).join("\n\n"), async () => {
    const bundles = await Promise.all(views.map((view) => view[JUPYTER_DISPLAY]()));
    return { "text/html": bundles.map((bundle) => bundle["text/html"]).join("\n") };
  });
}

/** `[4, …, units]`: the gates on an axis of their own. */
function stacked(weight: LstmWeights["kernel"]): Tensor {
  const { input, forget, candidate, output } = splitGates(weight);
  const data = [input, forget, candidate, output].flatMap((gate) => [...asTensor(gate).data]);
  return new Tensor(Float64Array.from(data), [4, ...input.shape]);
}

function matrixView(
  letter: string,
  name: string,
  x: Tensor,
  from: (index: number) => string,
): View {
  const [, rows = 0, units = 0] = x.shape;
  return table(x, {
    caption: `${letter}, ${name} ${formatShape([rows, 4 * units])}`,
    note: numberSummary(x.data),
    axes: ["gate", "from", "to unit"],
    rows: from,
    blocks: (gate) => `${letter}_${SYMBOLS[gate]} (${NAMES[gate]})`,
    hover: ([gate = 0, row = 0, unit = 0], value) =>
      `${letter}_${SYMBOLS[gate]}[${from(row)} → unit ${unit}] = ${value}`,
  });
}

function biasView(x: Tensor): View {
  return table(x, {
    caption: `b, bias ${formatShape([x.data.length])}`,
    note: numberSummary(x.data),
    axes: ["gate", "unit"],
    rows: (gate) => `b_${SYMBOLS[gate]} (${NAMES[gate]})`,
    hover: ([gate = 0, unit = 0], value) => `b_${SYMBOLS[gate]}[unit ${unit}] = ${value}`,
  });
}

function subscript(index: number): string {
  return [...String(index)].map((digit) => "₀₁₂₃₄₅₆₇₈₉"[Number(digit)]).join("");
}
