// The largest number or the mean of each channel over windows of places.

import { type Arena, Layout, sharedArena } from "./arena.ts";
import type { Numbers } from "./gated_layer.ts";
import { PlanWriter } from "./plan_writer.ts";
import type { WindowedSizes, WindowPlaces } from "./windows.ts";

/** What is taken of a window: each channel's largest number, or its mean over the places inside. */
export type PoolingKind = "max" | "average";

/** `[batch, places, channels]` becomes `[batch, windows, channels]`. */
export function poolWindows(
  kind: PoolingKind,
  x: Numbers,
  windows: WindowPlaces,
  sizes: WindowedSizes,
  arena: Arena = sharedArena(),
): Float32Array<ArrayBuffer> {
  const y = new Float32Array(outputLength(windows, sizes));
  eachPart(windows, sizes, (samples, from, to) => {
    const place = staged(arena, kind, windows, { ...sizes, batch: samples });
    arena.floats.set(x.subarray(from, from + place.inputs), place.x / 4);
    arena.engine.pool(place.plan);
    y.set(arena.floats.subarray(place.output / 4, place.output / 4 + place.outputs), to);
  });
  return y;
}

/** The gradient with respect to x, from that with respect to the result y: of equals to the first. */
export function poolWindowsBackward(
  kind: PoolingKind,
  byOutput: Numbers,
  { x, y }: { readonly x: Numbers; readonly y: Numbers },
  windows: WindowPlaces,
  sizes: WindowedSizes,
  arena: Arena = sharedArena(),
): Float32Array<ArrayBuffer> {
  const dx = new Float32Array(x.length);
  eachPart(windows, sizes, (samples, from, to) => {
    const place = staged(arena, kind, windows, { ...sizes, batch: samples });
    const { floats } = arena;
    floats.set(x.subarray(from, from + place.inputs), place.x / 4);
    floats.set(y.subarray(to, to + place.outputs), place.output / 4);
    floats.set(byOutput.subarray(to, to + place.outputs), place.byOutput / 4);
    floats.fill(0, place.dx / 4, place.dx / 4 + place.inputs);
    arena.engine.poolBackward(place.plan);
    dx.set(floats.subarray(place.dx / 4, place.dx / 4 + place.inputs), from);
  });
  return dx;
}

/** What some samples may take at a time. */
const PART_BYTES = 4 * 2 ** 20;

/** Samples that go through together, and where their numbers begin. */
function eachPart(
  windows: WindowPlaces,
  { batch, channels }: WindowedSizes,
  visit: (samples: number, from: number, to: number) => void,
): void {
  const input = windows.length * channels;
  const output = outputLength(windows, { batch: 1, channels });
  const most = Math.max(1, Math.floor(PART_BYTES / (8 * (input + output))));
  for (let n = 0; n < batch; n += most) visit(Math.min(most, batch - n), n * input, n * output);
}

function outputLength({ places, taps }: WindowPlaces, { batch, channels }: WindowedSizes): number {
  return batch * places.length / taps * channels;
}

/** Room behind everybody's blocks, the plan written there. */
function staged(
  arena: Arena,
  kind: PoolingKind,
  windows: WindowPlaces,
  sizes: WindowedSizes,
) {
  const { places, taps, length } = windows;
  const [count, inputs] = [places.length / taps, sizes.batch * length * sizes.channels];
  const outputs = outputLength(windows, sizes);
  const layout = new Layout();
  const at = {
    plan: layout.add(arena.engine.PLAN_BYTES.value / 4),
    places: layout.add(places.length),
    shares: layout.add(count),
    x: layout.add(inputs + 4),
    output: layout.add(outputs + 4),
    byOutput: layout.add(outputs + 4),
    dx: layout.add(inputs + 4),
  };
  const base = arena.scratch(layout.bytes);
  const from = Object.fromEntries(
    Object.entries(at).map(([name, place]) => [name, base + place]),
  ) as typeof at;
  arena.integers.set(places, from.places / 4);
  arena.floats.set(sharesOf(windows), from.shares / 4);
  new PlanWriter(arena, from.plan)
    .integers(kind === "max" ? 1 : 0, sizes.batch, length, count, taps, sizes.channels)
    .integers(from.places, from.shares, from.x, from.output, from.byOutput, from.dx);
  return { ...from, inputs, outputs };
}

/** 1 / how many places each window has inside. */
function sharesOf({ places, taps }: WindowPlaces): Float32Array {
  const counts = new Float32Array(places.length / taps);
  places.forEach((place, k) => counts[Math.floor(k / taps)]! += place < 0 ? 0 : 1);
  return counts.map((count) => 1 / count);
}
