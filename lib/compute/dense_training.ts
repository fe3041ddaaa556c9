// A dense layer forward and backward, for training.

import type { FastActivation } from "./activations.ts";
import { type Arena, Layout, sharedArena } from "./arena.ts";
import { type DenseLayer, DensePlaces } from "./dense_layer.ts";
import { checkDenseArrays, checkLength } from "./lengths.ts";
import type { Numbers } from "./gated_layer.ts";
import { PlanWriter } from "./plan_writer.ts";
import { TrainingMemory, type TrainingRun } from "./training_memory.ts";
import { chooseTiles } from "./wide.ts";

/** What a dense layer is, without its arrays. */
export interface DenseForm {
  readonly units: number;
  readonly activation: FastActivation;
}

/** A dense layer's arrays as Keras lays them out. */
export type DenseArrays = Pick<DenseLayer, "kernel" | "bias">;

/** Gradients of the loss, each as large as what it is with respect to. */
export interface DenseArrayGradients {
  /** There when asked for. */
  readonly x?: Float32Array<ArrayBuffer>;
  readonly kernel: Float32Array<ArrayBuffer>;
  /** Whether or not there is a bias. */
  readonly bias: Float32Array<ArrayBuffer>;
}

/** What both directions need of one size, its memory reused by every run. */
export class DenseTraining {
  readonly #arena: Arena;
  readonly #form: DenseForm;
  readonly #rows: number;
  readonly #inputSize: number;
  readonly #places: DensePlaces;
  readonly #back: ReturnType<typeof backwardPlaces>;
  readonly #plans: number;
  readonly #x: number;
  readonly #memory: TrainingMemory;

  /** @param rows samples, or samples times timesteps */
  constructor(form: DenseForm, rows: number, inputSize: number, arena: Arena = sharedArena()) {
    this.#arena = arena;
    this.#form = form;
    this.#rows = rows;
    this.#inputSize = inputSize;
    const layout = new Layout();
    this.#plans = layout.add(2 * arena.engine.PLAN_BYTES.value / 4);
    this.#x = layout.add(rows * inputSize);
    const layer: DenseLayer = { ...form, kind: "dense", kernel: new Float32Array(0) };
    this.#places = new DensePlaces(layout, layer, rows, inputSize);
    this.#back = backwardPlaces(layout, rows, inputSize, form.units);
    this.#memory = new TrainingMemory(arena, layout.bytes);
  }

  /**
   * @param x `[rows, inputSize]`; it and the arrays must stay as they are until `backward`
   * @returns `[rows, units]`, and the way back
   * @throws {TypeError} where an array's length does not fit the sizes.
   */
  forward(x: Numbers, arrays: DenseArrays): TrainingRun<DenseArrayGradients> {
    checkLength("x", x, this.#rows * this.#inputSize);
    checkDenseArrays(arrays, this.#form.units, this.#inputSize);
    return this.#memory.run(
      () => this.#forward(x, arrays),
      (gradient, byInput) => this.#backward(gradient, arrays, byInput),
    );
  }

  #forward(x: Numbers, arrays: DenseArrays): Float32Array<ArrayBuffer> {
    const arena = this.#arena;
    const [base, places] = [this.#memory.base(), this.#places];
    places.layer = { ...this.#form, kind: "dense", ...arrays };
    const source = { address: base + this.#x, step: 0, sample: this.#inputSize * 4 };
    places.load(arena, base, base + this.#plans, source);
    arena.floats.set(x, source.address / 4);
    chooseTiles(arena.engine, places.multiplications);
    arena.engine.forward(base + this.#plans, 1);
    const from = (base + places.output) / 4;
    return arena.floats.slice(from, from + this.#rows * this.#form.units);
  }

  #backward(gradient: Numbers, { kernel }: DenseArrays, byInput: boolean): DenseArrayGradients {
    const [arena, base, back] = [this.#arena, this.#memory.base(), this.#back];
    const { engine } = arena;
    const [rows, inputSize, { panels }] = [this.#rows, this.#inputSize, this.#places];
    const at = (place: number) => base + place;

    if (byInput) {
      panels.packTransposed(arena, kernel, inputSize, at(back.kernelT));
    }
    arena.floats.set(gradient, at(back.gradient) / 4);
    arena.floats.fill(0, at(back.zeros) / 4, at(back.zeros) / 4 + 16);
    const plan = base + this.#plans + engine.PLAN_BYTES.value;
    new PlanWriter(arena, plan)
      .integers(base + this.#plans, at(back.gradient), at(back.kernelT))
      .integers(at(back.dlRows), at(back.dlPanels), at(back.turned), back.turnedRow)
      .integers(at(back.dxRows), back.dxRow, byInput ? at(back.dx) : 0)
      .integers(at(back.dKernel), at(back.dBias), at(back.zeros));
    engine.denseBackward(plan);

    const dx = at(back.dx) / 4;
    return {
      ...(byInput && { x: arena.floats.slice(dx, dx + rows * inputSize) }),
      kernel: panels.unpack(arena, at(back.dKernel), inputSize),
      bias: panels.unpack(arena, at(back.dBias), 1),
    };
  }
}

function backwardPlaces(layout: Layout, rows: number, inputSize: number, units: number) {
  const columns = Math.ceil(units / 16) * 16;
  const inputs = Math.ceil(inputSize / 16) * 16;
  const turnedRow = Math.ceil(rows / 16) * 64;
  return {
    dxRow: inputs * 4,
    turnedRow,
    gradient: layout.add(rows * units),
    kernelT: layout.add(inputs * columns),
    dlRows: layout.add(rows * columns),
    dlPanels: layout.add(rows * columns),
    turned: layout.add(inputSize * turnedRow / 4),
    dxRows: layout.add(rows * inputs),
    dx: layout.add(rows * inputSize),
    dKernel: layout.add(inputSize * columns),
    dBias: layout.add(columns),
    zeros: layout.add(16),
  };
}
