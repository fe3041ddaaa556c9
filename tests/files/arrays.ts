// The files that NumPy wrote (see generate.py), and bytes to damage.

import { fromFileUrl } from "@std/path";

/** The path of one of them. */
export function pathOf(file: string): string {
  return fromFileUrl(import.meta.resolve(`./arrays/${file}`));
}

/** A fresh copy of its bytes. */
export function bytesOf(file: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(pathOf(file));
}

/** A .npy file with this header text, and zeros for its numbers. */
export function npyOf(text: string, dataBytes: number): Uint8Array<ArrayBuffer> {
  const header = new TextEncoder().encode(text);
  const bytes = new Uint8Array(10 + header.length + dataBytes);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  bytes.set(header, 10);
  return bytes;
}

/** What `read` gives, or the error that it throws. */
export async function outcome<T>(read: () => Promise<T>): Promise<T | Error> {
  try {
    return await read();
  } catch (error) {
    return error as Error;
  }
}
