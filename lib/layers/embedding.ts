import { Tensor } from "../tensor/tensor.ts";
import { rowsOf } from "../values/arrange.ts";
import { uniform } from "./initializers.ts";
import { defineLayer, type Layer, type OpenShape, type WeightSpec } from "./layer.ts";
import {
  checkOptions,
  countRule,
  definedOptions,
  flagRule,
  type LayerName,
} from "./layer_options.ts";
import { type LayerKind, names } from "./kind.ts";

/** The options of an embedding. */
export interface EmbeddingOptions extends LayerName {
  /** How many words there are: the input's numbers are 0 to inputDim − 1. */
  readonly inputDim: number;
  /** How many numbers stand for a word. */
  readonly outputDim: number;
  /** Whether the number 0 stands for no word and its timestep is passed over. Default: false. */
  readonly maskZero?: boolean;
}

/** Keras's RandomUniform, the initializer `"uniform"` (keras/src/initializers). */
const LIMIT = 0.05;

/**
 * An embedding: whole numbers `[timesteps]` become rows of a table, `[timesteps, outputDim]`. Comes
 * first in a model. Source: keras/src/layers/core/embedding.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where its value is out of range; on prediction, where a number is no word.
 *
 * @example
 * ```ts
 * import { embedding, lstm, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([
 *   embedding({ inputDim: 100, outputDim: 8, maskZero: true }),
 *   lstm({ units: 4 }),
 * ], { inputShape: [null] });
 * assertEquals(model.predict([[7, 42, 99], [5, 0, 0]]).shape, [2, 4]);
 * ```
 */
export function embedding(options: EmbeddingOptions): Layer {
  const chosen = { maskZero: false, ...definedOptions("an Embedding", options) };
  checkOptions("an Embedding", chosen, {
    inputDim: countRule,
    outputDim: countRule,
    maskZero: flagRule,
  });
  const { name, inputDim, outputDim, maskZero } = chosen;

  return defineLayer({
    className: "Embedding",
    name,
    config: { input_dim: inputDim, output_dim: outputDim, mask_zero: maskZero },
    takes: "words" as const,
    overTime: "each",
    makesMask: maskZero,
    outputShape: (input: OpenShape) => [...input, outputDim],
    weights: (): WeightSpec[] => [
      { name: "embeddings", shape: [inputDim, outputDim], initialize: uniform(LIMIT) },
    ],
    checkInput: (x: Tensor) => checkWords(x, inputDim),
    run: (o, [x], [embeddings]) => {
      const words = o.numbers(x!);
      checkWords(words, inputDim);
      const counts = () => Float64Array.from(words.data, (word) => word === 0 ? 0 : 1);
      return {
        outputs: [rowsOf(o, embeddings!, words)],
        mask: maskZero ? new Tensor(counts(), words.shape) : undefined,
      };
    },
  });
}

function checkWords({ data }: Tensor, inputDim: number): void {
  for (const word of data) {
    if (Number.isInteger(word) && word >= 0 && word < inputDim) continue;
    throw new RangeError(
      `Cannot look up an embedding: the numbers must be whole, from 0 to ${inputDim - 1}, ` +
        `but one is ${word}`,
    );
  }
}

/** Keras's Embedding. */
export const EMBEDDING: LayerKind = {
  className: "Embedding",
  options: names(
    "input_dim output_dim embeddings_initializer embeddings_regularizer embeddings_constraint " +
      "mask_zero input_length quantization_config lora_rank lora_alpha",
  ),
  only: { quantization_config: null, lora_rank: null, sparse: false },
  read: (config) =>
    embedding({
      name: config.name,
      inputDim: config.input_dim as number,
      outputDim: config.output_dim as number,
      maskZero: (config.mask_zero ?? false) as boolean,
    }),
};
