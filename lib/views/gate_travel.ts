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
  const each = layers.reduce((sum, layer) => sum + numbersOf(layer), 0);
  const shown = shownOf(layers);
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

  /** The picture where all units are too many bytes: of one sample, the first of each layer. */
  function partOf(notes: readonly string[]) {
    return (halves: number) => {
      const count = (units: number) => Math.max(1, Math.round(units / 2 ** halves));
      const part = layers.map(({ units, ...layer }) => ({
        ...layer,
        units: units.slice(0, count(units.length)),
      }));
      const kept = part.map(({ units }) => units.length).join(" and ");
      const of = layers.map(({ units }) => units.length).join(" and ");
      const picture =
        `this still picture: the first ${kept} of ${of} units, savePicture() writes all`;
      return show(part, [sample], [...notes, picture]);
    };
  }
}

const COMPUTED = "computed in the page from inputs and weights, equal to 0.001";
const COARSE = "each value to a 254th of its panel's range";
