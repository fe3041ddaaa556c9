// A recurrent layer out of a file, whatever stands around it there, and the model that it becomes.

import { advised, UnreadableFileError } from "../files/unreadable.ts";
import { Connection } from "../layers/connection.ts";
import { defineLayer, type Layer, type OpenShape } from "../layers/layer.ts";
import { masking } from "../layers/masking.ts";
import { cellOfLayer } from "../layers/recurrent.ts";
import type { Model } from "../model/model.ts";
import type { Precision } from "../model/network.ts";
import { reverseSteps } from "../values/arrange.ts";
import { buildModel, type LoadedModel, type Origin, rowWithArrays } from "./build_model.ts";
import type { Converted } from "./conversion.ts";

/** A recurrent layer, or two of Bidirectional. */
export interface RecurrentPart {
  /** Its name in the file; of one inside of others, their names before it: `encoder/lstm`. */
  readonly name: string;
  readonly layer: Layer;
  readonly weights: readonly Converted[];
  /** `[timesteps, inputSize]`, null where the file leaves the timesteps open. */
  readonly inputShape: OpenShape;
  readonly batchSize?: number | undefined;
  /** The line of Python that gives its input. */
  readonly input: string;
  /** Whether its first states come in, too. */
  readonly takesStates?: boolean;
  /** Whether which steps count comes in, too, or is told by its input: steps of zeros do not. */
  readonly mask?: "input" | "zeros" | undefined;
  /** Whether its sequence is in the order of time, although it goes against it. */
  readonly isTurned?: boolean;
  readonly notes?: readonly string[];
}

/** What a file holds of recurrent layers. */
export interface RecurrentParts {
  readonly parts: readonly RecurrentPart[];
  /** Those that are not read even alone, each with the reason. */
  readonly unread: readonly string[];
  readonly precision?: Precision;
  readonly provenance: LoadedModel["provenance"];
}

/** What layers compute with whose file does not tell it. */
export interface UntoldActivations {
  readonly activation?: "tanh" | "relu" | undefined;
  readonly recurrentActivation?: "sigmoid" | "hard_sigmoid" | undefined;
}

/** The models, by their names in the file. */
export function modelsOf(found: RecurrentParts, origin: Origin): Map<string, Model> {
  const models = new Map<string, Model>();
  const unread = found.unread.map((reason) => `Not opened: ${reason}`);
  for (const part of found.parts) {
    const { provenance } = found;
    const notes = [...provenance.notes, ...part.notes ?? [], ...unread];
    const name = models.has(part.name) ? otherName(part.name, models) : part.name;
    models.set(
      name,
      buildModel({
        ...partsOf(part),
        batchSize: part.batchSize,
        precision: found.precision ?? "float32",
        provenance: { ...provenance, notes, input: part.input },
      }, origin),
    );
  }
  return models;
}

function otherName(name: string, taken: ReadonlyMap<string, unknown>): string {
  for (let k = 1;; k++) if (!taken.has(`${name}_${k}`)) return `${name}_${k}`;
}

/** One layer, or one with what comes in besides the sequence: x, the first states, the mask. */
function partsOf(
  { layer, weights, inputShape, takesStates = false, mask, isTurned = false }: RecurrentPart,
): Pick<LoadedModel, "parts" | "inputShape" | "arrays"> {
  if (!takesStates && mask === undefined && !isTurned) {
    return { ...rowWithArrays([{ layer, weights }]), inputShape };
  }
  const x = new Connection(inputShape, { name: "x" });
  const states = takesStates ? statesOf(layer) : [];
  const counts = mask === "input" ? [new Connection(inputShape.slice(0, 1), { name: "mask" })] : [];
  const counted = mask === "input"
    ? counting().apply([x, ...counts])
    : mask === "zeros"
    ? masking().apply(x)
    : x;
  const result = layer.apply([counted, ...states]);
  return {
    parts: {
      inputs: [x, ...states, ...counts],
      outputs: [isTurned ? turning().apply(result) : result],
    },
    arrays: { of: (placed) => placed.layer === layer ? weights : [] },
  };
}

/** The first states in Keras's order: h, and c of an LSTM; those of each direction in turn. */
function statesOf(layer: Layer): Connection[] {
  const { config, cells = [] } = layer;
  const halves = cells.length === 2 ? ["forward ", "backward "] : [""];
  const half = (config.layer as { config?: { units?: number } } | undefined)?.config;
  const units = (config.units ?? half?.units) as number;
  const names = cellOfLayer(layer).states.toReversed();
  return halves.flatMap((half) =>
    names.map((name) => new Connection([units], { name: `${half}${name}` }))
  );
}

/** Takes a sequence, and which of its steps count. */
function counting(): Layer {
  return defineLayer({
    className: "StepsThatCount",
    config: {},
    inputCount: [2, 2] as const,
    outputShape: (input: OpenShape) => input,
    weights: () => [],
    run: (o, [x, mask]) => ({ outputs: [x!], mask: o.numbers(mask!) }),
  });
}

/** A sequence the other way round. */
function turning(): Layer {
  return defineLayer({
    className: "ReverseSteps",
    config: {},
    outputShape: (input: OpenShape) => input,
    weights: () => [],
    run: (o, [x]) => ({ outputs: [reverseSteps(o, x!)] }),
  });
}

/** Reads a model; where that is refused, the error says which layers open alone. */
export function orAlone<T>(
  work: () => T,
  name: string,
  alone: () => Pick<RecurrentParts, "parts">,
): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof UnreadableFileError)) throw error;
    const kinds = kindsAlone(alone);
    if (kinds === "") throw error;
    const source = name === "the given bytes" ? "source" : JSON.stringify(name);
    throw advised(error, `; loadRecurrent(${source}) opens its ${kinds} alone`);
  }
}

/** `LSTMs and GRUs`; nothing where there are none. */
function kindsAlone(alone: () => Pick<RecurrentParts, "parts">): string {
  try {
    const classes = alone().parts.map(({ layer }) => (layer.wrapped ?? layer).className);
    return [...new Set(classes)].map((className) => `${className}s`).join(" and ");
  } catch (error) {
    if (error instanceof UnreadableFileError) return "";
    throw error;
  }
}
