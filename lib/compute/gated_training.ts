// A gated layer forward and backward, for training: all steps' gates and states stay in WASM's memory
// until the gradients are asked for.

import { type Arena, Layout, sharedArena } from "./arena.ts";
import {
  type GatedArrays,
  type GatedForm,
  type GatedLayer,
  GatedPlaces,
  type Numbers,
  oddLines,
  type SequenceSizes,
} from "./gated_layer.ts";
import { checkGatedArrays, checkLength } from "./lengths.ts";
import { gatePanels } from "./panels.ts";
import { PlanWriter } from "./plan_writer.ts";
import { TrainingMemory, type TrainingRun } from "./training_memory.ts";

/** Gradients of the loss, each as large as what it is with respect to. */
export interface GatedGradients {
  /** There when asked for. */
  readonly x?: Float32Array<ArrayBuffer>;
  readonly kernel: Float32Array<ArrayBuffer>;
  readonly recurrentKernel: Float32Array<ArrayBuffer>;
  /** Whether or not there is a bias. */
  readonly bias: Float32Array<ArrayBuffer>;
}

/** What both directions need of one size, its memory reused by every run. */
export class GatedTraining {
  readonly #arena: Arena;
  readonly #form: GatedForm;
  readonly #sizes: SequenceSizes;
  readonly #places: GatedPlaces;
  readonly #plans: number;
  readonly #x: number;
  readonly #back: BackwardPlaces;
  readonly #memory: TrainingMemory;

  constructor(form: GatedForm, sizes: SequenceSizes, arena: Arena = sharedArena()) {
    this.#arena = arena;
    this.#form = form;
    this.#sizes = sizes;
    const nothing = new Float32Array(0);
    const layout = new Layout();
    this.#plans = layout.add(2 * arena.engine.PLAN_BYTES.value / 4);
    this.#x = layout.add(sizes.batch * sizes.timesteps * sizes.inputSize);
    const layer: GatedLayer = { ...form, kind: "gated", kernel: nothing, recurrentKernel: nothing };
    this.#places = new GatedPlaces(layout, layer, sizes, true);
    this.#back = backwardPlaces(layout, this.#places);
    this.#memory = new TrainingMemory(arena, layout.bytes);
  }

  /**
   * @param x `[batch, timesteps, inputSize]`; it and the arrays must stay as they are until `backward`
   * @returns `[batch, timesteps, units]` with `returnSequences`, in the order of computation, else
   * `[batch, units]`; and the way back
   * @throws {TypeError} where an array's length does not fit the sizes.
   */
  forward(x: Numbers, arrays: GatedArrays): TrainingRun<GatedGradients> {
    const { batch, timesteps, inputSize } = this.#sizes;
    checkLength("x", x, batch * timesteps * inputSize);
    checkGatedArrays(arrays, this.#places.cell, this.#form.units, inputSize);
    return this.#memory.run(
      () => this.#forward(x, arrays),
      (gradient, byInput) => this.#backward(gradient, arrays, byInput),
    );
  }

  #forward(x: Numbers, arrays: GatedArrays): Float32Array<ArrayBuffer> {
    const arena = this.#arena;
    const base = this.#memory.base();
    const places = this.#places;
    const { batch, timesteps, inputSize } = this.#sizes;
    const { units, returnSequences = false } = this.#form;
    places.layer = { ...this.#form, kind: "gated", ...arrays };
    const source = {
      address: base + this.#x,
      step: inputSize * 4,
      sample: timesteps * inputSize * 4,
    };
    places.load(arena, base, base + this.#plans, source, !returnSequences);
    arena.floats.set(x, source.address / 4);
    arena.engine.forward(base + this.#plans, 1);
    const from = (returnSequences ? places.output(base).address : base + places.last) / 4;
    const length = returnSequences ? batch * timesteps * units : batch * units;
    return arena.floats.slice(from, from + length);
  }

  #backward(gradient: Numbers, arrays: GatedArrays, byInput: boolean): GatedGradients {
    const [arena, base, back] = [this.#arena, this.#memory.base(), this.#back];
    const { units, cellName, returnSequences = false } = this.#form;
    const { batch, timesteps, inputSize } = this.#sizes;
    const { panels, cell } = this.#places;
    const { kernel, recurrentKernel } = arrays;
    const at = (place: number) => base + place;

    if (cellName === "gruBefore") { // z and r meet h, h̃ meets r ⊙ h
      const [gates, candidate] = [[0, 1], [2]].map((only) => gatePanels(cell, units, only));
      gates!.packTransposed(arena, recurrentKernel, units, at(back.recurrentT));
      candidate!.packTransposed(arena, recurrentKernel, units, at(back.candidateT));
    } else {
      panels.packTransposed(arena, recurrentKernel, units, at(back.recurrentT));
    }
    if (byInput) panels.packTransposed(arena, kernel, inputSize, at(back.kernelT));
    arena.floats.set(gradient, at(back.gradient) / 4);
    arena.floats.fill(0, at(back.zeros) / 4, at(back.zeros) / 4 + 16);
    const plan = base + this.#plans + arena.engine.PLAN_BYTES.value;
    new PlanWriter(arena, plan)
      .integers(base + this.#plans)
      .integers(returnSequences ? at(back.gradient) : 0, returnSequences ? 0 : at(back.gradient))
      .integers(at(back.kernelT), at(back.recurrentT), at(back.candidateT))
      .integers(at(back.turned), back.turnedRow, at(back.inputPanels), at(back.recurrentPanels))
      .integers(at(back.inputRows), at(back.recurrentRows), at(back.candidateRows), back.dzRow)
      .integers(at(back.dh), back.dhRow, cell.states === 2 ? at(back.dc) : 0, at(back.dReset))
      .integers(at(back.dxStep), back.dxRow, byInput ? at(back.dx) : 0)
      .integers(at(back.dKernel), at(back.dRecurrentKernel))
      .integers(at(back.dBias), at(back.dRecurrentBias), at(back.zeros));
    arena.engine.gatedBackward(plan);

    const unpacked = (place: number, rows: number) => panels.unpack(arena, at(place), rows);
    const bias = [back.dBias, back.dRecurrentBias].slice(0, cell.biases)
      .map((place) => unpacked(place, 1));
    const dx = at(back.dx) / 4;
    return {
      ...(byInput && { x: arena.floats.slice(dx, dx + batch * timesteps * inputSize) }),
      kernel: unpacked(back.dKernel, inputSize),
      recurrentKernel: unpacked(back.dRecurrentKernel, units),
      bias: Float32Array.from(bias.flatMap((row) => [...row])),
    };
  }
}

type BackwardPlaces = ReturnType<typeof backwardPlaces>;

/** Where the backward pass has its arrays, and its rows' lengths in bytes. */
function backwardPlaces(
  layout: Layout,
  { layer, cell, panels: { count: panels }, sizes }: GatedPlaces,
) {
  const { units, cellName, returnSequences = false } = layer;
  const { batch, timesteps, inputSize } = sizes;
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
  return {
    ...{ turnedRow, dzRow, dhRow, dxRow, inputPanels, inputRows },
    recurrentPanels: after ? layout.add(steps * panels * 16) : inputPanels,
    recurrentRows: after || before ? layout.add(batch * dzRow / 4) : inputRows,
    candidateRows: only(before, batch * dzRow / 4),
    gradient: layout.add((returnSequences ? steps : batch) * units),
    recurrentT: layout.add(inSixteens(units) * panels * 16),
    candidateT: only(before, inSixteens(units) * panels * 16),
    kernelT: layout.add(inSixteens(inputSize) * panels * 16),
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
}

const inSixteens = (count: number) => Math.ceil(count / 16) * 16;
