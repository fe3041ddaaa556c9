// A cell's equations, as its step writes them down.

import { escapePlotly } from "../display/html.ts";
import { blocksOf, type Cell } from "../cells/cell.ts";
import type { CellTrace } from "../cells/cell_run.ts";
import { arraysOf } from "../cells/cell_of_trace.ts";
import { indexOf, symbolOf } from "../cells/sites.ts";
import { runOf } from "../cells/traced_run.ts";
import { asFloat64, Tensor, type TensorLike } from "../tensor/tensor.ts";
import { type Activation, getActivation } from "../values/activations.ts";
import { numbers } from "../values/numbers.ts";
import { type Text, textsOf } from "../values/texts.ts";

/** How an equation is written. */
export interface EquationStyle {
  /** The names of the cell's φ and σ. */
  readonly activation: string;
  readonly recurrentActivation: string;
  /** The timestep computed before t: t−1, or t+1 where the layer goes backwards. */
  readonly before: string;
}

const LETTERS: Readonly<Record<string, string>> = { kernel: "W", recurrentKernel: "U", bias: "b" };
const FUNCTIONS: Readonly<Record<string, string>> = {
  sigmoid: "σ",
  exponential: "exp",
  logarithm: "ln",
};
const sub = (index: string) => `<sub>${index}</sub>`;

/** What each site of a trace's cell is computed by: `<b>f</b><sub>t</sub> = σ(…)`. */
export function cellEquations(
  trace: CellTrace,
  cell: Cell,
  { activation, recurrentActivation, before }: EquationStyle,
): Readonly<Record<string, string>> {
  const [φ, σ] = [getActivation("tanh"), getActivation("sigmoid")]; // of which only the names are seen
  const own = new Map<Activation, string>([[φ, activation], [σ, recurrentActivation]]);
  const o = textsOf((f) => {
    const name = own.get(f) ?? f.activationName;
    return FUNCTIONS[name] ?? escapePlotly(name);
  });
  const symbol = (site: string) => escapePlotly(symbolOf(site, cell.sites));
  const isOwn = cell.arrays !== undefined; // Keras's cells are as well written with one unit
  const units = isOwn ? trace.hiddenState.shape[2]! : 1;
  const run = runOf(trace);
  const weights = run?.weights as unknown as Readonly<Record<string, TensorLike>> | undefined;
  const all = arraysOf(cell).map(([name, gates]): Text => {
    const x = isOwn ? asFloat64(weights![name]!) : zeros(1, blocksOf(cell));
    const array = (letter: string): Text => ({
      text: letter,
      x,
      parts: gates.length === 0 ? undefined : numbers.blocks(x, gates.length).map((x, k) => ({
        text: `${letter}${sub(indexOf(symbol(`gates.${gates[k]}`)))}`,
        x,
      })),
    });
    const letter = LETTERS[name] ?? escapePlotly(name);
    if (name !== "bias" || cell.biases === 1) return array(letter);
    return { text: letter, x: zeros(2, blocksOf(cell)), parts: [array("b"), array("bR")] };
  });
  const equations: Record<string, string> = {};
  const [W, U, b] = all as [Text, Text, Text];
  const inputSize = isOwn ? run!.x.shape[2]! : 1;
  cell.step(
    o,
    { text: `x${sub("t")}`, x: zeros(1, inputSize) },
    cell.states.map((state) => ({ text: `${symbol(state)}${sub(before)}`, x: zeros(1, units) })),
    {
      ...{ W, U, b, all, φ, σ, drop: {} },
      at: (site, { text, x }) => {
        equations[site] = `<b>${symbol(site)}</b>${sub("t")} = ${text}`;
        return { text: `${symbol(site)}${sub("t")}`, x };
      },
    },
  );
  return equations;
}

function zeros(...shape: readonly number[]): Tensor {
  return new Tensor(new Float64Array(shape.reduce((a, b) => a * b, 1)), shape);
}
