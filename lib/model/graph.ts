// A model as a graph: its layers in the order of computation, and what goes into each.

import { kindOf } from "../base/kind.ts";
import { checkInputCount, Connection, resultShapes } from "../layers/connection.ts";
import type { Layer, OpenShape, WeightSpec } from "../layers/layer.ts";
import { nameLayers } from "../layers/layer_names.ts";
import { formatShape, sameShape } from "../tensor/shape.ts";

/** A value of a graph: which node gives it (−1: the inputs), and which of its results it is. */
export type Place = readonly [node: number, result: number];

/** A model of any shape, from its inputs to its outputs. */
export interface Connections {
  /** Made by `input()`, in the order in which `predict` takes them. */
  readonly inputs: readonly Connection[];
  /** What layers gave, in the order of `predictAll`. */
  readonly outputs: readonly Connection[];
  /** All layers, in the order of their weights. Default: as Keras orders them. */
  readonly layers?: readonly Layer[];
  /** Whether the first axis of all inputs and outputs is that of the samples. Default: true. */
  readonly areSamples?: boolean;
}

/** A layer with its weights. */
export interface PlacedLayer {
  readonly name: string;
  readonly layer: Layer;
  /** Of its first use, its first input. */
  readonly inputShape: OpenShape;
  readonly outputShape: OpenShape;
  /** The arrays it needs, of which the first is the network's weight `firstWeight`. */
  readonly weights: readonly WeightSpec[];
  readonly firstWeight: number;
}

/** One use of a layer. */
export interface GraphNode {
  /** The layer's name; of its second use, `lstm:2`. */
  readonly name: string;
  /** Which of the graph's layers it is. */
  readonly layer: number;
  readonly inputs: readonly Place[];
  readonly shapes: readonly OpenShape[];
}

/** An input of a model. */
export interface GraphInput {
  readonly name: string;
  readonly shape: OpenShape;
}

/** Layers and how they are connected. */
export interface Graph {
  readonly inputs: readonly GraphInput[];
  /** Each once, in the order of their weights. */
  readonly layers: readonly PlacedLayer[];
  /** Each use of one, in the order of computation. */
  readonly nodes: readonly GraphNode[];
  readonly outputs: readonly Place[];
  /** The shapes of the outputs. */
  readonly outputShapes: readonly OpenShape[];
  /** Whether the first axis of all inputs and outputs is that of the samples. */
  readonly areSamples: boolean;
  /** Whether each layer takes the one before it: a Sequential model. */
  readonly isRow: boolean;
}

/** The graph of layers in a row; a layer that stands there twice has weights of its own each time. */
export function rowOf(layers: readonly Layer[], inputShape: OpenShape): Graph {
  const calls: Building[] = layers.map((layer, k) => ({
    layer,
    use: {},
    inputs: [[k - 1, 0]],
  }));
  return build([{ name: undefined, shape: inputShape }], calls, [[layers.length - 1, 0]]);
}

/** The graph from the inputs to the outputs; a layer that is applied twice is one layer. */
export function graphOf({ inputs, outputs, layers, areSamples = true }: Connections): Graph {
  checkConnections("inputs", inputs, (one) => one.call === undefined, "made by input()");
  checkConnections("outputs", outputs, () => true, "what a layer's apply() gave");
  const calls: Building[] = [];
  const nodes = new Map<object, number>();
  const placeOf = (one: Connection): Place => {
    if (one.call === undefined) {
      const k = inputs.indexOf(one);
      if (k >= 0) return [-1, k];
      throw new TypeError(
        `Cannot build a model: what leads to its outputs must be among its inputs, ` +
          `but ${one.name === undefined ? "an input" : `input ${one.name}`} is not`,
      );
    }
    const { layer } = one.call;
    if (!nodes.has(one.call)) {
      const places = one.call.inputs.map(placeOf);
      calls.push({ layer, use: layer, inputs: places });
      nodes.set(one.call, calls.length - 1);
    }
    return [nodes.get(one.call)!, one.result];
  };
  const ends = outputs.map(placeOf);
  const isUsed = (k: number) =>
    [...calls.flatMap((call) => call.inputs), ...ends].some(([n, r]) => n === -1 && r === k);
  const idle = inputs.findIndex((_, k) => !isUsed(k));
  if (idle >= 0) {
    throw new TypeError(
      `Cannot build a model: each input must lead to an output, but input ${idle} does not`,
    );
  }
  return { ...build(inputs, calls, ends, layers ?? inKerasOrder(calls, ends)), areSamples };
}

/**
 * The layers as Keras lists them, whose weights follow in this order: those farthest from the outputs
 * first, else as they are met on the way from the outputs (keras/src/models/functional.py,
 * `map_graph_network`).
 */
export function inKerasOrder<T>(
  calls: readonly { readonly layer: T; readonly inputs: readonly Place[] }[],
  outputs: readonly Place[],
): T[] {
  const depths = calls.map(() => 0);
  for (let k = calls.length - 1; k >= 0; k--) {
    for (const [node] of calls[k]!.inputs) {
      if (node >= 0) depths[node] = Math.max(depths[node]!, depths[k]! + 1);
    }
  }
  const found: T[] = [];
  const seen = new Set<number>();
  const meet = ([node]: Place) => {
    if (node === -1 || seen.has(node)) return;
    seen.add(node);
    const { layer, inputs } = calls[node]!;
    if (!found.includes(layer)) found.push(layer);
    inputs.forEach(meet);
  };
  outputs.forEach(meet);
  const depthOf = new Map<T, number>();
  calls.forEach(({ layer }, k) => {
    depthOf.set(layer, Math.max(depths[k]!, depthOf.get(layer) ?? 0));
  });
  return found.sort((a, b) => depthOf.get(b)! - depthOf.get(a)!); // stable: else as found
}

/** The shapes of all values where the inputs have these, the first axis included; `at` without it. */
export function shapesOf(
  { layers, nodes }: Pick<Graph, "layers" | "nodes">,
  inputs: readonly (readonly number[])[],
): {
  readonly at: (place: Place) => OpenShape;
  readonly firstAt: (place: Place) => number | null;
} {
  const found: (readonly OpenShape[])[] = [];
  const whole = ([node, result]: Place) => node === -1 ? inputs[result]! : found[node]![result]!;
  for (const { layer: k, inputs: places } of nodes) {
    const { layer } = layers[k]!;
    const given = places.map(whole);
    const first = given[0]![0]!;
    found.push(
      layer.wholeShapes?.(...given) ??
        resultShapes(layer, given.map((shape) => shape.slice(1))).map((shape) => [first, ...shape]),
    );
  }
  return { at: (place) => whole(place).slice(1), firstAt: (place) => whole(place)[0]! };
}

/** A use of a layer; those of one `use` share their weights. */
interface Building {
  readonly layer: Layer;
  readonly use: object;
  readonly inputs: readonly Place[];
}

function build(
  inputs: readonly { readonly name: string | undefined; readonly shape: OpenShape }[],
  calls: readonly Building[],
  outputs: readonly Place[],
  order?: readonly object[],
): Graph {
  const uses = order ?? calls.map(({ use }) => use);
  const names = nameLayers(uses.map((use) => calls.find((call) => call.use === use)!.layer));
  const layers: PlacedLayer[] = [];
  const nodes: GraphNode[] = [];
  const shapeAt = ([node, result]: Place) =>
    node === -1 ? inputs[result]!.shape : nodes[node]!.shapes[result]!;
  for (const { layer, use, inputs: places } of calls) {
    const k = uses.indexOf(use);
    checkInputCount(layer, places.length, "build a model");
    checkWords(layer, places, names[k]!, nodes, names);
    const given = places.map(shapeAt);
    const shapes = resultShapes(layer, given).map((shape) => Object.freeze([...shape]));
    const weights = layer.weights(...given);
    if (layers[k] === undefined) {
      layers[k] = Object.freeze({
        name: names[k]!,
        layer,
        inputShape: given[0]!,
        outputShape: shapes[0]!,
        weights,
        firstWeight: 0,
      });
    } else if (!weights.every(({ shape }, w) => sameShape(shape, layers[k]!.weights[w]!.shape))) {
      throw new TypeError(
        `Cannot build a model: a layer that is applied twice needs weights of the same shapes, ` +
          `but ${names[k]} has ${weights.map(({ shape }) => formatShape(shape)).join(", ")}`,
      );
    }
    const before = nodes.filter((node) => node.layer === k).length;
    const name = before === 0 ? names[k]! : `${names[k]}:${before + 1}`;
    nodes.push(Object.freeze({ name, layer: k, inputs: places, shapes }));
  }
  return Object.freeze({
    inputs: nameInputs(inputs),
    layers: numbered(layers),
    nodes,
    outputs,
    outputShapes: outputs.map(shapeAt),
    areSamples: true,
    isRow: inputs.length === 1 && nodes.length === layers.length && outputs.length === 1 &&
      outputs[0]![0] === nodes.length - 1 && outputs[0]![1] === 0 &&
      nodes.every(({ layer, inputs: [place, ...more] }, k) =>
        layer === k && more.length === 0 && place![0] === k - 1 && place![1] === 0
      ),
  });
}

/** Each layer's first weight is where those before it end. */
function numbered(layers: readonly PlacedLayer[]): readonly PlacedLayer[] {
  let firstWeight = 0;
  return layers.map((placed) => {
    const numbered = Object.freeze({ ...placed, firstWeight });
    firstWeight += placed.weights.length;
    return numbered;
  });
}

/** What stands for words is an input of the model: whole numbers that no layer computes. */
function checkWords(
  { takes, className }: Layer,
  [from]: readonly Place[],
  name: string,
  nodes: readonly GraphNode[],
  names: readonly string[],
): void {
  if (takes !== "words" || from![0] === -1) return;
  throw new TypeError(
    `Cannot build a model: an ${className} looks up an input of the model, ` +
      `but ${name} comes after ${names[nodes[from![0]]!.layer]}`,
  );
}

/** As Keras names them: `input_layer`, `input_layer_1`, … */
function nameInputs(
  inputs: readonly { readonly name: string | undefined; readonly shape: OpenShape }[],
): readonly GraphInput[] {
  let count = 0;
  const named = inputs.map(({ name, shape }) => {
    const own = name ?? (count === 0 ? "input_layer" : `input_layer_${count}`);
    if (name === undefined) count++;
    return Object.freeze({ name: own, shape: Object.freeze([...shape]) });
  });
  const twice = named.find(({ name }, k) => named.findIndex((one) => one.name === name) !== k);
  if (twice === undefined) return named;
  throw new TypeError(
    `Cannot build a model: its inputs need different names, but ${
      JSON.stringify(twice.name)
    } is there twice`,
  );
}

function checkConnections(
  what: string,
  given: readonly Connection[],
  fits: (one: Connection) => boolean,
  rule: string,
): void {
  const isList = Array.isArray(given) && given.length > 0;
  const wrong = isList
    ? given.findIndex((one) => !(one instanceof Connection) || !fits(one))
    : undefined;
  if (wrong === -1) return;
  throw new TypeError(
    `Cannot build a model: its ${what} must be one or more, ${rule}, but ` +
      (wrong === undefined
        ? Array.isArray(given) ? "there are none" : `${kindOf(given)} was given`
        : `${what.slice(0, -1)} ${wrong} is ${kindOf(given[wrong])}`),
  );
}

/** The layers that give the outputs; a layer that gives several, with the result's number. */
export function outputNames({ outputs, nodes, layers, inputs }: Graph): string[] {
  const names = outputs.map(([node, result]) =>
    node === -1 ? inputs[result]!.name : layers[nodes[node]!.layer]!.name
  );
  return names.map((name, k) => names.indexOf(name) === k ? name : `${name}_${k}`);
}
