import { isDeno, NOT_DENO } from "../base/deno.ts";
import { kindOf } from "../base/kind.ts";
import { download } from "./download.ts";
import { asFileError, UnreadableFileError } from "./unreadable.ts";

/**
 * Where a file comes from: a path, a URL (http, https or file; as text or as an object), or its
 * bytes. `C:\weights.npz` is a path.
 *
 * @example
 * ```ts
 * import type { Source } from "@gatescope/lstm";
 *
 * const sources: Source[] = ["weights.npz", new URL("file:///data/weights.npz"), new Uint8Array(8)];
 * ```
 */
export type Source = string | URL | Uint8Array | ArrayBuffer;

/**
 * What messages call a source.
 *
 * @throws {TypeError} where it is of no kind that is read.
 */
export function nameOf(source: Source): string {
  if (isBytes(source)) return "the given bytes";
  const place = placeOf("read", source);
  return typeof place === "string" ? place : place.href;
}

function isBytes(source: Source): source is Uint8Array | ArrayBuffer {
  return source instanceof Uint8Array || source instanceof ArrayBuffer;
}

/**
 * The bytes of a source. Needs the permission to read that one file, or to reach that one host.
 *
 * @throws {UnreadableFileError} where the file is not there, not allowed or no file, or the server
 * answers otherwise, sends nothing for a minute, or more than 2 GiB.
 * @throws {TypeError} where the source is of no kind that is read.
 */
export async function readSource(source: Source): Promise<Uint8Array> {
  if (isBytes(source)) return source instanceof Uint8Array ? source : new Uint8Array(source);
  const place = placeOf("read", source);
  if (typeof place === "string") return await readFile(place);
  if (place.protocol !== "file:") return await download(place);
  return await readFile(await asFileError(OPENS, () => pathOf(place)));
}

const OPENS = "it must be possible to open it";

/**
 * The path that a file is written to.
 *
 * @throws {TypeError} where it is neither a path nor a file URL.
 */
async function pathToWrite(target: string | URL): Promise<string> {
  const place = placeOf("write", target);
  if (typeof place === "string") return place;
  if (place.protocol === "file:") return await pathOf(place);
  throw new TypeError(
    `Cannot write a file: it must go to a path or a file URL, but that is ${place.href}`,
  );
}

/**
 * Writes a file; what was there is replaced.
 *
 * @throws {TypeError} where it is neither a path nor a file URL.
 * @throws {Error} where it cannot be written; `cause` says why.
 */
export async function writeFile(target: string | URL, bytes: Uint8Array): Promise<void> {
  const path = await pathToWrite(target);
  if (!isDeno()) throw new Error(`Cannot write ${path}: only Deno writes files, but ${NOT_DENO}`);
  try {
    await Deno.writeFile(path, bytes);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const rule = "it must be possible to make the file";
    throw new Error(`Cannot write ${path}: ${rule}, but that failed: ${reason}`, { cause });
  }
}

/** Whether it is a URL, or a text that begins like one (a single letter is a Windows drive). */
export function isUrl(source: string | URL): boolean {
  return source instanceof URL || /^(file:|[a-z][a-z0-9+.-]+:\/\/)/i.test(source);
}

/** A URL where the text begins like one, a path otherwise. */
function placeOf(action: "read" | "write", given: string | URL): string | URL {
  if (typeof given !== "string" && !(given instanceof URL)) {
    const kinds = action === "read" ? "a path, a URL or bytes" : "a path or a file URL";
    throw new TypeError(
      `Cannot ${action} a file: it must be named by ${kinds}, but ${kindOf(given)} was given`,
    );
  }
  if (typeof given === "string" && !isUrl(given)) return given;
  const url = URL.canParse(given) ? new URL(given) : null;
  if (url !== null && ["http:", "https:", "file:"].includes(url.protocol)) return url;
  throw new TypeError(
    `Cannot ${action} ${given}: a URL must be a whole one and begin with http, https or file, ` +
      `but the URL ${url === null ? "cannot be parsed" : `begins with ${url.protocol}`}`,
  );
}

// The path library is loaded only where a path is worked on: most notebooks name a plain path.
async function pathOf(url: URL): Promise<string> {
  const { fromFileUrl } = await import("@std/path");
  return fromFileUrl(url);
}

async function readFile(path: string): Promise<Uint8Array> {
  if (!isDeno()) {
    const found = `${NOT_DENO} (give the file's bytes, or a URL that can be fetched)`;
    throw new UnreadableFileError("only Deno opens files", found);
  }
  return await asFileError(OPENS, async () => {
    const { isFile, isDirectory } = await Deno.stat(path).catch((cause) => notThere(path, cause));
    if (isFile) return await Deno.readFile(path);
    const kind = isDirectory ? "a folder, as TensorFlow's SavedModel is" : "a device or a pipe";
    throw new UnreadableFileError("it must be a file", `it is ${kind}`);
  });
}

async function notThere(path: string, cause: unknown): Promise<never> {
  if (!(cause instanceof Deno.errors.NotFound)) throw cause;
  // loaded from elsewhere, which may be out of reach
  const whole = await import("@std/path").then(({ resolve }) => resolve(path)).catch(() => path);
  throw new UnreadableFileError("there must be such a file", `there is none at ${whole}`, {
    cause,
  });
}
