// The ways in which an LSTM's arrays can be meant: a question for each thing that frameworks do
// differently, and every combination of the answers.

import type { ActivationName } from "../../values/activations.ts";
import type { ArrayReading, ArrayReadings } from "./array_roles.ts";

/** The questions, in the order in which they are told. */
export interface Answers {
  /** As `i f c o (Keras, PyTorch, TF.js)`. */
  readonly gateOrder: string;
  /** Which array is W and which U. */
  readonly kernels: string;
  /** How W lies in memory. */
  readonly kernel: string;
  /** How U lies in memory. */
  readonly recurrentKernel: string;
  /** What is made of the biases. */
  readonly bias: string;
  /** Whether 1 is added to the forget gate's bias. */
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

/** Positions of the four gates among the blocks of a fused array. */
export interface Order {
  readonly label: string;
  /** i, f, c̃, o: which block each is. */
  readonly blocks: readonly [number, number, number, number];
}

/** Which combination: an index into each list of {@linkcode Questions}. */
export interface Choice {
  readonly order: number;
  readonly kernels: number;
  readonly kernel: number;
  readonly recurrentKernel: number;
  readonly bias: number;
  readonly forgetBias: number;
  readonly activation: number;
  readonly recurrentActivation: number;
  readonly time: number;
  readonly denseKernel: number;
  readonly denseActivation: number;
}

/** The answers that are tried, to each question; Keras's own come first. */
export interface Questions {
  readonly arrays: ArrayReadings;
  readonly orders: readonly Order[];
  /** 0 or 1, added to the forget gate's bias. */
  readonly forgetBias: readonly number[];
  readonly activations: readonly ActivationName[];
  readonly recurrentActivations: readonly ActivationName[];
  /** Whether the sequence is read from its end. */
  readonly reversed: readonly boolean[];
  readonly denseActivations: readonly ActivationName[];
}

/** Whose each order of the gates is (shared/facts: Keras's sources, PyTorch's and ONNX's documents). */
const frameworks: Readonly<Record<string, string>> = {
  "i f c o": "Keras, PyTorch, TF.js",
  "i o f c": "ONNX",
  "i c f o": "TF1, Haiku",
  "i f o c": "CoreML",
};

/** All 24 orders, Keras's first, then the other frameworks', then those of none. */
export const orders: readonly Order[] = (() => {
  const letters = ["i", "f", "c", "o"];
  const all = permutations(letters).map((order) => order.join(" "));
  const known = Object.keys(frameworks);
  return [...known, ...all.filter((order) => !known.includes(order))].map((order) => {
    const blocks = letters.map((letter) => order.split(" ").indexOf(letter));
    const whose = frameworks[order];
    return {
      label: whose === undefined ? order : `${order} (${whose})`,
      blocks: blocks as unknown as Order["blocks"],
    };
  });
})();

function permutations(items: readonly string[]): string[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest])
  );
}

/** How many combinations there are. */
export function countChoices(questions: Questions, mostDepartures: number): number {
  let count = 0;
  forEachChoice(questions, mostDepartures, () => count++);
  return count;
}

/** Calls with every combination of at most so many departures from Keras. */
export function forEachChoice(
  { arrays, orders, forgetBias, activations, recurrentActivations, reversed, denseActivations }:
    Questions,
  mostDepartures: number,
  call: (choice: Choice, departures: number) => void,
): void {
  const lists = (kernels: number) => [
    arrays.kernels[kernels]!.kernel.length,
    arrays.kernels[kernels]!.recurrentKernel.length,
    arrays.bias.length,
    reversed.length,
    orders.length,
    forgetBias.length,
    activations.length,
    recurrentActivations.length,
    arrays.dense?.kernel.length ?? 1,
    denseActivations.length,
  ];
  for (let kernels = 0; kernels < arrays.kernels.length; kernels++) {
    const lengths = lists(kernels);
    const at = lengths.map(() => 0);
    const visit = (depth: number, departures: number): void => {
      if (departures > mostDepartures) return;
      if (depth === lengths.length) {
        const [kernel, recurrentKernel, bias, time, order, forget, φ, σ, dense, after] = at as [
          number,
          number,
          number,
          number,
          number,
          number,
          number,
          number,
          number,
          number,
        ];
        call({
          kernels,
          kernel,
          recurrentKernel,
          bias,
          time,
          order,
          forgetBias: forget,
          activation: φ,
          recurrentActivation: σ,
          denseKernel: dense,
          denseActivation: after,
        }, departures);
        return;
      }
      for (let k = 0; k < lengths[depth]!; k++) {
        at[depth] = k;
        // The dense layer's activation is asked for, but nobody's convention.
        const departs = k > 0 && depth < lengths.length - 1;
        visit(depth + 1, departures + (departs ? 1 : 0));
      }
    };
    visit(0, kernels > 0 ? 1 : 0);
  }
}

/** A combination in words. */
export function answersOf(questions: Questions, choice: Choice): Answers {
  const { arrays, orders, forgetBias, activations, recurrentActivations, denseActivations } =
    questions;
  const kernels = arrays.kernels[choice.kernels]!;
  const label = (reading: ArrayReading | undefined, otherwise: string) =>
    reading === undefined ? "none" : reading.label || otherwise;
  return {
    gateOrder: orders[choice.order]!.label,
    kernels: kernels.label || "as their shapes say",
    kernel: label(kernels.kernel[choice.kernel], "as its shape says"),
    recurrentKernel: label(kernels.recurrentKernel[choice.recurrentKernel], "as its shape says"),
    bias: label(arrays.bias[choice.bias], "as it is"),
    forgetBias: forgetBias[choice.forgetBias] === 0 ? "as it is" : "+ 1",
    activation: activations[choice.activation]!,
    recurrentActivation: recurrentActivations[choice.recurrentActivation]!,
    time: questions.reversed[choice.time] ? "reversed" : "forward",
    denseKernel: label(arrays.dense?.kernel[choice.denseKernel], "as its shape says"),
    denseActivation: arrays.dense === undefined
      ? "none"
      : denseActivations[choice.denseActivation]!,
  };
}

const titles: Readonly<Record<keyof Answers, string>> = {
  gateOrder: "gate order",
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

/** Keras's own answer to a question, which needs no telling; the kind that is wanted is told always. */
const kerasAnswers: Partial<Answers> = {
  gateOrder: orders[0]!.label,
  kernels: "as their shapes say",
  kernel: "as its shape says",
  recurrentKernel: "as its shape says",
  bias: "as it is",
  forgetBias: "as it is",
  activation: "tanh",
  recurrentActivation: "sigmoid",
  time: "forward",
  denseKernel: "as its shape says",
};

/** In what a combination departs from Keras's conventions, in words. */
export function departuresOf(answers: Answers): string[] {
  return questionTitles
    .filter(([key]) => key in kerasAnswers && answers[key] !== kerasAnswers[key])
    .filter(([key]) => answers[key] !== "none")
    .map(([key, title]) => `${title} ${answers[key]}`);
}
