// Files that another file names: the shards of a model.json, the external data of an .onnx. They
// must lie in that file's folder or below; a file that names others is not trusted further.

import { quoted } from "../base/quoted.ts";
import { isUrl, readSource, type Source } from "./source.ts";
import { UnreadableFileError, within } from "./unreadable.ts";
import { leadsOutside } from "./zip_directory.ts";

const OWN_FOLDER = "the files that it names must lie in its folder";

/**
 * The bytes of a file beside another one.
 *
 * @param source the file that names it
 * @param path what it is named there: relative, with slashes
 * @throws {UnreadableFileError} where the path leaves the folder, the naming file came as bytes and
 * so has no folder, or the file cannot be read.
 */
export async function readBeside(source: Source, path: string): Promise<Uint8Array> {
  if (typeof source !== "string" && !(source instanceof URL)) {
    const found = "it is given as bytes, which have no folder (give a path or a URL)";
    throw new UnreadableFileError(`it names another file, ${quoted(path)}`, found);
  }
  const place = placeBeside(source, path);
  if (await isLinkedElsewhere(source, place)) {
    throw new UnreadableFileError(OWN_FOLDER, `the link is ${quoted(path)}`);
  }
  return await within(`${path}, named`, () => readSource(place)); // "named in model.json"
}

/** Whether a link leads out of the folder; both files may be linked to another one. */
async function isLinkedElsewhere(source: string | URL, place: string | URL): Promise<boolean> {
  if (isUrl(source) && new URL(source).protocol !== "file:") return false;
  const { dirname, fromFileUrl, relative } = await import("@std/path");
  const real = (at: string | URL) => Deno.realPath(isUrl(at) ? fromFileUrl(new URL(at)) : at);
  try {
    return leadsOutside(relative(dirname(await real(source)), await real(place)));
  } catch {
    return false; // it is not there or not allowed: reading it says so
  }
}

function placeBeside(source: string | URL, path: string): string | URL {
  const leaves = () => new UnreadableFileError(OWN_FOLDER, `the name is ${quoted(path)}`);
  if (leadsOutside(path) || /^[a-z][a-z0-9+.-]*:/i.test(path) || path.includes("\0")) {
    throw leaves();
  }
  if (!isUrl(source)) return String(source).replace(/[^/\\]*$/, "") + path; // the folder stays
  const folder = new URL(".", source);
  const place = new URL(path.split("/").map(encodeURIComponent).join("/"), folder);
  if (!place.href.startsWith(folder.href)) throw leaves();
  return place;
}
