// A routine's equations, one a line: as plain text, and as LaTeX.

import type { Activation } from "../values/activations.ts";
import { equationText, functionText, type Notation } from "./equation_text.ts";
import { lengthOf, placeOf, type Recorded } from "./recorded.ts";
import type { Routine } from "./routine.ts";
import { Statements, UNNAMED } from "./statements.ts";

/** A layer's equations. */
export interface Equation {
  /** `lstm, LSTM, one timestep: [3] to [8]` */
  readonly title: string;
  /** Of the layers inside of it, and its own. */
  readonly routines: readonly Routine[];
  /** Why there are none. */
  readonly why?: string;
}

/** How values and functions are written, besides the notation. */
interface Writing {
  readonly notation?: Notation;
  /** A value by its label: `z_f`; in a timestep it has an index, `before` where it is a state. */
  readonly name: (label: string, time: "now" | "before" | undefined) => string;
}

/** The equations of a routine: a left side and a right one. */
function linesOf(routine: Routine, { notation, name }: Writing): (readonly [string, string])[] {
  const isStep = routine.states.length > 0;
  const statements = new Statements(routine).all;
  const labels = new Map<Recorded, string>();
  const taken = new Set<string>();
  const end = routine.output && placeOf(routine.output).root;
  for (const value of statements) {
    const wanted = value.label ?? (value === end && !isStep ? "y" : LABELS[value.op.kind] ?? "v");
    let label = wanted;
    for (let k = 2; value.label === undefined && taken.has(label); k++) label = `${wanted}_${k}`;
    taken.add(label);
    labels.set(value, label);
  }
  const nameOf = (value: Recorded): string | undefined => {
    const { root, offset } = placeOf(value);
    const { kind } = root.op;
    if (kind === "weight") return undefined;
    const time = isStep ? "now" : undefined;
    if (value.label !== undefined && kind !== "constant") {
      return name(value.label, kind === "state" && isStep ? "before" : time);
    }
    const isWhole = offset === 0 && lengthOf(root) === lengthOf(value);
    const label = labels.get(root) ??
      (kind === "input" || kind === "state" ? root.label : undefined);
    if (!isWhole || label === undefined) return undefined;
    return name(label, kind === "state" && isStep ? "before" : time);
  };
  return statements.map((value) => [
    name(labels.get(value)!, isStep ? "now" : undefined),
    equationText(value, (one) => one === value ? undefined : nameOf(one), notation),
  ]);
}

const LABELS: Readonly<Record<string, string>> = { ...UNNAMED, loop: "h" };

/** In plain text: each layer's title, its equations below it. */
export function plainEquations(layers: readonly Equation[]): string {
  return layers.map(({ title, routines, why }) => {
    const lines = routines.flatMap((routine, k) => [
      ...(k < routines.length - 1 ? [`  ${routine.name}, ${routine.title}`] : []),
      ...linesOf(routine, { name: (label) => label }).map(([a, b]) => `  ${a} = ${b}`),
    ]);
    const rest = why === undefined ? "  y = x" : `  no equation: ${why}`;
    return [title, ...(lines.length > 0 ? lines : [rest])].join("\n");
  }).join("\n");
}

/** As LaTeX: one alignment, a line each. */
export function texEquations(layers: readonly Equation[]): string {
  const heading = (text: string) => `&\\textbf{${texText(text)}}`;
  const rows = layers.flatMap(({ title, routines, why }) => {
    const lines = routines.flatMap((routine, k) => [
      ...(k < routines.length - 1 ? [heading(`${routine.name}, ${routine.title}`)] : []),
      ...linesOf(routine, { notation: TEX, name: texName }).map(([a, b]) => `${a} &= ${b}`),
    ]);
    const rest = why === undefined ? "y &= x" : `&\\text{no equation: ${texText(why)}}`;
    return [heading(title), ...(lines.length > 0 ? lines : [rest])];
  });
  return `$$\\begin{aligned}\n${rows.join(" \\\\\n")}\n\\end{aligned}$$`;
}

/** A text in \text{…}: what TeX would read is left out. */
export function texText(text: string): string {
  return text.replaceAll("_", "\\_").replaceAll(/[^\p{L}\p{N} \\_.,:;()[\]+=/-]|\\(?!_)/gu, "?");
}

const GREEK: Readonly<Record<string, string>> = { "γ": "\\gamma", "β": "\\beta", "σ": "\\sigma" };

/** A symbol: one letter, perhaps with a tilde, or a word. */
function texSymbol(text: string): string {
  const letters = text.normalize("NFD");
  if (letters.endsWith("\u0303")) return `\\tilde{${texSymbol(letters.slice(0, -1))}}`;
  if (GREEK[text] !== undefined) return GREEK[text];
  if (/^[A-Za-z]$/.test(text)) return text;
  return /^[a-z][A-Z]$/.test(text) ? `(${text})` : `\\text{${texText(text)}}`;
}

function texName(label: string, time: "now" | "before" | undefined): string {
  const [symbol, ...indices] = label.split("_");
  const index = [
    ...indices.map(texSymbol).map((one) => one.replace(/^\\text\{(\d+)\}$/, "$1")),
    ...(time === undefined ? [] : [time === "now" ? "t" : "t-1"]),
  ];
  return index.length === 0 ? texSymbol(symbol!) : `${texSymbol(symbol!)}_{${index.join(",")}}`;
}

const TEX: Notation = {
  product: (a, b) => `${a} \\, ${b}`,
  hadamard: (a, b) => `${a} \\odot ${b}`,
  quotient: (a, b) => `\\frac{${a}}{${b}}`,
  call: (f, x) => texCall(f, x),
  largest: (x) => `\\max(${x})`,
  part: (x, from, to) => `${x}_{[${from} \\ldots ${to}]}`,
  constant: (one) => typeof one === "number" ? numberTex(one) : texSymbol(one),
  words: (text) => `\\text{${texText(text)}}`,
};

function texCall(f: Activation, x: string): string {
  const name = f.activationName;
  if (name === "root") return `\\sqrt{${x}}`;
  if (name === "inverse_root") return `\\frac{1}{\\sqrt{${x}}}`;
  if (name === "inverse") return `\\frac{1}{${x}}`;
  if (name === "absolute") return `|${x}|`;
  if (name === "sigmoid") return `\\sigma(${x})`;
  if (["tanh", "exp", "ln"].includes(functionText(f))) return `\\${functionText(f)}(${x})`;
  return `\\operatorname{${texText(functionText(f)).replaceAll(" ", "\\ ")}}(${x})`;
}

function numberTex(x: number): string {
  if (!Number.isFinite(x)) return x < 0 ? "-\\infty" : "\\infty";
  const [digits, exponent] = String(x).split("e");
  return exponent === undefined ? digits! : `${digits} \\cdot 10^{${Number(exponent)}}`;
}
