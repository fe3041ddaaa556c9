import { refuseOptions } from "../base/options.ts";
import { View } from "../display/view.ts";
import type { Layer, OpenShape } from "../layers/layer.ts";
import { recurrenceOf, type RecurrentLayer } from "../layers/recurrent.ts";
import { shapesOf } from "../model/graph.ts";
import { type Model, networkOf } from "../model/model.ts";
import type { Network } from "../model/network.ts";
import { type Equation, plainEquations, texEquations } from "./equation_lines.ts";
import { layerRoutine, stepRoutine } from "./layer_routine.ts";
import { SymbolicRecording } from "./recording.ts";
import type { Routine } from "./routine.ts";

/** What an axis that may be of any length is taken for: no equation is another one for it. */
const ANY_LENGTH = 2;

/**
 * The equations of a model's layers, as they are computed: a recurrent layer's are those of a
 * timestep. In a notebook they are LaTeX, elsewhere plain text.
 *
 * @param model any
 * @returns a view; a layer whose equation is not to be had says why
 * @throws {TypeError} where it is given no model.
 *
 * @example
 * ```ts
 * import { dense, equations, gru, sequential } from "@gatescope/lstm";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const model = sequential([gru({ units: 8 }), dense({ units: 1 })], { inputShape: [null, 3] });
 * assertStringIncludes(equations(model).text, "h = z ⊙ h + (1 − z) ⊙ h̃");
 * ```
 */
export function equations(model: Model): View {
  const network = networkOf(model, "show the equations");
  refuseOptions("show the equations", arguments, 1);
  const layers = network.layers.map(({ name, layer }, k): Equation => {
    try {
      const routines = routinesOf(network, k);
      const { title } = routines.at(-1)!;
      return { title: `${name}, ${recurrenceOf(layer) ? title : titleOf(network, k)}`, routines };
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
      const why = error.message.slice(error.message.indexOf(": ") + 2);
      return { title: `${name}, ${layer.className}`, routines: [], why };
    }
  });
  return new View(plainEquations(layers), () => ({ "text/latex": texEquations(layers) }));
}

function titleOf({ layers }: Network, k: number): string {
  const { layer, inputShape, outputShape } = layers[k]!;
  const axes = (shape: OpenShape) => `[${shape.map((axis) => axis ?? "timesteps").join(", ")}]`;
  return `${layer.className}: ${axes(inputShape)} to ${axes(outputShape)}`;
}

/** A layer's routines: those of the layers inside of it, and its own. */
function routinesOf(network: Network, k: number): Routine[] {
  const { name, layer, weights, firstWeight } = network.layers[k]!;
  const node = network.nodes.find((one) => one.layer === k)!;
  const open = network.inputs.map(({ shape }) => [1, ...shape.map((axis) => axis ?? ANY_LENGTH)]);
  const { at, firstAt } = shapesOf(network, open);
  const shapes = node.inputs.map((place) => [firstAt(place)!, ...at(place)] as number[]);
  const named = weights.map(({ name: own }, w) => ({
    tensor: network.keptWeights[firstWeight + w]!,
    label: `${name}/${own}`,
  }));
  const o = new SymbolicRecording();
  if (recurrenceOf(layer) !== undefined) {
    return [stepRoutine(name, asSequence(layer), shapes[0]!.at(-1)!, named, o)];
  }
  const own = layerRoutine(name, layer, shapes, named, false, o);
  const inner = own.values.flatMap(({ op }) => op.kind === "loop" ? [op.step] : []);
  return [...inner, own];
}

/** The layer, its hidden states its one result. */
function asSequence(layer: Layer): Layer {
  const { options } = layer as RecurrentLayer;
  return recurrenceOf(layer)!.make({ ...options, returnState: false });
}
