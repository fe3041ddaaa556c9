import { assert, assertEquals, assertMatch } from "@std/assert";
import process from "node:process";
import { executeNotebook, type Execution } from "../../notebooks/execution.ts";
import { codeCells, joinLines, type Output } from "../../notebooks/notebook.ts";
import { temporaryFolder, writeNotebook } from "./temporary.ts";

const timeLimit = 2; // s

async function execute(...sources: string[]): Promise<Execution> {
  await using folder = await temporaryFolder();
  return await executeNotebook(await writeNotebook(folder.path, "00_test", ...sources), {
    timeLimit,
  });
}

const outputsOf = ({ notebook }: Execution): Output[][] =>
  codeCells(notebook).map(({ outputs }) => outputs);

const printed = (outputs: Output[]): string =>
  outputs.map((output) => output.output_type === "stream" ? joinLines(output.text) : "").join("");

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

Deno.test("a notebook without errors passes, with the outputs of every cell", async () => {
  const execution = await execute(`console.log("a"); console.log("b");`, "", "let x = 1;", `x + 1`);
  assertEquals(execution.failure, undefined);
  assertEquals(execution.cells, 3, "an empty cell is not executed");
  assertEquals(outputsOf(execution), [
    [{ output_type: "stream", name: "stdout", text: "a\nb\n" }],
    [],
    [{
      output_type: "execute_result",
      data: { "text/plain": "\x1b[33m2\x1b[39m" },
      metadata: {},
      execution_count: 3,
    }],
  ]);
});

Deno.test("a throwing cell stops the run, and is named with its error", async () => {
  const { failure, cells, ...rest } = await execute("1", `throw new RangeError("too far");`, "3");
  assertEquals([cells, failure?.cell, failure?.source], [2, 2, `throw new RangeError("too far");`]);
  assertEquals([failure?.error.ename, failure?.error.evalue], ["RangeError", "too far"]);
  assertEquals(failure?.error.traceback[0], "RangeError: too far");
  assertEquals(outputsOf({ failure, cells, ...rest })[2], []);
});

Deno.test("a syntax error, which the kernel tells in the reply alone, is a failure with its place", async () => {
  const execution = await execute("const x: number = ;");
  assertEquals(execution.failure?.error.ename, "SyntaxError");
  assertEquals(execution.failure?.error.evalue, "Expression expected");
  assertMatch(execution.failure!.error.traceback.join("\n"), /1 \| const x: number = ;\n {2}\| +~/);
  assertEquals(outputsOf(execution)[0]?.[0]?.output_type, "error", "the copy shows it too");
});

Deno.test("a throwing display hook, which the kernel's reply calls ok, is a failure", async () => {
  const { failure } = await execute(
    `({ [Symbol.for("Jupyter.display")]() { throw new TypeError("hook"); } })`,
  );
  assertEquals([failure?.error.ename, failure?.error.evalue], ["TypeError", "hook"]);
});

Deno.test("an import that cannot be resolved is a failure", async () => {
  const { failure } = await execute(`import { nothing } from "./nothing.ts";`);
  assertMatch(failure?.error.evalue ?? "", /Module not found .*nothing\.ts/);
});

for (
  const [what, code] of [
    ["a loop without end", "while (true) {}"],
    ["a promise that is never settled", "await new Promise(() => {});"],
  ]
) {
  Deno.test(`${what} fails at the time limit, and the kernel is gone`, async () => {
    const execution = await execute(`console.log(Deno.pid);`, code!, "3");
    assertEquals(execution.failure?.cell, 2);
    assertEquals(
      execution.failure?.error.evalue,
      "Cannot finish: a cell must end within 2 s, but it did not",
    );
    assert(execution.seconds < timeLimit + 10, `${execution.seconds} s`);
    const pid = Number(printed(outputsOf(execution)[0]!));
    assert(pid > 0 && !isRunning(pid), `kernel ${pid} is still there`);
  });
}

Deno.test("a kernel that ends in a cell is a failure", async () => {
  const execution = await execute(`Deno.exit(3);`, "2");
  assertEquals(execution.failure?.cell, 1);
  assertMatch(
    execution.failure!.error.evalue,
    /^Cannot go on: the Deno kernel must run, but it has ended with exit code 3/,
  );
});

Deno.test("the kernel of a notebook that passed is gone", async () => {
  const execution = await execute("console.log(Deno.pid);");
  const pid = Number(printed(outputsOf(execution)[0]!));
  assert(pid > 0 && !isRunning(pid), `kernel ${pid} is still there`);
});

Deno.test({
  name: "a process that a cell started, and that outlives the kernel, does not hold up the run",
  ignore: Deno.build.os === "windows", // no sleep command there
  fn: async () => {
    const execution = await execute(
      `const child = new Deno.Command("sleep", { args: ["30"], stdout: "null" }).spawn();
console.log(child.pid);`,
    );
    Deno.kill(Number(printed(outputsOf(execution)[0]!)));
    assertEquals(execution.failure, undefined);
    assert(execution.seconds < 15, `${execution.seconds} s`);
  },
});

Deno.test("the largest difference to Keras is taken from the comparisons in the outputs", async () => {
  const type = "application/vnd.gatescope.comparison+json";
  const comparison = (maxAbsDiff: string) =>
    `({ [Symbol.for("Jupyter.display")]: () => ({
      "text/plain": "", "${type}": { maxAbsDiff: ${maxAbsDiff}, within: true } }) })`;
  const found = async (...differences: string[]) =>
    (await execute(...differences.map(comparison))).maxAbsDiff;
  assertEquals(await found("3e-8", `"4.5e-8"`, "1e-9"), 4.5e-8);
  assertEquals(await found("3e-8", `"NaN"`), NaN);
  assertEquals(await found(), undefined);
});
