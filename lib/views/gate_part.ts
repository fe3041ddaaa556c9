// How much of a trace the gate view carries: all of it where it fits, else a part that is said.

import type { PackedBits } from "../display/pack.ts";
import { sitesOf } from "../cells/sites.ts";
import type { CellTrace } from "../cells/cell_run.ts";

/** Of one sample: at 8 bits each they leave room for a picture in 200 kB. */
const MOST_NUMBERS = 100_000;
/** Of all samples' numbers in an output, in characters of base64. */
const MOST_CHARACTERS = 134_000;
/** What stands around the numbers of a heatmap or a line, in each frame. */
const AROUND = 85;
/** Units are cut before timesteps, down to so many. */
const LEAST_UNITS = 16;

/** A layer of a trace by its name. */
export interface NamedLayer {
  readonly name: string;
  readonly trace: CellTrace;
}

/** A layer, and what of it is chosen. */
export interface LayerPart extends NamedLayer {
  readonly units: readonly number[];
  readonly timesteps: readonly [number, number];
}

/** What is shown of a whole, and what is said of the rest. */
export interface Part<T> {
  readonly shown: readonly T[];
  readonly notes: readonly string[];
}

/** How many numbers one sample of a layer has. */
export function numbersOf({ trace, units, timesteps: [from, to] }: LayerPart): number {
  return sitesOf(trace).length * (to - from) * units.length;
}

/** The layers that fit together, the first always; of one that does not fit alone, its first units. */
export function fittingLayers(layers: readonly LayerPart[]): Part<LayerPart> {
  let left = MOST_NUMBERS;
  const shown = layers.filter((layer, k) => {
    if (k > 0 && left < numbersOf(layer)) return left = 0;
    left -= numbersOf(layer);
    return true;
  });
  const out = layers.slice(shown.length).map(({ name }) => name);
  const notes = out.length === 0 ? [] : [`not here: ${out.join(", ")} (option layer)`];
  const [first] = shown;
  if (shown.length > 1 || numbersOf(first!) <= MOST_NUMBERS) return { shown, notes };
  const part = cut(first!);
  return { ...part, notes: [...part.notes, ...notes] };
}

function cut(layer: LayerPart): Part<LayerPart> {
  const { trace, units, timesteps: [from, to] } = layer;
  const each = Math.floor(MOST_NUMBERS / sitesOf(trace).length);
  const count = Math.min(units.length, Math.max(LEAST_UNITS, Math.floor(each / (to - from))));
  const steps = Math.min(to - from, Math.floor(each / count));
  const own = { ...layer, units: units.slice(0, count), timesteps: [from, from + steps] as const };
  const some = (name: string, kept: string, all: number) =>
    `${kept} of ${all} ${name} (option ${name} shows others)`;
  return {
    shown: [own],
    notes: [
      ...(count < units.length ? [some("units", `the first ${count}`, units.length)] : []),
      ...(steps < to - from ? [some("timesteps", `the first ${steps}`, to - from)] : []),
    ],
  };
}

/** How many samples an output carries, of so many numbers in so many heatmaps and lines each. */
export function samplesWithin(numbers: number, traces: number, bits: PackedBits): number {
  return Math.floor(MOST_CHARACTERS / (numbers * bits / 6 + traces * AROUND));
}

/** The samples around the one that is shown first, so many as fit. */
export function fittingSamples(batch: number, sample: number, most: number): Part<number> {
  const count = Math.max(1, Math.min(batch, most));
  const first = Math.min(Math.max(0, sample - Math.floor(count / 2)), batch - count);
  const shown = Array.from({ length: count }, (_, k) => first + k);
  if (count === batch) return { shown, notes: [] };
  const own = count === 1 ? `sample ${first}` : `samples ${first} to ${first + count - 1}`;
  return { shown, notes: [`${own} of ${batch} (option sample shows others)`] };
}
