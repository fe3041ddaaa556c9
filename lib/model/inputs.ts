// What a model is given: a tensor for each of its inputs.

import { amongNames } from "../base/names.ts";
import { kindOf } from "../base/kind.ts";
import type { OpenShape } from "../layers/layer.ts";
import { formatShape, sizeOf } from "../tensor/shape.ts";
import { asTensor, isTypedArray, Tensor, type TensorLike } from "../tensor/tensor.ts";
import type { Graph } from "./graph.ts";

/** The inputs of a model: of one, itself; of several, a list in their order or an object by name. */
export type ModelInput =
  | TensorLike
  | readonly TensorLike[]
  | Readonly<Record<string, TensorLike>>;

/** A tensor for each input, in the model's order. */
export function tensorsOf(
  given: ModelInput,
  wanted: readonly { readonly name: string }[],
  action: string,
  what = "inputs",
): Tensor[] {
  if (wanted.length === 1 && given instanceof Tensor) return [given];
  const isList = Array.isArray(given) && given.length === wanted.length &&
    given.every((one) => one instanceof Tensor);
  if (isList) return given;
  const isByName = typeof given === "object" && given !== null && !Array.isArray(given) &&
    !(given instanceof Tensor) && !isTypedArray(given);
  if (isByName) {
    const names = wanted.map(({ name }) => name);
    const stray = Object.keys(given).find((name) => !names.includes(name));
    if (stray !== undefined) {
      throw new TypeError(
        `Cannot ${action}: each of the ${what} must be ${amongNames(stray, names)}`,
      );
    }
    const byName = given as Readonly<Record<string, TensorLike>>;
    const missing = names.find((name) => byName[name] === undefined);
    if (missing !== undefined) {
      throw new TypeError(
        `Cannot ${action}: the ${what} are ${names.join(", ")}, but ${missing} is not given`,
      );
    }
    return names.map((name) => asTensor(byName[name]!));
  }
  if (wanted.length === 1) return [asTensor(given as TensorLike)];
  if (!Array.isArray(given) || given.length !== wanted.length) {
    throw new TypeError(
      `Cannot ${action}: the ${what} are ${wanted.map(({ name }) => name).join(", ")}, ` +
        `a list or an object of one tensor each, but ` +
        (Array.isArray(given) ? `${given.length} were given` : `${kindOf(given)} was given`),
    );
  }
  return given.map((one) => asTensor(one as TensorLike));
}

/** The shapes checked: each input's own, and as many samples in each, where their axis is known. */
export function checkInputShapes(
  tensors: readonly Tensor[],
  { inputs, areSamples }: Pick<Graph, "inputs" | "areSamples">,
  action: string,
): void {
  tensors.forEach(({ shape: [batch, ...rest], shape }, k) => {
    const { name, shape: own } = inputs[k]!;
    const fits = rest.length === own.length &&
      rest.every((length, axis) => (own[axis] ?? length) === length);
    if (fits && batch !== 0 && sizeOf(rest) > 0) return;
    const which = inputs.length === 1 ? "the input" : `input ${name}`;
    throw new TypeError(
      `Cannot ${action}: ${which} must be ${axesOf(own)} and not empty, ` +
        `but its shape is ${formatShape(shape)}`,
    );
  });
  if (!areSamples) return;
  const [batch] = tensors[0]!.shape;
  const other = tensors.findIndex(({ shape }) => shape[0] !== batch);
  if (other === -1) return;
  throw new TypeError(
    `Cannot ${action}: all inputs must have as many samples, but ${inputs[0]!.name} has ${batch} ` +
      `and ${inputs[other]!.name} ${tensors[other]!.shape[0]}`,
  );
}

/** `[batch, timesteps, 3]` */
function axesOf(shape: OpenShape): string {
  return `[${["batch", ...shape.map((length) => length ?? "timesteps")].join(", ")}]`;
}
