// A value of an equation that is to be written as a program: its shape, and the operation it is the
// result of.

import { sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { activationRows } from "../values/activation_rows.ts";
import type { Activation } from "../values/activations.ts";
import type { Moves } from "../values/ops.ts";
import type { Routine } from "./routine.ts";

/** A value, by how it is computed. */
export interface Recorded {
  readonly shape: readonly number[];
  readonly op: Operation;
  /** What the equations call it, where they have a name for it: `f`, `c̃`, `z_f`. */
  label?: string;
  /** Where it may be looked at: of which cell or layer, and which site of it. */
  site?: { readonly layer: string; readonly site: string };
}

type Terms = readonly (readonly [Recorded, Recorded])[];

/** The operations, those of `Ops` but for what only moves a whole block of numbers: a part. */
export type Operation =
  | { readonly kind: "input"; readonly index: number }
  | { readonly kind: "state"; readonly index: number }
  | { readonly kind: "constant"; readonly tensor: Tensor }
  /** A weight of which nothing but its name is known. */
  | { readonly kind: "weight" }
  | { readonly kind: "affine"; readonly terms: Terms; readonly b: Recorded | undefined }
  | { readonly kind: "matmul"; readonly a: Recorded; readonly b: Recorded }
  | { readonly kind: "products"; readonly pairs: Terms }
  | { readonly kind: "sum"; readonly xs: readonly Recorded[] }
  | { readonly kind: "scale"; readonly x: Recorded; readonly factor: number }
  | { readonly kind: "oneMinus"; readonly x: Recorded }
  | { readonly kind: "apply"; readonly f: Activation; readonly x: Recorded }
  | { readonly kind: "largest"; readonly x: Recorded }
  | { readonly kind: "part"; readonly x: Recorded; readonly offset: number }
  | { readonly kind: "moved"; readonly sources: readonly Recorded[]; readonly moves: Moves }
  | { readonly kind: "lookup"; readonly table: Recorded; readonly x: Recorded }
  | Loop
  | { readonly kind: "pushed"; readonly x: Recorded; readonly window: Recorded }
  | { readonly kind: "call"; readonly call: Call };

/** A cell over the timesteps of `[batch, timesteps, size]`, in the order of computation. */
export interface Loop {
  readonly kind: "loop";
  readonly step: Routine;
  readonly x: Recorded;
  readonly backwards: boolean;
  /** Whether all hidden states come out, not the last one alone. */
  readonly sequence: boolean;
}

/** A routine run on values, and on states that stay: it changes those. */
export interface Call {
  readonly routine: Routine;
  readonly inputs: readonly Recorded[];
  readonly states: readonly Recorded[];
}

/** The numbers of a value. */
export function lengthOf({ shape }: Recorded): number {
  return sizeOf(shape);
}

/** What a value was computed from. */
export function operandsOf({ op }: Recorded): readonly Recorded[] {
  switch (op.kind) {
    case "affine":
      return [...op.terms.flat(), ...(op.b === undefined ? [] : [op.b])];
    case "matmul":
      return [op.a, op.b];
    case "products":
      return op.pairs.flat();
    case "sum":
      return op.xs;
    case "moved":
      return op.sources;
    case "lookup":
      return [op.table, op.x];
    case "pushed":
      return [op.x, op.window];
    case "call":
      return [...op.call.inputs, ...op.call.states];
    case "input":
    case "state":
    case "constant":
    case "weight":
      return [];
    default:
      return [op.x];
  }
}

/** Where a value lies in the one that holds its numbers. */
export function placeOf(value: Recorded): { readonly root: Recorded; readonly offset: number } {
  const { op } = value;
  if (op.kind !== "part") return { root: value, offset: 0 };
  const { root, offset } = placeOf(op.x);
  return { root, offset: offset + op.offset };
}

/** Whether each number of the result comes from the numbers at its own place. */
export function isElementwise({ op }: Recorded): boolean {
  return op.kind === "products" || op.kind === "sum" || op.kind === "scale" ||
    op.kind === "oneMinus" || op.kind === "apply" && !takesRows(op.f);
}

/** Whether a function takes a row of numbers at a time. */
export function takesRows({ activationName }: Activation): boolean {
  return Object.hasOwn(activationRows, activationName);
}

/** The one number that a constant is, over and over. */
export function uniformOf({ op }: Recorded): number | undefined {
  if (op.kind !== "constant") return undefined;
  const [first] = op.tensor.data;
  return op.tensor.data.every((one) => one === first) ? first : undefined;
}
