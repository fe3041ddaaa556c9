// What the runner prints: where it is, what went wrong, and the closing table.

import type { Execution, Failure } from "./execution.ts";

const clearLine = "\r\x1b[2K";
const longestSource = 6; // lines of a failing cell

/** Says where the run is: a line that changes in a terminal, a line per notebook elsewhere. */
export class Progress {
  readonly #isTerminal = Deno.stdout.isTerminal();

  /** A cell is about to run. */
  atCell(name: string, cell: number, cells: number): void {
    if (this.#isTerminal) write(`${clearLine}${name}: cell ${cell} of ${cells}`);
  }

  /** A notebook is done. */
  atEnd(execution: Execution): void {
    if (this.#isTerminal) write(clearLine);
    else console.log(`${execution.name}: ${summary(execution)}`);
    if (execution.failure !== undefined) {
      console.error(`\n${describeFailure(execution.name, execution.failure)}\n`);
    }
  }
}

function write(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}

function summary({ cells, seconds, failure }: Execution): string {
  const end = failure === undefined ? `${cells} cells` : `failed at cell ${failure.cell}`;
  return `${end} in ${seconds.toFixed(1)} s`;
}

/** The notebook, the cell, how it begins, and the error. */
export function describeFailure(name: string, failure: Failure): string {
  const { cell, source, error: { ename, evalue, traceback } } = failure;
  const error = traceback.join("\n").trim() || `${ename}: ${evalue}`;
  if (cell === 0) return `${name}, before its first cell:\n${error}`;
  const lines = source.split("\n");
  const shown = lines.slice(0, longestSource).map((line) => `  │ ${line}`);
  const cut = lines.length - shown.length;
  if (cut > 0) shown.push(`  │ … ${cut} more line${cut === 1 ? "" : "s"}`);
  return [`${name}, cell [${cell}]:`, ...shown, error].join("\n");
}

/** A row for each notebook. */
export function formatTable(executions: readonly Execution[]): string {
  const header = ["notebook", "cells", "seconds", "largest difference to Keras"];
  const rows = executions.map(({ name, cells, seconds, maxAbsDiff, failure }) => [
    name,
    `${cells}`,
    seconds.toFixed(1),
    (maxAbsDiff === undefined ? "–" : formatDifference(maxAbsDiff)) + (failure ? "  failed" : ""),
  ]);
  const width = (column: number) =>
    Math.max(...[header, ...rows].map((row) => row[column]!.length));
  const format = ([name, cells, seconds, difference]: string[]) =>
    [
      name!.padEnd(width(0)),
      cells!.padStart(width(1)),
      seconds!.padStart(width(2)),
      difference!,
    ].join("  ");
  return [header, ...rows].map(format).join("\n");
}

function formatDifference(difference: number): string {
  return difference === 0 ? "0" : difference.toExponential(1);
}
