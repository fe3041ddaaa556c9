import { amongNames } from "../base/names.ts";
import { checkOptions, type KeysOf } from "../base/options.ts";
import { shownAs } from "../base/shown.ts";
import type { Chart } from "../display/figure.ts";
import { chooseLstm, type LstmChoice } from "../cells/choose_lstm.ts";
import { type SiteName, valueAt } from "../cells/sites.ts";
import { type Model, networkOf } from "../model/model.ts";
import type { ModelInput } from "../model/inputs.ts";
import { type Network, requireOneOutput } from "../model/network.ts";
import { indices } from "../tensor/indices.ts";
import { formatShape, sameShape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { type LstmPlace, lstmPlaces } from "../trace/places.ts";
import { checkTarget } from "./attribution.ts";
import { nameOfOutput } from "./head.ts";
import type { Patch, PatchSource } from "./patched_runs.ts";
import { sweepHeatmap, type SweepHeatmapOptions } from "./patch_sweep_view.ts";

/** What is patched, and what is watched. */
export interface PatchSweepOptions {
  /** Which output is watched, -1 is the last; may be left out where there is one. */
  readonly target?: number;
  /** Which recurrent layer; to be said where there are several. */
  readonly layer?: LstmChoice;
  /** The sites. Default: all six. */
  readonly sites?: readonly SiteName[];
  /** The units. Default: all. */
  readonly unit?: number | readonly number[];
  /** The timesteps. Default: all. */
  readonly timestep?: number | readonly number[];
  /**
   * Another input of the same shape, whose values are put in; without it each value becomes 0, an
   * ablation.
   */
  readonly from?: ModelInput;
  /**
   * Whether the effects are estimated by one gradient, slope × change, instead of a run each: for
   * layers too large for that. Exact for small changes only. Default: false.
   */
  readonly estimate?: boolean;
  /**
   * Whether the steps after a patch are computed in float32, as predictions are: effects are then known
   * to about 1e-6. A run ends once its states differ so little from those without the patch that the
   * square of it is what float32 rounds: what follows is then slope × difference. Default: where the
   * equations would take more than about 3 seconds.
   */
  readonly fast?: boolean;
  /** Stops the sweep; what is not done then is NaN. */
  readonly signal?: AbortSignal;
  /** Whether the progress is shown. Default: in the Deno kernel and in a terminal. */
  readonly verbose?: boolean;
}

const OPTIONS: KeysOf<PatchSweepOptions> = {
  target: "optional",
  layer: "optional",
  sites: "optional",
  unit: "optional",
  timestep: "optional",
  from: "optional",
  estimate: "optional",
  fast: "optional",
  signal: "optional",
  verbose: "optional",
};

/** What each value inside a recurrent layer does to an output. */
export interface PatchSweep {
  /** Which output was watched. */
  readonly target: number;
  /** What it is called: `output`, or `output 1` of several. */
  readonly name: string;
  /** The recurrent layer whose values were patched. */
  readonly layer: string;
  /** The sites, as `effects` has them. */
  readonly sites: readonly SiteName[];
  /** The timesteps, likewise. */
  readonly timesteps: readonly number[];
  /** The units, likewise. */
  readonly units: readonly number[];
  /**
   * The output with the one value patched, minus without, as the mean over the samples:
   * `[sites, timesteps, units]`; NaN where the sweep was stopped before.
   */
  readonly effects: Tensor;
  /** The output without a patch, `[batch]`. */
  readonly baseline: Tensor;
  /** Whether the effects are estimates. */
  readonly estimated: boolean;
  /** In which precision the steps after a patch were computed. */
  readonly precision: "float64" | "float32";
  /** Whether a signal stopped it. */
  readonly aborted: boolean;
  /** The effects as colours: site and unit over timestep, or one site alone. */
  heatmap(options?: SweepHeatmapOptions): Chart;
}

/** Multiplications that the equations do in about 3 seconds; beyond, float32 does. */
const MOST_EXACT = 2e10;

/**
 * What would happen to an output if this value were 0, or another input's: for every site, timestep
 * and unit of a recurrent layer, one at a time.
 *
 * Each patch is a run of its own from its step on (many of them side by side), so all that follows from
 * it is in its effect. That takes sites × timesteps × units runs: a moment for 8 units and 15 timesteps,
 * seconds a site for 256 units and 100 timesteps, whose runs are then as precise as predictions are.
 * `estimate` takes one run, forwards and backwards; then sweep exactly where the estimate is large, by
 * `sites`, `timestep` and `unit`.
 *
 * @param model any model whose output is `[batch, classes]`
 * @param x `[batch, …]`, as for `model.predict`
 * @param options target, patches, and a signal to stop it
 * @throws {TypeError} where a shape does not fit.
 * @throws {RangeError} where there is no such output, layer, unit or timestep.
 *
 * @example
 * ```ts
 * import { arange, dense, lstm, patchSweep, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const layers = [lstm({ units: 8 }), dense({ units: 2, activation: "softmax" })];
 * const model = sequential(layers, { inputShape: [3, 2], seed: 1 });
 * const { effects } = await patchSweep(model, arange(6).reshape([1, 3, 2]), { target: 1 });
 * assertEquals(effects.shape, [6, 3, 8]); // gates and states, timesteps, units
 * ```
 *
 * Source: activation patching, as in Meng et al. 2022, "Locating and Editing Factual Associations in
 * GPT", section 2, done to a cell; the estimate is attribution patching (Nanda 2023).
 */
export async function patchSweep(
  model: Model,
  x: ModelInput,
  options: PatchSweepOptions = {},
): Promise<PatchSweep> {
  const network = networkOf(model, "sweep");
  checkOptions("sweep", options, OPTIONS);
  requireOneOutput(network, "sweep");
  const inputs = network.checkInputs(x, "sweep");
  const classes = checkOutput(network);
  const target = checkTarget(options.target, classes, "sweep");
  const place = chooseLstm(lstmPlaces(network, inputs), options.layer, "sweep");
  if (network.states.some((state) => state !== undefined)) {
    throw new TypeError(
      "Cannot sweep: stateful layers must start from zeros (resetStates()), " +
        "but the model remembers a call",
    );
  }
  const sites = checkSites(options.sites, place.sites as readonly SiteName[]);
  const timesteps = indices(
    options.timestep,
    place.timesteps,
    { action: "sweep", owner: place.name, name: "timestep" },
  );
  const units = indices(options.unit, place.units, {
    action: "sweep",
    owner: place.name,
    name: "unit",
  });
  const patches = sites.flatMap((site) =>
    timesteps.flatMap((timestep) => units.map((unit): Patch => ({ site, timestep, unit })))
  );
  const source = options.from === undefined
    ? undefined
    : sourceOf(network, options.from, inputs, place);
  const run = { network, inputs, place, target, source };
  const [{ estimateEffects }, { multiplicationsOf, PatchedRuns }, { sweepAll }] = await Promise.all(
    [
      import("./patch_estimate.ts"),
      import("./patched_runs.ts"),
      import("./sweep_all.ts"),
    ],
  );
  const { fast = multiplicationsOf({ ...run, fast: true }, patches.length) > MOST_EXACT } = options;
  const runs = new PatchedRuns({ ...run, fast });
  const { baseline } = runs;
  const estimated = options.estimate === true;
  const effects = estimated
    ? estimateEffects(network, inputs, place, target, patches, source)
    : new Float64Array(patches.length).fill(NaN);
  const done = estimated ? patches.length : await sweepAll(runs, patches, effects, options);
  const aborted = done < patches.length;
  const sweep: PatchSweep = {
    target,
    name: nameOfOutput(target, classes),
    layer: place.name,
    sites,
    timesteps,
    units,
    effects: new Tensor(effects, [sites.length, timesteps.length, units.length]),
    baseline,
    estimated,
    precision: !estimated && runs.isFast ? "float32" : "float64",
    aborted,
    heatmap: (chosen) => sweepHeatmap(sweep, chosen),
  };
  return Object.freeze(shownAs("PatchSweep", sweep));
}

function sourceOf(
  network: Network,
  from: ModelInput,
  inputs: readonly Tensor[],
  { name }: LstmPlace,
): PatchSource {
  const others = network.checkInputs(from, "sweep");
  const wrong = others.findIndex(({ shape }, k) => !sameShape(shape, inputs[k]!.shape));
  if (wrong !== -1) {
    throw new TypeError(
      `Cannot sweep: the input that the values are taken from must have the other's shape ` +
        `${formatShape(inputs[wrong]!.shape)}, but its shape is ${
          formatShape(others[wrong]!.shape)
        }`,
    );
  }
  const { trace } = network.forward(others).traces.find((one) => one.name === name)!;
  return (site) => valueAt(trace, site);
}

function checkOutput({ outputShapes: [outputShape] }: Network): number {
  const [classes, ...rest] = outputShape!;
  if (typeof classes === "number" && rest.length === 0) return classes;
  throw new TypeError(
    `Cannot sweep: the output must be [batch, classes], but the shape of a sample is ` +
      `[${outputShape!.map((length) => length ?? "timesteps").join(", ")}]`,
  );
}

function checkSites(
  sites: readonly SiteName[] | undefined,
  own: readonly SiteName[],
): readonly SiteName[] {
  if (sites === undefined) return own;
  const unknown = sites.find((site) => !own.includes(site));
  if (unknown === undefined) return [...sites];
  throw new RangeError(
    `Cannot sweep: each site must be ${amongNames(unknown, own)}`,
  );
}
