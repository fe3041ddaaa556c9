// What saveC writes, compiled by gcc and clang and run: 60 models of all kinds, their bytes under the
// sanitizers, what they print proved, and 100 broken copies.

import {
  dense,
  loadNpz,
  loadTrace,
  lstm,
  type Model,
  prove,
  saveC,
  sequential,
  type Tensor,
} from "@gatescope/lstm";
import { fromFileUrl, join } from "@std/path";
import { randomModels } from "../code/random_models.ts";
import { HOSTILE_NAMES } from "../code/hostile_names.ts";
import { setUp } from "./setup.ts";
import { seededRandom } from "../../lib/tensor/random.ts";

const MODELS = 60;
const STRICT = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Werror"];
const WAYS: readonly (readonly [compiler: string, ...flags: string[]])[] = [
  ["gcc", "-O2"],
  ["clang", "-O2"],
  ["gcc", "-O0"],
  ["clang", "-O0"],
  ["gcc", "-O0", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
];

/** A model's file, and what is to come of it. */
interface Written {
  readonly name: string;
  readonly model: Model;
  readonly test: Tensor;
}

async function output(command: string, args: readonly string[]) {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args] }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { success, text: text(stdout), errors: text(stderr) };
}

/** All files as one program, each with its own main: what they print is told apart by their names. */
function together(names: readonly string[], kind: "TEST" | "TRACE" | undefined): string {
  const files = names.map((name) =>
    kind === undefined
      ? `#include "${name}.c"`
      : `#define ${name.toUpperCase()}_${kind}\n#define main ${name}_main\n#include "${name}.c"\n#undef main`
  );
  const calls = names.map((name) => `  printf("== ${name}\\n");\n  bad += ${name}_main() != 0;`);
  return kind === undefined
    ? `${files.join("\n")}\n`
    : `#include <stdio.h>\n${files.join("\n")}\nint main(void) {\n  int bad = 0;\n${
      calls.join("\n")
    }\n  return bad > 0;\n}\n`;
}

async function compiled(folder: string, source: string, way: readonly string[], name: string) {
  const [compiler, ...flags] = way as [string, ...string[]];
  const [file, program] = [join(folder, `${name}.c`), join(folder, `${name}.out`)];
  await Deno.writeTextFile(file, source);
  const { success, errors } = await output(compiler, [
    ...STRICT,
    ...flags,
    file,
    "-o",
    program,
    ...(flags.includes("-c") ? [] : ["-lm"]),
  ]);
  if (!success || errors !== "") {
    throw new Error(`${way.join(" ")} of ${name}: ${errors.slice(0, 2000)}`);
  }
  return program;
}

/** What each of them printed. */
async function printed(program: string): Promise<{ by: Map<string, string>; errors: string }> {
  const { text, errors } = await output(program, []);
  const parts = text.split(/^== (\w+)\n/m).slice(1);
  return {
    by: new Map(parts.flatMap((one, k) => k % 2 === 0 ? [[one, parts[k + 1]!] as const] : [])),
    errors,
  };
}

/** So many at a time. */
async function inParallel<T>(count: number, tasks: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  const left = [...tasks.entries()];
  await Promise.all(Array.from({ length: count }, async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      results[next[0]] = await next[1]();
    }
  }));
  return results;
}

function fail(title: string, problems: readonly string[]): void {
  if (problems.length > 0) throw new Error(`${title}:\n${problems.slice(0, 20).join("\n")}`);
}

async function write(
  folder: string,
  models: readonly { readonly name: string; readonly model: Model }[],
): Promise<Written[]> {
  const written: Written[] = [];
  for (const { name, model } of models) {
    const { test } = await saveC(join(folder, `${name}.c`), model);
    written.push({ name, model, test: test! });
  }
  return written;
}

/** Models of all kinds, and names of all kinds. */
async function checkModels(folder: string): Promise<void> {
  const hostile = HOSTILE_NAMES.filter((name) => name !== "").map((name, k) => ({
    name: `hostile_${k}`,
    model: sequential([lstm({ units: 2, name }), dense({ units: 1, name: `${name}\t` })], {
      inputShape: [null, 2],
      seed: k,
    }),
  }));
  const written = await write(folder, [...randomModels(MODELS), ...hostile]);
  const names = written.map(({ name }) => name);
  const tested = WAYS.map((way, k) => async () => {
    const program = await compiled(folder, together(names, "TEST"), way, `test_${k}`);
    const { by, errors } = await printed(program);
    fail(way.join(" "), [
      ...(errors === "" ? [] : [errors]),
      ...names.filter((name) => !/^(rounding|equal): [1-9]\d* numbers/.test(by.get(name) ?? ""))
        .map((name) => `${name}: ${by.get(name)}`),
    ]);
  });
  const plain = ["gcc", "clang"].map((compiler) => async () => {
    await compiled(
      folder,
      together(names, undefined),
      [compiler, "-O1", "-c"],
      `plain_${compiler}`,
    );
  });
  const proved = async () => {
    const program = await compiled(folder, together(names, "TRACE"), ["clang", "-O1"], "trace");
    const { by } = await printed(program);
    const problems: string[] = [];
    for (const { name, model, test } of written) {
      const expected = await loadTrace(new TextEncoder().encode(by.get(name)!));
      const { verdict, sentence } = prove(model, test, { expected });
      if (verdict !== "rounding" && verdict !== "equal") problems.push(`${name}: ${sentence}`);
    }
    fail("prove", problems);
  };
  await inParallel(2, [...tested, ...plain, proved]);
  console.log(
    `${names.length} models in C: ${WAYS.length} ways of compiling without a warning, rounding everywhere; proved`,
  );
}

/** One way of breaking a file: the text, and where its self-test must find it. */
interface Broken {
  readonly source: string;
  readonly at: RegExp;
}

const GATES = ["input", "forget", "candidate", "output"];

/** Breaks an LSTM's file: `kind` is which way. */
function brokenCopy(
  source: string,
  name: string,
  kind: number,
  pick: (count: number) => number,
): Broken {
  const replaced = (from: string | RegExp, to: string) => {
    const broken = source.replace(from, () => to);
    if (broken === source) throw new Error(`${name}: nothing to break by ${from}`);
    return broken;
  };
  const lines = { i: /i\[k\] = (.*?);/, f: /f\[k\] = (.*?);/, o: /o\[k\] = (.*?);/ };
  if (kind === 0) { // one weight of the recurrent kernel, and of the dense
    const array = pick(2) === 0 ? "recurrent_kernel" : "dense_kernel";
    const found = new RegExp(`static const float ${name}_\\w*${array}\\[(\\d+)\\] = \\{([^}]*)\\}`)
      .exec(source)!;
    const numbers = found[2]!.split(",").map((text) => text.trim()).filter((text) => text !== "");
    const k = pick(numbers.length);
    const changed = `${(Number.parseFloat(numbers[k]!) + 0.05).toPrecision(9)}f`;
    const gate = GATES[Math.floor(k % 16 / 4)];
    return {
      source: source.replace(
        found[0],
        found[0].replace(found[2]!, `\n  ${numbers.with(k, changed).join(", ")}\n`),
      ),
      at: array === "dense_kernel"
        ? /^broken: dense, prediction, /
        : new RegExp(`^broken: lstm, gates\\.${gate}, timestep 1, unit ${k % 4} `),
    };
  }
  if (kind === 1) { // two gates
    const pairs = [["i", "f", "input"], ["i", "o", "input"], ["f", "o", "forget"]] as const;
    const [a, b, first] = pairs[pick(3)]!;
    const [one, two] = [lines[a].exec(source)!, lines[b].exec(source)!];
    const swapped = source.replace(one[0], `${a}[k] = ${two[1]};`).replace(
      two[0],
      `${b}[k] = ${one[1]};`,
    );
    return { source: swapped, at: new RegExp(`^broken: lstm, gates\\.${first}, timestep 0, `) };
  }
  if (kind === 2) { // one activation
    const chosen = pick(4);
    if (chosen === 3) {
      return {
        source: replaced("o[k] * tanhf(c[k])", "o[k] * c[k]"),
        at: /^broken: lstm, hiddenState, timestep 0, /,
      };
    }
    const gate = ["i", "f", "c_tilde"][chosen]!;
    const site = ["input", "forget", "candidate"][chosen];
    const line = new RegExp(`(${gate}\\[k\\] = )(\\w+)\\(`).exec(source)!;
    const other = line[2] === "tanhf" ? `${name}_sigmoid` : "tanhf";
    return {
      source: replaced(line[0], `${line[1]}${other}(`),
      at: new RegExp(`^broken: lstm, gates\\.${site}, timestep 0, `),
    };
  }
  // the state wiped each step (CMSIS-NN #219)
  return {
    source: replaced(
      new RegExp(`(static void ${name}_along\\(.*\\{)\n`),
      `static void ${name}_along(${name}_state *s, const float x[2]) {\n  ${name}_init(s);\n`,
    ),
    at: /^broken: lstm, gates\.input, timestep 1, /,
  };
}

/** Broken copies are called so by their own self-test, at the right place. */
async function checkBroken(folder: string): Promise<void> {
  const count = 100;
  const wanted = new Map<string, RegExp>();
  for (let k = 0; k < count; k++) {
    const name = `broken_${k}`;
    const random = seededRandom(7, k);
    const model = sequential([lstm({ units: 4 }), dense({ units: 2, activation: "tanh" })], {
      inputShape: [k % 2 === 0 ? 5 : null, 2],
      seed: k,
    });
    const file = join(folder, `${name}.c`);
    const { source } = await saveC(file, model);
    const broken = brokenCopy(source, name, k % 4, (most) => Math.floor(random.uniform() * most));
    await Deno.writeTextFile(file, broken.source);
    wanted.set(name, broken.at);
  }
  const program = await compiled(
    folder,
    together([...wanted.keys()], "TEST"),
    ["gcc", "-O0"],
    "broken",
  );
  const { by } = await printed(program);
  const missed = [...wanted].filter(([name, at]) => !at.test(by.get(name) ?? ""));
  fail(
    `${count - missed.length} of ${count} broken copies were found`,
    missed.map(([name, at]) => `${name}: ${at} in ${by.get(name)}`),
  );
  console.log(`${count} of ${count} broken copies were called so, at the right place`);
}

/** The article's model: what its compiled code takes. */
async function measureArticle(folder: string): Promise<void> {
  const data = fromFileUrl(
    new URL("../../notebooks/data/experiment1_tanh_sigmoid.npz", import.meta.url),
  );
  const model = sequential([lstm({ units: 8 }), dense({ units: 2, activation: "softmax" })], {
    inputShape: [3, 2],
  });
  model.setWeights([...(await loadNpz(data)).values()]);
  const { flashBytes, ramBytes, stackBytes, multiplyAdds } = await saveC(
    join(folder, "article.c"),
    model,
  );
  const object = await compiled(
    folder,
    '#include "article.c"\n',
    ["gcc", "-Os", "-c"],
    "article_size",
  );
  const { text } = await output("size", [object]);
  const [code, initialized, zeroed] = text.split("\n")[1]!.trim().split(/\s+/).map(Number);
  console.log(
    `the article's model: ${code} bytes of code and weights (${flashBytes} of weights), ${
      initialized! + zeroed!
    } of ` +
      `static data, ${ramBytes} of state, ${stackBytes} of arrays on the stack, ${multiplyAdds} multiply-adds a timestep`,
  );
}

/** All of it. */
export async function checkC(folder: string): Promise<void> {
  await checkModels(folder);
  await checkBroken(folder);
  await measureArticle(folder);
}

if (import.meta.main) {
  await setUp();
  const folder = await Deno.makeTempDir();
  try {
    await checkC(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
