// What one layer computes, as a list of values: the same for whatever language it is written in.

import type { Recorded } from "./recorded.ts";

/** A layer's equation over values that are yet to come. */
export interface Routine {
  /** As it is called in the model: `lstm`, `bidirectional/forward_layer`. */
  readonly name: string;
  /** What it is, in a sentence's place: `LSTM: [2] to [8]`. */
  readonly title: string;
  /** What it takes. */
  readonly inputs: readonly Recorded[];
  /** What it keeps from call to call, by name; before a call. */
  readonly states: readonly Recorded[];
  /** The same after a call. */
  readonly after: readonly Recorded[];
  /** What it gives; a recurrent layer one of its states. */
  readonly output: Recorded | undefined;
  /** All values, in the order in which they were computed. */
  readonly values: readonly Recorded[];
}
