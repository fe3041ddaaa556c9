// A program as a Python file that imports NumPy alone: the equations, then the weights.

import type { OpenShape } from "../../layers/layer.ts";
import type { Program } from "../program.ts";
import type { Routine } from "../routine.ts";
import { TRACE_COLUMNS } from "../trace_columns.ts";
import { PythonBody } from "./body.ts";
import { arrayShape } from "./expressions.ts";
import { docText } from "./names.ts";
import { PythonParts } from "./parts.ts";

/** What a Python file is called, and what comes in and out. */
export interface PythonTitle {
  /** For the first line. */
  readonly title: string;
  /** The file's name without `.py`. */
  readonly module: string;
  /** Without the samples. */
  readonly inputShape: OpenShape;
  readonly outputShape: OpenShape;
  /** Whether every value inside can be looked at. */
  readonly isTraced: boolean;
}

/** Writes a program. */
export function pythonText(program: Program, title: PythonTitle): string {
  const first = new PythonParts(title.isTraced, []);
  textOf(first, program, title); // which tells the names
  return textOf(new PythonParts(title.isTraced, first.names), program, title);
}

function textOf(
  parts: PythonParts,
  program: Program,
  { title, module, inputShape, outputShape, isTraced }: PythonTitle,
): string {
  const written = new Set<Routine>();
  const functions: string[] = [];
  const writeRoutine = (routine: Routine): void => {
    if (written.has(routine)) return;
    written.add(routine);
    for (const { op } of routine.values) if (op.kind === "loop") writeRoutine(op.step);
    functions.push(routineText(parts, routine));
  };
  program.routines.forEach(writeRoutine);
  const predictOne = predictOneText(parts, program, inputShape, outputShape);
  const helpers = parts.functions.texts;
  const usesMath = helpers.some((text) => text.includes("math."));
  return [
    `"""${docText(title)}, with nothing but NumPy.\n\n` +
    `    import ${module}\n    y = ${module}.predict(x)  # x: [${axesText(inputShape)}]\n"""`,
    `${usesMath ? "import math\n\n" : ""}import numpy as np`,
    "DTYPE = np.float32  # what is computed in; np.float64 rounds less",
    ...helpers.map((text) => `\n${text}`),
    ...functions.map((text) => `\n${text}`),
    `\n${predictOne}`,
    `\n${
      block(
        "def predict(x):",
        `"""x: [${axesText(inputShape)}]; the result: [${axesText(outputShape)}]."""`,
        "return np.array([predict_one(sample) for sample in x])",
      )
    }`,
    ...(isTraced ? [`\n${TRACE}`] : []),
    `\ndef array(numbers, dtype=np.float32):\n    return np.array(numbers, dtype).astype(DTYPE)`,
    ["\n# The weights.", ...parts.arrays].join("\n"),
  ].join("\n\n").trimEnd() + "\n";
}

/** A layer, or a timestep of one. */
function routineText(parts: PythonParts, routine: Routine): string {
  const free = parts.locals("n", "t");
  const inputs = routine.inputs.map(({ label }) => free.unique(label!));
  const states = routine.states.map(({ label }) => free.unique(label!));
  const body = new PythonBody(parts, routine, free, { inputs, states });
  const ends = states.length > 0 ? routine.after : [routine.output!];
  return block(
    `def ${parts.nameOf(routine)}(${[...inputs, ...states].join(", ")}):`,
    `"""${docText(`${routine.name}, ${routine.title}`)}"""`,
    ...body.lines,
    `return ${ends.map((end) => body.after(end)).join(", ")}`,
  );
}

/** All layers on one sample. */
function predictOneText(
  parts: PythonParts,
  program: Program,
  inputShape: OpenShape,
  outputShape: OpenShape,
): string {
  const free = parts.locals("n", "t", "x", "now", "ys");
  const states = program.states.map(({ label }) => free.unique(label!));
  const stage = (routine: Routine, x: string) => {
    const body = new PythonBody(parts, routine, free, { inputs: [x], states });
    const y = routine.output && body.after(routine.output);
    const site = { layer: program.outputLayer, site: "prediction" };
    const lines = y === undefined
      ? body.lines
      : [...body.lines, ...parts.seen(site, y, routine.output!)];
    return { lines, y };
  };
  const dtype = program.takesWords ? "int" : "DTYPE";
  const signature = "def predict_one(x):";
  const piece = arrayShape(program.along.inputs[0]!.shape);
  const shaped = (text: string, own: readonly (number | null)[]) =>
    own.join() === piece.join() ? text : `${text}.reshape(${piece.join(", ")})`;
  const words = program.takesWords
    ? ["if np.min(x) < 0:", '    raise IndexError("words are numbers from 0")']
    : [];
  const result = (text: string, own: readonly (number | null)[]) =>
    `return ${text}${
      own.join() === outputShape.join() || own.length + outputShape.length === 1
        ? ""
        : `.reshape(${outputShape.map((length) => length ?? -1).join(", ") || 1})`
    }`;
  if (!program.goesAlong) {
    const { lines, y } = stage(program.along, "x");
    return block(
      signature,
      `"""One sample: all layers, one after the other."""`,
      `x = ${shaped(`np.asarray(x, ${dtype})`, inputShape)}`,
      ...words,
      ...lines,
      result(y!, arrayShape(program.along.output!.shape)),
    );
  }
  const along = stage(program.along, "now");
  const head = program.head && stage(program.head, "now");
  const zeros = program.states.map(({ shape }, k) => {
    const own = arrayShape(shape);
    const text = own.length === 1 ? `${own[0]}` : `(${own.join(", ")})`;
    return `${states[k]} = np.zeros(${text}, DTYPE)`;
  });
  return block(
    signature,
    `"""One sample, timestep by timestep."""`,
    `x = np.asarray(x, ${dtype})`,
    ...words,
    ...zeros,
    ...(head === undefined ? ["ys = []"] : []),
    `for t in range(len(x)):`,
    ...[
      ...parts.time("t"),
      `now = ${shaped("x[t]", inputShape.slice(1))}`,
      ...along.lines,
      ...(head === undefined ? [`ys.append(${along.y})`] : []),
    ].map((line) => `    ${line}`),
    ...parts.time("None"),
    ...(head?.lines ?? []),
    head === undefined
      ? result("np.array(ys)", [inputShape[0]!, ...arrayShape(program.along.output!.shape)])
      : result(head.y!, arrayShape(program.head!.output!.shape)),
  );
}

const axesText = (shape: OpenShape) =>
  ["samples", ...shape.map((length) => length ?? "timesteps")].join(", ");

/** What calls `predict_one` with eyes on all that it computes. */
const TRACE = `timestep = None
lines = None  # of a trace that is being made


def at(t):
    global timestep
    timestep = t


def seen(layer, site, values):
    """Called with every gate, state and output: a row a timestep, where there are timesteps."""
    if lines is None:
        return
    if timestep is not None:
        rows = [(timestep, values.ravel())]
    else:
        rows = enumerate(values) if values.ndim > 1 else [("", values)]
    name = '"' + layer.replace('"', '""') + '"'
    for t, row in rows:
        for unit, value in enumerate(row):
            lines[-1].append(f"{name},{site},{t},{unit},{float(value)!r}")


def trace(x):
    """Every gate, state and output, as a CSV file that Gatescope's loadTrace reads."""
    global lines
    lines = []
    for sample in x:
        lines.append([])
        predict_one(sample)
    found, lines = lines, None
    rows = [f"{n},{row}" for n, sample in enumerate(found) for row in sample]
    return "\\n".join(["${TRACE_COLUMNS}", *rows, ""])`;

const block = (...lines: readonly string[]) =>
  [lines[0], ...lines.slice(1).map((line) => `    ${line}`)].join("\n");
