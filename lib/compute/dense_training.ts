// A dense layer forward and backward, for training.

import type { FastActivation } from "./activations.ts";
import { type Arena, type Layout, sharedArena } from "./arena.ts";
import { type DenseLayer, DensePlaces } from "./dense_layer.ts";
import { checkDenseArrays, checkLength } from "./lengths.ts";
import type { Numbers } from "./gated_layer.ts";
import { PlanWriter } from "./plan_writer.ts";
import { type Span, SplitTraining, type TrainingPart, type TrainingRun } from "./split_training.ts";
import type { Call } from "./thread.ts";

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
  readonly #form: DenseForm;
  readonly #rows: number;
  readonly #inputSize: number;
  readonly #training: SplitTraining<DenseArrays>;

  /** @param rows samples, or samples times timesteps */
  constructor(form: DenseForm, rows: number, inputSize: number, arena: Arena = sharedArena()) {
    this.#form = form;
    this.#rows = rows;
    this.#inputSize = inputSize;
    this.#training = new SplitTraining(arena, {
      samples: rows,
      multiplications: rows * inputSize * form.units,
      place: (layout, rows, lender) =>
        new DensePart(arena, layout, form, { rows, inputSize }, lender as DensePart | undefined),
    });
  }

  /**
   * @param x `[rows, inputSize]`; it and the arrays must stay as they are until `backward`
   * @returns `[rows, units]`, and the way back
   * @throws {TypeError} where an array's length does not fit the sizes.
   */
  forward(x: Numbers, arrays: DenseArrays): TrainingRun<DenseArrayGradients> {
    checkLength("x", x, this.#rows * this.#inputSize);
    checkDenseArrays(arrays, this.#form.units, this.#inputSize);
    const { output, backward } = this.#training.run([x], arrays);
    return {
      output,
      backward: (gradient, options) => {
        const { bySample: [dx], byWeights: [kernel, bias] } = backward(gradient, options);
        return { ...(dx && { x: dx }), kernel: kernel!, bias: bias! };
      },
    };
  }
}

/** The rows that one thread computes. */
class DensePart implements TrainingPart<DenseArrays> {
  readonly samples: number;
  readonly #arena: Arena;
  readonly #form: DenseForm;
  readonly #inputSize: number;
  readonly #ownsWeights: boolean;
  readonly places: DensePlaces;
  readonly back: ReturnType<typeof backwardPlaces>;
  readonly #plans: number;
  readonly #x: number;

  constructor(
    arena: Arena,
    layout: Layout,
    form: DenseForm,
    { rows, inputSize }: { readonly rows: number; readonly inputSize: number },
    lender: DensePart | undefined,
  ) {
    this.samples = rows;
    this.#arena = arena;
    this.#form = form;
    this.#inputSize = inputSize;
    this.#ownsWeights = lender === undefined;
    this.#plans = layout.add(2 * arena.engine.PLAN_BYTES.value / 4);
    this.#x = layout.add(rows * inputSize);
    const layer: DenseLayer = { ...form, kind: "dense", kernel: new Float32Array(0) };
    this.places = new DensePlaces(layout, layer, rows, inputSize, lender?.places);
    this.back = backwardPlaces(layout, { ...form, rows, inputSize }, lender?.back.kernelT);
  }

  forward(base: number, [x]: readonly [Numbers], arrays: DenseArrays): Call {
    const [arena, places] = [this.#arena, this.places];
    places.layer = { ...this.#form, kind: "dense", ...arrays };
    const source = { address: base + this.#x, step: 0, sample: this.#inputSize * 4 };
    const plan = base + this.#plans;
    places.load(arena, base, plan, source);
    arena.floats.set(x, source.address / 4);
    return { name: "forward", plan, count: 1 };
  }

  outputs(base: number): Float32Array<ArrayBuffer>[] {
    const from = (base + this.places.output) / 4;
    return [this.#arena.copy(from, this.samples * this.#form.units)];
  }

  backward(
    base: number,
    [gradient]: readonly [Numbers],
    { kernel }: DenseArrays,
    byInput: boolean,
  ): Call {
    const [arena, back] = [this.#arena, this.back];
    const at = (place: number) => base + place;
    if (byInput && this.#ownsWeights) {
      this.places.panels.packTransposed(arena, kernel, this.#inputSize, at(back.kernelT));
    }
    arena.floats.set(gradient, at(back.gradient) / 4);
    arena.floats.fill(0, at(back.zeros) / 4, at(back.zeros) / 4 + 16);
    const plan = base + this.#plans + arena.engine.PLAN_BYTES.value;
    new PlanWriter(arena, plan)
      .integers(base + this.#plans, at(back.gradient), at(back.kernelT))
      .integers(at(back.dlRows), at(back.dlPanels), at(back.turned), back.turnedRow)
      .integers(at(back.dxRows), back.dxRow, byInput ? at(back.dx) : 0)
      .integers(at(back.dKernel), at(back.dBias), at(back.zeros));
    return { name: "denseBackward", plan, count: 1 };
  }

  bySample(base: number, byInput: boolean): Float32Array<ArrayBuffer>[] {
    const dx = (base + this.back.dx) / 4;
    return byInput ? [this.#arena.copy(dx, this.samples * this.#inputSize)] : [];
  }

  get sums(): Span {
    return this.back.sums;
  }

  byWeights(base: number): Float32Array<ArrayBuffer>[] {
    const [arena, { panels }] = [this.#arena, this.places];
    const { dKernel, dBias } = this.back;
    return [
      panels.unpack(arena, base + dKernel, this.#inputSize),
      panels.unpack(arena, base + dBias, 1),
    ];
  }
}

/** @param lent Wᵀ, where another part packs it */
function backwardPlaces(
  layout: Layout,
  { rows, inputSize, units }: Pick<DenseForm, "units"> & Record<"rows" | "inputSize", number>,
  lent: number | undefined,
) {
  const columns = Math.ceil(units / 16) * 16;
  const inputs = Math.ceil(inputSize / 16) * 16;
  const turnedRow = Math.ceil(rows / 16) * 64;
  const places = {
    dxRow: inputs * 4,
    turnedRow,
    gradient: layout.add(rows * units),
    kernelT: lent ?? layout.add(inputs * columns),
    dlRows: layout.add(rows * columns),
    dlPanels: layout.add(rows * columns),
    turned: layout.add(inputSize * turnedRow / 4),
    dxRows: layout.add(rows * inputs),
    dx: layout.add(rows * inputSize),
    dKernel: layout.add(inputSize * columns),
    dBias: layout.add(columns),
    zeros: layout.add(16),
  };
  return { ...places, sums: { place: places.dKernel, count: (places.zeros - places.dKernel) / 4 } };
}
