// How a routine's values are read in C: by the names of their arrays.

import { placeOf, type Recorded, uniformOf } from "../recorded.ts";
import type { CFileParts } from "./parts.ts";
import { floatText } from "./literals.ts";

/** Lines, and the multiply-adds that they take. */
export interface Lines {
  readonly lines: readonly string[];
  readonly multiplyAdds?: number;
}

/** The arrays of a routine's values. */
export class Access {
  readonly names = new Map<Recorded, string>();

  constructor(readonly parts: CFileParts, readonly routine: string) {}

  nameOf(value: Recorded): string {
    return this.names.get(placeOf(value).root)!;
  }

  /** Where a value's numbers begin: `z`, `z + 8`, the name of a constant. */
  base(value: Recorded): string {
    if (value.op.kind === "constant") return this.parts.array(value, this.routine);
    const { root, offset } = placeOf(value);
    return offset === 0 ? this.names.get(root)! : `${this.names.get(root)} + ${offset}`;
  }

  /** One of a value's numbers: `z[8 + k]`. */
  at(value: Recorded, place: string): string {
    if (value.op.kind === "constant") {
      const uniform = uniformOf(value);
      return uniform === undefined
        ? `${this.parts.array(value, this.routine)}[${place}]`
        : floatText(uniform);
    }
    const { root, offset } = placeOf(value);
    const shown = offset === 0 ? place : place === "0" ? `${offset}` : `${offset} + ${place}`;
    return `${this.names.get(root)}[${shown}]`;
  }
}
