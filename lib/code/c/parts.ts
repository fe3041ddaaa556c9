// What the routines of a C file share: its constants, its functions, the places that may be looked at.

import { lengthOf, type Recorded } from "../recorded.ts";
import type { Routine } from "../routine.ts";
import { CFunctions } from "./functions.ts";
import { listText } from "./literals.ts";
import { cNames } from "./names.ts";

/** A place where the values of a layer may be looked at. */
export interface Point {
  /** As the file calls it. */
  readonly name: string;
  readonly layer: string;
  readonly site: string;
}

/** What the interface and the self-test are called, and macros where the prefix is in capitals. */
const RESERVED =
  ("state init step predict along head at time points inputs sample is_quiet expected bounds compared " +
    "rounded beyond left largest AT TIME INPUT OUTPUT TIMESTEPS H TEST TRACE").split(" ");

/** What one file holds, as its routines ask for it. */
export class CFileParts {
  readonly prefix: string;
  readonly functions: CFunctions;
  readonly points: Point[] = [];
  readonly #isTested: boolean;
  readonly #isPoint: (layer: string, site: string) => boolean;
  readonly #names = cNames([]);
  readonly #routines = new Map<Routine, string>();
  readonly #multiplyAdds = new Map<Routine, number>();
  readonly #arrays = new Map<string, { readonly name: string; readonly text: string }>(); // by numbers
  #bytes = 0;

  /**
   * @param prefix what all names of the file begin with
   * @param isPoint whether a site is looked at by the self-test; undefined where there is none
   */
  constructor(prefix: string, isPoint?: (layer: string, site: string) => boolean) {
    this.prefix = prefix;
    this.functions = new CFunctions((name) => this.#own(name));
    this.#isTested = isPoint !== undefined;
    this.#isPoint = isPoint ?? (() => false);
    RESERVED.forEach((name) => this.#names.unique(name));
  }

  /** The function of a routine. */
  nameOf(routine: Routine): string {
    const known = this.#routines.get(routine) ??
      this.#own(routine.name);
    this.#routines.set(routine, known);
    return known;
  }

  /** The name of a constant's array; where it is asked for again, it stands there once. */
  array(value: Recorded, routine: string): string {
    const { op, label } = value;
    if (op.kind !== "constant") throw new Error("no constant");
    const data = Float32Array.from(op.tensor.data);
    const own = label ?? `${routine}_constant`;
    return this.#array(`${own} ${listKey(data)}`, own, (name) => {
      this.#bytes += 4 * data.length;
      return `static const float ${name}[${lengthOf(value)}] = {\n${listText(data)}\n};`;
    });
  }

  /** The name of a table of places. */
  places(places: readonly number[], routine: string): string {
    return this.#array(`int ${places.join()}`, `${routine}_places`, (name) => {
      const isShort = Math.max(...places) < 2 ** 15;
      this.#bytes += (isShort ? 2 : 4) * places.length;
      return `static const ${isShort ? "short" : "int"} ${name}[${places.length}] = {\n${
        listText(places.map(String))
      }\n};`;
    });
  }

  /** The arrays' texts. */
  get arrays(): readonly string[] {
    return [...this.#arrays.values()].map(({ text }) => text);
  }

  /** What the arrays take. */
  get constantBytes(): number {
    return this.#bytes;
  }

  /** The line that lets a value be looked at; none where there is no test. */
  at({ layer, site }: { readonly layer: string; readonly site: string }, name: string): string[] {
    if (!this.#isTested || !this.#isPoint(layer, site)) return [];
    let point = this.points.find((one) => one.layer === layer && one.site === site);
    if (point === undefined) {
      const name = this.#own(`${layer}_${site.replace("gates.", "")}_site`);
      point = { name, layer, site };
      this.points.push(point);
    }
    return [`${this.prefix.toUpperCase()}_AT(${point.name}, ${name});`];
  }

  /** The line that says which timestep it is. */
  time(text: string): string[] {
    return this.#isTested ? [`${this.prefix.toUpperCase()}_TIME(${text});`] : [];
  }

  countOf(routine: Routine, multiplyAdds: number): void {
    this.#multiplyAdds.set(routine, multiplyAdds);
  }

  multiplyAddsOf(routine: Routine): number {
    return this.#multiplyAdds.get(routine) ?? 0;
  }

  /** A name of the file's own, as near as may be to what something is called. */
  #own(called: string): string {
    return `${this.prefix}_${this.#names.unique(called)}`;
  }

  #array(key: string, label: string, make: (name: string) => string): string {
    const found = this.#arrays.get(key);
    if (found !== undefined) return found.name;
    const name = this.#own(label);
    this.#arrays.set(key, { name, text: make(name) });
    return name;
  }
}

/** Numbers as a key: by their bits. */
function listKey(data: Float32Array): string {
  return new Uint32Array(data.buffer as ArrayBuffer).join();
}
