// What holds whatever the lengths of a call: tried with two sets of lengths that fit nothing by chance.

import { type Connection, resultShapes } from "../../layers/connection.ts";
import { type Known, type Lengths, partOf } from "./known.ts";

/** Primes: none is a product, and none what a file has by itself. */
const TRIED: readonly (readonly number[])[] = [
  [101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167, 173, 179],
  [211, 223, 227, 229, 233, 239, 241, 251, 257, 263, 269, 271, 277, 281, 283, 293],
];

/** An axis of an input: its length, or the name that the file gives it. */
export type OpenAxis = number | string;

/** The shapes of all results where those of the inputs are these. */
export interface Probe {
  readonly shapeOf: (connection: Connection) => readonly number[];
  readonly numbersOf: (known: Known) => readonly number[] | undefined;
}

/** Finds what is the same for all lengths of a call. */
export class Probes {
  readonly #inputs = new Map<Connection, readonly OpenAxis[]>();
  readonly #names: string[] = [];
  readonly #found = TRIED.map(() => new Map<object, readonly (readonly number[])[]>());

  /** Takes an input; axes of one name are of one length. */
  add(input: Connection, axes: readonly OpenAxis[]): void {
    this.#inputs.set(input, axes);
    for (const axis of axes) {
      if (typeof axis === "string" && !this.#names.includes(axis)) this.#names.push(axis);
    }
  }

  /** What comes out of each probe, where it is the same; undefined where it is not, or cannot be. */
  agreed<T>(find: (probe: Probe) => T | undefined): T | undefined {
    const all = TRIED.map((_, k) => {
      try {
        return find(this.#probe(k));
      } catch { // the lengths do not fit the graph: those of a file that fixes some
        return undefined;
      }
    });
    return all.every((one) => JSON.stringify(one) === JSON.stringify(all[0])) ? all[0] : undefined;
  }

  #probe(k: number): Probe {
    const shapeOf = (one: Connection): readonly number[] => {
      if (one.call === undefined) {
        return this.#inputs.get(one)!.map((axis) =>
          typeof axis === "number" ? axis : TRIED[k]![this.#names.indexOf(axis)] ?? NaN
        );
      }
      const found = this.#found[k]!.get(one.call);
      if (found !== undefined) return found[one.result]!;
      const { layer, inputs } = one.call;
      const given = inputs.map(shapeOf);
      const shapes = layer.wholeShapes?.(...given) ??
        resultShapes(layer, given.map((shape) => shape.slice(1)))
          .map((shape) => [given[0]![0]!, ...shape]);
      const whole = shapes.map((shape) => shape.map((length) => length ?? NaN));
      this.#found[k]!.set(one.call, whole);
      return whole[one.result]!;
    };
    const lengths: Lengths = { shapeOf, found: new Map() };
    const numbersOf = (known: Known) => {
      const { data } = partOf(known, lengths);
      return data && !data.includes(NaN) ? [...data] : undefined;
    };
    return { shapeOf, numbersOf };
  }
}
