// What lib/compute needs to know of a layer.

import type { Cell, CellFunctions } from "../cells/cell.ts";
import type { FastActivation } from "../compute/activations.ts";
import type { CellName } from "../compute/cell_kinds.ts";
import type { DenseForm } from "../compute/dense_training.ts";
import type { GatedForm } from "../compute/gated_layer.ts";
import { supportsCell, supportsDense } from "../compute/supports.ts";
import type { Activation } from "../values/activations.ts";
import type { Windows } from "../values/arrange.ts";
import { isBuiltIn } from "../values/built_in.ts";

/** A recurrent layer as lib/compute knows it, and its equations. */
export interface FastGated extends GatedForm {
  readonly kind: "gated";
  readonly dropout: number;
  readonly recurrentDropout: number;
  readonly zeroOutputForMask: boolean;
  readonly returnState: boolean;
  readonly stateful: boolean;
  readonly cell: Cell;
  readonly functions: CellFunctions;
}

/** A dense layer on what each window sees: a convolution of one group. */
export interface FastConvolution extends DenseForm {
  readonly kind: "convolution";
  /** The windows over axes of these lengths. */
  readonly windowsIn: (space: readonly number[]) => Windows;
}

/** One number a channel of what each window sees. */
export interface FastPooling {
  readonly kind: "pooling";
  readonly by: "max" | "average";
  readonly windowsIn: (space: readonly number[]) => Windows;
  /** What becomes of the axes of space, where not one for each of the windows' counts. */
  readonly around?: readonly number[];
}

/** Each channel by its moments: the rows' own in training. */
export interface FastNormalization {
  readonly kind: "normalization";
  readonly epsilon: number;
  readonly momentum: number;
  readonly center: boolean;
  readonly scale: boolean;
}

/** A layer as lib/compute knows it; one that changes nothing is an identity. */
export type FastForm =
  | FastGated
  | FastConvolution
  | FastPooling
  | FastNormalization
  | DenseForm & { readonly kind: "dense" }
  | { readonly kind: "activation"; readonly activation: FastActivation }
  | { readonly kind: "identity" };

/** An activation's fast form where getActivation made it: the name of another says nothing. */
export function fastActivationOf(activation: Activation): FastActivation | undefined {
  return isBuiltIn(activation) ? supportsDense(activation) : undefined;
}

/** What a recurrent layer's options say of its fast form. */
type GatedOptions =
  & Required<Pick<GatedForm, "units" | "returnSequences" | "goBackwards">>
  & Pick<
    FastGated,
    "dropout" | "recurrentDropout" | "zeroOutputForMask" | "returnState" | "stateful"
  >;

/** The fast form of a recurrent layer; undefined where its activations have none. */
export function fastGated(
  cellName: CellName,
  { cell, functions }: Pick<FastGated, "cell" | "functions">,
  { units, returnSequences, goBackwards, ...rest }: GatedOptions,
): FastGated | undefined {
  const { dropout, recurrentDropout, zeroOutputForMask, returnState, stateful } = rest;
  const { φ, σ } = functions;
  const pair = isBuiltIn(φ) && isBuiltIn(σ) ? supportsCell(φ, σ) : undefined;
  return pair && {
    kind: "gated",
    ...pair,
    ...{ cellName, cell, functions, units, returnSequences, goBackwards },
    ...{ dropout, recurrentDropout, zeroOutputForMask, returnState, stateful },
  };
}
