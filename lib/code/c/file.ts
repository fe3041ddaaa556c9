// A program as a C99 file and its header.

import type { Program } from "../program.ts";
import type { Routine } from "../routine.ts";
import { lengthOf, placeOf } from "../recorded.ts";
import { type Body, BodyWriter } from "./body.ts";
import { cNames, commentText } from "./names.ts";
import { CFileParts } from "./parts.ts";

/** The two files, and what the program takes on a device. */
export interface CFiles {
  readonly source: string;
  readonly header: string;
  /** Weights and tables, which stay in flash; the code besides depends on the compiler. */
  readonly constantBytes: number;
  /** The state, which lies in RAM from step to step. */
  readonly stateBytes: number;
  /** The arrays of the deepest call; frames besides depend on the compiler. */
  readonly stackBytes: number;
  /** Of one timestep; of a model that needs the whole sequence, of one call. */
  readonly multiplyAdds: number;
}

/** What a self-test adds to the file; its points are known when all routines are written. */
export interface CTest {
  /** Whether a site's values are compared. */
  readonly isPoint: (layer: string, site: string) => boolean;
  /** Before the routines, and after all. */
  readonly before: (parts: CFileParts) => string;
  readonly after: (parts: CFileParts) => string;
}

/**
 * Writes a program.
 *
 * @param name what all its names begin with, an identifier
 * @param title what it is, for the first line
 * @param headerName as the source includes it
 */
export function cFilesOf(
  program: Program,
  { name, title, headerName, test }: {
    readonly name: string;
    readonly title: string;
    readonly headerName: string;
    readonly test?: CTest | undefined;
  },
): CFiles {
  const parts = new CFileParts(name, test?.isPoint);
  const fields = cNames([]);
  const states = program.states.map((state) => ({
    name: fields.unique(state.label!),
    length: lengthOf(state),
    label: state.label!,
  }));
  const stateNames = states.map((state) => `s->${state.name}`);
  const hasState = states.length > 0;

  let deepest = 0;
  const functions: string[] = [];
  const written = new Set<Routine>();
  const writeRoutine = (routine: Routine): number => {
    if (written.has(routine)) return 0;
    written.add(routine);
    let below = 0;
    for (const { op } of routine.values) {
      if (op.kind === "loop") below = Math.max(below, writeRoutine(op.step));
    }
    const { text, body } = routineText(parts, routine);
    functions.push(text);
    parts.countOf(routine, body.multiplyAdds);
    return body.stackBytes + below;
  };
  for (const routine of program.routines) deepest = Math.max(deepest, writeRoutine(routine));

  const stage = (routine: Routine) => {
    const body = new BodyWriter(parts, routine, {
      inputs: routine.inputs.map(() => "x"),
      states: stateNames,
      output: routine.output === undefined ? undefined : "y",
    }).write();
    const lines = routine.output === undefined
      ? body.lines
      : [...body.lines, ...parts.at({ layer: program.outputLayer, site: "prediction" }, "y")];
    const called = routine.values.flatMap(({ op }) => op.kind === "call" ? [op.call.routine] : []);
    const adds = called.reduce((sum, one) => sum + parts.multiplyAddsOf(one), 0);
    return { body: { ...body, lines }, multiplyAdds: adds };
  };
  const along = stage(program.along);
  const head = program.head && stage(program.head);
  const element = program.takesWords ? "int" : "float";
  const x = `const ${element} x[${program.inputSize}]`;
  const y = `float y[${program.outputSize}]`;
  const state = `${name}_state *s`;
  const upper = name.toUpperCase();
  const block = (signature: string, lines: readonly string[]) =>
    `${signature} {\n${
      lines.flatMap((line) => line.split("\n")).map((line) => `  ${line}`).join("\n")
    }\n}`;

  const open = program.goesAlong && program.timesteps === null;
  const sequence = program.goesAlong
    ? `const ${element} x[${open ? "" : `${upper}_TIMESTEPS * ${program.inputSize}`}]`
    : x;
  const result = program.isSequence
    ? `float y[${open ? "" : `${upper}_TIMESTEPS * ${program.outputSize}`}]`
    : y;
  const predictSignature = `void ${name}_predict(${
    open ? "int timesteps, " : ""
  }${sequence}, ${result})`;
  const stepSignature = `void ${name}_step(${hasState ? `${state}, ` : ""}${x}, ${y})`;
  const initSignature = `void ${name}_init(${state})`;

  const publics: string[] = [];
  if (program.goesAlong) {
    const s = hasState ? "s, " : "";
    const at = hasState ? "&s, " : "";
    const shift = program.isSequence ? ` + t * ${program.outputSize}` : "";
    const isSplit = head !== undefined;
    const stepName = isSplit ? `${name}_along` : `${name}_step`;
    if (isSplit) {
      functions.push(
        block(`static void ${name}_along(${hasState ? `${state}, ` : ""}${x})`, along.body.lines),
        block(
          `static void ${name}_head(${hasState ? `const ${state}, ` : ""}${y})`,
          head.body.lines,
        ),
      );
    }
    if (hasState) {
      publics.push(block(
        initSignature,
        states.map(({ name, length }) =>
          `for (int k = 0; k < ${length}; k++) s->${name}[k] = 0.0f;`
        ),
      ));
    }
    publics.push(
      block(
        stepSignature,
        isSplit
          ? [`${name}_along(${s}x);`, `${name}_head(${hasState ? "s, " : ""}y);`]
          : along.body.lines,
      ),
      block(predictSignature, [
        ...(hasState ? [`${name}_state s;`, `${name}_init(&s);`] : []),
        `for (int t = 0; t < ${open ? "timesteps" : `${upper}_TIMESTEPS`}; t++) {`,
        ...parts.time("t").map((line) => `  ${line}`),
        `  ${stepName}(${at}x + t * ${program.inputSize}${isSplit ? "" : `, y${shift}`});`,
        `}`,
        ...(isSplit ? [`${name}_head(${at}y);`] : []),
      ]),
    );
  } else {
    publics.push(block(predictSignature, along.body.lines));
  }

  const stateBytes = 4 * states.reduce((sum, { length }) => sum + length, 0);
  const own = Math.max(along.body.stackBytes, head?.body.stackBytes ?? 0);
  const files = {
    constantBytes: parts.constantBytes,
    stateBytes,
    stackBytes: own + deepest + (program.goesAlong ? stateBytes : 0),
    multiplyAdds: along.multiplyAdds + (head?.multiplyAdds ?? 0),
  };
  const guard = `${upper}_H`;
  const header = [
    `/* ${commentText(title)}: the interface. */`,
    `#ifndef ${guard}`,
    `#define ${guard}`,
    "",
    "#ifdef __cplusplus",
    'extern "C" {',
    "#endif",
    "",
    `#define ${upper}_INPUT ${program.inputSize}`,
    `#define ${upper}_OUTPUT ${program.outputSize}`,
    ...(program.goesAlong && !open ? [`#define ${upper}_TIMESTEPS ${program.timesteps}`] : []),
    "",
    ...(hasState
      ? [
        "/* What it remembers from timestep to timestep. */",
        "typedef struct {",
        ...states.map(({ name, length }) => `  float ${name}[${length}];`),
        `} ${name}_state;`,
        "",
        "/* Forgets all: the next timestep is a first one. */",
        `${initSignature};`,
        "",
      ]
      : []),
    ...(program.goesAlong
      ? [
        program.isSequence
          ? "/* One timestep in, one out. */"
          : "/* One timestep in; y is the output as the sequence so far gives it. */",
        `${stepSignature};`,
        "",
      ]
      : []),
    `/* A whole sequence${program.goesAlong ? ", from its start" : ""}, timestep by timestep. */`,
    `${predictSignature};`,
    "",
    "#ifdef __cplusplus",
    "}",
    "#endif",
    "",
    `#endif /* ${guard} */`,
    "",
  ].join("\n");
  const source = [
    `/* ${commentText(title)}, in C99 with nothing but math.h. */`,
    `#include "${headerName}"`,
    "",
    "#include <math.h>",
    "",
    ...(test === undefined ? [] : [test.before(parts), ""]),
    ...parts.arrays.flatMap((text) => [text, ""]),
    ...parts.functions.texts.flatMap((text) => [text, ""]),
    ...[...functions, ...publics].flatMap((text) => [text, ""]),
    ...(test === undefined ? [] : [test.after(parts)]),
  ].join("\n");
  return { source, header, ...files };
}

function routineText(parts: CFileParts, routine: Routine): { text: string; body: Body } {
  const name = parts.nameOf(routine);
  const free = cNames();
  const states = routine.states.map((state) => free.unique(state.label!));
  const inputs = routine.inputs.map(({ label }) => label!);
  const isState = routine.output !== undefined &&
    routine.after.some((after) => placeOf(after).root === placeOf(routine.output!).root);
  const output = isState || routine.output === undefined ? undefined : "y";
  const body = new BodyWriter(parts, routine, { inputs, states, output }).write();
  const isWords = routine.values.some(({ op }) => op.kind === "lookup");
  const given = [
    ...routine.inputs.map((input, k) =>
      `const ${isWords ? "int" : "float"} ${inputs[k]}[${lengthOf(input)}]`
    ),
    ...routine.states.map((state, k) => `float ${states[k]}[${lengthOf(state)}]`),
    ...(output === undefined ? [] : [`float y[${lengthOf(routine.output!)}]`]),
  ];
  const lines = body.lines.flatMap((line) => line.split("\n")).map((line) => `  ${line}`);
  const text = [
    `/* ${commentText(`${routine.name}, ${routine.title}`)} */`,
    `static void ${name}(${given.join(", ")}) {`,
    ...lines,
    "}",
  ].join("\n");
  return { text, body };
}
