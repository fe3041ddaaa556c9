// What the routines of a Python file share: its names, its arrays, its functions.

import { printedName } from "../../insight/proof/expected.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Names } from "../names.ts";
import type { Recorded } from "../recorded.ts";
import type { Routine } from "../routine.ts";
import { FUNCTION_NAMES, PythonFunctions } from "./functions.ts";
import { arrayText, listText } from "./literals.ts";
import { pythonNames, stringText } from "./names.ts";

/** What the file itself has, and its functions' own. */
const OWN_NAMES = "predict predict_one trace seen at timestep lines".split(" ");
const LOCAL_NAMES = "x y n t now ys".split(" ");

type Site = { readonly layer: string; readonly site: string };

/** What a file's routines share: its arrays, its functions, the places that may be looked at. */
export class PythonParts {
  readonly functions: PythonFunctions;
  readonly #names = pythonNames([...OWN_NAMES, ...LOCAL_NAMES, ...FUNCTION_NAMES]);
  readonly #isTraced: boolean;
  readonly #others: readonly string[];
  readonly #routines = new Map<Routine, string>();
  readonly #arrays = new Map<string, { readonly name: string; readonly text: string }>();

  /** @param others names of the file that are not given yet; no local name hides one */
  constructor(isTraced: boolean, others: readonly string[]) {
    this.#isTraced = isTraced;
    this.#others = others;
    this.functions = new PythonFunctions(this.#names);
  }

  /** The file's names. */
  get names(): readonly string[] {
    return this.#names.taken.filter((name) => !LOCAL_NAMES.includes(name));
  }

  /** Names inside of a function. */
  locals(...taken: readonly string[]): Names {
    return pythonNames([...this.names, ...this.#others, ...taken]);
  }

  /** The function of a routine. */
  nameOf(routine: Routine): string {
    const known = this.#routines.get(routine) ?? this.#names.unique(routine.name);
    this.#routines.set(routine, known);
    return known;
  }

  /** The name of a constant; where it is asked for again, it stands there once. */
  array(tensor: Tensor, label: string): string {
    return this.#array(`array(${arrayText(tensor)})`, label);
  }

  /** The name of a table of places. */
  places(places: Int32Array, label: string): string {
    return this.#array(`np.array(${listText(places)})`, label);
  }

  get arrays(): readonly string[] {
    return [...this.#arrays.values()].map(({ text }) => text);
  }

  /** The line that lets a value be looked at; none where nobody looks. */
  seen({ layer, site }: Site, name: string, { shape }: Recorded): string[] {
    const rows = shape.length > 2 ? `${name}.reshape(${shape[1]}, -1)` : name;
    return this.#isTraced
      ? [`seen(${stringText(printedName(layer))}, ${stringText(site)}, ${rows})`]
      : [];
  }

  /** The line that says which timestep it is. */
  time(text: string): string[] {
    return this.#isTraced ? [`at(${text})`] : [];
  }

  #array(text: string, label: string): string {
    const found = this.#arrays.get(text);
    if (found !== undefined) return found.name;
    const name = this.#names.unique(label);
    this.#arrays.set(text, { name, text: `${name} = ${text}` });
    return name;
  }
}
