// What a layer is: a definition without weights of its own. The model owns the weights and hands
// them in, so that one definition can serve twice and nothing is changed behind anybody's back.

import type { LstmState } from "../lstm/cell.ts";
import type { LayerTrace } from "../lstm/sequence.ts";
import type { SiteListener } from "../lstm/sites.ts";
import type { Random } from "../tensor/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { FastForm } from "./fast/fast_form.ts";
import type { LayerCompute } from "./fast/layer_compute.ts";

/** A shape without the batch; null is an axis whose length each call may choose (timesteps). */
export type OpenShape = readonly (number | null)[];

/** Which steps count: `[batch, timesteps]`, 0 where one does not. */
export type Mask = Tensor;

/** What a stateful layer remembers between calls: a state for each of its LSTMs. */
export type LayerState = readonly LstmState[];

/** One array that a layer needs, and how it starts. */
export interface WeightSpec {
  /** Keras's name: `kernel`, `recurrent_kernel`, `bias`, `embeddings`. */
  readonly name: string;
  /** The array's shape. */
  readonly shape: readonly number[];
  /** Makes the array before any training. */
  readonly initialize: (shape: readonly number[], random: Random) => Tensor;
}

/** What a run may depend on besides the input and the weights. */
export interface LayerContext {
  /** Whether dropout drops. */
  readonly training: boolean;
  /** The steps that count; all where there is none. */
  readonly mask?: Mask | undefined;
  /** Where dropout draws from; there in training. */
  readonly random?: Random | undefined;
  /** Where a stateful layer's last call ended; zeros where there is none. */
  readonly state?: LayerState | undefined;
  /**
   * The fast equations, for a layer that has a fast form; there in precision float32.
   *
   * @internal
   */
  readonly compute?: LayerCompute | undefined;
  /** Whether the fast equations, too, tell what happened inside. */
  readonly records?: boolean | undefined;
  /** Who sees the values inside, one for each LSTM; Bidirectional has two (forward, backward). */
  readonly listeners?: SiteListeners | undefined;
}

/** One for each LSTM of a layer, undefined where nobody listens. */
export type SiteListeners = readonly (SiteListener | undefined)[];

/** What one run of a layer gave. */
export interface LayerRun {
  /** `[batch, …]`, in float64; in float32 where the fast equations computed it. */
  readonly output: Tensor;
  /** The mask that the next layer gets. */
  readonly mask?: Mask | undefined;
  /** Where a stateful layer ended. */
  readonly state?: LayerState | undefined;
  /** What happened inside: one for each LSTM, Bidirectional two (forward, backward). */
  readonly traces?: readonly LayerTrace[] | undefined;
  /**
   * From the gradient of the loss by `output`: its gradients by the input and by each weight. Where
   * `byInput` is false, the input's may be left out.
   */
  readonly backward: (
    gradient: Tensor,
    options?: { readonly byInput?: boolean },
  ) => LayerGradients;
}

/** The gradients of the loss by what went into a layer. */
export interface LayerGradients {
  /** By the input; none through an Embedding, whose inputs are whole numbers, or where unwanted. */
  readonly input?: Tensor;
  /** One for each weight, in the weights' order. */
  readonly weights: readonly Tensor[];
}

/** A layer's definition: its options, its shapes, and its two directions. */
export interface Layer {
  /** Keras's class: `LSTM`, `Dense`, … */
  readonly className: string;
  /** The name asked for; the model gives it one where there is none. */
  readonly name?: string | undefined;
  /** Keras's options under Keras's names, for the summary and for files. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The layer inside of Bidirectional and TimeDistributed. */
  readonly wrapped?: Layer;
  /** The shape that comes out where this one goes in, both without the batch; throws where none can. */
  readonly outputShape: (input: OpenShape) => OpenShape;
  /** The arrays needed for an input of this shape, in Keras's order. */
  readonly weights: (input: OpenShape) => readonly WeightSpec[];
  /** Throws where numbers of an input cannot be taken; asked of a model's first layer before it trains. */
  readonly checkInput?: (x: Tensor) => void;
  /**
   * The layer as lib/compute predicts it; undefined where only the equations do.
   *
   * @internal
   */
  readonly fast?: () => FastForm | undefined;
  /** Computes the output of `x`, `[batch, …]`; the shapes are known to fit. */
  readonly forward: (x: Tensor, weights: readonly Tensor[], context: LayerContext) => LayerRun;
}

/** What a TimeDistributed runs at each timestep; any other layer itself. */
export function unwrapped(layer: Layer): Layer {
  return layer.className === "TimeDistributed" ? layer.wrapped! : layer;
}

/** A shape as Keras prints it, the batch first: `(None, 3, 8)`. */
export function formatOpenShape(shape: OpenShape): string {
  const axes = [null, ...shape].map((length) => length ?? "None");
  return `(${axes.join(", ")}${axes.length === 1 ? "," : ""})`;
}
