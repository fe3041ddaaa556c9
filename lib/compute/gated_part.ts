// The samples of a gated layer that one thread trains on: where their arrays lie, and the plans for
// assembly/gated.ts and assembly/gated_backward.ts.

import type { Arena, Layout } from "./arena.ts";
import {
  type GatedArrays,
  type GatedForm,
  type GatedLayer,
  GatedPlaces,
  type Numbers,
  oddLines,
  type SequenceSizes,
} from "./gated_layer.ts";
import { joined } from "./lengths.ts";
import { gatePanels } from "./panels.ts";
import { PlanWriter } from "./plan_writer.ts";
import type { Span, TrainingPart } from "./split_training.ts";
import type { Call } from "./thread.ts";

/** The samples that one thread computes. */
export class GatedPart implements TrainingPart<GatedArrays> {
  readonly samples: number;
  readonly #arena: Arena;
  readonly #form: GatedForm;
  readonly #sizes: SequenceSizes;
  readonly #ownsWeights: boolean;
  readonly places: GatedPlaces;
  readonly #plans: number;
  readonly #x: number;
  readonly back: BackwardPlaces;

  constructor(
    arena: Arena,
    layout: Layout,
    form: GatedForm,
    sizes: SequenceSizes,
    lender: GatedPart | undefined,
  ) {
    this.samples = sizes.batch;
    this.#arena = arena;
    this.#form = form;
    this.#sizes = sizes;
    this.#ownsWeights = lender === undefined;
    const nothing = new Float32Array(0);
    this.#plans = layout.add(2 * arena.engine.PLAN_BYTES.value / 4);
    this.#x = layout.add(sizes.batch * sizes.timesteps * sizes.inputSize);
    const layer: GatedLayer = { ...form, kind: "gated", kernel: nothing, recurrentKernel: nothing };
    const options = { keepSlots: true, lender: lender?.places };
    this.places = new GatedPlaces(layout, layer, sizes, options);
    this.back = backwardPlaces(layout, this.places, lender?.back);
  }

  forward(
    base: number,
    [x, ...start]: readonly [Numbers, ...Numbers[]],
    arrays: GatedArrays,
  ): Call {
    const arena = this.#arena;
    const places = this.places;
    const { timesteps, inputSize } = this.#sizes;
    const { returnSequences = false, takesStates = false } = this.#form;
    places.layer = { ...this.#form, kind: "gated", ...arrays };
    const source = {
      address: base + this.#x,
      step: inputSize * 4,
      sample: timesteps * inputSize * 4,
    };
    const plan = base + this.#plans;
    places.load(arena, base, plan, source, !returnSequences);
    if (takesStates) places.setStart(arena, base, start);
    arena.floats.set(x, source.address / 4);
    return { name: "forward", plan, count: 1 };
  }

  outputs(base: number): Float32Array<ArrayBuffer>[] {
    const [arena, places] = [this.#arena, this.places];
    const { batch, timesteps } = this.#sizes;
    const { units, returnSequences = false, takesStates = false } = this.#form;
    const from = (returnSequences ? places.output(base).address : base + places.last) / 4;
    const length = returnSequences ? batch * timesteps * units : batch * units;
    const output = arena.copy(from, length);
    return takesStates ? [output, ...places.ends(arena, base)] : [output];
  }

  backward(
    base: number,
    [gradient, ...byEnds]: readonly [Numbers, ...Numbers[]],
    arrays: GatedArrays,
    byInput: boolean,
  ): Call {
    const [arena, back] = [this.#arena, this.back];
    const { returnSequences = false, takesStates = false } = this.#form;
    const { batch } = this.#sizes;
    const { cell } = this.places;
    const at = (place: number) => base + place;

    if (this.#ownsWeights) this.#packTransposed(base, arrays, byInput);
    arena.floats.set(gradient, at(back.gradient) / 4);
    const byStates = byEnds.map((own, k) => {
      arena.floats.set(own, at(back.byStates[k]!) / 4);
      return at(back.byStates[k]!);
    });
    const byHidden = byStates.at(-1) ?? (returnSequences ? 0 : at(back.gradient));
    if (takesStates && !returnSequences) { // the result is the last hidden state as well
      const last = byHidden / 4;
      for (let k = 0; k < batch * this.#form.units; k++) arena.floats[last + k]! += gradient[k]!;
    }
    const dStates = byStates.map((_, k) => at(back.dStates[k]!));
    const hasCells = takesStates && cell.states === 2;
    arena.floats.fill(0, at(back.zeros) / 4, at(back.zeros) / 4 + 16);
    const plan = base + this.#plans + arena.engine.PLAN_BYTES.value;
    new PlanWriter(arena, plan)
      .integers(base + this.#plans)
      .integers(returnSequences ? at(back.gradient) : 0, byHidden, hasCells ? byStates[0]! : 0)
      .integers(dStates.at(-1) ?? 0, hasCells ? dStates[0]! : 0)
      .integers(at(back.kernelT), at(back.recurrentT), at(back.candidateT))
      .integers(at(back.turned), back.turnedRow, at(back.inputPanels), at(back.recurrentPanels))
      .integers(at(back.inputRows), at(back.recurrentRows), at(back.candidateRows), back.dzRow)
      .integers(at(back.dh), back.dhRow, cell.states === 2 ? at(back.dc) : 0, at(back.dReset))
      .integers(at(back.dxStep), back.dxRow, byInput ? at(back.dx) : 0)
      .integers(at(back.dKernel), at(back.dRecurrentKernel))
      .integers(at(back.dBias), at(back.dRecurrentBias), at(back.zeros));
    return { name: "gatedBackward", plan, count: 1 };
  }

  bySample(base: number, byInput: boolean): Float32Array<ArrayBuffer>[] {
    const { batch, timesteps, inputSize } = this.#sizes;
    const { dx, dStates } = this.back;
    const copied = (place: number, length: number) => this.#arena.copy((base + place) / 4, length);
    return [
      ...(byInput ? [copied(dx, batch * timesteps * inputSize)] : []),
      ...dStates.map((place) => copied(place, batch * this.#form.units)),
    ];
  }

  get sums(): Span {
    return this.back.sums;
  }

  byWeights(base: number): Float32Array<ArrayBuffer>[] {
    const { dKernel, dRecurrentKernel, dBias, dRecurrentBias } = this.back;
    const { panels, cell } = this.places;
    const unpacked = (place: number, rows: number) =>
      panels.unpack(this.#arena, base + place, rows);
    const bias = [dBias, dRecurrentBias].slice(0, cell.biases).map((place) => unpacked(place, 1));
    return [
      unpacked(dKernel, this.#sizes.inputSize),
      unpacked(dRecurrentKernel, this.#form.units),
      joined(bias),
    ];
  }

  #packTransposed(base: number, { kernel, recurrentKernel }: GatedArrays, byInput: boolean): void {
    const [arena, back] = [this.#arena, this.back];
    const { units, cellName } = this.#form;
    const { panels, cell } = this.places;
    if (cellName === "gruBefore") { // z and r meet h, h̃ meets r ⊙ h
      const [gates, candidate] = [[0, 1], [2]].map((only) => gatePanels(cell, units, only));
      gates!.packTransposed(arena, recurrentKernel, units, base + back.recurrentT);
      candidate!.packTransposed(arena, recurrentKernel, units, base + back.candidateT);
    } else {
      panels.packTransposed(arena, recurrentKernel, units, base + back.recurrentT);
    }
    if (byInput) panels.packTransposed(arena, kernel, this.#sizes.inputSize, base + back.kernelT);
  }
}

type BackwardPlaces = ReturnType<typeof backwardPlaces>;

/** What it needs of the weights, which every part reads. */
type Transposed = {
  readonly recurrentT: number;
  readonly candidateT: number;
  readonly kernelT: number;
};

/** Where the backward pass has its arrays, and its rows' lengths in bytes. */
function backwardPlaces(
  layout: Layout,
  { layer, cell, panels: { count: panels }, sizes }: GatedPlaces,
  lent: Transposed | undefined,
) {
  const { units, cellName, returnSequences = false, takesStates = false } = layer;
  const { batch, timesteps, inputSize } = sizes;
  const states = new Array<number>(takesStates ? cell.states : 0).fill(batch * units);
  const steps = batch * timesteps;
  const turnedRow = oddLines(steps);
  const dzRow = oddLines(panels * 16);
  const dhRow = oddLines(inSixteens(units));
  const dxRow = oddLines(inSixteens(inputSize));
  // Between what meets x and what meets h, only a GRU's reset gate makes a difference.
  const only = (is: boolean, numbers: number) => layout.add(is ? numbers : 0);
  const before = cellName === "gruBefore";
  const after = cellName === "gru";
  const inputPanels = layout.add(steps * panels * 16);
  const inputRows = layout.add(batch * dzRow / 4);
  const places = {
    ...{ turnedRow, dzRow, dhRow, dxRow, inputPanels, inputRows },
    recurrentPanels: after ? layout.add(steps * panels * 16) : inputPanels,
    recurrentRows: after || before ? layout.add(batch * dzRow / 4) : inputRows,
    candidateRows: only(before, batch * dzRow / 4),
    gradient: layout.add((returnSequences ? steps : batch) * units),
    byStates: states.map((numbers) => layout.add(numbers)),
    dStates: states.map((numbers) => layout.add(numbers)),
    recurrentT: lent?.recurrentT ?? layout.add(inSixteens(units) * panels * 16),
    candidateT: lent?.candidateT ?? only(before, inSixteens(units) * panels * 16),
    kernelT: lent?.kernelT ?? layout.add(inSixteens(inputSize) * panels * 16),
    turned: layout.add((inputSize + (before ? 2 : 1) * units) * turnedRow / 4),
    dh: layout.add(batch * dhRow / 4),
    dc: only(cell.states === 2, batch * panels * 4),
    dReset: only(before, batch * dhRow / 4),
    dxStep: layout.add(batch * dxRow / 4),
    dx: layout.add(steps * inputSize),
    dKernel: layout.add(inputSize * panels * 16),
    dRecurrentKernel: layout.add(units * panels * 16),
    dBias: layout.add(panels * 16),
    dRecurrentBias: only(after, panels * 16),
    zeros: layout.add(16),
  };
  return { ...places, sums: { place: places.dKernel, count: (places.zeros - places.dKernel) / 4 } };
}

const inSixteens = (count: number) => Math.ceil(count / 16) * 16;
