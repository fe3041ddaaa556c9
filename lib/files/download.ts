import { UnreadableFileError } from "./unreadable.ts";

/** More than any LSTM, less than what ends a kernel; as an archive may unpack to. */
const MOST_BYTES = 2 ** 31;

const PATIENCE_MS = 60_000;

/** What a server may take up. */
export interface DownloadLimits {
  /** How many bytes it may send; 2 GiB unless said. */
  readonly bytes?: number;
  /** How long nothing may come, in ms; a minute unless said. */
  readonly patience?: number;
}

/**
 * What a server sends.
 *
 * @throws {UnreadableFileError} where it does not answer, answers otherwise, falls silent or sends
 * too much.
 */
export async function download(
  url: URL,
  { bytes: most = MOST_BYTES, patience = PATIENCE_MS }: DownloadLimits = {},
): Promise<Uint8Array> {
  const refused = (rule: string, current: string, cause?: unknown) =>
    new UnreadableFileError(url.href, rule, current, { cause });
  const silence = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const listen = () => {
    clearTimeout(timer);
    timer = setTimeout(
      () => silence.abort(new Error(`nothing came for ${patience / 1000} s`)),
      patience,
    );
  };
  try {
    listen();
    const response = await fetch(url, { signal: silence.signal });
    if (!response.ok) {
      await response.body?.cancel();
      const answer = `${response.status} ${response.statusText}`.trim();
      throw refused("the server must send it", `answer is ${answer}`);
    }
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let length = 0;
    for await (const part of response.body ?? []) {
      listen();
      length += part.length;
      if (length > most) {
        throw refused(`it must be of ${most} bytes at most`, `length is more than that`);
      }
      parts.push(part);
    }
    return await new Blob(parts).bytes();
  } catch (cause) {
    if (cause instanceof UnreadableFileError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw refused("the server could not be read from", `reason is ${reason}`, cause);
  } finally {
    clearTimeout(timer);
  }
}
