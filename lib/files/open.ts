// The door of every reader: here a file's name is added to whatever error comes from behind it.

import { readBeside } from "./beside.ts";
import { nameOf, readSource, type Source } from "./source.ts";
import { within } from "./unreadable.ts";

/** A file as its readers get it. */
export interface OpenFile {
  readonly bytes: Uint8Array;
  /** The bytes of another file that this one names: it must lie in the same folder or below. */
  readonly beside: (path: string) => Promise<Uint8Array>;
  /** The path, the URL, or that bytes were given: for the log, errors get it by themselves. */
  readonly name: string;
}

/**
 * Reads a file, and puts its name into the errors of that.
 *
 * @param source a path, a URL or the bytes
 * @param read what is done with it; an error of it need not say which file it was
 * @throws {UnreadableFileError} where the file cannot be opened, or `read` throws one.
 * @throws {TypeError} where the source is of no kind that is read.
 */
export async function openFile<T>(
  source: Source,
  read: (file: OpenFile) => T | Promise<T>,
): Promise<T> {
  const name = nameOf(source);
  const beside = (path: string) => readBeside(source, path);
  return await within(name, async () => read({ bytes: await readSource(source), beside, name }));
}
