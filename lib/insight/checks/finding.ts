/** What a checkup looks for. */
export type FindingKind =
  | "not finite"
  | "exploding cell states"
  | "softmax near overflow"
  | "vanishing gradients"
  | "dead units"
  | "weights that never moved"
  | "saturated gates";

/** Something that is wrong in a model. */
export interface Finding {
  /** What is wrong. */
  readonly kind: FindingKind;
  /** Where: a layer's name, `lstm`, `bidirectional/forward_layer`, … */
  readonly layer: string;
  /** How much: what `what` says in words. */
  readonly number: number;
  /** The number with its unit and place. */
  readonly what: string;
  /** Why it is so. */
  readonly cause: string;
  /** What helps. */
  readonly remedy: string;
  /** How bad it is, 0 to 1: how much of the model it takes. */
  readonly severity: number;
}

/** What a check measured, found or not. */
export interface Measurement {
  /** What was measured. */
  readonly check: FindingKind;
  /** The worst number of it in the whole model; undefined where there is nothing to measure. */
  readonly worst: number | undefined;
  /** What the number is. */
  readonly unit: string;
  /** The number above which it is a finding. */
  readonly limit: number;
}

/** What one check came to. */
export interface CheckResult {
  readonly measurement: Measurement;
  readonly findings: readonly Finding[];
}
