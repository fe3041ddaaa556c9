// Where a gated layer's arrays lie in a block, and its plan for assembly/gated.ts.

import type { FastActivation } from "./activations.ts";
import type { Arena, Layout } from "./arena.ts";
import { type CellKind, cellKinds, type CellName } from "./cell_kinds.ts";
import { gatePanels, type Panels } from "./panels.ts";
import { PlanWriter } from "./plan_writer.ts";

/** Numbers in the order of their shape's last axis; float64 is rounded to float32. */
export type Numbers = Float32Array | Float64Array;

/** What a gated layer is, without its arrays. */
export interface GatedForm {
  readonly cellName: CellName;
  readonly units: number;
  /** φ, of what is written. */
  readonly activation: FastActivation;
  /** σ, of the gates. */
  readonly recurrentActivation: FastActivation;
  /** Whether every hidden state goes on, or only the last one. */
  readonly returnSequences?: boolean;
  /** Whether it reads x from its last step to its first; what it returns is in its own order. */
  readonly goBackwards?: boolean;
  /** Whether a run may start from other states than zeros, and tells where it ended. */
  readonly takesStates?: boolean;
}

/** A gated layer's arrays as Keras lays them out, the blocks side by side. */
export interface GatedArrays {
  /** W `[inputSize, blocks·units]` */
  readonly kernel: Numbers;
  /** U `[units, blocks·units]` */
  readonly recurrentKernel: Numbers;
  /** b `[blocks·units]`, of a GRU with two biases `[2, 3·units]`; without it, no bias is added. */
  readonly bias?: Numbers;
}

/** An LSTM, a GRU or a SimpleRNN as the fast equations take it. */
export interface GatedLayer extends GatedForm, GatedArrays {
  readonly kind: "gated";
  /** Whether gates and states are recorded, for {@linkcode Plan.recorded}. */
  readonly record?: boolean;
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

/** How many blocks a plan may record; c and h come after them. */
const RECORDED_BLOCKS = 4;

/** How a layer's places differ. */
interface PlacesOptions {
  /** Whether all steps' gates and states stay, for a backward pass. */
  readonly keepSlots: boolean;
  /** The same layer's of other samples, whose weights it reads. */
  readonly lender?: GatedPlaces | undefined;
}

/** The places of a gated layer's arrays in a block, in bytes from its start. */
export class GatedPlaces {
  readonly #lender: GatedPlaces | undefined;
  readonly cell: CellKind;
  readonly sizes: SequenceSizes;
  /** Its arrays may be replaced before a `load`. */
  layer: GatedLayer;
  readonly panels: Panels;
  readonly groups: number;
  readonly chunk: number;
  /** Bytes from one sample's hidden state to the next one's. */
  readonly hiddenRow: number;
  /** Whether all steps' gates and states stay, for a backward pass. */
  readonly keepSlots: boolean;
  readonly kernel: number;
  readonly recurrentKernel: number;
  readonly bias: number;
  readonly recurrentBias: number;
  readonly gates: number;
  readonly hidden: number;
  readonly cells: number;
  readonly product: number;
  readonly productStep: number;
  readonly initialHidden: number;
  readonly initialCells: number;
  /** The blocks, c and h; undefined where one is not recorded. */
  readonly records: readonly (number | undefined)[];
  readonly last: number;

  constructor(
    layout: Layout,
    layer: GatedLayer,
    sizes: SequenceSizes,
    { keepSlots, lender }: PlacesOptions,
  ) {
    const { batch, timesteps, inputSize } = sizes;
    const { units, record = false, returnSequences = false, takesStates = false } = layer;
    const cell: CellKind = cellKinds[layer.cellName];
    this.cell = cell;
    this.panels = gatePanels(cell, units);
    this.groups = Math.ceil(units / cell.together);
    const { count: panels } = this.panels;
    const stepBytes = panels * batch * 64;
    const chunk = Math.max(Math.ceil(CHUNK_ROWS / batch), Math.floor(CHUNK_BYTES / stepBytes));
    this.layer = layer;
    this.sizes = sizes;
    this.chunk = Math.min(timesteps, chunk);
    const room = this.groups * cell.together; // units, with their padding
    this.hiddenRow = room < 16 ? room * 4 : oddLines(room);
    this.keepSlots = keepSlots;
    const slots = keepSlots ? timesteps + 1 : 2;
    this.#lender = lender;
    this.kernel = lender?.kernel ?? layout.add(inputSize * panels * 16);
    this.recurrentKernel = lender?.recurrentKernel ?? layout.add(units * panels * 16);
    this.bias = lender?.bias ?? layout.add(panels * 16);
    this.recurrentBias = lender?.recurrentBias ?? layout.add((cell.biases - 1) * panels * 16);
    this.gates = layout.add((keepSlots ? timesteps : this.chunk) * stepBytes / 4);
    this.hidden = layout.add(slots * batch * this.hiddenRow / 4);
    const cells = (cell.states - 1) * batch * panels * 4;
    this.cells = layout.add(slots * cells);
    const product = layer.cellName === "gru"
      ? stepBytes
      : layer.cellName === "gruBefore"
      ? batch * this.hiddenRow
      : 0;
    this.productStep = keepSlots ? product : 0;
    this.product = layout.add((keepSlots ? timesteps : 1) * product / 4);
    const given = takesStates ? 1 : 0;
    this.initialHidden = layout.add(given * batch * this.hiddenRow / 4);
    this.initialCells = layout.add(given * cells);
    const sequence = batch * timesteps * units;
    const recorded = (is: boolean) => is ? layout.add(sequence) : undefined;
    this.records = [
      ...Array.from({ length: RECORDED_BLOCKS }, (_, k) => recorded(record && k < cell.gates)),
      recorded(record && cell.states === 2),
      recorded(record || returnSequences),
    ];
    this.last = layout.add(batch * units);
  }

  /** Where the next layer finds the hidden states: the last one of each sample, or all. */
  output(base: number): Source {
    const { layer: { units, returnSequences }, sizes: { timesteps } } = this;
    if (returnSequences) {
      const address = base + this.records[RECORDED_BLOCKS + 1]!;
      return { address, step: units * 4, sample: timesteps * units * 4 };
    }
    return { address: base + this.#endSlot().hidden, step: 0, sample: this.hiddenRow };
  }

  /** Weights packed, where they are its own, and the plan written. */
  load(arena: Arena, base: number, plan: number, x: Source, leaveLast: boolean): void {
    const { layer, cell, sizes: { batch, timesteps, inputSize } } = this;
    const { units, activation, recurrentActivation, goBackwards = false } = layer;
    this.loadWeights(arena, base);
    const there = (is: boolean, place: number) => is ? base + place : 0;
    const states = layer.takesStates ?? false;
    new PlanWriter(arena, plan)
      .integers(0, cell.number, batch, timesteps, inputSize, units)
      .integers(cell.blocks, this.groups, this.panels.count)
      .integers(activation.kind, recurrentActivation.kind)
      .floats(activation.alpha, recurrentActivation.alpha)
      .integers(x.address + (goBackwards ? (timesteps - 1) * x.step : 0), x.address)
      .integers(goBackwards ? -x.step : x.step, x.sample)
      .integers(base + this.kernel, base + this.recurrentKernel, base + this.bias)
      .integers(base + this.recurrentBias, base + this.gates, this.chunk)
      .integers(base + this.hidden, this.hiddenRow, there(cell.states === 2, this.cells))
      .integers(base + this.product, this.productStep, this.keepSlots ? 1 : 0)
      .integers(there(states, this.initialHidden))
      .integers(there(states && cell.states === 2, this.initialCells))
      .integers(...this.records.map((place) => there(place !== undefined, place!)))
      .integers(there(leaveLast, this.last));
  }

  loadWeights(arena: Arena, base: number): void {
    if (this.#lender !== undefined) return;
    const { layer: { units, kernel, recurrentKernel }, panels, sizes: { inputSize } } = this;
    const { width } = panels;
    const bias = this.layer.bias ?? new Float32Array(this.cell.biases * width);
    panels.pack(arena, kernel, inputSize, base + this.kernel);
    panels.pack(arena, recurrentKernel, units, base + this.recurrentKernel);
    panels.pack(arena, bias.subarray(0, width), 1, base + this.bias);
    if (this.cell.biases === 2) {
      panels.pack(arena, bias.subarray(width), 1, base + this.recurrentBias);
    }
  }

  /** The states that the next run starts from, `[batch, units]` each; zeros where there are none. */
  setStart({ floats }: Arena, base: number, states: readonly Numbers[] = []): void {
    const { cell, layer: { units }, sizes: { batch } } = this;
    const [row, hidden] = [this.hiddenRow / 4, (base + this.initialHidden) / 4];
    const h = states[cell.states - 1];
    for (let n = 0; n < batch; n++) {
      const [from, to] = [n * units, hidden + n * row];
      if (h === undefined) floats.fill(0, to, to + row);
      else {
        floats.set(h.subarray(from, from + units), to);
        floats.fill(0, to + units, to + row);
      }
    }
    if (cell.states === 1) return;
    const [c, cells] = [states[0], (base + this.initialCells) / 4];
    for (let n = 0; n < batch; n++) {
      for (let u = 0; u < this.groups * 4; u++) {
        const at = cells + ((u >> 2) * batch + n) * 4 + (u & 3);
        floats[at] = c === undefined || u >= units ? 0 : c[n * units + u]!;
      }
    }
  }

  /** The states after the last step of the last run. */
  ends({ floats }: Arena, base: number): Float32Array<ArrayBuffer>[] {
    const { cell, layer: { units }, sizes: { batch } } = this;
    const ends = Array.from({ length: cell.states }, () => new Float32Array(batch * units));
    const { hidden, cells } = this.#endSlot();
    const h = ends[cell.states - 1]!;
    for (let n = 0; n < batch; n++) {
      const from = (base + hidden + n * this.hiddenRow) / 4;
      h.set(floats.subarray(from, from + units), n * units);
    }
    if (cell.states === 1) return ends;
    const [c, first] = [ends[0]!, (base + cells) / 4];
    for (let n = 0; n < batch; n++) {
      for (let u = 0; u < units; u++) {
        c[n * units + u] = floats[first + ((u >> 2) * batch + n) * 4 + (u & 3)]!;
      }
    }
    return ends;
  }

  #endSlot(): { readonly hidden: number; readonly cells: number } {
    const { cell, panels, keepSlots, sizes: { batch, timesteps } } = this;
    const slot = keepSlots ? timesteps : timesteps % 2;
    return {
      hidden: this.hidden + slot * batch * this.hiddenRow,
      cells: this.cells + slot * (cell.states - 1) * batch * panels.count * 16,
    };
  }
}

/** Bytes of a row that many samples do not all put at the same place of the cache: an odd number of lines. */
export function oddLines(numbers: number): number {
  const lines = Math.ceil(numbers / 16);
  return (lines % 2 === 0 ? lines + 1 : lines) * 64;
}
