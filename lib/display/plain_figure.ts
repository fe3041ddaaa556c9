// A Plotly figure of our own, and its plain form: what can be drawn, and written as JSON.

import { kindOf } from "../base/kind.ts";
import { viewOfValue } from "../base/shown.ts";
import { isArrayLike, isNumberArray } from "./array.ts";
import { CHART_HEIGHT, CHART_TEMPLATE, followsPage } from "./chart_template.ts";

/** A Plotly figure: traces and a layout, as Plotly's reference describes them. */
export interface Figure {
  /** The traces; where they have arrays, tensors may stand too. */
  readonly data: readonly object[];
  /** Title, axes and the like; a title may be a text. */
  readonly layout?: object;
  /** What sliders and buttons go to, without a kernel: Plotly's frames. */
  readonly frames?: readonly object[];
}

/** Plain objects, arrays and values, as JSON has them. */
export type Plain = Record<string, unknown>;

/** A figure in plain objects and arrays, with the look that all charts share. */
export interface PlainFigure {
  readonly data: Plain[];
  readonly layout: Plain;
  readonly frames: Plain[];
}

/**
 * The chart that a value is shown as, such as a history's.
 *
 * @throws {TypeError} of a value that is shown in another way.
 */
export function figureOf(value: Figure | object, action: string): Figure {
  const view = viewOfValue(value);
  if (view === undefined) return value as Figure;
  if (Array.isArray((view as Partial<Figure>).data)) return view as unknown as Figure;
  throw new TypeError(
    `Cannot ${action}: it must be a chart, a figure or what is shown as a chart, ` +
      `but ${kindOf(value)} is not`,
  );
}

/**
 * Copies a figure into plain objects and arrays, and completes its layout.
 *
 * @throws {TypeError} If the figure has no list of traces, or contains itself.
 */
export function plainFigure(figure: Figure): PlainFigure {
  if (
    typeof figure !== "object" || figure === null || !Array.isArray(figure.data) ||
    !figure.data.every((trace) => typeof trace === "object" && trace !== null)
  ) {
    const found = figure === null || typeof figure !== "object" ? figure : figure.data;
    throw new TypeError(
      `Cannot plot the figure: its data must be a list of traces, but the data is ${kindOf(found)}`,
    );
  }
  return {
    data: plainCopy(figure.data, []) as Plain[],
    layout: completeLayout(figure.layout ?? {}),
    frames: plainCopy(figure.frames ?? [], []) as Plain[],
  };
}

/** The layout with the shared look where it says nothing of its own. */
function completeLayout(layout: object): Plain {
  const { template = CHART_TEMPLATE, ...own } = layout as Plain;
  const completed: Plain = {
    template: followsPage(template) ? template : plainCopy(template, []),
    height: CHART_HEIGHT,
    ...plainCopy(own, []) as Plain,
  };
  if (completed.width === undefined) completed.autosize = true;
  completed.title = asTitle(completed.title);
  for (const [key, axis] of Object.entries(completed)) {
    if (/^[xy]axis\d*$/.test(key) && typeof axis === "object" && axis !== null) {
      completed[key] = { ...axis, title: asTitle((axis as Plain).title) };
    }
  }
  return completed;
}

/** Plotly wants a title as an object. */
function asTitle(title: unknown): unknown {
  return typeof title === "string" ? { text: title } : title;
}

/** A copy in plain objects and arrays; tensors and typed arrays become (nested) arrays. */
function plainCopy(value: unknown, ancestors: readonly object[]): unknown {
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "function" || typeof value === "symbol") return undefined;
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Date) return value.toJSON();
  if (ancestors.includes(value)) {
    throw new TypeError(
      "Cannot plot the figure: it must not contain itself, " +
        `but an object ${ancestors.length} levels deep does`,
    );
  }
  const inner = [...ancestors, value];
  if (isNumberArray(value)) return nested(value.data, value.shape);
  if (isArrayLike(value)) return Array.from(value, (item) => plainCopy(item, inner));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, plainCopy(item, inner)]),
  );
}

function nested(data: ArrayLike<number>, shape: readonly number[]): unknown {
  if (shape.length === 0) return data[0];
  if (shape.length === 1) return Array.from(data);
  const [length = 0, ...rest] = shape;
  const size = rest.reduce((product, axis) => product * axis, 1);
  const values = Array.from(data);
  return Array.from(
    { length },
    (_, index) => nested(values.slice(index * size, (index + 1) * size), rest),
  );
}
