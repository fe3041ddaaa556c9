import { kindOf } from "../../base/kind.ts";
import { shownAs } from "../../base/shown.ts";
import type { Model } from "../../model/model.ts";
import { formatShape } from "../../tensor/shape.ts";
import { asFloat64, type TensorLike } from "../../tensor/tensor.ts";
import { readingsOfArrays } from "./array_roles.ts";
import { type DiagnoseOptions, questionsOf } from "./diagnose_options.ts";
import { diagnosisSentence } from "./diagnosis_sentence.ts";
import type { ExpectedTrace } from "../proof/expected.ts";
import { type Answers, answersOf, departuresOf } from "./readings.ts";
import { type Candidate, type Case, modelOf, search } from "./search.ts";
import { checkWanted, expectedOf, wantedOf } from "./wanted.ts";

/** One way in which arrays can be meant. */
export interface Reading {
  /** To each question, its answer. */
  readonly answers: Answers;
  /** In what it departs from Keras's conventions: `["gate order i o f c (ONNX)"]`. */
  readonly departures: readonly string[];
  /** Whether it explains what was expected, but for rounding in float32. */
  readonly explains: boolean;
  /** The largest difference to what was expected, relative above 1. */
  readonly maxAbsDiff: number;
  /** What rounding explains of the prediction, or where it does not explain it. */
  readonly bound: number;
  /** The model that it means, its weights in Keras's layout and order. */
  readonly toModel: () => Model;
}

/** Which reading of some arrays explains some numbers. */
export interface Diagnosis {
  /** How many do: `"one"`, `"several"` that these numbers cannot tell apart, or `"none"`. */
  readonly outcome: "one" | "several" | "none";
  /** The answer in words. */
  readonly sentence: string;
  /** The reading that explains the numbers; undefined where several do, or none. */
  readonly reading: Reading | undefined;
  /** All that explain them, those nearest to Keras's conventions first. */
  readonly readings: readonly Reading[];
  /** The nearest of those that don't. */
  readonly nearest: readonly Reading[];
  /** Whether the network is dead: the numbers are those of an LSTM that hands on nothing but 0. */
  readonly dead: boolean;
  /** How many readings were tried. */
  readonly tried: number;
}

/**
 * Finds out how arrays are meant: which order of the gates, which layout, which activations explain
 * what a program computed from them.
 *
 * Every combination is tried of: the 24 orders of the gates; kernels as their shapes say, read
 * column by column, in transposed blocks, joined, exchanged (where the shapes allow it); one bias,
 * the sum of two, one of them, a doubled one, or none; 1 added to the forget gate's bias; pairs of
 * activations, both hard_sigmoids among them; the sequence forward and reversed. Those within 1e-3
 * are proved by {@linkcode prove}. A large model's readings are tried up to a few departures from
 * Keras at once.
 *
 * @param weights an LSTM's arrays as a file has them, in Keras's, PyTorch's, ONNX's or TF1's layout,
 * and a dense layer's after them if there is one: `[…(await loadNpz(file)).values()]`
 * @param x `[batch, timesteps, inputSize]`
 * @param expected the prediction, or any part of a trace of the LSTM
 * @param options what is known already
 * @throws {TypeError} where the arrays are not those of one LSTM, or a shape does not fit.
 * @throws {RangeError} where an option is unknown to it.
 *
 * @example PyTorch's arrays
 * ```ts
 * import { arange, diagnose, lstmForward, tensor } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const some = (rows: number, columns: number, seed: number) =>
 *   tensor(Float32Array.from({ length: rows * columns }, (_, k) => Math.sin(seed + 7 * k)))
 *     .reshape([rows, columns]);
 * const [W, U, b] = [some(2, 12, 1), some(3, 12, 2), some(1, 12, 3).at(0)];
 * const x = arange(12).reshape([2, 3, 2]);
 * const weights = { kernel: W, recurrentKernel: U, bias: b };
 * const expected = lstmForward(x, weights).hiddenState.select(1, -1);
 *
 * const bias2 = tensor(new Float32Array(12));
 * const { reading } = diagnose([W.transpose(), U.transpose(), b, bias2], x, expected, {
 *   activation: "tanh",
 * });
 * assertEquals(reading?.answers.gateOrder, "i f c o (Keras, PyTorch, TF.js)");
 * ```
 */
export function diagnose(
  weights: readonly TensorLike[],
  x: TensorLike,
  expected: TensorLike | ExpectedTrace,
  options: DiagnoseOptions = {},
): Diagnosis {
  const input = asFloat64(x);
  if (input.shape.length !== 3 || input.data.length === 0) {
    throw new TypeError(
      `Cannot diagnose: x must be [batch, timesteps, inputSize], ` +
        `but the shape is ${formatShape(input.shape)}`,
    );
  }
  if (!Array.isArray(weights)) {
    throw new TypeError(
      `Cannot diagnose: the weights must be a list of arrays, but ${kindOf(weights)} was given`,
    );
  }
  const wanted = wantedOf(expected);
  const arrays = readingsOfArrays(weights, input.shape[2]!);
  checkWanted(arrays, input.shape, wanted);
  const questions = questionsOf(arrays, input.shape[1]!, wanted.prediction, options);
  const given = { questions, x: input, wanted, expected: expectedOf(wanted) };
  const { explaining, others, dead, tried, mostDepartures } = search(given);
  const readings = explaining.map((candidate) => readingOf(given, candidate, true));
  const diagnosis = {
    outcome: readings.length === 0 ? "none" : readings.length === 1 ? "one" : "several",
    reading: readings.length === 1 ? readings[0] : undefined,
    readings,
    nearest: others.map((candidate) => readingOf(given, candidate, false)),
    dead,
    tried,
  } as const;
  const sentence = diagnosisSentence(diagnosis, mostDepartures);
  return Object.freeze(shownAs("Diagnosis", { ...diagnosis, sentence }));
}

function readingOf(
  given: Case,
  { choice, difference, bound }: Candidate,
  explains: boolean,
): Reading {
  const answers = answersOf(given.questions, choice);
  return Object.freeze({
    answers,
    departures: departuresOf(answers),
    explains,
    maxAbsDiff: difference,
    bound,
    toModel: () => modelOf(given, choice),
  });
}
