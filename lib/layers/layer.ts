// What a layer is: a definition without weights of its own. The model owns the weights and hands
// them in, so that one definition can serve twice and nothing is changed behind anybody's back.

import { refuseOptions } from "../base/options.ts";
import { finish, resultOf, type Work } from "../base/work.ts";
import type { Anchor, Passer } from "../cells/recurrence.ts";
import type { SiteListener } from "../cells/sites.ts";
import type { Random } from "../tensor/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Ops } from "../values/ops.ts";
import { connect, type Connection } from "./connection.ts";
import type { FastForm } from "./fast_form.ts";
import type { Inside } from "./inside.ts";

/** A shape without the batch; null is an axis whose length each call may choose (timesteps). */
export type OpenShape = readonly (number | null)[];

/** Which steps count: `[batch, timesteps]`, 0 where one does not. */
export type Mask = Tensor;

/**
 * What a stateful layer remembers between calls: the states of each of its cells, `[batch, units]`
 * each, in the order in which the cell names them (an LSTM's: c, h).
 */
export type LayerState = readonly (readonly Tensor[])[];

/** Who sees the values inside of an LSTM, by its name in the model. */
export type SiteListeners = ReadonlyMap<string, SiteListener>;

/** One array that a layer needs, and how it starts. */
export interface WeightSpec {
  /** Keras's name: `kernel`, `recurrent_kernel`, `bias`, `embeddings`. */
  readonly name: string;
  /** The array's shape. */
  readonly shape: readonly number[];
  /** Whether training moves it. Default: true. */
  readonly trainable?: boolean;
  /** Makes the array before any training. */
  readonly initialize: (shape: readonly number[], random: Random) => Tensor;
}

/** What a run may depend on besides the inputs and the weights, over any kind of value. */
export interface LayerContext<V> {
  /** The layer's name in the model; of one inside of another, with that one's before it. */
  readonly name: string;
  /** Whether dropout drops. */
  readonly training: boolean;
  /** The steps of each input that count; all where there is none. */
  readonly masks: readonly (Mask | undefined)[];
  /** Where dropout draws from; there in training. */
  readonly random?: Random | undefined;
  /** Where a stateful layer's last call ended, a list of states for each of its cells. */
  readonly states?: readonly (readonly V[])[] | undefined;
  /**
   * Whether a recurrent layer tells where it ended, stateful or not.
   *
   * @internal
   */
  readonly keepsStates?: boolean | undefined;
  /** Runs a layer inside of this one. */
  readonly run: (
    layer: Layer,
    inputs: readonly V[],
    weights: readonly V[],
    context: LayerContext<V>,
  ) => LayerResult<V>;
  /**
   * The same, in pieces.
   *
   * @internal
   */
  readonly work?: LayerWork<V> | undefined;
  /**
   * Intervenes at the sites of the cell of that name.
   *
   * @internal
   */
  readonly listen?: ((name: string) => Passer<V> | undefined) | undefined;
  /**
   * Puts in, at those sites, what somebody else got there.
   *
   * @internal
   */
  readonly anchor?: ((name: string) => Anchor<V> | undefined) | undefined;
  /**
   * Takes what happened inside of a cell.
   *
   * @internal
   */
  readonly inside?: ((inside: Inside<V>) => void) | undefined;
}

/** Runs a layer. */
export type LayerRun<V> = LayerContext<V>["run"];

/** Runs a layer, in pieces where it goes on for long. */
export type LayerWork<V> = (
  ...run: Parameters<LayerRun<V>>
) => LayerResult<V> | Work<LayerResult<V>>;

/** What one run of a layer gave. */
export interface LayerResult<V> {
  /** `[batch, …]`, one for each result; most layers have one. */
  readonly outputs: readonly V[];
  /** The mask that the next layer gets. */
  readonly mask?: Mask | undefined;
  /** Where a stateful layer ended, a list of states for each of its cells. */
  readonly states?: readonly (readonly V[])[] | undefined;
  /** What becomes of its weights by a run in training, in their order: moving statistics. */
  readonly updates?: readonly (V | undefined)[] | undefined;
}

/** A layer as its file describes it: its options, its shapes, its equation. */
export interface LayerDefinition {
  /** Keras's class: `LSTM`, `Dense`, … */
  readonly className: string;
  /** The name asked for; the model gives it one where there is none. */
  readonly name?: string | undefined;
  /** Keras's options under Keras's names, for the summary and for files. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The layer inside of Bidirectional and TimeDistributed. */
  readonly wrapped?: Layer;
  /** How many axes of the input, the batch apart, are the samples of the layer inside. */
  readonly distributed?: number;
  /** What its inputs hold: whole numbers that stand for words, where not numbers as they are. */
  readonly takes?: "words";
  /**
   * How it goes along a sequence `[timesteps, …]` that comes in pieces ({@linkcode Stream}): each
   * timestep by itself, with the states of its cell, or with so many timesteps before. Default: it
   * needs the whole sequence.
   */
  readonly overTime?: "each" | "states" | number | undefined;
  /** Whether it tells which steps count. */
  readonly makesMask?: boolean;
  /** How many inputs it takes, from and to. Default: 1. */
  readonly inputCount?: readonly [least: number, most: number];
  /** The shape that comes out where these go in, all without the batch; throws where none can. */
  readonly outputShape: (...inputs: OpenShape[]) => OpenShape;
  /** The shapes of its results, where it has several; the first is `outputShape`'s. */
  readonly resultShapes?: (...inputs: OpenShape[]) => readonly OpenShape[];
  /**
   * The same with the first axis, of inputs with theirs, where it is not that of the first input.
   *
   * @internal
   */
  readonly wholeShapes?: (...inputs: OpenShape[]) => readonly OpenShape[];
  /** The arrays needed for inputs of these shapes, in Keras's order. */
  readonly weights: (...inputs: OpenShape[]) => readonly WeightSpec[];
  /** The names of its recurrent cells, as they are told apart inside of it: `""` of one alone. */
  readonly cells?: readonly string[];
  /** Throws where numbers of an input cannot be taken; asked of a model's first layer before it trains. */
  readonly checkInput?: (x: Tensor) => void;
  /**
   * The layer as lib/compute predicts it; undefined where only the equations do.
   *
   * @internal
   */
  readonly fast?: () => FastForm | undefined;
  /** The equation, over any kind of value; the shapes are known to fit. */
  readonly run: <V>(
    o: Ops<V>,
    inputs: readonly V[],
    weights: readonly V[],
    context: LayerContext<V>,
  ) => LayerResult<V>;
  /**
   * The same in pieces, of a layer that goes on for long.
   *
   * @internal
   */
  readonly work?: EquationWork;
}

/** An equation in pieces. */
type EquationWork = <V>(
  ...run: [o: Ops<V>, inputs: readonly V[], weights: readonly V[], context: LayerContext<V>]
) => Work<LayerResult<V>>;

/** The equation of a layer that goes on for long, in pieces and whole. */
export function inPieces(work: EquationWork): Required<Pick<LayerDefinition, "run" | "work">> {
  return { work, run: (...run) => finish(work(...run)) };
}

/** Runs layers by their equations. */
export function equationsBy<V>(o: Ops<V>): LayerWork<V> {
  return (layer, inputs, weights, context) =>
    (layer.work ?? layer.run)(o, inputs, weights, context);
}

/** Runs them at once. */
export function wholeRun<V>(work: LayerWork<V>): LayerRun<V> {
  return (...run) => finish(resultOf(work(...run)));
}

/** A layer inside of another, in the way that the outer one's context has. */
export function innerWork<V>(
  { run, work = run }: LayerContext<V>,
  ...inner: Parameters<LayerRun<V>>
): Work<LayerResult<V>> {
  return resultOf(work(...inner));
}

/** A layer's definition, ready to be put into a model. */
export interface Layer extends LayerDefinition {
  /**
   * The layer's result for inputs made by `input()` or by another layer's `apply`, in a model of any
   * shape: Keras's `layer(x)`. Of a layer with several results, the first.
   */
  readonly apply: (inputs: Connection | readonly Connection[]) => Connection;
  /** The same, all results. */
  readonly applyAll: (inputs: Connection | readonly Connection[]) => Connection[];
}

/** A layer of its definition, which {@linkcode connect} knows how to apply. */
export function defineLayer<D extends LayerDefinition>(definition: D): D & Layer {
  const layer: D & Layer = Object.freeze({
    ...definition,
    config: Object.freeze(definition.config),
    apply: (inputs: Connection | readonly Connection[], ...more: unknown[]) => {
      refuseOptions(`apply a ${definition.className}`, [inputs, ...more], 1);
      return connect(layer, inputs)[0]!;
    },
    applyAll: (inputs: Connection | readonly Connection[], ...more: unknown[]) => {
      refuseOptions(`apply a ${definition.className}`, [inputs, ...more], 1);
      return connect(layer, inputs);
    },
  }) as D & Layer;
  return layer;
}

/** What a TimeDistributed runs at each timestep; any other layer itself. */
export function unwrapped(layer: Layer): Layer {
  return layer.distributed === undefined ? layer : unwrapped(layer.wrapped!);
}

/** A shape as Keras prints it, the batch first: `(None, 3, 8)`. */
export function formatOpenShape(shape: OpenShape): string {
  const axes = [null, ...shape].map((length) => length ?? "None");
  return `(${axes.join(", ")}${axes.length === 1 ? "," : ""})`;
}
