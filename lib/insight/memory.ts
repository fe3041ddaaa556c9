import { checkOptions, type KeysOf } from "../base/options.ts";
import { shownAs } from "../base/shown.ts";
import { part, Stopped, type Work } from "../base/work.ts";
import { type AtOnce, atOnceOrInTurns, IN_TURNS, type InTurns } from "../display/in_turns.ts";
import type { Chart } from "../display/figure.ts";
import { type LstmChoice, oneTrace } from "../cells/choose_lstm.ts";
import { blocksOf } from "../cells/cell.ts";
import type { CellTrace } from "../cells/cell_run.ts";
import type { SiteName } from "../cells/sites.ts";
import { runOf, type TracedRun, withTensors } from "../cells/traced_run.ts";
import { productOfRun } from "../model/network.ts";
import { runAgain } from "../cells/run_again.ts";
import { Tensor } from "../tensor/tensor.ts";
import { indices } from "../tensor/indices.ts";
import type { Trace } from "../trace/trace.ts";
import { type Ledger, ledgerOf } from "./ledger.ts";
import { type MemoryCurveOptions, memoryCurves } from "./memory_view.ts";

/** What of a trace is looked at. */
export interface MemoryOptions {
  /** Which recurrent layer; to be said where there are several. */
  readonly layer?: LstmChoice;
  /**
   * The units whose true derivative is computed, which costs a run backwards for each unit and
   * sample. Default: as many as take about half a second, the longest memories first:
   * all of 100 units over 100 timesteps, 15 of 256.
   */
  readonly units?: readonly number[];
}

const OPTIONS: KeysOf<MemoryOptions & AtOnce> = {
  layer: "optional",
  units: "optional",
  ...IN_TURNS,
};

/** How long a recurrent layer remembers, in its first state s: an LSTM's c, a GRU's h. */
export interface Memory {
  /**
   * The steps in which a gate that stays as it is halves the state, ln ½ / ln |keep|: `[batch,
   * timesteps, units]`. Infinity where nothing is lost (it keeps all, or the step is masked), 0
   * where all is: everywhere in a SimpleRNN.
   */
  readonly halfLife: Tensor;
  /** The steps in which it doubles the state, ln 2 / ln |keep|; Infinity where it does not grow. */
  readonly doublingTime: Tensor;
  /** What is left at the end of the state after each step, Π keep, `[batch, timesteps, units]`. */
  readonly retention: Tensor;
  /** The same over all samples and steps, by the geometric mean of the gates: `[units]` each. */
  readonly units: { readonly halfLife: Tensor; readonly doublingTime: Tensor };
  /**
   * The true ∂s_T/∂s_t of a unit by itself, through the hidden state and all gates too, where the
   * retention is the direct way alone: `[batch, timesteps, derivativeUnits]`. Not there where the
   * trace has interventions, or was not made by `trace()`, `lstmForward()` and their like.
   */
  readonly derivative?: Tensor;
  /** The units that `derivative` is of. */
  readonly derivativeUnits: readonly number[];
  /** Whether a signal stopped it before the derivatives of all units were computed. */
  readonly aborted: boolean;
  /** The state that is remembered: `cellState` of an LSTM, `hiddenState` of a GRU and a SimpleRNN. */
  readonly state: SiteName;
  /** The timesteps in the order in which they were computed. */
  readonly order: readonly number[];
  /** Retention, and the true derivative where it is known, over the timesteps. */
  curves(options?: MemoryCurveOptions): Chart;
}

/** Multiplications that take about half a second (measured: 1e9 in a second, one core). */
const BUDGET = 4e8;

/**
 * As a promise, which takes turns with other code, for the derivatives of many units: a line says how
 * far it is, and a signal stops it. What is done then is there, and `aborted` says so.
 *
 * @throws {DOMException} where the signal stopped it before it began; or whatever its reason is.
 *
 * @example
 * ```ts
 * import { lstmForward, memory } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const weights = { kernel: [[0, 0, 1, 0]], recurrentKernel: [[0, 0, 0, 0]] };
 * const trace = lstmForward([[[1], [2], [3]]], weights);
 * const { derivativeUnits, aborted } = await memory(trace, { signal: AbortSignal.timeout(60_000) });
 * assertEquals([derivativeUnits, aborted], [[0], false]);
 * ```
 */
export function memory(
  trace: Trace<CellTrace> | CellTrace,
  options: MemoryOptions & InTurns,
): Promise<Memory>;
/**
 * How long each unit remembers, read from the gates: an LSTM's `c' = f ⊙ c + …` keeps the part f of
 * its cell state at each step, a GRU's `h' = z ⊙ h + …` the part z of its hidden state. A SimpleRNN
 * keeps nothing: what it remembers returns through its recurrent kernel, and the true derivative
 * alone shows it.
 *
 * @param trace of a model, or of one recurrent layer
 * @param options which layer, and the units whose true derivative is computed
 * @throws {RangeError} where there is no such layer or unit.
 * @throws {TypeError} where the trace does not say in its `source` how it was computed, or is a copy
 * of a cell's that is not known.
 *
 * @example A gate of ½ has a half-life of one step
 * ```ts
 * import { lstmForward, memory } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const weights = { kernel: [[0, 0, 1, 0]], recurrentKernel: [[0, 0, 0, 0]] }; // f = σ(0)
 * const { halfLife, retention } = memory(lstmForward([[[1], [2], [3]]], weights));
 * assertEquals(halfLife.item(0, 0, 0), 1);
 * assertEquals(retention.toArray(), [[[0.25], [0.5], [1]]]);
 * ```
 */
export function memory(
  trace: Trace<CellTrace> | CellTrace,
  options?: MemoryOptions & AtOnce,
): Memory;
export function memory(
  trace: Trace<CellTrace> | CellTrace,
  options: MemoryOptions & (AtOnce | InTurns) = {},
): Memory | Promise<Memory> {
  return atOnceOrInTurns("look at the memory", memoryWork(trace, options), options);
}

/** What is done, about, when the gates are read. */
const READ = 0.05;

function* memoryWork(
  trace: Trace<CellTrace> | CellTrace,
  options: MemoryOptions,
): Work<Memory> {
  const action = "look at the memory";
  const chosen = oneTrace(trace, options?.layer, action);
  checkOptions(action, options, OPTIONS);
  const layer = withTensors(chosen, action);
  const ledger = ledgerOf(layer, action);
  yield* part(ledger.read(), 0, READ);
  const { keep, kept: retention } = ledger;
  const halfLife = map(keep, (f) => halving(Math.abs(f)));
  yield READ;
  const doublingTime = map(keep, (f) => doubling(Math.abs(f)));
  yield READ;
  const means = geometricMeans(ledger);
  yield READ;
  const units = { halfLife: map(means, halving), doublingTime: map(means, doubling) };

  const run = runOf(layer);
  if (run === undefined && options.units !== undefined) {
    throw new TypeError(
      "Cannot compute the derivatives of units: they need the run that made the trace, by trace(), " +
        "lstmForward() or gruForward(), but this trace is a changed copy, or put together elsewhere",
    );
  }
  const chosenUnits = run === undefined || run.options.listen !== undefined
    ? []
    : chooseUnits(options.units, ledger, means);
  const found = chosenUnits.length > 0
    ? yield* part(derivativesOf(run!, ledger, chosenUnits), READ, 1)
    : [];
  const derivativeUnits = chosenUnits.slice(0, found.length);
  const known = found.length > 0 ? { derivative: sideBySide(found, keep.shape) } : {};
  const result: Memory = {
    halfLife,
    doublingTime,
    retention,
    units,
    ...known,
    derivativeUnits,
    aborted: found.length < chosenUnits.length,
    state: ledger.state,
    order: ledger.order,
    curves: (chosen) => memoryCurves(result, chosen),
  };
  return Object.freeze(shownAs("Memory", result));
}

const halving = (f: number) => f >= 1 ? Infinity : f === 0 ? 0 : Math.LN2 / -Math.log(f);
const doubling = (f: number) => f <= 1 ? Infinity : Math.LN2 / Math.log(f);

/** Of |f|, over samples and timesteps; masked steps do not count. */
function geometricMeans({ keep, counts: isCounted }: Ledger): Tensor {
  const [, timesteps, units] = keep.shape as [number, number, number];
  const [sums, counts] = [new Float64Array(units), new Float64Array(units)];
  keep.data.forEach((f, k) => {
    const step = Math.floor(k / units);
    if (!isCounted(Math.floor(step / timesteps), step % timesteps)) return;
    sums[k % units]! += Math.log(Math.abs(f));
    counts[k % units]!++;
  });
  return new Tensor(sums.map((sum, u) => counts[u] === 0 ? 1 : Math.exp(sum / counts[u]!)), [
    units,
  ]);
}

/** The units asked for, or those of the longest memory, as many as the budget allows. */
function chooseUnits(
  asked: readonly number[] | undefined,
  { keep, cell }: Ledger,
  means: Tensor,
): number[] {
  const [batch, timesteps, units] = keep.shape as [number, number, number];
  if (asked !== undefined) {
    return indices(asked, units, { action: "read the memory", owner: "the layer", name: "unit" });
  }
  const each = batch * timesteps * blocksOf(cell) * units * units;
  const count = Math.min(units, Math.max(1, Math.floor(BUDGET / each)));
  const longest = Array.from(means.data, (mean, unit) => ({ mean, unit }))
    .sort((a, b) => b.mean - a.mean).slice(0, count);
  return longest.map(({ unit }) => unit).sort((a, b) => a - b);
}

/**
 * ∂s_T[u]/∂s_t[u], `[batch · timesteps]` for each unit: a run backwards each, all samples at once. Of a
 * run that is stopped, those that are done.
 */
function* derivativesOf(
  run: TracedRun,
  { keep, state }: Ledger,
  chosen: readonly number[],
): Work<Float64Array[]> {
  const [batch, timesteps, units] = keep.shape as [number, number, number];
  const found: Float64Array[] = [];
  try {
    const share = (done: number) => done / (chosen.length + 1); // the run itself is as much as one
    const again = yield* part(runAgain(run, units, productOfRun()), 0, share(1));
    const { tape, steps, end: [c] } = again;
    for (const [k, unit] of chosen.entries()) {
      const seed = new Float64Array(batch * units);
      for (let n = 0; n < batch; n++) seed[n * units + unit] = 1;
      const back = tape.backwardWork([[c!, new Tensor(seed, [batch, units])]]);
      yield* part(back, share(k + 1), share(k + 2));
      const derivative = new Float64Array(batch * timesteps);
      for (const [t, { values }] of steps.entries()) {
        const { data } = tape.gradientOf(values[state]!);
        for (let n = 0; n < batch; n++) derivative[n * timesteps + t] = data[n * units + unit]!;
      }
      found.push(derivative);
    }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  }
  return found;
}

/** `[batch · timesteps]` of each unit become `[batch, timesteps, units]`. */
function sideBySide(
  found: readonly Float64Array[],
  [batch, timesteps]: readonly number[],
): Tensor {
  const width = found.length;
  const data = new Float64Array(batch! * timesteps! * width);
  found.forEach((one, k) => one.forEach((value, row) => data[row * width + k] = value));
  return new Tensor(data, [batch!, timesteps!, width]);
}

function map({ data, shape }: Tensor, f: (value: number) => number): Tensor {
  return new Tensor(new Float64Array(data).map(f), shape);
}
