// How the gate view's numbers get to the page: carried, or computed there.

import type { Travel } from "../display/chart_media.ts";
import type { PlainFigure } from "../display/plain_figure.ts";
import { type ShownLayer, shownOf } from "./gate_figure.ts";
import { computedNumbers } from "./gate_page.ts";
import { fittingSamples, numbersOf, samplesWithin } from "./gate_part.ts";

/** The figure of these layers and samples, with notes below its title. */
export type Show = (
  layers: readonly ShownLayer[],
  samples: readonly number[],
  notes: readonly string[],
) => PlainFigure;

/** Of timesteps, in a picture. */
const LONG = 256;
/** Numbers in one figure, before it is an output. */
const MOST_COMPUTED = 2_000_000;

/**
 * All samples in 16 bits where they fit; else computed in the page; else in 8 bits; else so many as
 * fit. `only` are those that are wanted at all.
 */
export function carried(
  show: Show,
  layers: readonly ShownLayer[],
  batch: number,
  sample: number,
  only?: readonly number[],
): { figure: PlainFigure; travel: Travel } {
  const shown = shownOf(layers);
  const each = layers.reduce((sum, layer) => sum + numbersOf(layer), 0);
  const within = (bits: 8 | 16) => samplesWithin(each, shown.length, bits);
  const all = Array.from({ length: batch }, (_, index) => index);
  const wanted = only?.length ?? batch;
  if (wanted > 1 && within(16) < wanted && wanted * each <= MOST_COMPUTED) {
    const own = [COMPUTED];
    const figure = show(layers, all, own);
    const numbers = computedNumbers(figure, layers, shown, all);
    if (numbers !== undefined) return { figure, travel: { bits: 16, numbers, part: partOf(own) } };
  }
  const bits = within(16) >= wanted || within(8) < wanted && within(16) > 0 ? 16 : 8;
  const { shown: samples, notes } = fittingSamples(batch, sample, Math.min(wanted, within(bits)));
  const own = [...notes, ...(bits === 8 ? [COARSE] : [])];
  return { figure: show(layers, samples, own), travel: { bits, part: partOf(notes) } };

  /** The picture where all are too many bytes: of one sample, the first timesteps and units. */
  function partOf(notes: readonly string[]) {
    return (halves: number) => {
      const part = layers.map((layer) => halved(layer, halves));
      const kept = (count: (layer: ShownLayer) => number, name: string) => {
        const [some, all] = [part, layers].map((own) => own.map(count).join(" and "));
        return some === all ? [] : [`${some} of ${all} ${name}`];
      };
      const picture = `this still picture: the first ${
        [
          ...kept(({ units }) => units.length, "units"),
          ...kept(({ timesteps: [from, to] }) => to - from, "timesteps"),
        ].join(", ")
      }; savePicture() writes all`;
      return show(part, [sample], [...notes, picture]);
    };
  }
}

/** Long sequences are halved first. */
function halved(layer: ShownLayer, halves: number): ShownLayer {
  if (halves === 0) return layer;
  const { units, timesteps: [from, to] } = layer;
  const [steps, count] = [to - from, units.length];
  const part = steps > LONG && steps > count
    ? { ...layer, timesteps: [from, from + Math.ceil(steps / 2)] as const }
    : { ...layer, units: units.slice(0, Math.ceil(count / 2)) };
  return halved(part, halves - 1);
}

const COMPUTED = "computed in the page from inputs and weights, equal to 0.001";
const COARSE = "each value to a 254th of its panel's range";
