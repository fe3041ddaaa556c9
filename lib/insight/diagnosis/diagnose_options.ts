// What `diagnose` is told, checked.

import { amongNames } from "../../base/names.ts";
import { checkOptions, type KeysOf } from "../../base/options.ts";
import { type AtOnce, IN_TURNS } from "../../display/in_turns.ts";
import { activationCurves } from "../../values/activation_curves.ts";
import type { ActivationName } from "../../values/activations.ts";
import { orderNamed } from "./block_orders.ts";
import type { CellReadings } from "./cell_readings.ts";
import type { Known } from "./conventions.ts";
import { diagnosedCells } from "./diagnosed_cells.ts";

/** What is known of the program, so that it need not be asked, and what else is to be tried. */
export interface DiagnoseOptions {
  /** Whose arrays they are. Default: the shapes say; where they fit several cells, all are tried. */
  readonly cell?: "lstm" | "gru" | "simpleRnn";
  /** A framework's (`"onnx"`), or the gates in order (`"i o f c"`). Default: all orders. */
  readonly gateOrder?: string | readonly string[];
  /** φ. Default: tanh, relu, sigmoid, softsign, hard_tanh and linear. */
  readonly activation?: ActivationName | readonly ActivationName[];
  /** σ. Default: sigmoid, both hard_sigmoids, tanh and relu. */
  readonly recurrentActivation?: ActivationName | readonly ActivationName[];
  /** Of a GRU: whether r meets h after its product with U. Default: both are tried. */
  readonly resetAfter?: boolean;
  /** softmax where the rows of the prediction sum to 1, else those whose range it is in. */
  readonly denseActivation?: ActivationName | readonly ActivationName[];
  /** Which way the sequence is read. Default: both are tried. */
  readonly time?: "forward" | "reversed";
}

const OPTIONS: KeysOf<DiagnoseOptions & AtOnce> = {
  cell: "optional",
  gateOrder: "optional",
  activation: "optional",
  recurrentActivation: "optional",
  resetAfter: "optional",
  denseActivation: "optional",
  time: "optional",
  ...IN_TURNS,
};

/** A cell that is left, and what is known of it. */
export interface KnownCell {
  readonly of: CellReadings;
  readonly known: Known;
}

/** The cells that have all that is known, checked; at least one. */
export function cellsOf(options: DiagnoseOptions): KnownCell[] {
  checkOptions("diagnose", options, OPTIONS);
  const { cell, gateOrder, activation, recurrentActivation, denseActivation, time } = options;
  const { resetAfter } = options;
  const directions: (string | undefined)[] = [undefined, "forward", "reversed"];
  if (!directions.includes(time)) {
    throw new RangeError(
      `Cannot diagnose: time must be ${amongNames(time, ["forward", "reversed"])}`,
    );
  }
  if (resetAfter !== undefined && typeof resetAfter !== "boolean") {
    throw new TypeError(
      `Cannot diagnose: resetAfter must be true or false, but ${
        JSON.stringify(resetAfter)
      } was given`,
    );
  }
  const names = diagnosedCells.map(({ name }) => name);
  if (cell !== undefined && !names.includes(cell)) {
    throw new RangeError(`Cannot diagnose: cell must be ${amongNames(cell, names)}`);
  }
  const known = {
    activation: activation && activationsOf("activation", activation),
    recurrentActivation: recurrentActivation &&
      activationsOf("recurrentActivation", recurrentActivation),
    denseActivation: denseActivation &&
      activationsOf("denseActivation", denseActivation, ["softmax"]),
    reset: resetAfter === undefined ? undefined : resetAfter ? "after" as const : "before" as const,
    time,
  };
  const orders = gateOrder === undefined ? undefined : listOf(gateOrder);
  const wanted = diagnosedCells.filter(({ name }) => cell === undefined || name === cell);
  const fitting = wanted.filter(({ open, isGated, ...of }) =>
    (known.reset === undefined || open.reset !== undefined) &&
    (recurrentActivation === undefined || isGated) &&
    (orders === undefined || orders.every((order) => orderNamed(order, of.blockNames, of.orders)))
  );
  if (fitting.length === 0) throw noneFits(wanted, { ...options, orders });
  return fitting.map((of) => ({
    of,
    known: {
      ...known,
      orders: orders?.map((order) => orderNamed(order, of.blockNames, of.orders)!),
    },
  }));
}

function noneFits(
  wanted: readonly CellReadings[],
  { orders, resetAfter }: DiagnoseOptions & { readonly orders: readonly string[] | undefined },
): RangeError {
  const gated = wanted.filter(({ isGated }) => isGated);
  if (gated.length === 0) {
    return new RangeError(
      "Cannot diagnose: gateOrder, recurrentActivation and resetAfter must be left out of a " +
        "SimpleRNN, which has no gates, but one is given",
    );
  }
  const known = gated.flatMap(({ blockNames }) => Object.keys(blockNames.frameworks));
  const examples = gated.map((of) => JSON.stringify(of.orders[1]!.label.replace(/ \(.*/, "")));
  if (orders !== undefined) {
    return new RangeError(
      `Cannot diagnose: gateOrder must be ${[...new Set(known)].join(", ")}, or letters such as ` +
        `${examples.join(" or ")}, but it is ${
          JSON.stringify(orders.length === 1 ? orders[0] : orders)
        }`,
    );
  }
  return new RangeError(
    `Cannot diagnose: resetAfter must be left out of ${wanted[0]!.owner}, but it is ${resetAfter}`,
  );
}

function listOf<T>(given: T | readonly T[]): readonly T[] {
  const list = [...new Set(Array.isArray(given) ? given as readonly T[] : [given as T])];
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
