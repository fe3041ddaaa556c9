// What the checks look at: one run of a model, layer by layer, with every cell's values and slopes.

import { equalPart, part, type Work } from "../../base/work.ts";
import type { Cell } from "../../cells/cell.ts";
import type { CellTrace } from "../../cells/cell_run.ts";
import type { Recurrence } from "../../cells/recurrence.ts";
import type { SiteName } from "../../cells/sites.ts";
import type { Inside } from "../../layers/inside.ts";
import { equationsBy } from "../../layers/layer.ts";
import type { Activation } from "../../values/activations.ts";
import { isNamed } from "../../values/built_in.ts";
import { runOf, type TracedRun } from "../../cells/traced_run.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { FitStart } from "../../model/training/history.ts";
import type { PlacedLayer } from "../../model/graph.ts";
import { type NamedTrace, type Network, productOfRun, tracesOfTape } from "../../model/network.ts";
import { Gradients, type Variable } from "../../values/gradients.ts";
import { type Ledger, ledgerOf } from "../ledger.ts";

/** What each check looks at: a model and a run of it. */
export interface CheckContext {
  readonly network: Network;
  /** Has the run, so that gradients can go back through each layer. */
  readonly tape: Gradients;
  /** What each layer got and gave. */
  readonly layers: readonly LayerVisit[];
  readonly recurrents: readonly RecurrentVisit[];
  /** What went into each softmax that is no gate's. */
  readonly softmaxes: readonly { readonly layer: string; readonly logits: Tensor }[];
  /** Where its training began, where a history says so. */
  readonly start: FitStart | undefined;
}

/** One layer in the run. */
export interface LayerVisit {
  readonly name: string;
  readonly placed: PlacedLayer;
  readonly outputs: readonly Tensor[];
  readonly weights: readonly Tensor[];
}

/** One recurrent layer in the run. */
export interface RecurrentVisit {
  readonly name: string;
  readonly placed: PlacedLayer;
  readonly trace: CellTrace;
  readonly ledger: Ledger;
  readonly run: TracedRun;
  readonly recurrence: Recurrence<Variable>;
  /**
   * The slope of each site that an activation gives, at its pre-activation, `[batch, units]` at each
   * timestep: of the gates, and of a SimpleRNN's hidden state.
   */
  readonly slopes: ReadonlyMap<SiteName, readonly Tensor[]>;
  /** Units whose hidden state is 0 at every step of every sample. */
  readonly dead: readonly number[];
}

/** |h| that float32 cannot tell from 0 beside a hidden state of 1. */
const DEAD = 2 ** -24;

/** What is done, about, when the equations have run, and are traced. */
const [WALKED, TRACED] = [0.7, 0.8];

/** Runs a model, and looks into each of its recurrent layers. */
export function* examine(
  network: Network,
  inputs: readonly Tensor[],
  start: FitStart | undefined,
): Work<CheckContext> {
  const tape = new Gradients(productOfRun());
  const insides: Inside<Variable>[] = [];
  const equations = equationsBy(tape);
  const walking = network.walk(tape, inputs, {
    work: (layer, given, own, context) => {
      // Each layer begins anew: no gradient leaves it.
      const leaves = given.map(({ value }) => tape.leaf(value));
      return tape.within(context.name, () => equations(layer, leaves, own, context));
    },
    inside: (one) => insides.push(one),
  });
  const { results } = yield* part(walking, 0, WALKED);
  const traces = yield* part(tracesOfTape(insides), WALKED, TRACED);
  const softmaxes = tape.variables.flatMap(({ origin, scope }) =>
    origin.op === "apply" && isNamed(origin.f, "softmax")
      ? [{ layer: scope, logits: origin.x.value }]
      : []
  );
  const layers = network.nodes.map(({ name, layer }, k) => {
    const placed = network.layers[layer]!;
    const { firstWeight, weights: { length } } = placed;
    const weights = network.weights.slice(firstWeight, firstWeight + length);
    return { name, placed, outputs: results[k]!.map(({ value }) => value), weights };
  });
  const places = layers.flatMap(({ name, placed }) =>
    traces.flatMap((one, k) =>
      one.name === name || one.name.startsWith(`${name}/`)
        ? [[placed, one, insides[k]!] as const]
        : []
    )
  );
  const recurrents: RecurrentVisit[] = [];
  for (const [k, place] of places.entries()) {
    recurrents.push(yield* part(equalPart(visitOf(...place), k, places.length), TRACED, 1));
  }
  const inGates = new Set(recurrents.map(({ name }) => name));
  return {
    network,
    tape,
    layers,
    recurrents,
    softmaxes: softmaxes.filter((one) => !inGates.has(one.layer)),
    start,
  };
}

function* visitOf(
  placed: PlacedLayer,
  { name, trace }: NamedTrace,
  inside: Inside<Variable>,
): Work<RecurrentVisit> {
  const run = runOf(trace)!; // a walk of the equations made it
  const ledger = ledgerOf(trace, "examine a model");
  const slopes = yield* slopesOf(inside);
  return {
    name,
    placed,
    trace,
    ledger,
    run,
    recurrence: inside.recurrence,
    slopes,
    dead: deadUnits(trace),
  };
}

/** Of the sites whose values an activation gave. */
function* slopesOf(
  { cell, recurrence: { steps } }: Inside<Variable>,
): Work<ReadonlyMap<SiteName, Tensor[]>> {
  const slopes = new Map<SiteName, Tensor[]>();
  for (const site of cell.sites) {
    const { shape } = steps[0]!.computed[site]!.value;
    const ones = new Tensor(new Float64Array(sizeOf(shape)).fill(1), shape);
    const found = steps.flatMap(({ computed }) => {
      const { origin, value } = computed[site]!;
      return origin.op === "apply" ? [slope(origin.f, origin.x.value, value, ones)] : [];
    });
    if (found.length === steps.length) slopes.set(site, found);
    yield (cell.sites.indexOf(site) + 1) / cell.sites.length;
  }
  return slopes;
}

/** Of y = f(x), one number at a time; a row's softmax has none by unit, and counts as 1. */
function slope(f: Activation, x: Tensor, y: Tensor, ones: Tensor): Tensor {
  return isNamed(f, "softmax", "log_softmax", "sparsemax") ? ones : f.backward(x, ones, y);
}

function deadUnits({ hiddenState }: CellTrace): number[] {
  const units = hiddenState.shape[2]!;
  const largest = new Float64Array(units);
  const { data } = hiddenState;
  for (let k = 0, unit = 0; k < data.length; k++, unit = ++unit === units ? 0 : unit) {
    const size = Math.abs(data[k]!);
    if (!(size <= largest[unit]!)) largest[unit] = Number.isNaN(largest[unit]!) ? NaN : size; // NaN stays
  }
  return Array.from(largest.keys()).filter((unit) => largest[unit]! <= DEAD);
}

/** The gate by which one of Keras's cells keeps its state, as a name: undefined where it has none. */
export function keeperOf({ gates, arrays }: Cell): string | undefined {
  return arrays === undefined
    ? ["forget", "update"].find((gate) => gates.includes(gate))
    : undefined;
}

/** `unit 3`, `units 1, 2, 5`, `units 0, 1, 2, … (40)` */
export function unitNames(units: readonly number[]): string {
  const listed = units.slice(0, 6).join(", ");
  if (units.length === 1) return `unit ${listed}`;
  return units.length > 6 ? `units ${listed}, … (${units.length})` : `units ${listed}`;
}
