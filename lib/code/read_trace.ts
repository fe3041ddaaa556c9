// A device's trace in the lines that it printed; loaded when one is read.

import { quoted } from "../base/quoted.ts";
import { openFile } from "../files/open.ts";
import type { Source } from "../files/source.ts";
import { UnreadableFileError } from "../files/unreadable.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { DeviceTrace } from "./load_trace.ts";
import { TRACE_COLUMNS } from "./trace_columns.ts";

/** The numbers of one site, as they came. */
interface Site {
  readonly layer: string;
  readonly site: string;
  readonly places: { readonly place: readonly number[]; readonly value: number }[];
}

/** What `loadTrace` does. */
export async function readTrace(source: Source): Promise<DeviceTrace> {
  return await openFile(source, ({ bytes }) => traceOf(new TextDecoder().decode(bytes)));
}

function traceOf(text: string): DeviceTrace {
  const [columns, ...rows] = rowsOf(text);
  if (columns?.join() !== TRACE_COLUMNS) {
    throw new UnreadableFileError(
      `a trace begins with the line ${TRACE_COLUMNS}`,
      `it begins with ${quoted(columns?.join() ?? "")}`,
    );
  }
  const sites = new Map<string, Site>();
  rows.forEach((row, k) => {
    const [sample, layer, site, timestep, unit, value] = row as [
      ...[string, string, string, string, string, string],
    ];
    const place = [sample, ...(timestep === "" ? [] : [timestep]), unit].map(Number);
    const isPlace = place.every((one) => Number.isSafeInteger(one) && one >= 0) && unit !== "" &&
      sample !== "";
    if (row.length !== 6 || !isPlace || numberOf(value) === undefined) {
      throw new UnreadableFileError(
        `a line of a trace is ${TRACE_COLUMNS}`,
        `line ${k + 2} is ${quoted(row.join())}`,
      );
    }
    const key = JSON.stringify([layer, site]);
    if (!sites.has(key)) sites.set(key, { layer, site, places: [] });
    sites.get(key)!.places.push({ place, value: numberOf(value)! });
  });
  const layers = new Map<string, { [site: string]: unknown; gates: Record<string, Tensor> }>();
  const outputs: [string, Tensor][] = [];
  let prediction: Tensor | undefined;
  for (const one of sites.values()) {
    const { layer, site } = one;
    const values = tensorOf(one);
    if (site === "prediction") prediction = values;
    else if (site === "output") outputs.push([layer, values]);
    else {
      const own = layers.get(layer) ?? { gates: {} };
      layers.set(layer, own);
      if (site.startsWith("gates.")) own.gates[site.slice("gates.".length)] = values;
      else own[site] = values;
    }
  }
  return Object.freeze({
    layers: [...layers.values()] as unknown as DeviceTrace["layers"] & object,
    names: [...layers.keys()],
    ...(prediction && { prediction }),
    outputs: Object.fromEntries(outputs),
  });
}

/** A site's numbers, each place once. */
function tensorOf({ layer, site, places }: Site): Tensor {
  const axes = places[0]!.place.length;
  const shape = Array.from(
    { length: axes },
    (_, axis) => places.reduce((most, { place }) => Math.max(most, (place[axis] ?? 0) + 1), 0),
  );
  const size = shape.reduce((a, b) => a * b, 1);
  const refuse = (found: string) =>
    new UnreadableFileError(
      `a trace has each number of a site once, of every sample, timestep and unit`,
      `${site} of ${layer} ${found}`,
    );
  const isUneven = places.some(({ place }) => place.length !== axes);
  if (isUneven) throw refuse("has a timestep here and there");
  if (size !== places.length) throw refuse(`has ${places.length} of ${size}`);
  const data = new Float64Array(size);
  const isThere = new Uint8Array(size);
  for (const { place, value } of places) {
    const at = place.reduce((at, one, axis) => at * shape[axis]! + one, 0);
    if (isThere[at]! > 0) throw refuse(`has [${place.join(", ")}] twice`);
    isThere[at] = 1;
    data[at] = value;
  }
  return new Tensor(data, shape);
}

/** A float as C prints it, 9 digits telling it from all others: nan and inf among them. */
function numberOf(text: string | undefined): number | undefined {
  const own = /^([+-]?)(nan|inf(?:inity)?)(\(.*\))?$/i.exec(text ?? "");
  if (own !== null) {
    return own[2]!.toLowerCase() === "nan" ? NaN : own[1] === "-" ? -Infinity : Infinity;
  }
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text ?? "")
    ? Math.fround(Number(text))
    : undefined;
}

/** The rows of a CSV (RFC 4180); empty lines are passed over. */
function rowsOf(text: string): string[][] {
  const rows: string[][] = [];
  let [row, field, isQuoted] = [[] as string[], "", false];
  const end = () => {
    row.push(field);
    if (row.length > 1 || field !== "") rows.push(row);
    [row, field] = [[], ""];
  };
  for (let k = 0; k < text.length; k++) {
    const one = text[k]!;
    if (isQuoted && one === '"' && text[k + 1] === '"') field += text[++k];
    else if (one === '"') isQuoted = !isQuoted;
    else if (isQuoted) field += one;
    else if (one === ",") {
      row.push(field);
      field = "";
    } else if (one === "\n") end();
    else if (one !== "\r") field += one;
  }
  end();
  return rows;
}
