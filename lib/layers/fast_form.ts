// What lib/compute needs to know of a layer.

import type { CellFunctions } from "../cells/cell.ts";
import type { FastActivation } from "../compute/activations.ts";
import type { DenseForm } from "../compute/dense_training.ts";
import type { LstmForm } from "../compute/lstm_training.ts";
import { supportsDense } from "../compute/supports.ts";
import type { Activation } from "../values/activations.ts";
import { isBuiltIn } from "../values/built_in.ts";

/** A layer as lib/compute knows it; one that changes nothing is an identity. */
export type FastForm =
  | LstmForm & {
    readonly kind: "lstm";
    readonly dropout: number;
    readonly recurrentDropout: number;
    readonly zeroOutputForMask: boolean;
    /** As the equations have them. */
    readonly functions: CellFunctions;
  }
  | DenseForm & { readonly kind: "dense" }
  | { readonly kind: "activation"; readonly activation: FastActivation }
  | { readonly kind: "identity" };

/** An activation's fast form where getActivation made it: the name of another says nothing. */
export function fastActivationOf(activation: Activation): FastActivation | undefined {
  return isBuiltIn(activation) ? supportsDense(activation) : undefined;
}
