import { shownAs } from "../base/shown.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** What became of one array on its way from a file into a model. */
export interface ArrayProvenance {
  /** The weight: `lstm/kernel`. */
  readonly weight: string;
  /** What it is called in the file; several names where they were added up. */
  readonly from: string;
  /** Its shape in the file. */
  readonly shapeInFile: readonly number[];
  /** Its shape in the model. */
  readonly shape: readonly number[];
  /** What was done to it, in order; empty where it is as it was. */
  readonly steps: readonly string[];
  /** Of a sum of two arrays, such as biases: the two, in the model's layout. */
  readonly summands?: readonly Tensor[];
}

/** Where a model's weights came from. It shows itself as a table, a row for each weight. */
export interface Provenance {
  /** The file as it was named. */
  readonly source: string;
  /** The kind of file: `.keras`, `.h5`, `.onnx`, `model.json`, `.pth`, `.safetensors`, `.npz`. */
  readonly format: string;
  /** Who wrote it, where that is known. */
  readonly framework?: string;
  /** The framework's version, where that is known. */
  readonly version?: string;
  /** The order of the gates in the file's fused arrays: `i f c o`. */
  readonly gateOrder: string;
  /** Of a layer alone ({@linkcode loadRecurrent}): the line of Python that gives its input. */
  readonly input?: string;
  /** Each weight, in the model's order. */
  readonly arrays: readonly ArrayProvenance[];
  /** What else is worth knowing: what was left out and does not change the prediction. */
  readonly notes: readonly string[];
}

// Beside the models, not in them: a model is the same whether a file was read or not.
const provenances = new WeakMap<object, Provenance>();

/** Where a model's weights came from. */
export function provenanceOf(model: object): Provenance | undefined {
  return provenances.get(model);
}

/** Notes it down, as a value that shows itself. */
export function recordProvenance(model: object, provenance: Provenance): void {
  const arrays = provenance.arrays.map((array) =>
    Object.freeze({
      ...array,
      shapeInFile: Object.freeze([...array.shapeInFile]),
      shape: Object.freeze([...array.shape]),
      steps: Object.freeze([...array.steps]),
    })
  );
  const notes = Object.freeze([...provenance.notes]);
  const own = { ...provenance, arrays: Object.freeze(arrays), notes };
  provenances.set(model, Object.freeze(shownAs<Provenance>("Provenance", own)));
}
