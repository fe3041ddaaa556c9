// Recurrent layers of which a file has the arrays alone: the shapes tell an LSTM, a GRU and a
// SimpleRNN apart, and not what they compute with.

import { bidirectional } from "../layers/bidirectional.ts";
import { gru } from "../layers/gru.ts";
import { lstm } from "../layers/lstm.ts";
import { simpleRnn } from "../layers/simple_rnn.ts";
import { sameShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Converted, taken } from "./conversion.ts";
import type { RecurrentPart, UntoldActivations } from "./recurrent_part.ts";

/** One of them, and where its arrays lie. */
export type UntoldPart = Omit<RecurrentPart, "name" | "input"> & { readonly group: string };

/** Of a layer in its group: `cell/vars/0`, or `lstm_cell/kernel:0`, in the order of its weights. */
const NUMBERED = /^(.*)\/cell\/vars\/0$/;
const KERNEL = /^(?:(.*)\/)?kernel(_\d+)?(:0)?$/;

/** All that are among the arrays. */
export function untoldIn(
  arrays: ReadonlyMap<string, Tensor>,
  untold: UntoldActivations,
): UntoldPart[] {
  const found = new Map<string, Converted[]>();
  for (const key of arrays.keys()) {
    const [, numbered] = NUMBERED.exec(key) ?? [];
    const named = KERNEL.exec(key);
    const group = numbered ?? named?.[1] ?? (named === null ? undefined : "");
    if (group === undefined) continue;
    const names = numbered === undefined
      ? ["kernel", "recurrent_kernel", "bias"].map((name) => key.replace(/kernel(?=[^/]*$)/, name))
      : [0, 1, 2].map((k) => `${group}/cell/vars/${k}`);
    const isAlone = numbered === undefined || !arrays.has(`${group}/cell/vars/3`);
    const own = names.flatMap((name) => {
      const tensor = arrays.get(name);
      return tensor === undefined ? [] : [taken(name, tensor)];
    });
    if (isAlone && own.length >= 2) found.set(group, own);
  }
  const parts: UntoldPart[] = [];
  for (const [group, forward] of found) {
    if (backOf(group, found) !== undefined && isForward(group)) {
      const back = found.get(backOf(group, found)!)!;
      const part = partOf(around(group), forward, untold, back);
      if (part !== undefined) parts.push(part);
    } else if (!isBack(group, found)) {
      const part = partOf(group, forward, untold);
      if (part !== undefined) parts.push(part);
    }
  }
  return parts;
}

/** `both/forward_layer`, `both/forward_lstm/lstm_cell`. */
function isForward(group: string): boolean {
  return group.split("/").some((step) => step.startsWith("forward_"));
}

function backOf(group: string, all: ReadonlyMap<string, unknown>): string | undefined {
  const wanted = group.split("/").map((step) => step.replace(/^forward_/, "backward_")).join("/");
  return isForward(group) && all.has(wanted) ? wanted : undefined;
}

function isBack(group: string, all: ReadonlyMap<string, unknown>): boolean {
  const ahead = group.split("/").map((step) => step.replace(/^backward_/, "forward_")).join("/");
  return ahead !== group && all.has(ahead);
}

/** The Bidirectional around its forward layer. */
function around(group: string): string {
  const steps = group.split("/");
  return steps.slice(0, steps.findIndex((step) => step.startsWith("forward_"))).join("/");
}

/** `block/lstm` of `model_weights/block/block/lstm/lstm_cell`, in the layer `block`. */
export function stemOf(group: string, owner: string): string {
  const steps = group.split("/");
  const own = steps.lastIndexOf(owner.split("/").at(-1)!);
  const inside = steps.slice(own + 1).filter((step) => !/_cell(_\d+)?$/.test(step));
  return [owner, ...inside].join("/");
}

function partOf(
  group: string,
  forward: readonly Converted[],
  { activation, recurrentActivation }: UntoldActivations,
  back?: readonly Converted[],
): UntoldPart | undefined {
  const [kernel, recurrent, bias] = forward.map(({ tensor }) => tensor.shape);
  const [units = 0, columns = 0] = recurrent ?? [];
  const inputSize = kernel?.[0] ?? 0;
  const make = MAKERS[columns / units];
  const isAfter = columns === 3 * units && (bias === undefined || bias.length === 2);
  const wanted = isAfter ? [2, columns] : [columns];
  const fits = make !== undefined && recurrent!.length === 2 && inputSize > 0 &&
    sameShape(kernel!, [inputSize, columns]) && (bias === undefined || sameShape(bias, wanted)) &&
    (back === undefined ||
      back.length === forward.length &&
        back.every(({ tensor }, k) => sameShape(tensor.shape, forward[k]!.tensor.shape)));
  if (!fits) return undefined;
  const one = make({
    units,
    useBias: bias !== undefined,
    returnSequences: true,
    resetAfter: isAfter,
    activation: activation ?? "tanh",
    recurrentActivation: recurrentActivation ?? "sigmoid",
  });
  const told = activation !== undefined || recurrentActivation !== undefined;
  return {
    group,
    layer: back === undefined ? one : bidirectional(one),
    weights: [...forward, ...back ?? []],
    inputShape: [null, inputSize],
    notes: [
      told
        ? "Its activations are those that were given."
        : "Its activations do not stand in the file: they are the framework's own, tanh and sigmoid.",
      "It gives its whole sequence.",
      ...(columns === 3 * units && bias === undefined
        ? ["Whether it resets after the product does not stand in the file: it does here."]
        : []),
    ],
  };
}

interface Options {
  readonly units: number;
  readonly useBias: boolean;
  readonly returnSequences: boolean;
  readonly resetAfter: boolean;
  readonly activation: "tanh" | "relu";
  readonly recurrentActivation: "sigmoid" | "hard_sigmoid";
}

/** By how many blocks of units stand beside each other. */
const MAKERS: Readonly<Record<number, (options: Options) => ReturnType<typeof simpleRnn>>> = {
  4: ({ resetAfter: _, ...options }) => lstm(options),
  3: (options) => gru(options),
  1: ({ resetAfter: _, recurrentActivation: __, ...options }) => simpleRnn(options),
};
