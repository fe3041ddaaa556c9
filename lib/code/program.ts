// A model as a program: its layers' routines, and in which order they are called. One that goes along
// with its sequence has a routine for each timestep, and one for what comes after.

import { finish } from "../base/work.ts";
import type { Layer, LayerRun } from "../layers/layer.ts";
import type { Network } from "../model/network.ts";
import { type StreamPlan, streamPlan } from "../model/stream_plan.ts";
import { walk } from "../model/walk.ts";
import { sizeOf } from "../tensor/shape.ts";
import {
  checkFunctions,
  layerRoutine,
  type NamedWeight,
  refuse,
  stepRoutine,
} from "./layer_routine.ts";
import { lengthOf, placeOf, type Recorded } from "./recorded.ts";
import { Recording } from "./recording.ts";
import type { Routine } from "./routine.ts";

/** A model, ready to be written in any language. */
export interface Program {
  /** What one call takes: a timestep of a model that goes along, the whole of another. */
  readonly inputSize: number;
  readonly outputSize: number;
  /** Whether the input's numbers are whole and stand for words. */
  readonly takesWords: boolean;
  /** How many timesteps a sequence has; null where each may be of another length. */
  readonly timesteps: number | null;
  /** Whether it goes along with its sequence, a timestep a call. */
  readonly goesAlong: boolean;
  /** Whether each timestep has an output of its own. */
  readonly isSequence: boolean;
  /** The layer that gives the output. */
  readonly outputLayer: string;
  /** What each timestep runs; of a model that needs the whole, all. */
  readonly along: Routine;
  /** What runs after the timesteps. */
  readonly head: Routine | undefined;
  /** The layers' routines, in the order of their calls. */
  readonly routines: readonly Routine[];
  /** What stays from timestep to timestep: `lstm/c`. */
  readonly states: readonly Recorded[];
}

/**
 * The program of a model with one input and one output.
 *
 * @throws {TypeError} where a layer cannot be written, or what it needs is not known; it is named.
 */
export function programOf(network: Network): Program {
  checkLayers(network);
  const { shape } = network.inputs[0]!;
  const takesWords = network.nodes.some(({ layer }) =>
    network.layers[layer]!.layer.takes === "words"
  );
  const plan = planOf(network);
  if (plan instanceof Error && shape.includes(null)) {
    const why = plan.message.split(", but ").at(-1);
    throw refuse(
      "the timesteps of a model that needs the whole sequence must be known",
      `its input is ${shape.map((axis) => axis ?? "None").join(" × ")}, and ${why}`,
    );
  }
  const stream = plan instanceof Error ? undefined : plan;
  const own = shape as readonly number[];
  const piece = stream === undefined ? [1, ...own] : [1, 1, ...own.slice(1)];
  if (piece.includes(null as never)) {
    throw refuse("all axes besides the timesteps must be known", `one is not`);
  }
  return new Builder(network, stream).program(piece, takesWords);
}

function planOf(network: Network): StreamPlan | Error {
  try {
    return streamPlan(network);
  } catch (error) {
    if (error instanceof TypeError) return error;
    throw error;
  }
}

/** The calls of a model's layers, as a walk through it meets them. */
class Builder {
  readonly #network: Network;
  readonly #plan: StreamPlan | undefined;
  readonly #along = new Recording();
  readonly #head = new Recording();
  readonly #routines: Routine[] = [];
  readonly #states: Recorded[] = [];
  readonly #late = new Set<Recorded>(); // what is there only after the timesteps

  constructor(network: Network, plan: StreamPlan | undefined) {
    this.#network = network;
    this.#plan = plan;
  }

  program(piece: readonly number[], takesWords: boolean): Program {
    const network = this.#network;
    const x = this.#along.input(0, piece, "x");
    const weights = network.keptWeights.map((weight, k) =>
      this.#along.named(weight, network.weightSpecs[k]!.name)
    );
    const work: LayerRun<Recorded> = (layer, inputs, own, { name }) => {
      const named = own.map((weight) => ({
        tensor: this.#along.numbers(weight),
        label: weight.label!,
      }));
      return { outputs: [this.#call(name, layer, inputs, named)] };
    };
    const { outputs } = finish(walk(network, [x], weights, this.#along, { work }));
    const [output] = outputs as [Recorded];
    const isLate = this.#plan !== undefined && this.#plan.outputs[0] !== "piece";
    const routine = (o: Recording, isLast: boolean): Routine => ({
      name: "",
      title: "",
      inputs: o === this.#along ? [x] : [],
      states: this.#states,
      after: this.#states,
      output: isLast ? output : undefined,
      values: o.values,
    });
    this.#routines.forEach(checkFunctions);
    return {
      inputSize: sizeOf(piece),
      outputSize: lengthOf(output),
      takesWords,
      timesteps: this.#plan === undefined ? null : network.inputs[0]!.shape[0]!,
      goesAlong: this.#plan !== undefined,
      isSequence: this.#plan !== undefined && !isLate,
      outputLayer: network.nodes[network.outputs[0]![0]]!.name,
      along: routine(this.#along, !isLate),
      head: isLate ? routine(this.#head, true) : undefined,
      routines: this.#routines,
      states: this.#states,
    };
  }

  /** One layer's call: its result, which may be a state, or what went in. */
  #call(
    name: string,
    layer: Layer,
    inputs: readonly Recorded[],
    weights: readonly NamedWeight[],
  ): Recorded {
    const isLate = this.#plan !== undefined && inputs.every((one) => this.#late.has(one));
    const o = isLate ? this.#head : this.#along;
    const plan = isLate ? "as it is" : this.#plan?.nodes.get(name) ?? "as it is";
    const result = plan === "states"
      ? this.#step(o, name, layer, inputs, weights)
      : this.#layer(o, name, layer, inputs, weights, plan);
    if (isLate) this.#late.add(result);
    if (isLate || this.#plan?.results.get(name)?.[0] !== "so far") return result;
    // of all timesteps the last one is what counts: it must be there afterwards
    const kept = result.op.kind === "state" ? result : this.#state(`${name}/last`, result.shape);
    if (kept !== result) o.add1(result.shape, { kind: "pushed", x: result, window: kept });
    this.#late.add(kept);
    return kept;
  }

  /** A timestep of a cell: its hidden state. */
  #step(
    o: Recording,
    name: string,
    layer: Layer,
    inputs: readonly Recorded[],
    weights: readonly NamedWeight[],
  ): Recorded {
    const step = stepRoutine(name, layer, inputs[0]!.shape.at(-1)!, weights);
    const states = step.states.map((state) => this.#state(`${name}/${state.label}`, state.shape));
    o.add1([], { kind: "call", call: { routine: this.#keep(step), inputs, states } });
    const shown = states[step.after.indexOf(placeOf(step.output!).root)]!;
    const isPiece = this.#plan!.results.get(name)![0] === "piece";
    return isPiece ? o.reshape(shown, [1, 1, shown.shape[1]!]) : shown;
  }

  #layer(
    o: Recording,
    name: string,
    layer: Layer,
    inputs: readonly Recorded[],
    weights: readonly NamedWeight[],
    plan: "as it is" | number,
  ): Recorded {
    let given = inputs;
    if (typeof plan === "number") {
      const [x] = inputs as [Recorded];
      const [, , ...rest] = x.shape;
      const window = this.#state(`${name}/window`, [1, plan + 1, ...rest]);
      o.add1(window.shape, { kind: "pushed", x, window });
      given = [window];
    }
    const shapes = given.map(({ shape }) => shape);
    const routine = layerRoutine(name, layer, shapes, weights, typeof plan === "number");
    const { root, offset } = placeOf(routine.output!);
    if (root.op.kind === "input" && offset === 0 && lengthOf(root) === lengthOf(routine.output!)) {
      return o.reshape(given[root.op.index]!, routine.output!.shape); // nothing is computed
    }
    const result = o.add1(routine.output!.shape, {
      kind: "call",
      call: { routine: this.#keep(routine), inputs: given, states: [] },
    });
    result.label = name;
    result.site = { layer: name, site: "output" };
    return result;
  }

  #keep(routine: Routine): Routine {
    this.#routines.push(routine);
    return routine;
  }

  #state(label: string, shape: readonly number[]): Recorded {
    const state: Recorded = {
      shape,
      op: { kind: "state", index: this.#states.length },
      label,
    };
    this.#states.push(state);
    return state;
  }
}

function checkLayers({ inputs, outputs, layers }: Network): void {
  if (inputs.length !== 1 || outputs.length !== 1) {
    throw refuse(
      "a model must have one input and one output",
      `this one has ${inputs.length} and ${outputs.length}`,
    );
  }
  for (const { name, layer } of layers) {
    for (let inner: Layer | undefined = layer; inner !== undefined; inner = inner.wrapped) {
      if (inner.makesMask !== true) continue;
      throw refuse("all timesteps must count", `${name} (${inner.className}) makes a mask`);
    }
  }
}
