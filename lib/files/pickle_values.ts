// What a pickle builds: None is null; bools, numbers and texts are what they are, and an integer beyond
// float64's is a bigint; a list is an array, a dict a Map, a set a Set, bytes are a Uint8Array.

import { quoted } from "../base/quoted.ts";
import { asFileError, UnreadableFileError } from "./unreadable.ts";

/** Python's tuple. */
export class Tuple {
  constructor(readonly items: readonly unknown[]) {}
}

/** A function or class that a pickle names, and what stands for it here. */
export class Global {
  constructor(
    readonly name: string,
    /** What calling it gives; a name alone where it is not there. */
    readonly call?: (args: readonly unknown[]) => unknown,
  ) {}
}

/** Keys and values, one after the other, into a dict. */
export function setItems(dict: Map<unknown, unknown>, items: readonly unknown[]): void {
  for (let k = 0; k < items.length; k += 2) {
    const key = items[k];
    if (Array.isArray(key) || key instanceof Map || key instanceof Set) {
      throw new UnreadableFileError(
        "what a dict or a set is keyed by must not change",
        `one is ${kindOfValue(key)}`,
      );
    }
    dict.set(key, items[k + 1]);
  }
}

/** What a value is, in Python's words. */
export function kindOfValue(value: unknown): string {
  if (value === null) return "None";
  if (value === undefined) return "nothing";
  if (typeof value === "string") return `the text ${quoted(value)}`;
  if (typeof value !== "object") return `${value}`;
  if (value instanceof Tuple) return `a tuple of ${value.items.length}`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof Map) return `a dict of ${value.size}`;
  if (value instanceof Set) return `a set of ${value.size}`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (value instanceof Global) return quoted(value.name);
  return `a ${value.constructor.name.replace(/View$/, "").toLowerCase()}`;
}

/** How much a value holds: what a copy of it would take. */
export function sizeOf(value: unknown): number {
  if (Array.isArray(value)) return value.length;
  if (value instanceof Tuple) return value.items.length;
  if (value instanceof Map || value instanceof Set) return value.size;
  return typeof value === "string" ? value.length : 0;
}

/** A text in UTF-8. */
export function textOf(bytes: Uint8Array): string {
  return asFileError("the texts of a pickle must be UTF-8", () => {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  });
}

/** Two's complement, the lowest byte first; a number where one can hold it. */
export function integerOf(bytes: Uint8Array): number | bigint {
  const raw = bytes.reduceRight((sum, byte) => sum << 8n | BigInt(byte), 0n);
  const value = BigInt.asIntN(8 * bytes.length, raw);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
