import { shownAs } from "../base/shown.ts";
import type { KeysOf } from "../base/options.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** The three blocks of a GRU, of whatever is split by gate. */
export interface GruGates {
  /** z: how much of the old hidden state stays. */
  readonly update: Tensor;
  /** r: how much of the hidden state the candidate sees. */
  readonly reset: Tensor;
  /** h̃: what would be written (not a gate in the strict sense). */
  readonly candidate: Tensor;
}

/** The keys of what is split by gate. */
export const GRU_GATES: KeysOf<GruGates> = {
  update: "required",
  reset: "required",
  candidate: "required",
};

/**
 * Where each framework puts the blocks of a GRU. Sources: keras/src/layers/rnn/gru.py, PyTorch's and
 * cuDNN's documentation of GRU (r z n, r i n), ONNX's operator GRU, Core ML's GRULayerParams (z r o).
 */
export const gruOrders = {
  keras: ["update", "reset", "candidate"],
  pytorch: ["reset", "update", "candidate"],
  onnx: ["update", "reset", "candidate"],
  coreml: ["update", "reset", "candidate"],
  cudnn: ["reset", "update", "candidate"],
} as const satisfies Record<string, readonly (keyof GruGates)[]>;

/** A framework whose order of a GRU's blocks is known. */
export type GruOrder = keyof typeof gruOrders;

/** The three as a value that shows itself. */
export function gruGatesOf({ update, reset, candidate }: GruGates): GruGates {
  return Object.freeze(shownAs("Gates", { update, reset, candidate }));
}
