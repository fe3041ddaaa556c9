// The sliders of the gate view: through the samples by frames, through the timesteps by a line in every panel.

import { NOWHERE } from "../display/still.ts";
import { axisName, type LayerPanels } from "./gate_layout.ts";

/** Greys that are seen on a light page and on a dark one. */
const COLORS = { bgcolor: "#8f8f8f", bordercolor: "#777777", tickcolor: "#8f8f8f" };
const HEIGHT = 70; // in pixels

/** A slider without its place. */
export interface Slider {
  readonly active: number;
  readonly prefix: string;
  readonly steps: readonly {
    readonly label: string;
    readonly method: string;
    readonly args: unknown[];
  }[];
}

/** Goes to the frames `sample 0`, `sample 1`, … */
export function sampleSlider(samples: readonly number[], sample: number): Slider {
  return {
    active: samples.indexOf(sample),
    prefix: "sample ",
    steps: samples.map((at) => ({
      label: `${at}`,
      method: "animate",
      args: [[`sample ${at}`], {
        mode: "immediate",
        frame: { duration: 0, redraw: true },
        transition: { duration: 0 },
      }],
    })),
  };
}

/** A step of the slider takes 90 bytes; of a longer sequence it skips some, which the mouse still reads. */
const MOST_STEPS = 200;

/** Moves the lines of {@linkcode cursors}, which are beside the panels at first. */
export function timestepSlider(start: number, timesteps: number, lines: number): Slider {
  const to = (x: number) => [
    Object.fromEntries(Array.from({ length: lines }, (_, k) => [`shapes[${k}].xanchor`, x])),
  ];
  const every = Math.ceil(timesteps / MOST_STEPS);
  return {
    active: 0,
    prefix: "timestep ",
    steps: [
      { label: NOWHERE, method: "relayout", args: to(start - 1) },
      ...Array.from({ length: Math.ceil(timesteps / every) }, (_, k) => ({
        label: `${start + every * k}`,
        method: "relayout",
        args: to(start + every * k),
      })),
    ],
  };
}

/** A line through each column of panels, which spares the equations between them: beside them at first. */
export function cursors(layers: readonly LayerPanels[], start: number): object[] {
  const columns = new Map<string, { xref: string; path: string }>();
  for (const { panels, first, timesteps } of layers) {
    panels.forEach(({ x, top, bottom }, own) => {
      const key = [timesteps, ...x].join();
      const { xref = axisName("x", first + own), path = "" } = columns.get(key) ?? {};
      columns.set(key, { xref, path: `${path}M0,${bottom}V${top}` });
    });
  }
  return [...columns.values()].map(({ xref, path }) => ({
    type: "path",
    path,
    xref,
    xsizemode: "pixel",
    xanchor: start - 1,
    yref: "paper",
    line: { width: 2, dash: "dot", color: "#d55e00" },
  }));
}

/** The sliders below each other, and the room that they take. */
export function placed(
  sliders: readonly Slider[],
  len: number,
): { sliders: object[]; room: number } {
  return {
    sliders: sliders.map(({ active, prefix, steps }, k) => ({
      active,
      currentvalue: { prefix, xanchor: "left", font: { size: 14 } },
      pad: { t: 38 + HEIGHT * k, b: 0 },
      x: 0,
      len,
      ticklen: 4,
      minorticklen: 0,
      ...COLORS,
      font: { size: 11 },
      steps,
    })),
    room: 34 + HEIGHT * sliders.length,
  };
}
