// What somebody else computed: a prediction, or any values inside. Checked against what the model has.

import { kindOf } from "../../base/kind.ts";
import { amongNames } from "../../base/names.ts";
import { checkOptions, type KeysOf } from "../../base/options.ts";
import { GATES } from "../../cells/gates.ts";
import { formatShape, sameShape, sizeOf } from "../../tensor/shape.ts";
import { asFloat64, asTensor, Tensor, type TensorLike } from "../../tensor/tensor.ts";
import { revived } from "../../cells/traced_run.ts";
import type { CellTrace } from "../../cells/cell_run.ts";
import type { Trace } from "../../trace/trace.ts";
import type { LstmValue } from "../../cells/lstm.ts";
import { GRU_GATES } from "../../cells/gru_gates.ts";
import { sitesOf, valueIfAt } from "../../cells/sites.ts";

/** Values of one recurrent layer, `[batch, timesteps, units]` each; those that are not known are left out. */
export interface ExpectedLayer {
  /** After their activations; of a cell of one's own, by its names, as its other states are. */
  readonly gates?: {
    readonly input?: TensorLike;
    readonly forget?: TensorLike;
    readonly candidate?: TensorLike;
    readonly output?: TensorLike;
    /** A GRU's. */
    readonly update?: TensorLike;
    /** A GRU's. */
    readonly reset?: TensorLike;
  } | Readonly<Record<string, TensorLike>>;
  /** c, after each step. */
  readonly cellState?: TensorLike;
  /** h, after each step. */
  readonly hiddenState?: TensorLike;
}

/** Any part of a trace, somebody else's; a `Partial<Trace>` is one. */
export interface ExpectedTrace {
  /** In the order of `trace(model, x).layers`; undefined where nothing is known of a layer. */
  readonly layers?: readonly (ExpectedLayer | undefined)[];
  /** What `predict` should give. */
  readonly prediction?: TensorLike;
  /** What whole layers give, by their names in the model, `[batch, …]`. */
  readonly outputs?: Readonly<Record<string, TensorLike>>;
}

/** The same, as tensors of the right shapes; what stands inside keeps its precision. */
export interface Expectation {
  readonly layers: readonly Readonly<Partial<Record<LstmValue, Tensor>>>[];
  readonly prediction: Tensor | undefined;
  readonly outputs: ReadonlyMap<string, Tensor>;
}

/** What the model has of all that. */
export interface OwnRun extends Trace<CellTrace> {
  /** What each layer gave, by name. */
  readonly outputs: ReadonlyMap<string, Tensor>;
}

/** The values by name: `gates.input`, …, `hiddenState`. */
export function valueOf(
  layer: ExpectedLayer | undefined,
  value: LstmValue,
): TensorLike | undefined {
  return layer && valueIfAt<TensorLike>(layer, value);
}

/** Takes what is expected, in any of its forms; each shape must be the model's own. */
export function expectationOf(
  expected: TensorLike | ExpectedTrace,
  { layers, names, prediction, outputs }: OwnRun,
): Expectation {
  const given = named(partsOf(expected, "prove", layers), names);
  const count = given.layers?.length ?? 0;
  if (count > layers.length) {
    throw new TypeError(
      `Cannot prove: the model has ${layers.length} recurrent layers (${names.join(", ")}), ` +
        `but the expected layers are ${count}`,
    );
  }
  const found = {
    layers: layers.map((own, k) =>
      Object.fromEntries(
        sitesOf(given.layers?.[k] ?? {}).flatMap((value) => {
          const theirs = valueOf(given.layers?.[k], value);
          if (theirs === undefined) return [];
          const mine = valueOf(own, value) as Tensor | undefined;
          if (mine === undefined) {
            throw new TypeError(
              `Cannot prove: what is expected of ${
                names[k]
              } must be among its own gates and states, ` +
                `but it has no ${value}`,
            );
          }
          const { shape } = mine;
          return [[value, checked(theirs, shape, `${names[k]}'s ${value}`)]];
        }),
      )
    ),
    prediction: given.prediction === undefined
      ? undefined
      : asFloat64(checked(given.prediction, prediction.shape, "the prediction")),
    outputs: new Map(
      Object.entries(given.outputs ?? {}).map(([printed, theirs]) => {
        const name = [...outputs.keys()].find((one) => printedName(one) === printedName(printed));
        const own = name === undefined ? undefined : outputs.get(name);
        if (name === undefined || own === undefined) {
          throw new TypeError(
            `Cannot prove: an output that is expected must be of one of the layers, ` +
              amongNames(printed, [...outputs.keys()]),
          );
        }
        return [name, asFloat64(checked(theirs, own.shape, `${name}'s output`))];
      }),
    ),
  };
  const isEmpty = found.prediction === undefined && found.outputs.size === 0;
  if (isEmpty && found.layers.every((l) => Object.keys(l).length === 0)) {
    throw new TypeError(
      "Cannot prove: there must be something to compare with, a prediction or values inside, " +
        "but expected is empty",
    );
  }
  return found;
}

/** A layer's name as a program prints it: no text of C has a NUL, no file half a surrogate pair. */
export function printedName(name: string): string {
  return name.toWellFormed().replaceAll("\0", "\ufffd");
}

/** Of a trace with names, layers that are named as the model's stand in its order, others by their places. */
function named(given: ExpectedTrace, names: readonly string[]): ExpectedTrace {
  const { layers = [], names: own } = given as ExpectedTrace & Partial<Trace>;
  if (!Array.isArray(own) || own.length !== layers.length) return given;
  const [mine, theirs] = [names, own].map((all) => all.map(printedName)) as [string[], string[]];
  const isOwn = theirs.every((name) => mine.includes(name));
  return isOwn ? { ...given, layers: mine.map((name) => layers[theirs.indexOf(name)]) } : given;
}

const TRACE: KeysOf<Partial<Trace> & Pick<ExpectedTrace, "outputs">> = {
  layers: "optional",
  names: "optional",
  prediction: "optional",
  predictions: "optional",
  outputs: "optional",
};
const LAYER: KeysOf<ExpectedLayer & Pick<CellTrace, "source">> = {
  gates: "optional",
  cellState: "optional",
  hiddenState: "optional",
  source: "optional",
};

/**
 * A prediction by itself, or parts with no key misspelt: that comparison would never take place.
 *
 * @param own the traces of the model that it is expected of, where there is one
 */
export function partsOf(
  expected: TensorLike | ExpectedTrace,
  action: string,
  own: readonly CellTrace[] = [],
): ExpectedTrace {
  if (
    typeof expected === "number" || expected instanceof Tensor || Array.isArray(expected) ||
    ArrayBuffer.isView(expected)
  ) return { prediction: expected as TensorLike };
  const given = expected as ExpectedTrace;
  if (typeof given !== "object" || given === null) {
    throw new TypeError(
      `Cannot ${action}: expected must be a prediction or a part of a trace, ` +
        `but ${kindOf(given)} was given`,
    );
  }
  checkOptions(action, given, TRACE, "the parts of what is expected");
  for (const [k, layer] of (given.layers ?? []).entries()) {
    const mine = own[k] && optional(own[k]!);
    checkOptions(action, layer, { ...LAYER, ...mine }, "the parts of an expected layer");
    const gates: object = layer?.gates ?? {};
    const isGru = "update" in gates || "reset" in gates;
    const known = mine ? optional(own[k]!.gates) : isGru ? GRU_GATES : GATES;
    checkOptions(action, layer?.gates, known, "the expected gates");
  }
  return given;
}

const optional = (parts: object): Record<string, "optional"> =>
  Object.fromEntries(Object.keys(parts).map((key) => [key, "optional"]));

/** Whether it is what `structuredClone` or JSON leaves of a tensor. */
function isCopy(values: unknown): values is Tensor {
  return typeof values === "object" && values !== null && !(values instanceof Tensor) &&
    "data" in values && "shape" in values;
}

function checked(values: TensorLike, shape: readonly number[], what: string): Tensor {
  const given = asTensor(isCopy(values) ? revived(values, "prove") : values);
  if (sameShape(given.shape, shape)) return given;
  const [batch, timesteps, ...rest] = shape as [number, number, ...number[]];
  const isPrinted = rest.length > 1 && sameShape(given.shape, [batch, timesteps, sizeOf(rest)]);
  if (isPrinted) return given.reshape(shape); // as loadTrace has it, all axes after the second in one
  throw new TypeError(
    `Cannot prove: ${what} must be ${formatShape(shape)}, ` +
      `but the shape is ${formatShape(given.shape)}`,
  );
}
