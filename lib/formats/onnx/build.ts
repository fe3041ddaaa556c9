// The layers that an ONNX graph becomes, their arrays, and how their results are looked at.

import type { Connection } from "../../layers/connection.ts";
import type { Layer } from "../../layers/layer.ts";
import type { MergeMode } from "../../layers/merge_modes.ts";
import { MAX_LAYERS } from "../build_model.ts";
import type { Converted } from "../conversion.ts";
import { UnreadNode } from "./errors.ts";
import {
  firstIs,
  fullShape,
  nodeLayer,
  type Operand,
  type Operation,
  reshapeTo,
} from "./node_layers.ts";
import type { Places } from "./sequences.ts";
import { type OpenAxis, type Probe, Probes } from "./probes.ts";
import {
  type Factor,
  isPlain,
  movingLayer,
  operationOf,
  partedView,
  plainView,
  sameFactors,
  type View,
} from "./views.ts";

/** A recurrent layer that differs from another in this. */
export interface Variant {
  readonly returnSequences?: boolean;
  readonly mergeMode?: MergeMode;
}

/** Several results side by side, along an axis. */
export interface Joined {
  readonly axis: number;
  readonly parts: readonly Connection[];
  /** Their lengths along the axis. */
  readonly lengths: readonly number[];
}

/** What one place of a factor was taken of. */
export interface Picked {
  readonly from: View;
  readonly factor: Factor;
  readonly at: number;
}

/** A graph's layers on their way. */
export class GraphBuild {
  readonly #arrays = new Map<Layer, readonly Converted[]>();
  readonly #views = new Map<Connection, View>();
  readonly #probes = new Probes();
  readonly #words = new Set<Connection>();
  readonly #firsts = new Map<Connection, number>();
  /** The inputs, and what the file tells of their first axes: a length, a name, or nothing. */
  readonly inputs = new Map<Connection, OpenAxis>();
  /** How the recurrent layers are made with other options. */
  readonly variants = new Map<Layer, (change: Variant) => Layer>();
  /** What Concat made. */
  readonly joined = new Map<Connection, Joined>();
  /** Single places of an axis, by the layer that picks them. */
  readonly picked = new Map<Connection, Picked>();
  /** Lists of results, by their names. */
  readonly lists = new Map<string, Places>();
  /** Whether the first axis is the time to a cell, or the file has numbers for each place of a batch. */
  isTied = false;

  /** Takes an input of the graph; the axes' lengths or names, "" of none. */
  addInput(input: Connection, axes: readonly OpenAxis[], areWords: boolean): void {
    const named = axes.map((axis, k) => axis === "" ? `${this.inputs.size} ${k}` : axis);
    this.#probes.add(input, named);
    this.inputs.set(input, axes[0]!);
    this.#firsts.set(input, 0);
    if (areWords) this.#words.add(input);
  }

  /** A layer's results. */
  apply(
    layer: Layer,
    inputs: readonly Connection[],
    arrays: readonly Converted[] = [],
  ): Connection[] {
    this.#add(layer, arrays);
    const results = layer.applyAll(inputs);
    for (const one of results) firstIs(one, fullShape(inputs[0]!)[0]!);
    return results;
  }

  /** The results of an operation of its own. */
  operate(operator: string, operands: readonly Operand[], operation: Operation): Connection[] {
    const { layer, arrays, results } = nodeLayer(operator, operands, operation);
    this.#add(layer, arrays);
    return [...results];
  }

  #add(layer: Layer, arrays: readonly Converted[]): void {
    this.#arrays.set(layer, arrays);
    const { size } = this.#arrays;
    if (size <= MAX_LAYERS) return;
    throw new UnreadNode(`it may have at most ${MAX_LAYERS} layers, but the count is ${size}`);
  }

  /** A layer's arrays. */
  arraysOf(layer: Layer): readonly Converted[] {
    return this.#arrays.get(layer) ?? [];
  }

  /** How a result is looked at. */
  viewOf(one: Connection): View {
    const found = this.#views.get(one) ?? plainView(one);
    this.#views.set(one, found);
    return found;
  }

  /** A layer's result, whose axes have parts. */
  part(of: Connection, parts: readonly (readonly number[])[]): View {
    const view = partedView(of, parts);
    this.#views.set(of, view);
    return view;
  }

  /** A view as a result: the layer's own, or that of one that moves its numbers. */
  show(view: View, operator: string): Connection {
    if (isPlain(view)) {
      this.#views.set(view.of, view);
      return view.of;
    }
    const layer = movingLayer(view);
    const [result] =
      (layer === undefined
        ? this.operate(operator, [view.of], operationOf(view))
        : this.apply(layer, [view.of])) as [Connection];
    this.#views.set(result, view);
    return result;
  }

  /** What is the same in all calls, whatever their lengths. */
  agreed<T>(find: (probe: Probe) => T | undefined): T | undefined {
    return this.#probes.agreed(find);
  }

  /** The results of a layer that changes each number by itself, whatever the axes it is seen by. */
  eachNumber(x: Connection, run: (of: Connection) => Connection): Connection {
    const { of, own, ...seen } = this.viewOf(x);
    const result = run(of);
    this.keepFirst(of, result);
    return this.show({ of: result, own, ...seen }, "View");
  }

  /** Whether the last axis of a result is that of its source. */
  hasOwnRows(x: Connection): boolean {
    const { own, axes, backwards } = this.viewOf(x);
    const last = own.at(-1)!;
    return own.length > 1 && axes.length > 0 && sameFactors(axes.at(-1)!, last) &&
      !last.some((factor) => backwards.has(factor));
  }

  /** The result of a layer that takes the last axis, of the source where that is its last axis, too. */
  eachRow(x: Connection, run: (of: Connection) => Connection): Connection {
    const { of, own, axes, backwards } = this.viewOf(x);
    const isOwn = this.hasOwnRows(x);
    const result = run(isOwn ? of : x);
    this.keepFirst(isOwn ? of : x, result);
    if (!isOwn) return result;
    const rows = plainView(result).own.at(-1)!;
    return this.show({
      of: result,
      own: own.with(-1, rows),
      axes: axes.with(-1, rows),
      backwards,
    }, "View");
  }

  /** Whether these are whole numbers that stand for words. */
  areWords(one: Connection): boolean {
    return this.#words.has(this.viewOf(one).of);
  }

  /** Takes results as words. */
  addWords(...results: readonly Connection[]): void {
    for (const one of results) this.#words.add(this.viewOf(one).of);
  }

  /** Which axis the first one of an input became, where it is known. */
  firstAxisOf(one: Connection): number | undefined {
    const { of, own, axes } = this.viewOf(one);
    const first = own[this.#firsts.get(of) ?? -1]?.[0];
    const at = first === undefined ? -1 : axes.findIndex((factors) => factors.includes(first));
    return at < 0 ? undefined : at;
  }

  /** What the file says how long the first axis of that input is. */
  givenFirst(one: Connection): number {
    const given = this.inputs.get(this.viewOf(one).of);
    return typeof given === "number" ? given : NaN;
  }

  /** The first axis stays where it was. */
  keepFirst(x: Connection, ...results: readonly Connection[]): void {
    const at = this.firstAxisOf(x);
    if (at === undefined) return;
    for (const one of results) {
      if (isPlain(this.viewOf(one))) this.#firsts.set(one, at);
    }
  }

  /** The connection with a length of its last axis that weights tell. */
  pinned(x: Connection, length: number): Connection {
    const last = x.shape.at(-1);
    if (last === length) return x;
    if (typeof last === "number") {
      throw new UnreadNode(
        `the last axis of its input is ${last}, where its weights take ${length}`,
      );
    }
    const [result] = this.operate("Reshape", [x], {
      shapes: ([{ shape }]) => [shape.with(-1, length)],
      run: (o, [one]) => [reshapeTo(o, one!, one!.shape.with(-1, length))],
    }) as [Connection];
    this.keepFirst(x, result);
    return result;
  }
}
