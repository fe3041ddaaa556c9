import { type Index, partAt, shapeOf } from "../values/arrange.ts";
import type { KerasConfig, LayerKind } from "./kind.ts";
import { defineLayer, formatOpenShape, type Layer, type OpenShape } from "./layer.ts";
import { checkOptions, definedOptions, type LayerName } from "./layer_options.ts";

/** A place along an axis, or a stretch of it, from where to where; null is its end. */
export type ItemIndex = number | readonly [start: number | null, stop: number | null];

/** The options of a GetItem. */
export interface GetItemOptions extends LayerName {
  /** For each axis after the batch; axes that are not named stay whole. -1 is the last place. */
  readonly index: readonly ItemIndex[];
}

/**
 * A part of a result, Keras's `x[:, -1]`: a number takes its axis away, a stretch keeps it.
 * Source: keras/src/ops/numpy.py, `GetItem` (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or an axis is not there.
 * @throws {RangeError} where a place is not there.
 *
 * @example The last timestep
 * ```ts
 * import { getItem, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([getItem({ index: [-1] })], { inputShape: [3, 1] });
 * assertEquals(model.predict([[[1], [2], [3]]]).toArray(), [[3]]);
 * ```
 */
export function getItem(options: GetItemOptions): Layer {
  const chosen = definedOptions("a GetItem", options);
  const isEnd = (value: unknown) => value === null || Number.isInteger(value);
  checkOptions("a GetItem", chosen, {
    index: {
      expected: "a list of whole numbers, or of [start, stop]",
      isKind: (value) =>
        Array.isArray(value) &&
        value.every((one) =>
          Number.isInteger(one) || Array.isArray(one) && one.length === 2 && one.every(isEnd)
        ),
    },
  });
  const { name, index } = chosen;
  return defineLayer({
    className: "GetItem",
    name,
    config: { index },
    overTime: isLast(index[0]) ? "each" : undefined,
    outputShape: (input: OpenShape) => {
      if (index.length > input.length) {
        throw new TypeError(
          `Cannot build a GetItem: it takes parts of ${index.length} axes, ` +
            `but its input is ${formatOpenShape(input)}`,
        );
      }
      return input.flatMap((length, axis) => {
        const one = index[axis];
        if (one === undefined) return [length];
        if (typeof one === "number") return length === null ? [] : (resolved(one, length), []);
        if (length === null) return [null];
        const [start, stop] = resolved(one, length) as readonly [number, number];
        return [stop - start];
      });
    },
    weights: () => [],
    run: (o, [x]) => {
      const [, ...lengths] = shapeOf(o, x!);
      return { outputs: [partAt(o, x!, index.map((one, axis) => resolved(one, lengths[axis]!)))] };
    },
  });
}

/** Whether it takes the last timestep, or all. */
function isLast(one: ItemIndex | undefined): boolean {
  return one === undefined || one === -1 ||
    typeof one !== "number" && (one[0] ?? 0) === 0 && one[1] === null;
}

/** Counted from the front, and within the axis as NumPy takes stretches. */
function resolved(one: ItemIndex, length: number): Index[number] {
  const fromFront = (k: number) => k < 0 ? k + length : k;
  if (typeof one === "number") {
    const at = fromFront(one);
    if (at >= 0 && at < length) return at;
    throw new RangeError(
      `Cannot build a GetItem: an axis of ${length} has places 0 to ${
        length - 1
      }, but ${one} is asked for`,
    );
  }
  const within = (k: number) => Math.min(Math.max(fromFront(k), 0), length);
  const [start, stop] = [within(one[0] ?? 0), within(one[1] ?? length)];
  if (stop > start) return [start, stop];
  throw new RangeError(
    `Cannot build a GetItem: something must be left, but [${one}] takes nothing of ${length}`,
  );
}

/** Keras 3's GetItem, an operation: its index stands where it is called. */
export const GET_ITEM: LayerKind = {
  className: "GetItem",
  options: [],
  module: "keras.src.ops.numpy",
  readsCall: true,
  read: ({ name, call }, { refuse }) => {
    const [given] = Object.values(call as KerasConfig);
    const [batch, ...index] = Array.isArray(given) ? given : [given];
    const stretchOf = (one: unknown) => {
      const { class_name: className, config } = (one ?? {}) as Record<string, unknown>;
      if (className !== "__slice__") return undefined;
      const { start, stop, step } = config as Record<string, number | null>;
      return step === null || step === 1 ? [start!, stop!] as const : undefined;
    };
    const whole = stretchOf(batch);
    const parts = index.map((one) => typeof one === "number" ? one : stretchOf(one));
    const isRead = whole?.[0] === null && whole[1] === null &&
      parts.every((one) => one !== undefined);
    if (!isRead) {
      refuse(
        "its index takes all samples, and places or stretches of the axes after",
        JSON.stringify(given),
      );
    }
    return getItem({ name, index: parts as readonly ItemIndex[] });
  },
  write: () => ({}),
  writeCall: ({ config }) => {
    const stretch = ([start, stop]: readonly (number | null)[]) => ({
      class_name: "__slice__",
      config: { start, stop, step: null },
    });
    const index = config.index as readonly ItemIndex[];
    return [[
      stretch([null, null]),
      ...index.map((one) => typeof one === "number" ? one : stretch(one)),
    ]];
  },
};
