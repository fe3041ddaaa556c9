// What is expected of arrays before they are looked at, and the questions that are left then.

import type { ActivationName } from "../../values/activations.ts";
import { asFloat64, type Tensor } from "../../tensor/tensor.ts";
import type { ArrayReading, BiasReading } from "./array_layouts.ts";
import type { ArrayReadings, KernelReading } from "./array_roles.ts";
import type { Order } from "./block_orders.ts";
import type { EquationChoice } from "./cell_readings.ts";
import { type Convention, question, type Questions } from "./readings.ts";

/** The answers that somebody gives before anything is asked. */
export interface Usual {
  /** Whose they are: `Keras`. */
  readonly name: string;
  readonly activation: ActivationName;
  readonly recurrentActivation: ActivationName;
  readonly reset: EquationChoice["reset"];
  readonly time: "forward" | "reversed";
  /** Undefined where nobody has one: each is then as good as another. */
  readonly denseActivation: ActivationName | undefined;
}

/** Keras's own. */
export const KERAS: Usual = {
  name: "Keras",
  activation: "tanh",
  recurrentActivation: "sigmoid",
  reset: "after",
  time: "forward",
  denseActivation: undefined,
};

/** What is left to try, where something is known. */
export interface Known {
  readonly orders: readonly Order[] | undefined;
  readonly activation: readonly ActivationName[] | undefined;
  readonly recurrentActivation: readonly ActivationName[] | undefined;
  readonly denseActivation: readonly ActivationName[] | undefined;
  readonly reset: EquationChoice["reset"] | undefined;
  readonly time: "forward" | "reversed" | undefined;
}

/** Where nothing is known. */
export const NOTHING: Known = {
  orders: undefined,
  activation: undefined,
  recurrentActivation: undefined,
  denseActivation: undefined,
  reset: undefined,
  time: undefined,
};

const ACTIVATIONS: readonly ActivationName[] = [
  "tanh",
  "relu",
  "sigmoid",
  "softsign",
  "hard_tanh",
  "linear",
];
const RECURRENT_ACTIVATIONS: readonly ActivationName[] = [
  "sigmoid",
  "hard_sigmoid",
  "hard_sigmoid_keras2",
  "tanh",
  "relu",
];
/** Those of which 1 − σ(x) is σ(−x), so that a GRU's z the other way round is a GRU. */
const SYMMETRIC: readonly ActivationName[] = [
  "sigmoid",
  "hard_sigmoid",
  "hard_sigmoid_keras2",
  "hard_sigmoid_onnx",
];

/** The questions that remain for these arrays. */
export function questionsOf(
  arrays: ArrayReadings,
  timesteps: number,
  prediction: Tensor | undefined,
  known: Known,
  usual: Usual,
): Questions {
  const { of: { orders, open, isGated, biases, cell }, kernels, bias, dense } = arrays;
  const first = <T>(own: T | undefined, all: readonly T[]) =>
    own === undefined ? all : [own, ...all.filter((other) => other !== own)];
  const always = <T>(list: readonly T[]) => () => list;
  const reset = known.reset === undefined ? first(usual.reset, open.reset ?? []) : [known.reset];
  // Of one timestep, there is no other way to read it.
  const time = known.time ?? (timesteps > 1 ? undefined : usual.time);
  const recurrent = known.recurrentActivation ??
    first(usual.recurrentActivation, RECURRENT_ACTIVATIONS);
  const afterwards = known.denseActivation ??
    first(usual.denseActivation, plausible(prediction));
  const asked = [
    question("kernels", always(kernels), label<KernelReading>("as their shapes say")),
    question("kernel", ({ kernels }) => kernels.kernel, label("as its shape says")),
    question("recurrentKernel", (c) => c.kernels.recurrentKernel, label("as its shape says")),
    open.reset && question("reset", always(reset)),
    question("bias", (choice) => bias[biases(choice)], label<BiasReading>("as it is")),
    question("time", always(time ? [time] : first(usual.time, ["forward", "reversed"] as const))),
    question("gateOrder", always(known.orders ?? orders), ({ label }) => label, {
      isCommon: ({ isFrameworks }) => isFrameworks,
    }),
    open.forgetBias &&
    question("forgetBias", always(open.forgetBias), (b) => b === 0 ? "as it is" : "+ 1"),
    question("activation", always(known.activation ?? first(usual.activation, ACTIVATIONS))),
    isGated && question("recurrentActivation", always(recurrent)),
    open.update &&
    question("update", (c) => SYMMETRIC.includes(c.recurrentActivation) ? open.update! : ["z"]),
    // Without a prediction, nothing tells how the dense layer is meant.
    dense && question(
      "denseKernel",
      always(prediction ? dense.kernel : dense.kernel.slice(0, 1)),
      (reading) => label("as its shape says")(reading!),
    ),
    dense && question(
      "denseActivation",
      always(prediction ? afterwards : afterwards.slice(0, 1)),
      String,
      { departs: usual.denseActivation !== undefined },
    ),
  ].filter((one) => typeof one === "object");
  return { arrays, asked, convention: conventionOf(usual, orders, cell.kind) };
}

/** A reading in words, or what the shapes say. */
function label<R extends { readonly label: string } = ArrayReading>(otherwise: string) {
  return (reading: R) => reading.label || otherwise;
}

function conventionOf(usual: Usual, [order]: readonly Order[], cell: string): Convention {
  const { name, activation, recurrentActivation, reset, time, denseActivation } = usual;
  return {
    name,
    answers: {
      cell,
      gateOrder: order!.label,
      reset,
      update: "z",
      kernels: "as their shapes say",
      kernel: "as its shape says",
      recurrentKernel: "as its shape says",
      bias: "as it is",
      forgetBias: "as it is",
      activation,
      recurrentActivation,
      time,
      denseKernel: "as its shape says",
      ...(denseActivation && { denseActivation }),
    },
  };
}

/** The activations whose range a prediction is in; softmax's rows give themselves away. */
function plausible(prediction: Tensor | undefined): readonly ActivationName[] {
  if (prediction === undefined) return ["linear"];
  const { data, shape } = asFloat64(prediction);
  const width = shape.at(-1)!;
  const within = (low: number, high: number) => data.every((v) => v >= low && v <= high);
  const sumsTo1 = Array.from({ length: data.length / width }, (_, row) => row).every((row) => {
    const total = data.subarray(row * width, (row + 1) * width).reduce((sum, v) => sum + v, 0);
    return Math.abs(total - 1) < 1e-3;
  });
  if (width > 1 && within(0, 1) && sumsTo1) return ["softmax"];
  const found: ActivationName[] = ["linear"];
  if (within(0, 1)) found.unshift("sigmoid");
  if (within(-1, 1)) found.push("tanh");
  if (within(0, Infinity)) found.push("relu");
  return found;
}
