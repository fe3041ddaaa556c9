// Where a dense layer's arrays lie in a block, and its plan for assembly/dense.ts.

import { type FastActivation, SOFTMAX } from "./activations.ts";
import type { Arena, Layout } from "./arena.ts";
import type { Numbers, Source } from "./gated_layer.ts";
import { type Panels, plainPanels } from "./panels.ts";
import { PlanWriter } from "./plan_writer.ts";

/** A dense layer as the fast equations take it; arrays as Keras lays them out. */
export interface DenseLayer {
  readonly kind: "dense";
  readonly units: number;
  /** W `[inputSize, units]` */
  readonly kernel: Numbers;
  /** b `[units]`; without it, no bias is added. */
  readonly bias?: Numbers;
  readonly activation: FastActivation;
}

/** Logits stay in the second cache until their activation, as many as whole tiles have. */
const CHUNK_BYTES = 128 * 1024;
const TILE_ROWS = 6;

/** The places of a dense layer's arrays in a block, in bytes from its start. */
export class DensePlaces {
  readonly #lender: DensePlaces | undefined;
  /** Its arrays may be replaced before a `load`. */
  layer: DenseLayer;
  readonly rows: number;
  readonly inputSize: number;
  readonly panels: Panels;
  readonly kernel: number;
  readonly bias: number;
  readonly logits: number;
  readonly chunk: number;
  readonly output: number;

  /** @param lender the same layer's of other rows, whose weights it reads */
  constructor(
    layout: Layout,
    layer: DenseLayer,
    rows: number,
    inputSize: number,
    lender?: DensePlaces,
  ) {
    this.#lender = lender;
    this.panels = plainPanels(layer.units);
    const { count: panels } = this.panels;
    this.layer = layer;
    this.rows = rows;
    this.inputSize = inputSize;
    this.kernel = lender?.kernel ?? layout.add(inputSize * panels * 16);
    this.bias = lender?.bias ?? layout.add(panels * 16);
    const chunk = Math.floor(CHUNK_BYTES / (panels * 64 * TILE_ROWS)) * TILE_ROWS;
    this.chunk = Math.min(rows, Math.max(TILE_ROWS, chunk));
    this.logits = layout.add(this.chunk * panels * 16);
    this.output = layout.add(rows * layer.units + 4);
  }

  /** Weights packed, where they are its own, and the plan written. */
  load(arena: Arena, base: number, plan: number, x: Source): void {
    const { layer: { units, activation }, rows, inputSize } = this;
    this.loadWeights(arena, base);
    new PlanWriter(arena, plan)
      .integers(1, rows, inputSize, units, activation.kind)
      .floats(activation.alpha)
      .integers(x.address, x.sample)
      .integers(base + this.kernel, base + this.bias, base + this.logits)
      .integers(this.chunk, base + this.output);
  }

  loadWeights(arena: Arena, base: number): void {
    if (this.#lender !== undefined) return;
    const { layer: { units, kernel, bias, activation }, inputSize } = this;
    // Softmax looks at whole vectors: e^(−∞) adds nothing to its sum.
    const filler = activation.kind === SOFTMAX ? -Infinity : 0;
    this.panels.pack(arena, kernel, inputSize, base + this.kernel);
    this.panels.pack(arena, bias ?? new Float32Array(units), 1, base + this.bias, filler);
  }
}
