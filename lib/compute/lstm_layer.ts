// Where an LSTM's arrays lie in a block, and its plan for assembly/lstm.ts.

import type { FastActivation } from "./activations.ts";
import type { Arena, Layout } from "./arena.ts";
import { PlanWriter } from "./plan_writer.ts";

/** Numbers in the order of their shape's last axis; float64 is rounded to float32. */
export type Numbers = Float32Array | Float64Array;

/** An LSTM as the fast equations take it; arrays as Keras lays them out. */
export interface LstmLayer {
  readonly kind: "lstm";
  readonly units: number;
  /** W `[inputSize, 4·units]` */
  readonly kernel: Numbers;
  /** U `[units, 4·units]` */
  readonly recurrentKernel: Numbers;
  /** b `[4·units]`; without it, no bias is added. */
  readonly bias?: Numbers;
  readonly activation: FastActivation;
  readonly recurrentActivation: FastActivation;
  /** Whether every hidden state goes on, or only the last one. */
  readonly returnSequences?: boolean;
  /** Whether it reads x from its last step to its first; what it returns is in its own order. */
  readonly goBackwards?: boolean;
  /** Whether gates and states are recorded, for {@linkcode Plan.recorded}. */
  readonly record?: boolean;
  /** Where it starts, `[batch, units]` each. Default: zeros. */
  readonly initialState?: { readonly cellState: Numbers; readonly hiddenState: Numbers };
}

/** Where a layer finds its input: bytes. */
export interface Source {
  readonly address: number;
  readonly step: number;
  readonly sample: number;
}

/** Sizes of a run. */
export interface SequenceSizes {
  readonly batch: number;
  readonly timesteps: number;
  readonly inputSize: number;
}

/** A chunk of z stays in the second cache, and has rows enough to make its product worth while. */
const CHUNK_BYTES = 512 * 1024;
const CHUNK_ROWS = 48;

/** What an LSTM records, by the name that `recorded` gives it. */
export const recordedNames = [
  "input",
  "forget",
  "candidate",
  "output",
  "cellState",
  "hiddenState",
] as const;

/** The places of an LSTM's arrays in a block, in bytes from its start. */
export class LstmPlaces {
  readonly sizes: SequenceSizes;
  /** Its arrays may be replaced before a `load`. */
  layer: LstmLayer;
  readonly panels: number;
  readonly chunk: number;
  /** Bytes from one sample's hidden state to the next one's. */
  readonly hiddenRow: number;
  /** Whether all steps' gates and states stay, for a backward pass. */
  readonly keepSlots: boolean;
  readonly kernel: number;
  readonly recurrentKernel: number;
  readonly bias: number;
  readonly gates: number;
  readonly hidden: number;
  readonly cells: number;
  readonly initialHidden: number;
  readonly initialCells: number;
  /** In the order of `recordedNames`; undefined where nothing is recorded. */
  readonly records: readonly (number | undefined)[];
  readonly last: number;

  constructor(layout: Layout, layer: LstmLayer, sizes: SequenceSizes, keepSlots: boolean) {
    const { batch, timesteps, inputSize } = sizes;
    const { units, record = false, returnSequences = false } = layer;
    const panels = Math.ceil(units / 4);
    const stepBytes = panels * batch * 64;
    const chunk = Math.max(Math.ceil(CHUNK_ROWS / batch), Math.floor(CHUNK_BYTES / stepBytes));
    this.layer = layer;
    this.sizes = sizes;
    this.panels = panels;
    this.chunk = Math.min(timesteps, chunk);
    // An odd number of cache lines, so that the rows of many samples spread over all of the cache.
    const lines = Math.ceil(panels / 4);
    this.hiddenRow = panels < 4 ? panels * 16 : (lines % 2 === 0 ? lines + 1 : lines) * 64;
    this.keepSlots = keepSlots;
    const slots = keepSlots ? timesteps + 1 : 2;
    this.kernel = layout.add(inputSize * panels * 16);
    this.recurrentKernel = layout.add(units * panels * 16);
    this.bias = layout.add(panels * 16);
    this.gates = layout.add((keepSlots ? timesteps : this.chunk) * stepBytes / 4);
    this.hidden = layout.add(slots * batch * this.hiddenRow / 4);
    this.cells = layout.add(slots * batch * panels * 4);
    const given = layer.initialState === undefined ? 0 : 1;
    this.initialHidden = layout.add(given * batch * this.hiddenRow / 4);
    this.initialCells = layout.add(given * batch * panels * 4);
    const sequence = batch * timesteps * units;
    this.records = recordedNames.map((name) =>
      record || name === "hiddenState" && returnSequences ? layout.add(sequence) : undefined
    );
    this.last = layout.add(batch * units);
  }

  /** Where the next layer finds the hidden states: the last one of each sample, or all. */
  output(base: number): Source {
    const { layer: { units, returnSequences }, sizes: { batch, timesteps } } = this;
    if (returnSequences) {
      return { address: base + this.records[5]!, step: units * 4, sample: timesteps * units * 4 };
    }
    const slot = this.keepSlots ? timesteps : timesteps % 2;
    const address = base + this.hidden + slot * batch * this.hiddenRow;
    return { address, step: 0, sample: this.hiddenRow };
  }

  /** Weights packed, states set to their start, the plan written. */
  load(arena: Arena, base: number, plan: number, x: Source, leaveLast: boolean): void {
    const { layer, sizes: { batch, timesteps, inputSize } } = this;
    const { units, activation, recurrentActivation } = layer;
    this.loadWeights(arena, base);
    this.#loadInitialState(arena, base);
    const backwards = layer.goBackwards ?? false;
    const initial = layer.initialState !== undefined;
    const record = (k: number) => this.records[k] === undefined ? 0 : base + this.records[k];
    new PlanWriter(arena, plan)
      .integers(0, batch, timesteps, inputSize, units)
      .integers(activation.kind, recurrentActivation.kind)
      .floats(activation.alpha, recurrentActivation.alpha)
      .integers(x.address + (backwards ? (timesteps - 1) * x.step : 0), x.address)
      .integers(backwards ? -x.step : x.step, x.sample)
      .integers(base + this.kernel, base + this.recurrentKernel, base + this.bias)
      .integers(base + this.gates, this.chunk, base + this.hidden, base + this.cells)
      .integers(this.hiddenRow, this.keepSlots ? 1 : 0)
      .integers(initial ? base + this.initialHidden : 0, initial ? base + this.initialCells : 0)
      .integers(record(0), record(1), record(2), record(3), record(4), record(5))
      .integers(leaveLast ? base + this.last : 0);
  }

  loadWeights(arena: Arena, base: number): void {
    const { layer: { units, kernel, recurrentKernel, bias }, sizes: { inputSize } } = this;
    packGates(arena, kernel, inputSize, units, base + this.kernel);
    packGates(arena, recurrentKernel, units, units, base + this.recurrentKernel);
    packGates(arena, bias ?? new Float32Array(4 * units), 1, units, base + this.bias);
  }

  #loadInitialState(arena: Arena, base: number): void {
    const { layer: { units, initialState }, sizes: { batch } } = this;
    if (initialState === undefined) return;
    const hidden = (base + this.initialHidden) / 4;
    const cells = (base + this.initialCells) / 4;
    arena.floats.fill(0, hidden, hidden + batch * this.hiddenRow / 4);
    arena.floats.fill(0, cells, cells + batch * this.panels * 4);
    for (let n = 0; n < batch; n++) {
      for (let u = 0; u < units; u++) {
        const at = n * units + u;
        const block = (u >> 2) * batch + n; // cells are [panel][sample][4]
        arena.floats[hidden + n * this.hiddenRow / 4 + u] = initialState.hiddenState[at]!;
        arena.floats[cells + block * 4 + (u & 3)] = initialState.cellState[at]!;
      }
    }
  }
}

function packGates(arena: Arena, from: Numbers, depth: number, units: number, to: number): void {
  arena.engine.packGates(arena.stage(from), depth, units, to);
}
