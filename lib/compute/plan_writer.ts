// A plan of assembly/*.ts as JavaScript writes it: numbers of 4 bytes, one after the other.

import type { Arena } from "./arena.ts";

/** Writes a plan's fields in their order; the kinds are those of the AssemblyScript class. */
export class PlanWriter {
  readonly #arena: Arena;
  #at: number;

  constructor(arena: Arena, address: number) {
    this.#arena = arena;
    this.#at = address / 4;
  }

  /** Sizes and addresses. */
  integers(...values: number[]): this {
    for (const value of values) this.#arena.integers[this.#at++] = value;
    return this;
  }

  floats(...values: number[]): this {
    for (const value of values) this.#arena.floats[this.#at++] = value;
    return this;
  }
}
