// The command itself, on a copy of the runner in a folder with notebooks of its own.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import process from "node:process";
import { type TemporaryFolder, temporaryFolder, writeNotebook } from "./temporary.ts";

const runner = new URL("../../notebooks/", import.meta.url);
const { imports } = JSON.parse(
  await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
);

/** A folder with the runner and these notebooks. */
async function runnerWith(notebooks: Record<string, string[]>): Promise<TemporaryFolder> {
  const folder = await temporaryFolder();
  for await (const { name } of Deno.readDir(runner)) {
    if (name.endsWith(".ts")) await Deno.copyFile(new URL(name, runner), join(folder.path, name));
  }
  await Deno.writeTextFile(
    join(folder.path, "deno.json"),
    JSON.stringify({ imports: { zeromq: imports.zeromq } }),
  );
  for (const [name, sources] of Object.entries(notebooks)) {
    await writeNotebook(folder.path, name, ...sources);
  }
  return folder;
}

function command(folder: TemporaryFolder, ...args: string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-lock", "run.ts", ...args],
    cwd: folder.path,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

async function run(folder: TemporaryFolder, ...args: string[]) {
  const { code, stdout, stderr } = await command(folder, ...args).output();
  const text = new TextDecoder();
  return { code, out: text.decode(stdout).replaceAll(/\d+\.\d/g, "#"), err: text.decode(stderr) };
}

Deno.test("run.ts runs every notebook, goes on after a failing one, and exits with 1", async () => {
  await using folder = await runnerWith({
    "00_right": [`"a"`, `"b"`],
    "01_wrong": ["1", `const a = 1;\nthrow new RangeError("too far");`, "2"],
    "02_right": [`"c"`],
    "notes": ["not numbered, not run"],
  });
  const { code, out, err } = await run(folder);
  assertEquals(
    out,
    `00_right: 2 cells in # s
01_wrong: failed at cell 2 in # s
02_right: 1 cells in # s

notebook  cells  seconds  largest difference to Keras
00_right      2      #  –
01_wrong      2      #  –  failed
02_right      1      #  –

2 passed, 1 failed
`.replace(/ {2}#/g, "  #"),
  );
  assertMatch(
    err,
    /01_wrong, cell \[2\]:\n {2}│ const a = 1;\n {2}│ throw .*\nRangeError: too far/,
  );
  assertEquals(code, 1);
});

Deno.test("run.ts runs the notebooks whose names begin as asked, and lists them if none does", async () => {
  await using folder = await runnerWith({ "00_a": ["1"], "01_b": ["2"], "01_c": ["3"] });
  const { code, out } = await run(folder, "01_c", "notebooks/00_a.ipynb");
  assertMatch(out, /^00_a: .*\n01_c: /);
  assertMatch(out, /\n2 passed, 0 failed\n$/);
  assertEquals(code, 0);

  const unknown = await run(folder, "07");
  assertMatch(
    unknown.err,
    /^RangeError: Cannot run 07: a notebook's name must begin so, but they are 00_a, 01_b, 01_c$/m,
  );
  assertEquals([unknown.code, unknown.out], [1, ""]);
});

Deno.test("run.ts writes copies, and with --save the notebooks that passed", async () => {
  await using folder = await runnerWith({ "00_right": [`"a"`], "01_wrong": ["throw 1"] });
  const read = (...path: string[]) => Deno.readTextFile(join(folder.path, ...path));
  const before = [await read("00_right.ipynb"), await read("01_wrong.ipynb")];

  await run(folder);
  assertEquals([await read("00_right.ipynb"), await read("01_wrong.ipynb")], before);
  const copy = await read("executed", "00_right.ipynb");
  assertMatch(copy, /"execution_count": 1,\n {3}"id": "cell-0"/);
  assertMatch(await read("executed", "01_wrong.ipynb"), /"output_type": "error"/);

  await run(folder, "--save");
  assertEquals([await read("00_right.ipynb"), await read("01_wrong.ipynb")], [copy, before[1]]);
  await run(folder, "--save");
  assertEquals(await read("00_right.ipynb"), copy, "saving again changes nothing");
});

Deno.test({
  name: "Ctrl-C ends run.ts and its kernel",
  ignore: Deno.build.os === "windows", // where no other process can press it
  fn: async () => {
    await using folder = await runnerWith({
      "00_endless": [`Deno.writeTextFileSync("pid", String(Deno.pid)); while (true) {}`],
    });
    const child = command(folder).spawn();
    const drained = Promise.all([child.stdout.bytes(), child.stderr.bytes()]);
    const pid = await writtenPid(join(folder.path, "pid"));
    child.kill("SIGINT");
    assertEquals((await child.status).code, 130);
    await drained;
    assert(await isGone(pid), `kernel ${pid} is still there`);
  },
});

async function writtenPid(path: string): Promise<number> {
  for (let tries = 0; tries < 600; tries++) {
    const text = await Deno.readTextFile(path).catch(() => "");
    if (text !== "") return Number(text);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("Cannot go on as the cell did not start within 30 s");
}

/** A killed process may stay in the list for a moment. */
async function isGone(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 60; tries++) {
    try {
      process.kill(pid, 0);
    } catch {
      return true;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}
