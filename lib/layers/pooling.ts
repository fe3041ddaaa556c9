import { sizeOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { placesOfWindows, shapeOf, where, windowsOf } from "../values/arrange.ts";
import type { Ops } from "../values/ops.ts";
import { countsOf, type Geometry, windowsIn } from "./convolution.ts";
import type { FastForm } from "./fast_form.ts";
import { type LayerKind, names, perAxis } from "./kind.ts";
import { defineLayer, formatOpenShape, type Layer, type Mask, type OpenShape } from "./layer.ts";
import {
  checkOptions,
  choiceRule,
  countRule,
  definedOptions,
  flagRule,
  type LayerName,
  wholesRule,
} from "./layer_options.ts";

/** The options of a pooling over time, with Keras's defaults. */
export interface Pooling1DOptions extends LayerName {
  /** How many timesteps a window sees. Default: 2. */
  readonly poolSize?: number;
  /** How many timesteps a window moves on. Default: `poolSize`. */
  readonly strides?: number;
  /** `"valid"`: whole windows alone; `"same"`: what lies outside does not count. Default: `"valid"`. */
  readonly padding?: "valid" | "same";
}

/** The options of a pooling over rows and columns. */
export interface Pooling2DOptions extends LayerName {
  /** How many rows and columns a window sees. Default: `[2, 2]`. */
  readonly poolSize?: readonly [number, number];
  /** How far a window moves on. Default: `poolSize`. */
  readonly strides?: readonly [number, number];
  /** As over time. Default: `"valid"`. */
  readonly padding?: "valid" | "same";
}

/** The options of a pooling over all timesteps, or all of space. */
export interface GlobalPoolingOptions extends LayerName {
  /** Whether the axes stay, of length 1. Default: false. */
  readonly keepdims?: boolean;
}

type Kind = "max" | "average";

/**
 * The largest number of each window of timesteps.
 * Source: keras/src/layers/pooling/max_pooling1d.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { maxPooling1D, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([maxPooling1D({ poolSize: 2 })], { inputShape: [4, 1] });
 * assertEquals(model.predict([[[1], [5], [2], [3]]]).toArray(), [[[5], [3]]]);
 * ```
 */
export function maxPooling1D(options: Pooling1DOptions = {}): Layer {
  return pooling1D("MaxPooling1D", "max", options);
}

/**
 * The mean of each window of timesteps.
 * Source: keras/src/layers/pooling/average_pooling1d.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { averagePooling1D, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([averagePooling1D({ poolSize: 2 })], { inputShape: [4, 1] });
 * assertEquals(model.predict([[[1], [5], [2], [3]]]).toArray(), [[[3], [2.5]]]);
 * ```
 */
export function averagePooling1D(options: Pooling1DOptions = {}): Layer {
  return pooling1D("AveragePooling1D", "average", options);
}

/**
 * The largest number of each window of rows and columns.
 * Source: keras/src/layers/pooling/max_pooling2d.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { maxPooling2D, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([maxPooling2D()], { inputShape: [2, 2, 1] });
 * assertEquals(model.predict([[[[1], [5]], [[2], [3]]]]).toArray(), [[[[5]]]]);
 * ```
 */
export function maxPooling2D(options: Pooling2DOptions = {}): Layer {
  return pooling2D("MaxPooling2D", "max", options);
}

/**
 * The mean of each window of rows and columns.
 * Source: keras/src/layers/pooling/average_pooling2d.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { averagePooling2D, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([averagePooling2D()], { inputShape: [2, 2, 1] });
 * assertEquals(model.predict([[[[1], [5]], [[2], [4]]]]).toArray(), [[[[3]]]]);
 * ```
 */
export function averagePooling2D(options: Pooling2DOptions = {}): Layer {
  return pooling2D("AveragePooling2D", "average", options);
}

/**
 * The largest number of each channel over all timesteps.
 * Source: keras/src/layers/pooling/global_max_pooling1d.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 *
 * @example
 * ```ts
 * import { globalMaxPooling1D, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([globalMaxPooling1D()], { inputShape: [null, 2] });
 * assertEquals(model.predict([[[1, 5], [2, 3]]]).toArray(), [[2, 5]]);
 * ```
 */
export function globalMaxPooling1D(options: GlobalPoolingOptions = {}): Layer {
  return globalPooling("GlobalMaxPooling1D", "max", 1, options);
}

/**
 * The mean of each channel over all timesteps, those that are masked left out.
 * Source: keras/src/layers/pooling/global_average_pooling1d.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 *
 * @example
 * ```ts
 * import { globalAveragePooling1D, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([globalAveragePooling1D()], { inputShape: [null, 2] });
 * assertEquals(model.predict([[[1, 5], [2, 3]]]).toArray(), [[1.5, 4]]);
 * ```
 */
export function globalAveragePooling1D(options: GlobalPoolingOptions = {}): Layer {
  return globalPooling("GlobalAveragePooling1D", "average", 1, options);
}

/**
 * The largest number of each channel over rows and columns.
 * Source: keras/src/layers/pooling/global_max_pooling2d.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 *
 * @example
 * ```ts
 * import { globalMaxPooling2D, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([globalMaxPooling2D()], { inputShape: [2, 2, 1] });
 * assertEquals(model.predict([[[[1], [5]], [[2], [3]]]]).toArray(), [[5]]);
 * ```
 */
export function globalMaxPooling2D(options: GlobalPoolingOptions = {}): Layer {
  return globalPooling("GlobalMaxPooling2D", "max", 2, options);
}

/**
 * The mean of each channel over rows and columns.
 * Source: keras/src/layers/pooling/global_average_pooling2d.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 *
 * @example
 * ```ts
 * import { globalAveragePooling2D, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([globalAveragePooling2D()], { inputShape: [2, 2, 1] });
 * assertEquals(model.predict([[[[1], [5]], [[2], [4]]]]).toArray(), [[3]]);
 * ```
 */
export function globalAveragePooling2D(options: GlobalPoolingOptions = {}): Layer {
  return globalPooling("GlobalAveragePooling2D", "average", 2, options);
}

function pooling1D(className: string, kind: Kind, options: Pooling1DOptions): Layer {
  const { poolSize = 2, ...rest } = definedOptions(`a ${className}`, options);
  const chosen = { poolSize, strides: poolSize, padding: "valid" as const, ...rest };
  checkOptions(`a ${className}`, chosen, {
    poolSize: countRule,
    strides: countRule,
    padding: choiceRule(["valid", "same"]),
  });
  return pooling(className, kind, { ...chosen, poolSize: [poolSize], strides: [chosen.strides] });
}

function pooling2D(className: string, kind: Kind, options: Pooling2DOptions): Layer {
  const { poolSize = [2, 2] as const, ...rest } = definedOptions(`a ${className}`, options);
  const chosen = { poolSize, strides: poolSize, padding: "valid" as const, ...rest };
  const two = wholesRule("two whole numbers from 1", 1, 2);
  checkOptions(`a ${className}`, chosen, {
    poolSize: two,
    strides: two,
    padding: choiceRule(["valid", "same"]),
  });
  return pooling(className, kind, chosen);
}

function pooling(className: string, kind: Kind, { name, poolSize, strides, padding }: {
  readonly name?: string | undefined;
  readonly poolSize: readonly number[];
  readonly strides: readonly number[];
  readonly padding: "valid" | "same";
}): Layer {
  const dilations = poolSize.map(() => 1);
  const geometry: Geometry = { sizes: poolSize, strides, dilations, padding };
  return defineLayer({
    className,
    name,
    config: { pool_size: poolSize, strides, padding },
    outputShape: (input: OpenShape) => {
      checkSpace(className, input, poolSize.length);
      return [...countsOf(className, input.slice(0, -1), geometry), input.at(-1)!];
    },
    weights: () => [],
    fast: (): FastForm => ({
      kind: "pooling",
      by: kind,
      windowsIn: (space) => windowsIn(className, space, geometry),
    }),
    run: (o, [x]) => {
      const space = shapeOf(o, x!).slice(1, -1);
      const windows = windowsIn(className, space, geometry);
      const outside = o.given(new Tensor(Float64Array.of(kind === "max" ? -Infinity : 0), [1]));
      const seen = windowsOf(o, x!, windows, { outside }); // [batch, …counts, channels, taps]
      if (kind === "max") return { outputs: [o.largest(seen)] };
      const counts = placesOfWindows(space, windows).map((window) =>
        window.filter((place) => place >= 0).length
      );
      return { outputs: [meanOf(o, seen, counts)] };
    },
  });
}

/**
 * `[batch, …counts, channels, taps]` becomes `[batch, …counts, channels]`: Σ over the taps, through so
 * many as count there, one number for each window.
 */
export function meanOf<V>(o: Ops<V>, seen: V, counts: readonly number[]): V {
  const shape = shapeOf(o, seen);
  const [channels, taps] = shape.slice(-2) as [number, number];
  const ones = o.given(new Tensor(new Float64Array(taps).fill(1), [taps, 1]));
  const sums = o.reshape(o.affine([[seen, ones]]), shape.slice(0, -1));
  const shares = Float64Array.from(
    { length: counts.length * channels },
    (_, k) => 1 / counts[Math.floor(k / channels)]!,
  );
  return o.sumOfProducts([sums, o.given(new Tensor(shares, shape.slice(1, -1)))]);
}

function globalPooling(
  className: string,
  kind: Kind,
  axes: number,
  options: GlobalPoolingOptions,
): Layer {
  const chosen = { keepdims: false, ...definedOptions(`a ${className}`, options) };
  checkOptions(`a ${className}`, chosen, { keepdims: flagRule });
  const { name, keepdims } = chosen;
  const around = keepdims ? new Array<number>(axes).fill(1) : [];
  const allOf = (space: readonly number[]) => {
    const ones = space.map(() => 1);
    const whole = { sizes: space, strides: ones, dilations: ones, padding: "valid" as const };
    return windowsIn(className, space, whole);
  };
  return defineLayer({
    className,
    name,
    config: { keepdims },
    outputShape: (input: OpenShape) => {
      checkSpace(className, input, axes);
      return [...around, input.at(-1)!];
    },
    weights: () => [],
    fast: (): FastForm => ({ kind: "pooling", by: kind, windowsIn: allOf, around }),
    run: (o, [x], _weights, { masks: [mask] }) => {
      const [batch, ...rest] = shapeOf(o, x!) as [number, ...number[]];
      const [space, channels] = [rest.slice(0, -1), rest.at(-1)!];
      const masked = kind === "average" && axes === 1 ? mask : undefined;
      const given = masked === undefined ? x! : where(o, masked, x!);
      const outside = o.given(new Tensor(new Float64Array(1), [1]));
      const seen = windowsOf(o, given, allOf(space), { outside });
      const flat = o.reshape(seen, [batch, channels, sizeOf(space)]);
      const found = kind === "max" ? o.largest(flat) : meanOfSteps(o, flat, masked);
      return { outputs: [o.reshape(found, [batch, ...around, channels])] };
    },
  });
}

/** The mean over the last axis of `[batch, channels, steps]`, of a mask's steps alone. */
function meanOfSteps<V>(o: Ops<V>, x: V, mask: Mask | undefined): V {
  const [batch, channels, steps] = shapeOf(o, x) as [number, number, number];
  const ones = o.given(new Tensor(new Float64Array(steps).fill(1), [steps, 1]));
  const sums = o.reshape(o.affine([[x, ones]]), [batch, channels]);
  const shares = Float64Array.from({ length: batch * channels }, (_, k) => {
    if (mask === undefined) return 1 / steps;
    let counted = 0;
    for (const counts of mask.at(Math.floor(k / channels)).data) counted += counts;
    return 1 / counted;
  });
  return o.sumOfProducts([sums, o.given(new Tensor(shares, [batch, channels]))]);
}

function checkSpace(className: string, input: OpenShape, axes: number): void {
  if (input.length === axes + 1) return;
  throw new TypeError(
    `Cannot build a ${className}: its input must be ${
      axes === 1 ? "[timesteps, channels]" : "[rows, columns, channels]"
    }, but it is ${formatOpenShape(input)}`,
  );
}

const LAST = { data_format: "channels_last" };

/** Of a file's windows: few bytes may ask for much. */
const MOST_PLACES = 2 ** 16;

function kindOfWindows(
  className: string,
  make: (options: Pooling1DOptions & Pooling2DOptions) => Layer,
  axes: number,
): LayerKind {
  return {
    className,
    options: names("pool_size pool_length strides stride padding border_mode data_format keepdims"),
    only: LAST,
    read: ({ name, pool_size: size = 2, strides = null, padding = "valid" }, reading) => {
      const lengths = (value: unknown, option: string) => {
        const list = perAxis(value, axes, option, reading);
        return (axes === 1 ? list[0] : list) as never;
      };
      if (sizeOf([size].flat() as number[]) > MOST_PLACES) {
        reading.refuse(`a window has at most ${MOST_PLACES} places`, `pool_size is ${size}`);
      }
      return make({
        name,
        poolSize: lengths(size, "pool_size"),
        ...(strides !== null && { strides: lengths(strides, "strides") }),
        padding: padding as "valid",
      });
    },
  };
}

function kindOfGlobal(
  className: string,
  make: (options: GlobalPoolingOptions) => Layer,
): LayerKind {
  return {
    className,
    options: ["data_format", "keepdims"],
    only: LAST,
    read: ({ name, keepdims = false }) => make({ name, keepdims: keepdims as boolean }),
  };
}

/** Keras's pooling layers. */
export const POOLING: readonly LayerKind[] = [
  kindOfWindows("MaxPooling1D", maxPooling1D as never, 1),
  kindOfWindows("AveragePooling1D", averagePooling1D as never, 1),
  kindOfWindows("MaxPooling2D", maxPooling2D as never, 2),
  kindOfWindows("AveragePooling2D", averagePooling2D as never, 2),
  kindOfGlobal("GlobalMaxPooling1D", globalMaxPooling1D),
  kindOfGlobal("GlobalAveragePooling1D", globalAveragePooling1D),
  kindOfGlobal("GlobalMaxPooling2D", globalMaxPooling2D),
  kindOfGlobal("GlobalAveragePooling2D", globalAveragePooling2D),
];
