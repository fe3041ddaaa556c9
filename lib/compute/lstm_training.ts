// An LSTM forward and backward, for training: all steps' gates and states stay in WASM's memory
// until the gradients are asked for.

import type { FastActivation } from "./activations.ts";
import { type Arena, Layout, sharedArena } from "./arena.ts";
import { checkLength, checkLstmArrays } from "./lengths.ts";
import { type LstmLayer, LstmPlaces, type Numbers, type SequenceSizes } from "./lstm_layer.ts";
import { PlanWriter } from "./plan_writer.ts";
import { TrainingMemory, type TrainingRun } from "./training_memory.ts";

/** What an LSTM is, without its arrays. */
export interface LstmForm {
  readonly units: number;
  readonly activation: FastActivation;
  readonly recurrentActivation: FastActivation;
  readonly returnSequences?: boolean;
  readonly goBackwards?: boolean;
}

/** An LSTM's arrays as Keras lays them out, and where it starts. */
export type LstmArrays = Pick<
  LstmLayer,
  "kernel" | "recurrentKernel" | "bias" | "initialState"
>;

/** Gradients of the loss, each as large as what it is with respect to. */
export interface LstmArrayGradients {
  /** There when asked for. */
  readonly x?: Float32Array<ArrayBuffer>;
  readonly kernel: Float32Array<ArrayBuffer>;
  readonly recurrentKernel: Float32Array<ArrayBuffer>;
  /** Whether or not there is a bias. */
  readonly bias: Float32Array<ArrayBuffer>;
}

/** What both directions need of one size, its memory reused by every run. */
export class LstmTraining {
  readonly #arena: Arena;
  readonly #form: LstmForm;
  readonly #sizes: SequenceSizes;
  readonly #places: LstmPlaces;
  readonly #plans: number;
  readonly #x: number;
  readonly #back: BackwardPlaces;
  readonly #memory: TrainingMemory;

  constructor(form: LstmForm, sizes: SequenceSizes, arena: Arena = sharedArena()) {
    this.#arena = arena;
    this.#form = form;
    this.#sizes = sizes;
    const nothing = new Float32Array(0);
    const layout = new Layout();
    this.#plans = layout.add(2 * arena.engine.PLAN_BYTES.value / 4);
    this.#x = layout.add(sizes.batch * sizes.timesteps * sizes.inputSize);
    // Room for an initial state is there in any case.
    const initialState = { cellState: nothing, hiddenState: nothing };
    const layer: LstmLayer = {
      ...form,
      kind: "lstm",
      kernel: nothing,
      recurrentKernel: nothing,
      initialState,
    };
    this.#places = new LstmPlaces(layout, layer, sizes, true);
    this.#back = backwardPlaces(layout, form, sizes, this.#places.panels);
    this.#memory = new TrainingMemory(arena, layout.bytes);
  }

  /**
   * @param x `[batch, timesteps, inputSize]`; it and the arrays must stay as they are until `backward`
   * @returns `[batch, timesteps, units]` with `returnSequences`, in the order of computation, else
   * `[batch, units]`; and the way back
   * @throws {TypeError} where an array's length does not fit the sizes.
   */
  forward(x: Numbers, arrays: LstmArrays): TrainingRun<LstmArrayGradients> {
    const { batch, timesteps, inputSize } = this.#sizes;
    checkLength("x", x, batch * timesteps * inputSize);
    checkLstmArrays(arrays, this.#form.units, inputSize);
    return this.#memory.run(
      () => this.#forward(x, arrays),
      (gradient, byInput) => this.#backward(gradient, arrays, byInput),
    );
  }

  #forward(x: Numbers, arrays: LstmArrays): Float32Array<ArrayBuffer> {
    const arena = this.#arena;
    const base = this.#memory.base();
    const places = this.#places;
    const { batch, timesteps, inputSize } = this.#sizes;
    const { units, returnSequences = false } = this.#form;
    places.layer = { ...this.#form, kind: "lstm", ...arrays };
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

  #backward(gradient: Numbers, arrays: LstmArrays, byInput: boolean): LstmArrayGradients {
    const [arena, base, back] = [this.#arena, this.#memory.base(), this.#back];
    const { engine } = arena;
    const { units, returnSequences = false } = this.#form;
    const { batch, timesteps, inputSize } = this.#sizes;
    const { kernel, recurrentKernel } = arrays;
    const at = (place: number) => base + place;

    engine.packGatesTransposed(arena.stage(recurrentKernel), units, units, at(back.recurrentT));
    if (byInput) {
      engine.packGatesTransposed(arena.stage(kernel), inputSize, units, at(back.kernelT));
    }
    arena.floats.set(gradient, at(back.gradient) / 4);
    arena.floats.fill(0, at(back.zeros) / 4, at(back.zeros) / 4 + 16);
    const plan = base + this.#plans + engine.PLAN_BYTES.value;
    new PlanWriter(arena, plan)
      .integers(base + this.#plans)
      .integers(returnSequences ? at(back.gradient) : 0, returnSequences ? 0 : at(back.gradient))
      .integers(at(back.kernelT), at(back.recurrentT), at(back.turned), back.turnedRow)
      .integers(at(back.dz), at(back.dzStep), back.dzRow)
      .integers(at(back.dh), back.dhRow, at(back.dc))
      .integers(at(back.dxStep), back.dxRow, byInput ? at(back.dx) : 0)
      .integers(at(back.dKernels), at(back.dBias), at(back.zeros));
    engine.lstmBackward(plan);

    const unpack = (from: number, rows: number, panelRows: number) =>
      arena.collect(
        rows * 4 * units,
        (to) => engine.unpackGates(from, rows, panelRows, units, to),
      );
    const dx = at(back.dx) / 4;
    return {
      ...(byInput && { x: arena.floats.slice(dx, dx + batch * timesteps * inputSize) }),
      kernel: unpack(at(back.dKernels), inputSize, inputSize + units),
      recurrentKernel: unpack(at(back.dKernels) + inputSize * 64, units, inputSize + units),
      bias: unpack(at(back.dBias), 1, 1),
    };
  }
}

type BackwardPlaces = ReturnType<typeof backwardPlaces>;

/** Where the backward pass has its arrays, and its rows' lengths in bytes. */
function backwardPlaces(
  layout: Layout,
  { units, returnSequences = false }: LstmForm,
  { batch, timesteps, inputSize }: SequenceSizes,
  panels: number,
) {
  const steps = batch * timesteps;
  const turnedRow = oddLines(steps);
  const dzRow = oddLines(panels * 16);
  const dhRow = oddLines(inSixteens(units));
  const dxRow = oddLines(inSixteens(inputSize));
  return {
    ...{ turnedRow, dzRow, dhRow, dxRow },
    gradient: layout.add((returnSequences ? steps : batch) * units),
    recurrentT: layout.add(inSixteens(units) * panels * 16),
    kernelT: layout.add(inSixteens(inputSize) * panels * 16),
    turned: layout.add((inputSize + units) * turnedRow / 4),
    dz: layout.add(steps * panels * 16),
    dzStep: layout.add(batch * dzRow / 4),
    dh: layout.add(batch * dhRow / 4),
    dc: layout.add(batch * panels * 4),
    dxStep: layout.add(batch * dxRow / 4),
    dx: layout.add(steps * inputSize),
    dKernels: layout.add((inputSize + units) * panels * 16),
    dBias: layout.add(panels * 16),
    zeros: layout.add(16),
  };
}

const inSixteens = (count: number) => Math.ceil(count / 16) * 16;

/** Bytes of a row that many samples do not all put at the same place of the cache. */
function oddLines(numbers: number): number {
  const lines = Math.ceil(numbers / 16);
  return (lines % 2 === 0 ? lines + 1 : lines) * 64;
}
