// What a chart shows, in words and ranges: for terminals, screen readers and pages without scripts.

import { isArrayLike } from "./array.ts";
import { formatNumber } from "./number.ts";
import { strip } from "./strip.ts";

type Plain = Readonly<Record<string, unknown>>;

const MOST_TRACES = 16;
const MOST_STRIPS = 8;

/** Describes the figure: its title, its axes, and the ranges of each trace. */
export function figureText(data: readonly Plain[], layout: Plain): string {
  const lines = [onOneLine(titleOf(layout)) || "Chart"];
  const note = onOneLine(noteOf(layout));
  if (note !== "") lines.push(note);
  const axes = ["x", "y"].flatMap((axis) => {
    const title = titleOf(layout[`${axis}axis`]);
    return title === "" ? [] : [`${axis}: ${title}`];
  });
  if (axes.length > 0) lines.push(onOneLine(axes.join(", ")));
  for (const trace of data.slice(0, MOST_TRACES)) {
    lines.push(onOneLine(traceText(trace)), ...stripsOf(trace));
  }
  if (data.length > MOST_TRACES) lines.push(`… and ${data.length - MOST_TRACES} more`);
  return lines.join("\n");
}

function traceText(trace: Plain): string {
  const kind = kindOfTrace(trace);
  const name = plainLabel(trace.name);
  const { x, y, z, values } = trace;
  const parts = [];
  if (isArrayLike(z)) {
    const columns = isArrayLike(z[0]) ? ` × ${z[0].length}` : "";
    parts.push(`${z.length}${columns} values`, rangeText(z));
  } else if (isArrayLike(y) || isArrayLike(x) || isArrayLike(values)) {
    const main = [y, x, values].find(isArrayLike) ?? [];
    parts.push(`${main.length} points`);
    if (isArrayLike(x)) parts.push(`x ${rangeText(x)}`);
    if (isArrayLike(y)) parts.push(`y ${rangeText(y)}`);
    if (isArrayLike(values)) parts.push(rangeText(values));
  }
  return `- ${[kind, name].filter((word) => word !== "").join(" ")}: ${parts.join(", ")}`;
}

function onOneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

/** A heatmap's rows, or a line, in blocks. */
function stripsOf({ type = "scatter", y, z, zmin, zmax }: Plain): string[] {
  const rows = type === "heatmap" && isArrayLike(z)
    ? Array.from(z).filter(isArrayLike)
    : type === "scatter" && isArrayLike(y) && y.length > 1
    ? [y]
    : [];
  const [low, high] = typeof zmin === "number" && typeof zmax === "number"
    ? [zmin, zmax]
    : finiteRange(rows);
  const size = Math.max(1, Math.ceil(rows.length / MOST_STRIPS));
  return rows.filter((_, row) => row % size === 0).map((row) => `  ${strip(row, low, high)}`);
}

function finiteRange(rows: readonly ArrayLike<unknown>[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const row of rows) {
    for (let i = 0; i < row.length; i++) {
      const value = row[i];
      if (typeof value !== "number" || !Number.isFinite(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return [low, high];
}

/** Plotly's type of the trace; its scatter is a line wherever it draws one. */
function kindOfTrace({ type = "scatter", mode = "lines" }: Plain): string {
  return type === "scatter" && String(mode).includes("lines") ? "line" : plainLabel(type);
}

/** `-0.1 to 0.9, 2 not finite`; of texts, the first and the last. */
function rangeText(values: ArrayLike<unknown>): string {
  let smallest = Infinity;
  let largest = -Infinity;
  let notFinite = 0;
  const texts: string[] = [];
  const visit = (value: unknown): void => {
    if (isArrayLike(value)) { for (let i = 0; i < value.length; i++) visit(value[i]); }
    else if (typeof value === "number" && Number.isFinite(value)) {
      smallest = Math.min(smallest, value);
      largest = Math.max(largest, value);
    } else if (typeof value === "string") texts.push(plainLabel(value));
    else notFinite++;
  };
  visit(values);
  const first = texts[0];
  const range = smallest <= largest
    ? `${formatNumber(smallest)} to ${formatNumber(largest)}`
    : first === undefined
    ? "no finite value"
    : texts.length === 1
    ? first
    : `${first} to ${texts.at(-1)}`;
  return notFinite === 0 ? range : `${range}, ${notFinite} not finite`;
}

function titleOf(holder: unknown): string {
  if (typeof holder !== "object" || holder === null) return "";
  const { title } = holder as Plain;
  return plainLabel(typeof title === "object" && title !== null ? (title as Plain).text : title);
}

/** The smaller line below a chart's title. */
function noteOf({ title }: Plain): string {
  if (typeof title !== "object" || title === null) return "";
  const { subtitle } = title as Plain;
  return typeof subtitle === "object" && subtitle !== null
    ? plainLabel(String((subtitle as Plain).text ?? "").replaceAll("<br>", "; "))
    : "";
}

/** A label as it is seen: without Plotly's tags, with its entities read. */
function plainLabel(label: unknown): string {
  if (label === undefined || label === null) return "";
  return String(label)
    .replace(/<br\b[^<>]*>/gi, " ")
    .replace(/<\/?(?:b|i|em|sub|sup|br|span|a|s|u)\b[^<>]*>/gi, "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&#36;", "$")
    .replaceAll("&#37;", "%")
    .replaceAll("&amp;", "&");
}
