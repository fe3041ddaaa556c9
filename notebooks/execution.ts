// Runs one notebook, cell by cell, on a kernel of its own.

import { basename, dirname } from "node:path";
import { Kernel, KernelError, type Reply } from "./kernel.ts";
import {
  type CodeCell,
  codeCells,
  type ErrorOutput,
  joinLines,
  type Notebook,
  readNotebook,
} from "./notebook.ts";
import { OutputCollector } from "./outputs.ts";
import { findSyntaxError } from "./syntax.ts";

/** What ended a run early. */
export interface Failure {
  /** The cell, counted as front ends count what was executed: 3 is `[3]`; 0 is before the first. */
  readonly cell: number;
  /** The cell's text. */
  readonly source: string;
  /** What went wrong. */
  readonly error: ErrorOutput;
}

/** A notebook that was run. */
export interface Execution {
  /** The file's name, without its ending. */
  readonly name: string;
  /** The notebook, with the outputs of this run. */
  readonly notebook: Notebook;
  /** How many cells were executed. */
  readonly cells: number;
  /** How long it took, with the start of the kernel. */
  readonly seconds: number;
  /** The largest difference to Keras in the outputs; undefined where none compares. */
  readonly maxAbsDiff: number | undefined;
  /** What went wrong; undefined if nothing did. */
  readonly failure: Failure | undefined;
}

/** How to run. */
export interface ExecutionOptions {
  /** Seconds that a cell may take. */
  readonly timeLimit?: number;
  /** Called before each cell with its number, from 1, and how many there are. */
  readonly onCell?: (cell: number, cells: number) => void;
}

/** The output that says how far a result is from Keras's. */
const comparisonMediaType = "application/vnd.gatescope.comparison+json";

/** Runs a notebook on a new kernel in the notebook's folder, up to the first error. */
export async function executeNotebook(
  path: string,
  { timeLimit = 120, onCell = () => {} }: ExecutionOptions = {},
): Promise<Execution> {
  const start = performance.now();
  const notebook = withoutOutputs(await readNotebook(path));
  const cells = codeCells(notebook);
  const collector = new OutputCollector();
  const onOutput = collector.add.bind(collector);
  let executed = 0;
  let error: ErrorOutput | undefined;
  try {
    await using kernel = await Kernel.start(dirname(path));
    for (const cell of cells) {
      onCell(++executed, cells.length);
      cell.execution_count = executed;
      collector.startCell(cell.outputs);
      const reply = await kernel.execute(joinLines(cell.source), { timeLimit, onOutput });
      error = await errorOf(cell, reply);
      if (error !== undefined) break;
    }
  } catch (thrown) {
    if (!(thrown instanceof KernelError)) throw thrown;
    const { name, message } = thrown;
    error = { output_type: "error", ename: name, evalue: message, traceback: [] };
  }
  const last = cells[executed - 1];
  // The copy shows what the kernel did not send as an output.
  if (error !== undefined && !last?.outputs.includes(error)) last?.outputs.push(error);
  return {
    name: basename(path, ".ipynb"),
    notebook,
    cells: executed,
    seconds: (performance.now() - start) / 1000,
    maxAbsDiff: maxAbsDiff(cells),
    failure: error && { cell: executed, source: joinLines(last?.source ?? ""), error },
  };
}

function withoutOutputs(notebook: Notebook): Notebook {
  const cells = notebook.cells.map((cell) =>
    cell.cell_type === "code" ? { ...cell, outputs: [], execution_count: null } : cell
  );
  return { ...notebook, cells };
}

/**
 * A cell's error, which the kernel tells in either of two places: only in the reply where the text
 * doesn't parse, only in the outputs where a display hook throws.
 */
async function errorOf(cell: CodeCell, reply: Reply): Promise<ErrorOutput | undefined> {
  const shown = cell.outputs.find((output) => output.output_type === "error");
  if (shown !== undefined || reply.status === "ok") return shown;
  const { ename, evalue } = reply;
  const message = await findSyntaxError(joinLines(cell.source));
  if (message !== undefined) {
    const [evalue = "", ...place] = message.split("\n");
    const traceback = [`SyntaxError: ${evalue}`, ...place];
    return { output_type: "error", ename: "SyntaxError", evalue, traceback };
  }
  // The kernel gives no reason; what is known to do this is an npm package that isn't there.
  const reason = "the Deno kernel says no more; an import that cannot be resolved does this";
  return { output_type: "error", ename, evalue: `${evalue} (${reason})`, traceback: [] };
}

function maxAbsDiff(cells: readonly CodeCell[]): number | undefined {
  const diffs = cells.flatMap(({ outputs }) => outputs).flatMap((output) => {
    const comparison = "data" in output ? output.data[comparisonMediaType] : undefined;
    if (typeof comparison !== "object" || comparison === null) return [];
    // A string, as JSON has neither NaN nor Infinity.
    const { maxAbsDiff } = comparison as { maxAbsDiff?: string | number | null };
    return [Number(maxAbsDiff ?? NaN)];
  });
  return diffs.length === 0 ? undefined : Math.max(...diffs);
}
