// Which layers of a model can go along a sequence that comes in pieces, and how.

import { resultShapes } from "../layers/connection.ts";
import type { Layer, OpenShape } from "../layers/layer.ts";
import type { Graph, Place } from "./graph.ts";

/** What a value is while its sequence comes: a piece of one, the result so far, or always the same. */
export type OverTime = "piece" | "so far" | "constant";

/** How a node runs: as it is, with its states, or with so many timesteps before. */
export type NodePlan = "as it is" | "states" | number;

/** How a model runs on pieces. */
export interface StreamPlan {
  readonly inputs: readonly OverTime[];
  readonly outputs: readonly OverTime[];
  /** By the node's name. */
  readonly nodes: ReadonlyMap<string, NodePlan>;
  /** What a node's results are, by its name. */
  readonly results: ReadonlyMap<string, readonly OverTime[]>;
}

/**
 * The plan of a graph.
 *
 * @throws {TypeError} where a layer needs the whole sequence, or nothing goes over time.
 */
export function streamPlan({ inputs, nodes, layers, outputs }: Graph): StreamPlan {
  const refuse = (rule: string, found: string) =>
    new TypeError(`Cannot stream: ${rule}, but ${found}`);
  const takesWords = (k: number) =>
    nodes.some(({ layer, inputs: [place] }) =>
      layers[layer]!.layer.takes === "words" && place![0] === -1 && place![1] === k
    );
  const given = inputs.map(({ shape }, k): OverTime =>
    shape.length > 1 || takesWords(k) || shape[0] === null ? "piece" : "constant"
  );
  if (!given.includes("piece")) {
    throw refuse("an input of the model must be [timesteps, …]", "none is");
  }
  const kinds: OverTime[][] = [];
  const shapes: (readonly OpenShape[])[] = [];
  const plans = new Map<string, NodePlan>();
  const kindAt = ([node, result]: Place) => node === -1 ? given[result]! : kinds[node]![result]!;
  const shapeAt = (place: Place): OpenShape => {
    const shape = place[0] === -1 ? inputs[place[1]]!.shape : shapes[place[0]]![place[1]]!;
    return kindAt(place) === "piece" ? [null, ...shape.slice(1)] : shape;
  };
  for (const { name, layer: k, inputs: places, shapes: known } of nodes) {
    const { layer } = layers[k]!;
    const [first, ...more] = places.map(kindAt);
    if (first !== "piece" && !more.includes("piece")) {
      const all = [first, ...more].every((kind) => kind === "constant");
      plans.set(name, "as it is");
      shapes.push(known);
      kinds.push(known.map(() => all ? "constant" : "so far"));
      continue;
    }
    const { overTime } = layer;
    if (overTime === undefined) {
      throw refuse(`each layer must do with the past`, whyNot(name, layer));
    }
    const isStates = overTime === "states";
    if (first !== "piece" || more.some((kind) => kind !== (isStates ? "constant" : "piece"))) {
      throw refuse(
        isStates
          ? `the first states of ${name} must be known before the sequence comes`
          : `what ${name} takes must all be [timesteps, …]`,
        isStates ? "they follow from it" : "one has no timesteps",
      );
    }
    if (shapeAt(places[0]!).length === 1 && layer.takes !== "words") {
      throw refuse(`${name} must take [timesteps, size]`, "it takes timesteps of one number");
    }
    const results = resultShapes(layer, places.map(shapeAt));
    plans.set(name, overTime === "each" || overTime === 0 ? "as it is" : overTime);
    shapes.push(results);
    kinds.push(results.map((shape) => shape[0] === null ? "piece" : "so far"));
  }
  const results = new Map(nodes.map(({ name }, k) => [name, kinds[k]!]));
  return { inputs: given, outputs: outputs.map(kindAt), nodes: plans, results };
}

/** Why a layer does not do with the past, by what its options say. */
function whyNot(name: string, { className, config, wrapped }: Layer): string {
  const why = config.go_backwards === true
    ? "goes backwards"
    : wrapped !== undefined && "backward_layer" in config
    ? "goes backwards too"
    : typeof config.padding === "string" && config.padding !== "causal"
    ? `needs timesteps that are to come, or leaves some out (padding ${config.padding})`
    : "needs the whole sequence";
  return `${name} (${className}) ${why}`;
}
