// A chart as it stands still: without sliders and buttons, which nobody could move in a picture.

import { escapePlotly } from "./html.ts";
import type { Plain, PlainFigure } from "./plain_figure.ts";

/** The label of a step at which a slider has not been moved yet. */
export const NOWHERE = "–";
/** Below the axes, where a slider was. */
const BELOW = 56;

/** The figure without what moves it; where a slider stood is said below the title. */
export function stillFigure({ data, layout, frames }: PlainFigure): PlainFigure {
  const { sliders, updatemenus: _, ...still } = layout;
  const all = (Array.isArray(sliders) ? sliders : []) as Plain[];
  if (all.length === 0) return { data, layout: still, frames };
  const title = still.title as Plain | undefined;
  const subtitle = title?.subtitle as Plain | undefined;
  const text = [subtitle?.text, ...all.map(positionOf)].filter(Boolean).join(" · ");
  return {
    data,
    layout: {
      ...still,
      title: { ...title, subtitle: { ...subtitle, text } },
      margin: { ...(layout.margin as Plain | undefined), b: BELOW },
    },
    frames,
  };
}

/** What the slider itself would have said; nothing where it stands at nothing yet. */
function positionOf({ active = 0, steps = [], currentvalue }: {
  readonly active?: number;
  readonly steps?: readonly { readonly label?: unknown }[];
  readonly currentvalue?: { readonly prefix?: string };
}): string {
  const label = String(steps[active]?.label ?? active);
  return label === NOWHERE ? "" : `${currentvalue?.prefix ?? ""}${escapePlotly(label)}`;
}
