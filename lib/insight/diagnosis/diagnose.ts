import { kindOf } from "../../base/kind.ts";
import { shownAs } from "../../base/shown.ts";
import { part, type Work } from "../../base/work.ts";
import { type AtOnce, atOnceOrInTurns, type InTurns } from "../../display/in_turns.ts";
import { Model } from "../../model/model.ts";
import { formatShape } from "../../tensor/shape.ts";
import { asFloat64, type Tensor, type TensorLike } from "../../tensor/tensor.ts";
import { readingsOfArrays } from "./array_roles.ts";
import { KERAS, questionsOf } from "./conventions.ts";
import { cellsOf, type DiagnoseOptions } from "./diagnose_options.ts";
import { diagnosisSentence } from "./diagnosis_sentence.ts";
import type { ExpectedTrace } from "../proof/expected.ts";
import { readingsOfModel } from "./model_arrays.ts";
import { type Answers, answersOf, departuresOf } from "./readings.ts";
import { type Candidate, type Case, modelOf, search } from "./search.ts";
import { expectedOf, fitting, wantedOf } from "./wanted.ts";

/** One way in which arrays can be meant. */
export interface Reading {
  /** To each question, its answer. */
  readonly answers: Answers;
  /** In what it departs from what is usual, Keras's or the model's: `["gate order i o f c (ONNX)"]`. */
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
  /** What departures are told from: `"Keras"`, or `"the model"` where one was given. */
  readonly usual: string;
  /** The reading that explains the numbers; undefined where several do, or none. */
  readonly reading: Reading | undefined;
  /** All that explain them, those nearest to what is usual first. */
  readonly readings: readonly Reading[];
  /** The nearest of those that don't. */
  readonly nearest: readonly Reading[];
  /** Whether the network is dead: the numbers are those of a cell that hands on nothing but 0. */
  readonly dead: boolean;
  /** How many readings were tried. */
  readonly tried: number;
}

/**
 * As a promise, which takes turns with other code: a signal stops it, a line says how far it is.
 *
 * @throws {DOMException} where the signal stopped it; or whatever its reason is.
 *
 * @example
 * ```ts
 * import { arange, diagnose, lstm, sequential } from "@gatescope/lstm";
 * import { assert } from "@std/assert";
 *
 * const model = sequential([lstm({ units: 2 })], { inputShape: [3, 2], seed: 1 });
 * const x = arange(6).reshape([1, 3, 2]);
 * const { outcome } = await diagnose(model, x, model.predict(x), {
 *   activation: "tanh",
 *   signal: AbortSignal.timeout(60_000),
 * });
 * assert(outcome !== "none");
 * ```
 */
export function diagnose(
  weights: readonly TensorLike[] | Model,
  x: TensorLike,
  expected: TensorLike | ExpectedTrace,
  options: DiagnoseOptions & InTurns,
): Promise<Diagnosis>;
/**
 * Finds out how arrays are meant: which order of the gates, which layout, which form of the equations,
 * which activations explain what a program computed from them. Of an LSTM, a GRU or a SimpleRNN: the
 * shapes say which.
 *
 * Every combination is tried of: the orders of the gates, 24 of an LSTM, 6 of a GRU; kernels as their
 * shapes say, read column by column, in transposed blocks, joined, exchanged (where the shapes allow
 * it); one bias, the sum of two, one of them, a doubled one, or none; pairs of activations, both
 * hard_sigmoids among them; the sequence forward and reversed. Of an LSTM: 1 added to the forget
 * gate's bias. Of a GRU: r before or after the product with U, and after it each bias inside of the
 * reset or outside; `h' = z ⊙ h + (1 − z) ⊙ h̃` or z the other way round, where 1 − σ(x) is σ(−x).
 * Those within 1e-3 are proved by {@linkcode prove}. A large model's readings are tried up to a few
 * departures from what is usual at once, in the gate order of each framework.
 *
 * What is usual is Keras's, of arrays; of a model, what it does itself: then the sentence says in what
 * the program that computed the numbers departs from it. Of a model from a file that has two biases,
 * both are known, though it may add them.
 *
 * @param weights an LSTM's, GRU's or SimpleRNN's arrays as a file has them, in Keras's, PyTorch's,
 * ONNX's or TF1's layout, and a dense layer's after them if there is one:
 * `[…(await loadNpz(file)).values()]`; or a model of these layers
 * @param x `[batch, timesteps, inputSize]`, or a model's own input
 * @param expected the prediction, of a model with several its first; or any part of a trace of the
 * recurrent layer
 * @param options what is known already
 * @throws {TypeError} where the arrays are not those of one such layer, the model is more than that, or
 * a shape does not fit.
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
 *
 * @example A GRU of which one program meets the reset before the product, another after it
 * ```ts
 * import { add, arange, diagnose, gruForward, tensor } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const some = (rows: number, seed: number) =>
 *   tensor(Float32Array.from({ length: rows * 9 }, (_, k) => Math.sin(seed + 7 * k)), [rows, 9]);
 * const [kernel, recurrentKernel, bias] = [some(2, 1), some(3, 2), some(2, 3)];
 * const x = arange(12).reshape([2, 3, 2]);
 * const added = { kernel, recurrentKernel, bias: add(bias.at(0), bias.at(1)) };
 * const { hiddenState } = gruForward(x, added, { resetAfter: false });
 *
 * const { reading } = diagnose([kernel, recurrentKernel, bias], x, { layers: [{ hiddenState }] });
 * assertEquals(reading?.departures, ["reset before the product instead of after"]);
 * ```
 */
export function diagnose(
  weights: readonly TensorLike[] | Model,
  x: TensorLike,
  expected: TensorLike | ExpectedTrace,
  options?: DiagnoseOptions & AtOnce,
): Diagnosis;
export function diagnose(
  weights: readonly TensorLike[] | Model,
  x: TensorLike,
  expected: TensorLike | ExpectedTrace,
  options: DiagnoseOptions & (AtOnce | InTurns) = {},
): Diagnosis | Promise<Diagnosis> {
  return atOnceOrInTurns("diagnose", diagnosisWork(weights, x, expected, options), options);
}

/** What is done, about, when a model's own arrays are read. */
const READ = 0.1;

function* diagnosisWork(
  weights: readonly TensorLike[] | Model,
  x: TensorLike,
  expected: TensorLike | ExpectedTrace,
  options: DiagnoseOptions,
): Work<Diagnosis> {
  if (!Array.isArray(weights) && !(weights instanceof Model)) {
    throw new TypeError(
      `Cannot diagnose: the weights must be a list of arrays or a model, but ${
        kindOf(weights)
      } was given`,
    );
  }
  const absent = x === undefined ? "x" : expected === undefined ? "what is expected" : undefined;
  if (absent !== undefined) {
    throw new TypeError(
      `Cannot diagnose: it needs the weights, x and what somebody else computed from them, ` +
        `but ${absent} is not given`,
    );
  }
  const input = asFloat64(x);
  if (input.shape.length !== 3 || input.data.length === 0) {
    throw new TypeError(
      `Cannot diagnose: x must be [batch, timesteps, inputSize], ` +
        `but the shape is ${formatShape(input.shape)}`,
    );
  }
  const cells = cellsOf(options);
  const asked = cells.map(({ of }) => of);
  const { arrays, usual, batchFirst } = weights instanceof Model
    ? yield* part(readingsOfModel(weights, input, asked), 0, READ)
    : {
      arrays: readingsOfArrays(weights, input.shape[2]!, asked),
      usual: KERAS,
      batchFirst: (one: Tensor) => one,
    };
  const given = batchFirst(input);
  const { prediction, inside } = wantedOf(expected);
  const wanted = { prediction: prediction && batchFirst(prediction), inside };
  const cases = fitting(arrays, given.shape, wanted).map((one): Case => {
    const { known } = cells.find(({ of }) => of === one.of)!;
    const questions = questionsOf(one, given.shape[1]!, wanted.prediction, known, usual);
    return { questions, x: given, wanted, expected: expectedOf(wanted) };
  });
  const { explaining, others, dead, tried, mostDepartures } = yield* part(
    search(cases),
    READ,
    1,
  );
  const readings = explaining.map((candidate) => readingOf(candidate, true));
  const diagnosis = {
    outcome: readings.length === 0 ? "none" : readings.length === 1 ? "one" : "several",
    usual: usual.name,
    reading: readings.length === 1 ? readings[0] : undefined,
    readings,
    nearest: others.map((candidate) => readingOf(candidate, false)),
    dead,
    tried,
  } as const;
  const sentence = diagnosisSentence(diagnosis, {
    mostDepartures,
    hasOrders: cases.some(({ questions }) => questions.arrays.of.orders.length > 1),
    owners: [...new Set(cases.map(({ questions }) => questions.arrays.of.owner))],
  });
  return Object.freeze(shownAs("Diagnosis", { ...diagnosis, sentence }));
}

function readingOf({ given, choice, difference, bound }: Candidate, explains: boolean): Reading {
  const answers = answersOf(given.questions, choice);
  return Object.freeze({
    answers,
    departures: departuresOf(answers, given.questions.convention),
    explains,
    maxAbsDiff: difference,
    bound,
    toModel: () => modelOf(given, choice, "Keras's"),
  });
}
