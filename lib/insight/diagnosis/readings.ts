// The ways in which a cell's arrays can be meant: a question for each thing that programs do
// differently, and every combination of the answers.

import type { ActivationName } from "../../values/activations.ts";
import type { ArrayReading, BiasReading } from "./array_layouts.ts";
import type { ArrayReadings, KernelReading } from "./array_roles.ts";
import type { Order } from "./block_orders.ts";
import type { EquationChoice } from "./cell_readings.ts";

/** The questions, in the order in which they are told; `"none"` where a cell does not ask. */
export interface Answers {
  /** `LSTM`, `GRU` or `SimpleRNN`. */
  readonly cell: string;
  /** As `i f c o (Keras, PyTorch, TF.js)`; of a GRU `r z h (PyTorch, cuDNN)`. */
  readonly gateOrder: string;
  /** Of a GRU: whether r meets h `after` its product with U, or `before`. */
  readonly reset: string;
  /** Of a GRU: what keeps the old h, `z` or `1 − z`. */
  readonly update: string;
  /** Which array is W and which U. */
  readonly kernels: string;
  /** How W lies in memory. */
  readonly kernel: string;
  /** How U lies in memory. */
  readonly recurrentKernel: string;
  /** What is made of the biases. */
  readonly bias: string;
  /** Of an LSTM: whether 1 is added to the forget gate's bias. */
  readonly forgetBias: string;
  /** Keras's name of φ. */
  readonly activation: string;
  /** Keras's name of σ. */
  readonly recurrentActivation: string;
  /** Which way the sequence is read. */
  readonly time: string;
  /** How the dense layer's kernel lies in memory. */
  readonly denseKernel: string;
  /** Keras's name of the dense layer's activation. */
  readonly denseActivation: string;
}

/** One combination. */
export interface Choice extends EquationChoice {
  readonly gateOrder: Order;
  readonly kernels: KernelReading;
  readonly kernel: ArrayReading;
  readonly recurrentKernel: ArrayReading;
  readonly bias: BiasReading;
  readonly activation: ActivationName;
  readonly recurrentActivation: ActivationName;
  readonly time: "forward" | "reversed";
  readonly denseKernel: ArrayReading | undefined;
  readonly denseActivation: ActivationName;
}

/** One question. */
export interface Question {
  readonly key: keyof Choice;
  /** The answers that are tried, after those to the questions before; the expected one comes first. */
  readonly answers: (chosen: Choice) => readonly unknown[];
  /** An answer in words. */
  readonly inWords: (answer: unknown) => string;
  /** Whether another answer than the first departs from what is expected. */
  readonly departs: boolean;
  /** Of a large model, the departures that are tried beside as many others as any. */
  readonly isCommon: (answer: unknown) => boolean;
}

/** A question of that name. */
export function question<K extends keyof Choice>(
  key: K,
  answers: (chosen: Choice) => readonly Choice[K][],
  inWords: (answer: Choice[K]) => string = String,
  { departs = true, isCommon = () => false }: {
    readonly departs?: boolean;
    readonly isCommon?: (answer: Choice[K]) => boolean;
  } = {},
): Question {
  return {
    key,
    answers,
    inWords: inWords as Question["inWords"],
    departs,
    isCommon: isCommon as Question["isCommon"],
  };
}

/** All that is asked of some arrays. */
export interface Questions {
  readonly arrays: ArrayReadings;
  /** In the order in which they are asked: the last one's answers change first. */
  readonly asked: readonly Question[];
  readonly convention: Convention;
}

/** What is expected of arrays before they are looked at. */
export interface Convention {
  /** Whose it is: `Keras`. */
  readonly name: string;
  /** Its answers, those that need no telling. */
  readonly answers: Partial<Answers>;
}

/** What is chosen where it is not asked. */
const unasked = {
  forgetBias: 0,
  reset: "after",
  update: "z",
  recurrentActivation: "sigmoid",
  denseKernel: undefined,
  denseActivation: "linear",
} as const;

/** How many combinations there are. */
export function countChoices(questions: Questions, mostDepartures: number): number {
  let count = 0;
  for (const _ of choicesOf(questions, mostDepartures)) count++;
  return count;
}

/**
 * Every combination of at most so many departures, common ones not counted, and how many it has. The
 * choice is the same object each time: what is kept must be copied.
 */
export function* choicesOf(
  { asked }: Questions,
  mostDepartures: number,
): Generator<readonly [choice: Choice, departures: number], void, void> {
  const choice = { ...unasked } as unknown as { -readonly [key in keyof Choice]: unknown };
  // Of each question: its answers, the next of them, and the departures before it.
  const answers: (readonly unknown[])[] = [];
  const next = asked.map(() => 0);
  const [departures, common] = [[0], [0]];
  for (let depth = 0; depth >= 0;) {
    const [before, commonBefore] = [departures[depth]!, common[depth]!];
    if (depth === asked.length) {
      yield [choice as Choice, before];
      depth--;
      continue;
    }
    const { key, answers: answersAfter, departs, isCommon } = asked[depth]!;
    if (next[depth] === 0) answers[depth] = answersAfter(choice as Choice);
    const k = next[depth]!++;
    if (k === answers[depth]!.length) {
      next[depth--] = 0;
      continue;
    }
    const answer = choice[key] = answers[depth]![k];
    const isDeparture = departs && k > 0;
    const now = before + (isDeparture ? 1 : 0);
    const commonNow = commonBefore + (isDeparture && isCommon(answer) ? 1 : 0);
    if (now - commonNow > mostDepartures) continue;
    depth++;
    [departures[depth], common[depth]] = [now, commonNow];
  }
}

/** What is expected before anything is asked: the first answer to each question. */
export function firstChoice(questions: Questions): Choice {
  for (const [choice, departures] of choicesOf(questions, 0)) if (departures === 0) return choice;
  throw new Error("Cannot diagnose: each question must have an answer, but one has none");
}

/** A combination in words. */
export function answersOf({ arrays, asked }: Questions, choice: Choice): Answers {
  const answers = Object.fromEntries(questionTitles.map(([key]) => [key, "none"]));
  answers.cell = arrays.of.cell.kind;
  for (const { key, inWords } of asked) answers[key] = inWords(choice[key]);
  return answers as unknown as Answers;
}

const titles: Readonly<Record<keyof Answers, string>> = {
  cell: "cell",
  gateOrder: "gate order",
  reset: "reset",
  update: "h kept by",
  kernels: "kernels",
  kernel: "kernel",
  recurrentKernel: "recurrent kernel",
  bias: "bias",
  forgetBias: "forget bias",
  activation: "activation",
  recurrentActivation: "recurrent activation",
  time: "time",
  denseKernel: "dense kernel",
  denseActivation: "dense activation",
};

/** The questions by name. */
export const questionTitles: readonly (readonly [keyof Answers, string])[] = Object.entries(
  titles,
) as [keyof Answers, string][];

/** Departures that are said in words of their own, beside what is expected. */
const sayings: Partial<Record<keyof Answers, (answer: string, expected: string) => string>> = {
  reset: (answer, expected) => `reset ${answer} the product instead of ${expected}`,
  update: (answer, expected) => `h kept by ${answer} instead of ${expected}`,
};

/** In what a combination departs from a convention, in words. */
export function departuresOf(answers: Answers, { answers: expected }: Convention): string[] {
  return questionTitles.flatMap(([key, title]) => {
    const [answer, usual] = [answers[key], expected[key]];
    if (usual === undefined || answer === usual || answer === "none") return [];
    return [sayings[key]?.(answer, usual) ?? `${title} ${answer}`];
  });
}
