// A program as a Python file that imports NumPy alone: the equations, then the weights.

import { printedName } from "../../insight/proof/expected.ts";
import type { OpenShape } from "../../layers/layer.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Names } from "../names.ts";
import type { Program } from "../program.ts";
import type { Recorded } from "../recorded.ts";
import type { Routine } from "../routine.ts";
import { TRACE_COLUMNS } from "../trace_columns.ts";
import { arrayShape, PythonBody } from "./body.ts";
import { FUNCTION_NAMES, PythonFunctions } from "./functions.ts";
import { arrayText, listText } from "./literals.ts";
import { docText, pythonNames, stringText } from "./names.ts";

/** What the file itself has, and its functions' own. */
const OWN_NAMES = "predict predict_one trace seen at timestep lines".split(" ");
const LOCAL_NAMES = "x y n t now ys".split(" ");

type Site = { readonly layer: string; readonly site: string };

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

/** What a file's routines share: its arrays, its functions, the places that may be looked at. */
export class PythonFile {
  readonly functions: PythonFunctions;
  readonly #names = pythonNames([...OWN_NAMES, ...LOCAL_NAMES, ...FUNCTION_NAMES]);
  readonly #isTraced: boolean;
  readonly #others: readonly string[];
  readonly #routines = new Map<Routine, string>();
  readonly #arrays = new Map<string, { readonly name: string; readonly text: string }>();

  /** @param others names of the file that are not given yet; no local name hides one */
  constructor(isTraced: boolean, others: readonly string[]) {
    this.#isTraced = isTraced;
    this.#others = others;
    this.functions = new PythonFunctions(this.#names);
  }

  /** The file's names. */
  get names(): readonly string[] {
    return this.#names.taken.filter((name) => !LOCAL_NAMES.includes(name));
  }

  /** Names inside of a function. */
  locals(...taken: readonly string[]): Names {
    return pythonNames([...this.names, ...this.#others, ...taken]);
  }

  /** The function of a routine. */
  nameOf(routine: Routine): string {
    const known = this.#routines.get(routine) ?? this.#names.unique(routine.name);
    this.#routines.set(routine, known);
    return known;
  }

  /** The name of a constant; where it is asked for again, it stands there once. */
  array(tensor: Tensor, label: string): string {
    return this.#array(`array(${arrayText(tensor)})`, label);
  }

  /** The name of a table of places. */
  places(places: Int32Array, label: string): string {
    return this.#array(`np.array(${listText(places)})`, label);
  }

  get arrays(): readonly string[] {
    return [...this.#arrays.values()].map(({ text }) => text);
  }

  /** The line that lets a value be looked at; none where nobody looks. */
  seen({ layer, site }: Site, name: string, { shape }: Recorded): string[] {
    const rows = shape.length > 2 ? `${name}.reshape(${shape[1]}, -1)` : name;
    return this.#isTraced
      ? [`seen(${stringText(printedName(layer))}, ${stringText(site)}, ${rows})`]
      : [];
  }

  /** The line that says which timestep it is. */
  time(text: string): string[] {
    return this.#isTraced ? [`at(${text})`] : [];
  }

  #array(text: string, label: string): string {
    const found = this.#arrays.get(text);
    if (found !== undefined) return found.name;
    const name = this.#names.unique(label);
    this.#arrays.set(text, { name, text: `${name} = ${text}` });
    return name;
  }
}

/** Writes a program. */
export function pythonText(program: Program, title: PythonTitle): string {
  const first = new PythonFile(title.isTraced, []);
  textOf(first, program, title); // which tells the names
  return textOf(new PythonFile(title.isTraced, first.names), program, title);
}

function textOf(
  file: PythonFile,
  program: Program,
  { title, module, inputShape, outputShape, isTraced }: PythonTitle,
): string {
  const written = new Set<Routine>();
  const functions: string[] = [];
  const writeRoutine = (routine: Routine): void => {
    if (written.has(routine)) return;
    written.add(routine);
    for (const { op } of routine.values) if (op.kind === "loop") writeRoutine(op.step);
    functions.push(routineText(file, routine));
  };
  program.routines.forEach(writeRoutine);
  const predictOne = predictOneText(file, program, inputShape, outputShape);
  const helpers = file.functions.texts;
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
    ["\n# The weights.", ...file.arrays].join("\n"),
  ].join("\n\n").trimEnd() + "\n";
}

/** A layer, or a timestep of one. */
function routineText(file: PythonFile, routine: Routine): string {
  const free = file.locals("n", "t");
  const inputs = routine.inputs.map(({ label }) => free.unique(label!));
  const states = routine.states.map(({ label }) => free.unique(label!));
  const body = new PythonBody(file, routine, free, { inputs, states });
  const ends = states.length > 0 ? routine.after : [routine.output!];
  return block(
    `def ${file.nameOf(routine)}(${[...inputs, ...states].join(", ")}):`,
    `"""${docText(`${routine.name}, ${routine.title}`)}"""`,
    ...body.lines,
    `return ${ends.map((end) => body.after(end)).join(", ")}`,
  );
}

/** All layers on one sample. */
function predictOneText(
  file: PythonFile,
  program: Program,
  inputShape: OpenShape,
  outputShape: OpenShape,
): string {
  const free = file.locals("n", "t", "x", "now", "ys");
  const states = program.states.map(({ label }) => free.unique(label!));
  const stage = (routine: Routine, x: string) => {
    const body = new PythonBody(file, routine, free, { inputs: [x], states });
    const y = routine.output && body.after(routine.output);
    const site = { layer: program.outputLayer, site: "prediction" };
    const lines = y === undefined
      ? body.lines
      : [...body.lines, ...file.seen(site, y, routine.output!)];
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
      ...file.time("t"),
      `now = ${shaped("x[t]", inputShape.slice(1))}`,
      ...along.lines,
      ...(head === undefined ? [`ys.append(${along.y})`] : []),
    ].map((line) => `    ${line}`),
    ...file.time("None"),
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
