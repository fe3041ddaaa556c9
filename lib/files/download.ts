import { joined } from "./joined.ts";
import { asFileError, UnreadableFileError } from "./unreadable.ts";

/** More than any LSTM, less than what ends a kernel; as an archive may unpack to. */
const MOST_BYTES = 2 ** 31;
const PATIENCE_MS = 60_000;
const MOST_MS = 60 * 60_000;

/** What a server may take up. */
export interface DownloadLimits {
  /** How many bytes it may send. Default: 2 GiB. */
  readonly bytes?: number;
  /** How long nothing may come, in ms. Default: a minute. */
  readonly patience?: number;
  /** How long it may take in all, in ms. Default: an hour. */
  readonly time?: number;
}

/**
 * What a server sends.
 *
 * @throws {UnreadableFileError} where it does not answer, answers otherwise, falls silent, sends too
 * much or does not end.
 */
export async function download(
  url: URL,
  { bytes: most = MOST_BYTES, patience = PATIENCE_MS, time = MOST_MS }: DownloadLimits = {},
): Promise<Uint8Array> {
  const ending = new AbortController();
  const endAfter = (ms: number, reason: string) =>
    setTimeout(() => ending.abort(new Error(`${reason} ${ms / 1000} s`)), ms);
  const whole = endAfter(time, "it did not end within");
  let silence: ReturnType<typeof setTimeout> | undefined;
  const listen = () => {
    clearTimeout(silence);
    silence = endAfter(patience, "nothing came for");
  };
  const work = async () => {
    const response = await fetch(url, { signal: ending.signal });
    if (!response.ok) {
      await response.body?.cancel();
      const answer = `${response.status} ${response.statusText}`.trim();
      throw new UnreadableFileError("the server must send it", `the answer is ${answer}`);
    }
    const parts = new Parts();
    // The body fills our own memory: a stream's parts would each be a view of 64 KiB.
    const reader = response.body?.getReader({ mode: "byob" });
    for (let ended = reader === undefined; !ended;) {
      const { done, value } = await reader!.read(parts.free());
      listen();
      ended = done;
      if (value === undefined) break;
      if (parts.length + value.length > most) {
        await reader!.cancel();
        throw new UnreadableFileError(`it must be of ${most} bytes at most`, "it has more");
      }
      parts.take(value);
    }
    return parts.joined();
  };
  try {
    listen();
    return await asFileError("the server must send all of it", work);
  } finally {
    clearTimeout(silence);
    clearTimeout(whole);
  }
}

const FIRST_PART = 2 ** 16;
const LARGEST_PART = 2 ** 24;

/** Bytes that come piece by piece, in few large parts: no piece keeps memory of its own. */
class Parts {
  readonly #full: Uint8Array<ArrayBuffer>[] = [];
  #part: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_PART);
  #filled = 0;
  length = 0;

  /** Where the next bytes go. Whoever fills it takes the whole part's memory along. */
  free(): Uint8Array<ArrayBuffer> {
    if (this.#filled === this.#part.length) {
      this.#full.push(this.#part);
      this.#part = new Uint8Array(Math.min(2 * this.#part.length, LARGEST_PART));
      this.#filled = 0;
    }
    return this.#part.subarray(this.#filled);
  }

  /** The filled beginning of what `free()` gave: the part's memory comes back with it. */
  take(bytes: Uint8Array<ArrayBuffer>): void {
    this.#part = new Uint8Array(bytes.buffer);
    this.#filled += bytes.length;
    this.length += bytes.length;
  }

  joined(): Uint8Array<ArrayBuffer> {
    return joined([...this.#full, this.#part.subarray(0, this.#filled)]);
  }
}
