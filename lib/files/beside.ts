// Files that another file names: the shards of a model.json, the external data of an .onnx. They
// must lie in that file's folder or below; a file that names others is not trusted further.

import { readSource, type Source } from "./source.ts";
import { UnreadableFileError } from "./unreadable.ts";
import { leadsOutside } from "./zip_directory.ts";

/**
 * The bytes of a file beside another one.
 *
 * @param source the file that names it
 * @param path what it is named there: relative, with slashes
 * @param name what messages call the naming file
 * @throws {UnreadableFileError} where the path leaves the folder, the naming file came as bytes and
 * so has no folder, or the file cannot be read.
 */
export async function readBeside(
  source: Source,
  path: string,
  name: string,
): Promise<Uint8Array> {
  if (typeof source !== "string" && !(source instanceof URL)) {
    const state = "source is bytes, which have no folder (give a path or a URL)";
    throw new UnreadableFileError(name, `it names another file, ${JSON.stringify(path)}`, state);
  }
  const { bytes } = await readSource(placeBeside(source, path, name));
  return bytes;
}

function placeBeside(source: string | URL, path: string, name: string): string | URL {
  const leaves = () => {
    const rule = "the files that it names must lie in its folder";
    return new UnreadableFileError(name, rule, `name is ${JSON.stringify(path)}`);
  };
  if (leadsOutside(path) || /^[a-z][a-z0-9+.-]*:/i.test(path) || path.includes("\0")) {
    throw leaves();
  }
  const isUrl = source instanceof URL || /^(file:|[a-z][a-z0-9+.-]+:\/\/)/i.test(source);
  if (!isUrl) return String(source).replace(/[^/\\]*$/, "") + path; // after the last separator
  const folder = new URL(".", source);
  const place = new URL(path.split("/").map(encodeURIComponent).join("/"), folder);
  if (!place.href.startsWith(folder.href)) throw leaves();
  return place;
}
