// Notebook files, as nbformat 4 has them and as Jupyter writes them.
// Source: nbformat's v4/rwbase.py (which strings are split in lines) and v4/nbjson.py.

/** One text; files have it as a list of lines. */
export type Multiline = string | readonly string[];

/** An output in several media types. */
export type MediaBundle = Record<string, unknown>;

/** An error, as the kernel tells it. */
export interface ErrorOutput {
  output_type: "error";
  /** The error's class. */
  ename: string;
  /** The error's message. */
  evalue: string;
  /** The error as Deno prints it: class, message, and where; empty where only those are known. */
  traceback: readonly string[];
}

/** What a code cell gave out. */
export type Output =
  | ErrorOutput
  | { output_type: "stream"; name: string; text: Multiline }
  | { output_type: "display_data"; data: MediaBundle; metadata: object }
  | {
    output_type: "execute_result";
    data: MediaBundle;
    metadata: object;
    execution_count: number;
  };

/** A cell that the kernel executes. */
export interface CodeCell {
  cell_type: "code";
  id?: string;
  metadata: object;
  source: Multiline;
  execution_count: number | null;
  outputs: Output[];
}

/** A cell that is read, or passed on. */
export interface TextCell {
  cell_type: "markdown" | "raw";
  id?: string;
  metadata: object;
  source: Multiline;
  attachments?: Record<string, MediaBundle>;
}

/** A notebook file. */
export interface Notebook {
  cells: (CodeCell | TextCell)[];
  metadata: {
    kernelspec?: { display_name: string; language: string; name: string };
    language_info?: { name: string };
  };
  nbformat: number;
  nbformat_minor: number;
}

/** The cells that the kernel executes; Jupyter passes over empty ones. */
export function codeCells(notebook: Notebook): CodeCell[] {
  return notebook.cells.filter((cell) => cell.cell_type === "code").filter((cell) =>
    joinLines(cell.source).trim() !== ""
  );
}

/** The text of a list of lines. */
export function joinLines(text: Multiline): string {
  return typeof text === "string" ? text : text.join("");
}

/** Reads a notebook file. */
export async function readNotebook(path: string): Promise<Notebook> {
  const text = await Deno.readTextFile(path);
  let notebook: Partial<Notebook> | null;
  try {
    notebook = JSON.parse(text);
  } catch (cause) {
    throw new SyntaxError(
      `Cannot read a notebook: it must be JSON, but ${path} is not`,
      { cause },
    );
  }
  if (notebook?.nbformat !== 4 || !Array.isArray(notebook.cells)) {
    throw new TypeError(
      `Cannot read a notebook: it must be of nbformat 4 and have cells, but ${path} is not`,
    );
  }
  return notebook as Notebook;
}

/** The text of a notebook file: the same notebook gives the same text, so that diffs stay small. */
export function formatNotebook(notebook: Notebook): string {
  const lists = { ...notebook, cells: notebook.cells.map(withLists) };
  return `${JSON.stringify(lists, sortKeys, 1)}\n`;
}

function withLists(cell: CodeCell | TextCell): CodeCell | TextCell {
  const source = splitLines(cell.source);
  if (cell.cell_type !== "code") return { ...cell, source };
  return { ...cell, source, outputs: cell.outputs.map(outputWithLists) };
}

function outputWithLists(output: Output): Output {
  if (output.output_type === "stream") return { ...output, text: splitLines(output.text) };
  if (output.output_type === "error") return output;
  const data = Object.entries(output.data).map(([type, value]) =>
    [type, typeof value === "string" && isSplit(type) ? splitLines(value) : value] as const
  );
  return { ...output, data: Object.fromEntries(data) };
}

function isSplit(mediaType: string): boolean {
  return mediaType.startsWith("text/") || mediaType === "image/svg+xml" ||
    mediaType === "application/javascript";
}

function splitLines(text: Multiline): string[] {
  const whole = joinLines(text);
  return whole === "" ? [] : whole.split(/(?<=\n)/);
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1),
  );
}
