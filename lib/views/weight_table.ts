import { checkParts, refuseOptions } from "../base/options.ts";
import { table } from "../display/table.ts";
import { View } from "../display/view.ts";
import { JUPYTER_DISPLAY } from "../display/view.ts";
import { numberSummary } from "../display/number_summary.ts";
import { formatShape } from "../tensor/shape.ts";
import { asTensor, Tensor } from "../tensor/tensor.ts";
import { blocksOf, type Cell } from "../cells/cell.ts";
import { cellOfBlocks } from "../cells/cell_of_trace.ts";
import { type CellWeightsLike, WEIGHTS } from "../cells/cell_run.ts";
import { indexOf, symbolOf } from "../cells/sites.ts";
import { lastAxisParts } from "../values/arrange.ts";
import { numbers } from "../values/numbers.ts";

/**
 * Shows the weights of an LSTM, a GRU or a SimpleRNN split by gate, each number saying from where to
 * where it leads: `W_f[x₁ → unit 3] = 0.21`.
 *
 * @param weights Keras's kernel `[inputSize, blocks·units]`, recurrent kernel `[units, blocks·units]`
 * and bias `[blocks·units]`, of a GRU that resets after its product `[2, blocks·units]`; blocks is 4
 * of an LSTM, 3 of a GRU, 1 of a SimpleRNN
 * @returns tables: W and U with a block for each gate, b with a row for each
 * @throws {TypeError} where the weights are none of these cells'.
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
export function weightTable(weights: CellWeightsLike): View {
  checkParts("show the weights", "they", weights, WEIGHTS);
  refuseOptions("show the weights", arguments, 1);
  const { kernel, recurrentKernel, bias } = weights;
  const [W, U] = [asTensor(kernel), asTensor(recurrentKernel)];
  const b = bias === undefined ? undefined : asTensor(bias);
  const [units = 0, width = 0] = U.shape;
  const cell = cellOfBlocks(width / units, b && (b.shape.length === 2 ? b.shape[0] : 1));
  const isBias = b === undefined || b.shape.at(-1) === width &&
      b.data.length === width * (cell?.biases ?? 0);
  if (
    cell === undefined || U.shape.length !== 2 || W.shape.length !== 2 || W.shape[1] !== width ||
    !isBias
  ) {
    throw new TypeError(
      `Cannot show the weights: they must be an LSTM's, a GRU's or a SimpleRNN's, with a recurrentKernel ` +
        `[units, 4·units], [units, 3·units] or [units, units], but the shapes are kernel ` +
        `${formatShape(W.shape)}, recurrentKernel ${formatShape(U.shape)}` +
        (b === undefined ? "" : `, bias ${formatShape(b.shape)}`),
    );
  }
  const biases = b === undefined ? [] : b.shape.length === 1 ? [biasView("b", "bias", b, cell)] : [
    biasView("b", "bias of the input", b.select(0, 0), cell),
    biasView("bR", "bias of the recurrent kernel", b.select(0, 1), cell),
  ];
  const views = [
    matrixView("W", "kernel", W, cell, (from) => `x${subscript(from)}`),
    matrixView("U", "recurrent kernel", U, cell, (from) => `unit ${from}`),
    ...biases,
  ];
  return new View(views.map(({ text }) => text).join("\n\n"), async () => {
    const bundles = await Promise.all(views.map((view) => view[JUPYTER_DISPLAY]()));
    return { "text/html": bundles.map((bundle) => bundle["text/html"]).join("\n") };
  });
}

/** `[blocks, …, units]`: the gates on an axis of their own. */
function stacked(weight: Tensor, cell: Cell): Tensor {
  const parts = lastAxisParts(numbers, weight, blocksOf(cell));
  const data = parts.flatMap(({ data }) => [...data]);
  return new Tensor(Float64Array.from(data), [parts.length, ...parts[0]!.shape]);
}

/** `W_f` and `W_f (forget)`; a SimpleRNN's is W alone. */
function blockNames(letter: string, { gates, sites }: Cell) {
  const index = (gate: number) => `_${indexOf(symbolOf(`gates.${gates[gate]}`, sites))}`;
  return gates.length === 0 ? { short: () => letter, long: () => letter } : {
    short: (gate: number) => `${letter}${index(gate)}`,
    long: (gate: number) => `${letter}${index(gate)} (${gates[gate]})`,
  };
}

function matrixView(
  letter: string,
  name: string,
  weight: Tensor,
  cell: Cell,
  from: (index: number) => string,
): View {
  const { short, long } = blockNames(letter, cell);
  return table(stacked(weight, cell), {
    caption: `${letter}, ${name} ${formatShape(weight.shape)}`,
    note: numberSummary(weight.data),
    axes: ["gate", "from", "to unit"],
    rows: from,
    blocks: long,
    hover: ([gate = 0, row = 0, unit = 0], value) =>
      `${short(gate)}[${from(row)} → unit ${unit}] = ${value}`,
  });
}

function biasView(letter: string, name: string, bias: Tensor, cell: Cell): View {
  const { short, long } = blockNames(letter, cell);
  return table(stacked(bias, cell), {
    caption: `${letter}, ${name} ${formatShape(bias.shape)}`,
    note: numberSummary(bias.data),
    axes: ["gate", "unit"],
    rows: long,
    hover: ([gate = 0, unit = 0], value) => `${short(gate)}[unit ${unit}] = ${value}`,
  });
}

function subscript(index: number): string {
  return [...String(index)].map((digit) => "₀₁₂₃₄₅₆₇₈₉"[Number(digit)]).join("");
}
