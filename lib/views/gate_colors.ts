// Which gates and states share their colours, and up to which value.

import { escapePlotly } from "../display/html.ts";
import { formatNumber, roundTo } from "../display/number.ts";
import { isGate } from "../cells/sites.ts";
import type { SiteValue } from "./gate_figure.ts";
import type { ColorGroup } from "./gate_layout.ts";

/** A group, with what is to be said of its colours. */
export interface ScaledGroup extends ColorGroup {
  readonly note?: string;
}

/** Gates from 0 to 1; the candidate and the hidden state around 0, and each other state by itself. */
export function colorGroups(all: readonly SiteValue[]): ScaledGroup[] {
  const isAround = ({ site, values }: SiteValue) =>
    site === "gates.candidate" || values.data.some((value) => value < 0);
  const gates = all.filter(({ site }) => isGate(site));
  const states = all.filter(({ site }) => !isGate(site) && site !== "hiddenState");
  const groups: [boolean, SiteValue[]][] = [
    [false, gates.filter((gate) => !isAround(gate))],
    [true, [...gates.filter(isAround), ...all.filter(({ site }) => site === "hiddenState")]],
    ...states.map((state): [boolean, SiteValue[]] => [true, [state]]),
  ];
  return groups.filter(([, own]) => own.length > 0).map(([isAround, own]) => {
    const title = own.map(({ symbol }) => escapePlotly(symbol)).join(", ");
    const { most, usual } = magnitudes(own);
    const limit = isAround ? usual || 1 : Math.max(1, usual);
    return {
      title,
      isAround,
      limit,
      values: own.map(({ values }) => values),
      ...(limit < most && {
        note: `${title}: the strongest colours from ${formatNumber(limit)} on, to ${
          formatNumber(most, { digits: 3 })
        }`,
      }),
    };
  });
}

/**
 * The largest magnitude, and the one that 98 of 100 values stay below, where a few are far beyond it
 * and would leave all others pale; else the largest again.
 */
function magnitudes(own: readonly SiteValue[]): { most: number; usual: number } {
  const size = own.reduce((sum, { values: { data } }) => sum + data.length, 0);
  const all = new Float64Array(size);
  let [count, most] = [0, 0];
  for (const { values: { data } } of own) {
    for (let k = 0; k < data.length; k++) {
      const value = Math.abs(data[k]!);
      if (!(value < Infinity)) continue;
      all[count++] = value;
      if (value > most) most = value;
    }
  }
  const rank = count * 0.98 | 0;
  let below = 0;
  for (let k = 0; k < count; k++) if (all[k]! < most / 2) below++;
  // To sort takes long, and tells nothing where the value at that rank is not below the half.
  const usual = below > rank ? all.subarray(0, count).sort()[rank]! : 0;
  const rounded = roundTo(usual > 0 ? usual : most, 2);
  return usual > 0 ? { most, usual: rounded } : { most: rounded, usual: rounded };
}
