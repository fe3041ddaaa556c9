// `deno task notebooks`: runs the notebooks of this folder on the real Deno kernel.

import { join } from "node:path";
import { parseArgs } from "node:util";
import { executeNotebook, type Execution } from "./execution.ts";
import { formatNotebook } from "./notebook.ts";
import { formatTable, Progress } from "./report.ts";

const usage = `deno task notebooks [names] [options]

Runs every notebook, or those whose names begin with the given ones (\`02\`), on the Deno kernel.
The executed copies are in notebooks/executed/.

  --html             write one page of them all, notebooks/executed/notebooks.html
  --save             replace the notebooks themselves by their executed copies
  --timeout seconds  how long a cell may take (120)
  --help             this text`;

const folder = import.meta.dirname!;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    args: Deno.args,
    allowPositionals: true,
    options: {
      html: { type: "boolean", default: false },
      save: { type: "boolean", default: false },
      timeout: { type: "string", default: "120" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const timeLimit = Number(values.timeout);
  if (!(timeLimit > 0)) {
    throw new RangeError(
      `Cannot limit a cell's time: it must be more than 0 s, but it is ${values.timeout}`,
    );
  }
  const chosen = choose(await notebookNames(), positionals);
  const progress = new Progress();
  const executions: Execution[] = [];
  for (const name of chosen) {
    const file = `${name}.ipynb`;
    const onCell = (cell: number, cells: number) => progress.atCell(name, cell, cells);
    const execution = await executeNotebook(join(folder, file), { timeLimit, onCell });
    progress.atEnd(execution);
    executions.push(execution);
    const replaces = values.save && execution.failure === undefined;
    await save(replaces ? folder : join(folder, "executed"), file, execution);
  }
  if (values.html) await savePage(executions);
  const failed = executions.filter(({ failure }) => failure !== undefined).length;
  console.log(`\n${formatTable(executions)}\n`);
  console.log(`${executions.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

async function notebookNames(): Promise<string[]> {
  const names = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (/^\d\d_.*\.ipynb$/.test(name)) names.push(name.slice(0, -".ipynb".length));
  }
  return names.sort();
}

/** The notebooks that begin with one of the names; a file's path, as shells complete it, will do. */
function choose(names: readonly string[], wanted: readonly string[]): readonly string[] {
  const prefixes = wanted.map((path) => path.replace(/^.*[/\\]/, "").replace(/\.ipynb$/, ""));
  const unknown = prefixes.find((prefix) => !names.some((name) => name.startsWith(prefix)));
  if (unknown !== undefined || names.length === 0) {
    throw new RangeError(
      `Cannot run ${unknown ?? "anything"}: a notebook's name must begin so, ` +
        `but they are ${names.join(", ") || "none"}`,
    );
  }
  if (prefixes.length === 0) return names;
  return names.filter((name) => prefixes.some((prefix) => name.startsWith(prefix)));
}

async function save(to: string, file: string, { notebook }: Execution): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  await Deno.writeTextFile(join(to, file), formatNotebook(notebook));
}

/** Its libraries are loaded here and nowhere else. */
async function savePage(executions: readonly Execution[]): Promise<void> {
  const { writePage } = await import("./page.ts");
  const file = join(folder, "executed", "notebooks.html");
  await Deno.mkdir(join(folder, "executed"), { recursive: true });
  await Deno.writeTextFile(file, await writePage(executions));
  console.log(`\n${file}`);
}

if (import.meta.main) {
  // Ctrl-C would end this process at once; Deno.exit() ends the kernel first.
  Deno.addSignalListener("SIGINT", () => Deno.exit(130));
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", () => Deno.exit(143));
  try {
    Deno.exit(await main());
  } catch (error) {
    console.error(`${error}`);
    Deno.exit(1);
  }
}
