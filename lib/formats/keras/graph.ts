// A Functional model's graph, from its inputs to its outputs.

import { isRecord } from "../../files/json.ts";
import { UnreadableFileError } from "../../files/unreadable.ts";
import { connect, Connection } from "../../layers/connection.ts";
import type { Layer, OpenShape } from "../../layers/layer.ts";
import { kindOfLayer } from "../../layers/table.ts";
import type { Connections } from "../../model/graph.ts";
import { type KerasNode, type KerasParts, leavesOf } from "./node.ts";
import { placeOf } from "./layers.ts";

/** Keras 3 keeps how a mask was computed as layers of their own, beside the one that makes it. */
const MASK_OPERATIONS = [
  "Any",
  "ConvertToTensor",
  "ExpandDims",
  "BroadcastTo",
  "LogicalOr",
  "Concatenate",
  "ZerosLike",
  "OnesLike",
];

/** How often layers may be called in all. */
const MAX_CALLS = 2000;

/** What one call of a layer was given. */
interface Call {
  /** The layers whose results it takes; the mask apart. */
  readonly inputs: readonly Result[];
  /** The plain values among its arguments, by their names; those of no name by their numbers. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly mask: readonly Result[];
  readonly training: unknown;
}

/** One result of a layer: its name, the number of the call, and of the result. */
type Result = readonly [layer: string, call: number, index: number];

/**
 * The layers of a Functional model, connected, or of a Sequential one that has models within it.
 *
 * @param shapeOf the shape of an InputLayer, or of what a Sequential model begins with
 * @param layerOf the layer of a configuration
 * @throws {UnreadableFileError} where a layer leads to itself, has a mask from elsewhere or stands
 * beside the way to the outputs.
 */
export function kerasGraph(
  parts: KerasParts,
  { shapeOf, layerOf }: {
    readonly shapeOf: (node: KerasNode) => OpenShape;
    readonly layerOf: (node: KerasNode, call: Call["values"]) => Layer;
  },
): Connections & { readonly layers: readonly Layer[] } {
  const layers = new Map<KerasNode, Layer>();
  const calledWith = new Map<Layer, string>();
  const ofMasks = new Set<KerasNode>();
  let count = 0; // models within models may double at each level

  const apply = (node: KerasNode, given: readonly Connection[], values: Call["values"] = {}) => {
    if (++count > MAX_CALLS) refuse(`there are more than ${MAX_CALLS} calls of layers`);
    if (node.inner !== undefined) {
      return wired(node.inner, given).outputs;
    }
    const layer = layers.get(node) ?? layerOf(node, values);
    const called = JSON.stringify(saying(node, values));
    if ((calledWith.get(layer) ?? called) !== called) {
      refuse(`the layer ${placeOf(node)} is called in two ways`);
    }
    calledWith.set(layer, called);
    layers.set(node, layer);
    return connect(layer, given);
  };

  /** A model's outputs, for inputs of its own or for what is given to it. */
  const wired = (
    { listed, config, isSequential }: KerasParts,
    given?: readonly Connection[],
  ): Connections => {
    if (isSequential) {
      const starts = given ?? [new Connection(shapeOf(listed[0]!), {})];
      const outputs = listed.filter(({ className }) => className !== "InputLayer")
        .reduce<readonly Connection[]>((before, node) => apply(node, before), starts);
      return { inputs: starts, outputs };
    }
    const { input_layers: inputs, output_layers: outputs } = config;
    const nodes = new Map(listed.map((node) => [node.ownName, node]));
    if (nodes.size !== listed.length) refuse("the layers have one name twice");
    const calls = new Map<string, readonly Connection[]>();
    const open = new Set<string>();
    const starts = resultsIn(inputs, asResult);
    const ends = resultsIn(outputs, asResult);

    const resolve = ([name, number, index]: Result): Connection => {
      const node = nodes.get(name) ?? refuse(`the layer ${JSON.stringify(name)} is not there`);
      const key = JSON.stringify([name, number]);
      if (open.has(key)) refuse(`the layer ${placeOf(node)} leads to itself`);
      open.add(key);
      const results = calls.get(key) ?? resultsOf(node, number);
      open.delete(key);
      calls.set(key, results);
      return results[index] ??
        refuse(`of the layer ${placeOf(node)}, result ${index} is used, which it does not have`);
    };
    const resultsOf = (node: KerasNode, number: number): readonly Connection[] => {
      if (node.className === "InputLayer") {
        const place = starts.findIndex(([name]) => name === node.ownName);
        return [given?.[place] ?? new Connection(shapeOf(node), { name: node.ownName })];
      }
      const inbound = node.inbound[number - firstCall(node, listed, ends)] ??
        refuse(`the layer ${placeOf(node)} is called ${node.inbound.length} times`);
      const call = callOf(inbound, kindOfLayer(node.className)?.arguments);
      checkValues(node, call);
      if (call.mask.length > 0 && !isOwnMask(call, nodes, ofMasks)) {
        refuse(`the layer ${placeOf(node)} has a mask from elsewhere`);
      }
      return apply(node, call.inputs.map(resolve), call.values);
    };

    if (starts.length === 0) refuse(`the inputs are ${JSON.stringify(inputs)?.slice(0, 200)}`);
    if (ends.length === 0) refuse(`the outputs are ${JSON.stringify(outputs)?.slice(0, 200)}`);
    if (given !== undefined && given.length !== starts.length) {
      refuse(`a model within it takes ${starts.length} inputs and is given ${given.length}`);
    }
    return { inputs: starts.map(resolve), outputs: ends.map(resolve) };
  };

  const connected = wired(parts);
  const leaves = leavesOf(parts.listed);
  const stray = leaves.find((node) =>
    node.className !== "InputLayer" && !layers.has(node) && !ofMasks.has(node)
  );
  if (stray) refuse(`the layer ${placeOf(stray)} stands beside the way to the outputs`);
  return { ...connected, layers: leaves.flatMap((node) => layers.get(node) ?? []) };
}

function refuse(state: string): never {
  throw new UnreadableFileError("its layers must lead from its inputs to its outputs", state);
}

/** The number of a node's first call: Keras 2 counts the one that a model within was built by. */
function firstCall(
  { ownName, inner, inbound }: KerasNode,
  listed: readonly KerasNode[],
  ends: readonly Result[],
): number {
  if (inner === undefined) return 0;
  const used = [
    ...ends,
    ...listed.flatMap((node) => node.inbound.flatMap((one) => callOf(one).inputs)),
  ]
    .filter(([name]) => name === ownName).map(([, call]) => call);
  return Math.max(...used, 0) === inbound.length ? 1 : 0;
}

/** What a layer is called with that says what it does. */
function saying({ className }: KerasNode, values: Call["values"]): unknown[] {
  const { callOptions = [] } = kindOfLayer(className) ?? {};
  return callOptions.map((name) => values[name] ?? false);
}

/** Throws where a layer is called with what changes its result and is not read. */
function checkValues(node: KerasNode, { values, training }: Call): void {
  const refuse = (state: string): never => {
    throw new UnreadableFileError("its layers are called with their inputs alone", state, {
      source: placeOf(node),
    });
  };
  if (training === true) refuse("it always trains");
  const { readsCall = false, callOptions: known = [] } = kindOfLayer(node.className) ?? {};
  if (readsCall) return;
  const stray = Object.entries(values).find(([name, value]) =>
    value !== null && value !== false && !known.includes(name)
  );
  if (stray) refuse(`${stray[0]} is ${JSON.stringify(stray[1])?.slice(0, 100)}`);
}

/**
 * Whether a mask is what the Masking and Embedding layers before a layer make of it, by themselves or
 * where their results become one.
 *
 * @param seen what computes it is added
 */
function isOwnMask(
  { inputs, mask }: Call,
  nodes: ReadonlyMap<string, KerasNode>,
  seen: Set<KerasNode>,
): boolean {
  const makers = inputs.flatMap((input) => makersOf(input, nodes));
  const isOwn = ([name]: Result, depth = 0): boolean => {
    const node = nodes.get(name);
    if (node === undefined || depth > MASK_OPERATIONS.length * 4) return false;
    seen.add(node);
    const { inputs: before, values } = callOf(node.inbound[0]);
    if (node.className === "NotEqual") {
      const [number] = Object.values(values);
      return makers.some((maker) => {
        const [own] = callOf(maker.inbound[0]).inputs;
        return own?.[0] === before[0]?.[0] && (maker.config.mask_value ?? 0) === number;
      });
    }
    if (!MASK_OPERATIONS.includes(node.className)) return false;
    if (/Like$/.test(node.className)) return true; // of zeros or ones: only its shape is taken
    return before.length > 0 && before.every((one) => isOwn(one, depth + 1));
  };
  return mask.every((one) => isOwn(one));
}

/** The layers before a result that tell which steps count; behind the first, none is looked for. */
function makersOf(
  [name]: Result,
  nodes: ReadonlyMap<string, KerasNode>,
  seen = new Set<string>(),
): KerasNode[] {
  const node = nodes.get(name);
  if (node === undefined || seen.has(name)) return [];
  seen.add(name);
  const { mask_value: value, mask_zero: zero } = node.config;
  if (value !== undefined || zero === true) return [node];
  return node.inbound.flatMap((inbound) =>
    callOf(inbound).inputs.flatMap((input) => makersOf(input, nodes, seen))
  );
}

/** Keras 3: `{args, kwargs}` with tensors that know their history. Keras 2: `[[name, 0, 0, {}], …]`. */
export function callOf(inbound: unknown, inputs: readonly string[] = []): Call {
  const inOrder = (named: Readonly<Record<string, unknown>>): unknown[] => {
    const mask = Object.keys(named).find((name) =>
      /_mask$/.test(name) && typeof (named[name] ?? false) !== "boolean"
    );
    if (mask !== undefined) refuse(`a layer is called with ${mask}, which is not read`);
    const placed = inputs.filter((name) => name in named).map((name) => named[name]);
    const others = Object.entries(named).filter(([name]) => !inputs.includes(name));
    return [...placed, ...others.map(([, value]) => value)];
  };
  if (isRecord(inbound)) {
    const { args, kwargs } = inbound;
    const named = isRecord(kwargs) ? kwargs : {};
    const { mask, training, ...others } = named;
    const unnamed: unknown[] = Array.isArray(args) ? args : [];
    const all = {
      ...Object.fromEntries(unnamed.map((value, k) => [inputs[k] ?? k, value])),
      ...others,
    };
    const isPlain = (value: unknown) => resultsIn(value, tensorResult).length === 0;
    return {
      inputs: inOrder(all).flatMap((value) => resultsIn(value, tensorResult)),
      values: Object.fromEntries(Object.entries(all).filter(([, value]) => isPlain(value))),
      mask: resultsIn(mask, tensorResult),
      training,
    };
  }
  const entries: unknown[] = Array.isArray(inbound) ? inbound : [];
  const flat = typeof entries[0] === "string" ? [entries] : entries; // one alone may stand bare
  const named: Record<string, unknown>[] = flat.map((entry) =>
    Array.isArray(entry) && isRecord(entry[3]) ? entry[3] : {}
  );
  const { training, mask, ...others } = Object.assign({}, ...named) as Record<string, unknown>;
  const given = inOrder(others).flatMap((value) => resultsIn(value, asResult));
  const isPlain = (value: unknown) => resultsIn(value, asResult).length === 0;
  return {
    inputs: [...resultsIn(flat, asResult), ...given],
    values: Object.fromEntries(Object.entries(others).filter(([, value]) => isPlain(value))),
    mask: resultsIn(mask, asResult),
    training,
  };
}

/** The results of layers among an argument, lists and records included. */
function resultsIn(value: unknown, read: (value: unknown) => Result | undefined): Result[] {
  const found = read(value);
  if (found !== undefined) return [found];
  if (Array.isArray(value)) return value.flatMap((one) => resultsIn(one, read));
  if (!isRecord(value) || value.class_name !== undefined) return [];
  return Object.values(value).flatMap((one) => resultsIn(one, read));
}

/** A tensor of Keras 3. */
function tensorResult(value: unknown): Result | undefined {
  const isTensor = isRecord(value) && value.class_name === "__keras_tensor__" &&
    isRecord(value.config);
  return isTensor ? asResult((value.config as Record<string, unknown>).keras_history) : undefined;
}

/** `["lstm", 0, 0]` */
function asResult(value: unknown): Result | undefined {
  if (!Array.isArray(value) || typeof value[0] !== "string") return undefined;
  return [value[0], Number(value[1] ?? 0), Number(value[2] ?? 0)];
}
