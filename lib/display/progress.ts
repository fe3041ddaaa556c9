// One line that updates while something long goes on: in a notebook, and in a terminal.

import { isDeno } from "../base/deno.ts";
import { arrival, type Jupyter, jupyterOfKernel } from "./jupyter.ts";

/** A line that updates. */
export interface Progress {
  /** Shows this instead of what was shown; the text may be left out where updates come fast. */
  update(text: () => string): void;
  /** Shows the last text, and resolves when it is sure to arrive. */
  finish(text: string): Promise<void>;
}

// Often enough to look alive, seldom enough to cost nothing.
const INTERVAL_MS = 100;

/**
 * A line that updates: an output of the running cell in the Deno kernel, the current line of a
 * terminal.
 *
 * @param verbose true shows it elsewhere too (line after line where there is no terminal), false
 * nowhere
 */
export function progress(verbose?: boolean): Progress {
  const show = verbose === false ? undefined : lineOf(verbose === true);
  if (show === undefined) return { update: () => {}, finish: () => Promise.resolve() };
  let last = -Infinity;
  return {
    update(text) {
      const now = performance.now();
      if (now - last < INTERVAL_MS) return;
      last = now;
      show.update(text());
    },
    finish: (text) => show.finish(text),
  };
}

interface Line {
  update(text: string): void;
  finish(text: string): Promise<void>;
}

function lineOf(always: boolean): Line | undefined {
  const jupyter = jupyterOfKernel();
  if (jupyter !== undefined) return notebookLine(jupyter);
  if (!isDeno()) return always ? plainLines() : undefined;
  return Deno.stdout.isTerminal() ? terminalLine() : always ? plainLines() : undefined;
}

function notebookLine(jupyter: Jupyter): Line {
  const display_id = crypto.randomUUID();
  let type = "display_data";
  // One after the other, and never an unhandled rejection, which the kernel keeps silent about.
  let sent: Promise<void> = Promise.resolve();
  const update = (text: string) => {
    const content = { data: { "text/plain": text }, metadata: {}, transient: { display_id } };
    const message = type;
    type = "update_display_data";
    sent = sent.then(() => jupyter.broadcast(message, content)).catch(() => {});
  };
  return {
    update,
    async finish(text) {
      update(text);
      await sent;
      await arrival();
    },
  };
}

function terminalLine(): Line {
  const encoder = new TextEncoder();
  let shown = 0;
  const write = (text: string, end: string) => {
    const line = text.slice(0, columns() - 1); // a line that wraps cannot be taken back
    Deno.stdout.writeSync(encoder.encode(`\r${line.padEnd(shown)}${end}`));
    shown = line.length;
  };
  return {
    update: (text) => write(text, ""),
    finish: (text) => Promise.resolve(write(text, "\n")),
  };
}

function columns(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}

function plainLines(): Line {
  return {
    update: (text) => console.log(text),
    finish: (text) => Promise.resolve(console.log(text)),
  };
}
