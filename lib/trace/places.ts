// Where the recurrent layers of a model are: their names and sizes, known before anything runs.

import type { Layer } from "../layers/layer.ts";
import { recurrentPart } from "../layers/bidirectional.ts";
import { recurrenceOf } from "../layers/recurrent.ts";
import { shapesOf } from "../model/graph.ts";
import type { Network } from "../model/network.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** One recurrent layer of a model, and the shape of its trace for an input. */
export interface LstmPlace {
  /** `lstm`, `bidirectional/forward_layer`, … */
  readonly name: string;
  readonly samples: number;
  readonly timesteps: number;
  readonly units: number;
  /** The sites of its cell. */
  readonly sites: readonly string[];
}

/** The recurrent layers in the order of `trace.layers`, for inputs `[batch, …]`. */
export function lstmPlaces(network: Network, inputs: readonly Tensor[]): LstmPlace[] {
  const given = shapesOf(network, inputs.map(({ shape }) => shape));
  return network.nodes.flatMap(({ layer: k, name, inputs: [place] }) => {
    const { layer } = network.layers[k]!;
    const shape = given.at(place!) as readonly number[];
    const outer = distributions(layer); // to the layer inside, each timestep is a sample of its own
    const batch = given.firstAt(place!)!;
    const samples = shape.slice(0, outer).reduce((product, length) => product * length, batch);
    return (layer.cells ?? []).map((cell) => {
      const own = cell === "" ? name : `${name}/${cell}`;
      const part = recurrentPart(layer, cell);
      const { options: { units } } = part;
      const { sites } = recurrenceOf(part)!.cell;
      return { name: own, samples, timesteps: shape[outer]!, units, sites };
    });
  });
}

function distributions({ distributed, wrapped }: Layer): number {
  return distributed === undefined ? 0 : distributed + distributions(wrapped!);
}
