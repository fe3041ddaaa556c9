import { checkOptions, type KeysOf } from "../base/options.ts";
import { LINE_COLORS } from "../display/chart_template.ts";
import { type ChartLook, LOOK } from "../display/chart_look.ts";
import { type Chart, chartOf } from "../display/figure.ts";
import { escapePlotly } from "../display/html.ts";
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
  const ranked = byMemory(memory).slice(0, MOST_LINES);
  const rest = count - ranked.length;
  return table(
    ranked.map((unit) => ({
      unit,
      "half-life": units.halfLife.data[unit]!,
      ...(units.doublingTime.data.some((time) => time < Infinity)
        ? { "doubles in": units.doublingTime.data[unit]! }
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
        (rest > 0 ? `; ${rest} of shorter memory are left out` : "") +
        (derivative === undefined || derivativeUnits.length === count
          ? ""
          : `; the true derivative is known of ${derivativeUnits.length}`),
      digits: { "half-life": 3, "doubles in": 3 },
    },
  );
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
  const line = (name: string, y: number[], color: string | undefined, dash: string) => ({
    type: "scatter",
    mode: "lines",
    name,
    x: steps,
    y,
    line: { width: 2, color, dash },
  });
  return chartOf(
    {
      data: chosen.flatMap((unit, index) => { // a colour for each unit
        const color = LINE_COLORS[index % LINE_COLORS.length];
        const kept = steps.map((t) => retention.item(n, t, unit));
        const direct = line(`unit ${unit}, by its gates`, kept, color, "solid");
        const k = derivativeUnits.indexOf(unit);
        if (derivative === undefined || k < 0) return [direct];
        const all = steps.map((t) => derivative.item(n, t, k));
        return [direct, line(`unit ${unit}, true ∂${c}_T/∂${c}_t`, all, color, "dash")];
      }),
      layout: {
        title: escapePlotly(options.title ?? `How much of a ${nameOf(state)} reaches the end`),
        xaxis: { title: "timestep t" },
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
