// What `diagnose` is told, checked, and the questions that are left.

import { amongNames } from "../../base/names.ts";
import { checkOptions, type KeysOf } from "../../base/options.ts";
import { activationCurves } from "../../values/activation_curves.ts";
import type { ActivationName } from "../../values/activations.ts";
import { gateOrders } from "../../cells/gates.ts";
import { asFloat64, type Tensor } from "../../tensor/tensor.ts";
import type { ArrayReadings } from "./array_roles.ts";
import { type Order, orders, type Questions } from "./readings.ts";

/** What is known of the program, so that it need not be asked, and what else is to be tried. */
export interface DiagnoseOptions {
  /** A framework's (`"onnx"`), or the gates in order (`"i o f c"`); all 24 orders unless said. */
  readonly gateOrder?: string | readonly string[];
  /** tanh, relu, sigmoid, softsign, hard_tanh and linear unless said. */
  readonly activation?: ActivationName | readonly ActivationName[];
  /** sigmoid, both hard_sigmoids, tanh and relu unless said. */
  readonly recurrentActivation?: ActivationName | readonly ActivationName[];
  /** softmax where the rows of the prediction sum to 1, else those whose range it is in. */
  readonly denseActivation?: ActivationName | readonly ActivationName[];
  /** Which way the sequence is read; both are tried unless said. */
  readonly time?: "forward" | "reversed";
}

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

const OPTIONS: KeysOf<DiagnoseOptions> = {
  gateOrder: "optional",
  activation: "optional",
  recurrentActivation: "optional",
  denseActivation: "optional",
  time: "optional",
};

/** The questions that remain for these arrays. */
export function questionsOf(
  arrays: ArrayReadings,
  timesteps: number,
  prediction: Tensor | undefined,
  options: DiagnoseOptions,
): Questions {
  checkOptions("diagnose", options, OPTIONS);
  const { gateOrder, activation, recurrentActivation, denseActivation, time } = options;
  const directions: (string | undefined)[] = [undefined, "forward", "reversed"];
  if (!directions.includes(time)) {
    throw new RangeError(
      `Cannot diagnose: time must be ${amongNames(time, ["forward", "reversed"])}`,
    );
  }
  return {
    arrays,
    orders: gateOrder === undefined ? orders : listOf(gateOrder).map(orderOf),
    forgetBias: [0, 1],
    activations: activationsOf("activation", activation ?? ACTIVATIONS),
    recurrentActivations: activationsOf(
      "recurrentActivation",
      recurrentActivation ?? RECURRENT_ACTIVATIONS,
    ),
    // Of one timestep, there is no other way to read it.
    reversed: time === undefined && timesteps > 1 ? [false, true] : [time === "reversed"],
    denseActivations: arrays.dense === undefined
      ? ["linear"]
      : denseActivation === undefined
      ? plausibleActivations(prediction)
      : activationsOf("denseActivation", denseActivation, ["softmax"]),
  };
}

function listOf<T>(given: T | readonly T[]): readonly T[] {
  const list = Array.isArray(given) ? given as readonly T[] : [given as T];
  if (list.length > 0) return list;
  throw new RangeError(
    "Cannot diagnose: an option must leave something to try, but the list is []",
  );
}

function activationsOf(
  option: string,
  given: ActivationName | readonly ActivationName[],
  more: readonly string[] = [],
): readonly ActivationName[] {
  const known = [...Object.keys(activationCurves).filter((name) => name !== "threshold"), ...more];
  return listOf(given).map((name) => {
    if (known.includes(name)) return name;
    throw new RangeError(
      `Cannot diagnose: ${option} must take each number by itself, as ${amongNames(name, known)}`,
    );
  });
}

/** By a framework's name, or by the letters of the gates. */
function orderOf(given: string): Order {
  const letters = { input: "i", forget: "f", candidate: "c", output: "o" };
  const framework = Object.hasOwn(gateOrders, given)
    ? gateOrders[given as keyof typeof gateOrders].map((gate) => letters[gate]).join(" ")
    : undefined;
  // Frameworks write c as g, j or z.
  const wanted = framework ?? String(given).replace(/[gjz]/g, "c").split(/[\s,]+|(?=\w)/)
    .filter((letter) => letter !== "").join(" ");
  const found = orders.find(({ label }) => label === wanted || label.startsWith(`${wanted} (`));
  if (found !== undefined) return found;
  throw new RangeError(
    `Cannot diagnose: gateOrder must be ${Object.keys(gateOrders).join(", ")}, ` +
      `or four letters such as "i o f c", but it is ${JSON.stringify(given)}`,
  );
}

/** The activations whose range a prediction is in; softmax's rows give themselves away. */
function plausibleActivations(prediction: Tensor | undefined): readonly ActivationName[] {
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
