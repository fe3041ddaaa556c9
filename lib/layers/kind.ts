// What the table of layers says of a kind of layer, besides what a layer itself does: how Keras
// writes it down.

import type { Activation } from "../values/activations.ts";
import type { Layer, OpenShape, WeightSpec } from "./layer.ts";

/** A layer's options under Keras's names. */
export type KerasConfig = Readonly<Record<string, unknown>>;

/** What a configuration is read with. */
export interface KerasReading {
  /** Which Keras wrote it. */
  readonly generation: "keras2" | "keras3";
  /** Its version, for messages. */
  readonly version: string;
  /** A recurrent activation where none is given; undefined where the version leaves it open. */
  readonly recurrentActivation: "sigmoid" | "hard_sigmoid" | undefined;
  /** Whether Bidirectional gives zeros at masked steps; undefined where the version leaves it open. */
  readonly zeroOutputForMask: boolean | undefined;
  /** Which steps count where several results become one: the option `masks` of the merges. */
  readonly masks: "any" | "all" | "none";
  /** The activation that stands there; null is linear. */
  readonly activation: (value: unknown) => Activation;
  /** The layer of a record `{ class_name, config }` that stands inside of this one. */
  readonly layer: (value: unknown) => Layer;
  /** Refuses the configuration, by what must hold and what was found. */
  readonly refuse: (rule: string, found: string) => never;
}

/** What a configuration is written with. */
export interface KerasWriting {
  /** An activation as Keras 3 reads it. */
  readonly activation: (activation: Activation) => unknown;
  /** Whether any layer of the model makes a mask. */
  readonly isMasked: boolean;
  /** The record of a layer inside of this one. */
  readonly layer: (name: string, layer: Layer) => unknown;
}

/** The paths of a layer's arrays below its group, of which there are so many. */
export type PathsOf = (layer: Layer, count: number) => string[];

/** A kind of layer. */
export interface LayerKind {
  /** Keras's class. */
  readonly className: string;
  /** Keras's names of its options, of every version; those that every layer has apart. */
  readonly options: readonly string[];
  /** Options that change what it computes, and the one value of each that is read. */
  readonly only?: KerasConfig;
  /** The layer of a configuration; its options are checked where it is made. */
  readonly read: (config: KerasConfig & { readonly name: string }, reading: KerasReading) => Layer;
  /** What `layer(…)` is called with, its inputs apart, in a Functional model. Default: nothing. */
  readonly callOptions?: readonly string[];
  /** The names of its inputs, in their order, where they are arguments of their own. */
  readonly arguments?: readonly string[];
  /** The module of the class, where it is no layer of `keras.layers` but an operation. */
  readonly module?: string;
  /** Whether the plain values that it is called with say what it does: `call` of its options. */
  readonly readsCall?: boolean;
  /** These values, as Keras 3 writes them. */
  readonly writeCall?: (layer: Layer) => readonly unknown[];
  /** The values by name that it is called with, as Keras 3 writes them. Default: none. */
  readonly callKeywords?: (layer: Layer) => KerasConfig;
  /** Whether several inputs are several arguments, and not one list of them. */
  readonly takesArguments?: boolean;
  /** The argument that takes all inputs but the first, as a list. */
  readonly moreInputs?: string;
  /** The options as Keras 3 reads them. Default: the layer's `config`, its activations written. */
  readonly write?: (layer: Layer, name: string, writing: KerasWriting) => KerasConfig;
  /** Where the layer's arrays lie in Keras's files, below its group. Default: `vars/0`, `vars/1`, … */
  readonly paths?: (layer: Layer, count: number, pathsOf: PathsOf) => string[];
  /** Whether masks change its numbers: Keras 3.4 and 3.5 differ in that among their backends. */
  readonly countsByMasks?: true;
  /** Whether Keras 2 forgets behind it which steps count, which Keras 3 hands on. */
  readonly forgetsMasks?: true;
  /** How many axes its kernel moves along: Theano turns these around. Default: none. */
  readonly kernelAxes?: number;
  /** Where Keras keeps the states of the generators that it draws from. Default: none. */
  readonly seeds?: (layer: Layer, seedsOf: (layer: Layer) => string[]) => string[];
}

/** Names in one text, with spaces between. */
export const names = (text: string): string[] => text.split(" ");

/** `vars/0`, `vars/1`, … in a group. */
export function numbered(group: string, count: number): string[] {
  return Array.from({ length: count }, (_, k) => `${group}vars/${k}`);
}

/** How many arrays a layer has, whatever its input. */
export function weightCount(layer: Layer): number {
  return namesOf(layer).length;
}

/** A layer's arrays, whatever its input; their shapes say nothing. */
export function namesOf(layer: Layer): readonly WeightSpec[] {
  const { inputCount: [inputs] = [1], distributed, wrapped } = layer;
  if (distributed !== undefined) return namesOf(wrapped!);
  const shapes: OpenShape[] = [[null, 1], [1], [2, 2, 1], [2, 2, 2, 1]];
  let refused: unknown;
  for (const shape of shapes) {
    try {
      return layer.weights(...new Array(inputs).fill(shape));
    } catch (error) {
      refused ??= error; // of so many axes it takes none
    }
  }
  throw refused;
}

/** Absent is Keras's default; null is a value: linear, for an activation. */
export function given(value: unknown, otherwise: unknown): unknown {
  return value === undefined ? otherwise : value;
}

/** One number for each axis: those of a list, or the same for all. */
export function perAxis(
  value: unknown,
  axes: number,
  option: string,
  { refuse }: Pick<KerasReading, "refuse">,
): number[] {
  const list: number[] = Array.isArray(value) ? value : new Array(axes).fill(value);
  if (list.length === axes) return list;
  const wanted = axes === 1 ? "one number" : `${axes} numbers`;
  return refuse(`${option} must be ${wanted}`, `it is ${JSON.stringify(value)}`);
}
