import { checkOptions, type KeysOf } from "../base/options.ts";
import { type ChartLook, LOOK } from "../display/chart_look.ts";
import { type Chart, chartOf } from "../display/figure.ts";
import { escapePlotly } from "../display/html.ts";
import { axisOf } from "../display/line_chart.ts";
import { blockOf, lineColor } from "../display/line_style.ts";
import { formatNumber, roundTo } from "../display/number.ts";
import { table } from "../display/table.ts";
import type { View } from "../display/view.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { nameOf, symbolOf } from "../cells/sites.ts";
import { indexAt, indices } from "../tensor/indices.ts";
import type { Memory } from "./memory.ts";

/** Which curves of a memory are shown. */
export interface MemoryCurveOptions extends ChartLook {
  /** The sample; -1 is the last. Default: 0. */
  readonly sample?: number;
  /** The units. Default: of those whose true derivative is known, the four of the longest memory. */
  readonly units?: readonly number[];
  /** What the chart shows. */
  readonly title?: string;
}

const OPTIONS: KeysOf<MemoryCurveOptions> = {
  sample: "optional",
  units: "optional",
  title: "optional",
  ...LOOK,
};

const FEW = 4;
const MOST_LINES = 24;
const DIGITS = 3;
/** Of units whose colour has another already. */
const MARKERS = ["circle", "square", "diamond"];

/** A line for each unit, the longest memory first. */
export function memoryView(memory: Memory): View {
  const { units, retention, derivative, derivativeUnits, order } = memory;
  const c = symbolOf(memory.state, []);
  const [batch, timesteps, count] = retention.shape as [number, number, number];
  const first = (values: Tensor, unit: number) => {
    let sum = 0;
    for (let n = 0; n < batch; n++) sum += values.item(n, order[0]!, unit);
    return sum / batch;
  };
  const halfLives = timesOr("keeps all", units.halfLife);
  const doublingTimes = timesOr("never", units.doublingTime);
  const ranked = byMemory(memory).slice(0, MOST_LINES);
  const rest = count - ranked.length;
  return table(
    ranked.map((unit) => ({
      unit,
      "half-life": halfLives[unit]!,
      ...(units.doublingTime.data.some((time) => time < Infinity)
        ? { "doubles in": doublingTimes[unit]! }
        : {}),
      "kept from the first step": first(retention, unit),
      ...(derivative === undefined ? {} : {
        [`true ∂${c}_T/∂${c} of it`]: derivativeUnits.includes(unit)
          ? first(derivative, derivativeUnits.indexOf(unit))
          : undefined,
      }),
    })),
    {
      caption: `Memory of ${count} units over ${timesteps} timesteps, in steps` +
        (batch > 1 ? `, the means of ${batch} samples` : "") +
        (rest > 0 ? `; ${rest} of shorter memory are left out` : "") +
        (derivative === undefined || derivativeUnits.length === count
          ? ""
          : `; the true derivative is known of ${derivativeUnits.length}`),
      digits: { "half-life": DIGITS, "doubles in": DIGITS },
    },
  );
}

/** Times by unit; where one never comes, all as texts and that one in words. */
function timesOr(never: string, { data }: Tensor): readonly (number | string)[] {
  const times = Array.from(data);
  if (times.every(Number.isFinite)) return times;
  return times.map((time) => time === Infinity ? never : formatNumber(time, { digits: DIGITS }));
}

/** What is left at the end of the state after each step, and what a nudge of it would change. */
export function memoryCurves(memory: Memory, options: MemoryCurveOptions = {}): Chart {
  checkOptions("show the memory", options, OPTIONS);
  const { retention, derivative, derivativeUnits, state } = memory;
  const c = symbolOf(state, []);
  const [batch, timesteps, count] = retention.shape as [number, number, number];
  const n = indexAt(options.sample ?? 0, batch, {
    action: "show the memory",
    owner: "the trace",
    name: "sample",
  });
  const ranked = byMemory(memory);
  const known = ranked.filter((unit) => derivativeUnits.includes(unit));
  const chosen = options.units === undefined
    ? (known.length > 0 ? known : ranked).slice(0, FEW)
    : indices(options.units, count, {
      action: "show the memory",
      owner: "the layer",
      name: "unit",
    });
  const steps = Array.from({ length: timesteps }, (_, t) => t);
  const line = (unit: number, what: string, y: number[], dash: string) => {
    const marker = blockOf(unit) === 0 ? undefined : MARKERS[(blockOf(unit) - 1) % MARKERS.length];
    return {
      type: "scatter",
      mode: marker === undefined ? "lines" : "lines+markers",
      name: `unit ${unit}, ${what}`,
      x: steps,
      y: y.map((value) => roundTo(value, 6)),
      line: { width: 2, color: lineColor(unit), dash },
      ...(marker === undefined ? {} : { marker: { symbol: marker, size: 7 } }),
    };
  };
  return chartOf(
    {
      data: chosen.flatMap((unit) => {
        const kept = steps.map((t) => retention.item(n, t, unit));
        const direct = line(unit, "by its gates", kept, "solid");
        const k = derivativeUnits.indexOf(unit);
        if (derivative === undefined || k < 0) return [direct];
        const all = steps.map((t) => derivative.item(n, t, k));
        return [direct, line(unit, `true ∂${c}_T/∂${c}_t`, all, "dash")];
      }),
      layout: {
        title: escapePlotly(options.title ?? `How much of a ${nameOf(state)} reaches the end`),
        xaxis: { title: "timestep t", ...axisOf(steps, steps.length) },
        yaxis: { title: `part of ${c}_t that is in ${c}_T` },
      },
    },
    options,
    "show the memory",
  );
}

/** The units, the longest memory first: of those that grow, the fastest. */
function byMemory({ units }: Memory): number[] {
  const { halfLife, doublingTime } = units;
  return Array.from(halfLife.data, (_, unit) => unit).sort((a, b) => {
    const [lifeA, lifeB] = [halfLife.data[a]!, halfLife.data[b]!];
    if (lifeA !== lifeB) return lifeB - lifeA;
    const [growthA, growthB] = [doublingTime.data[a]!, doublingTime.data[b]!];
    return growthA === growthB ? a - b : growthA - growthB;
  });
}
