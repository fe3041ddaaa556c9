// A gated cell of one's own: its equations, written once, and a layer of them.

import { kindOf } from "../base/kind.ts";
import { checkParts, type KeysOf } from "../base/options.ts";
import type { Cell, CellStep } from "../cells/cell.ts";
import { sigmoid, tanh } from "../values/activations.ts";
import { type Equations, equationsOf } from "../values/equations.ts";
import type { Ops } from "../values/ops.ts";
import { type CellArrays, cellArrays } from "./cell_arrays.ts";
import { checkOptions, definedOptions } from "./layer_options.ts";
import {
  recurrentDefaults,
  type RecurrentLayer,
  recurrentLayer,
  type RecurrentOptions,
  recurrentRules,
} from "./recurrent.ts";
import { kindOfLayer } from "./table.ts";

/** The options of a layer of a cell of one's own. */
export type CellLayerOptions = Omit<
  RecurrentOptions,
  "activation" | "useBias" | "dropout" | "recurrentDropout"
>;

/** What a step starts from, `[batch, …]` each: the input of the step, and the states by name. */
export type StepValues<V, S extends string> = { readonly x: V } & { readonly [state in S]: V };

/** A cell's arrays as its step reads them. */
export type StepWeights<V, G extends string, K extends string> =
  & {
    /** Each gate's kernel, `[inputSize, units]`. */
    readonly W: { readonly [gate in G]: V };
    /** Each gate's recurrent kernel, `[units, units]`. */
    readonly U: { readonly [gate in G]: V };
    /** Each gate's bias, `[units]`. */
    readonly b: { readonly [gate in G]: V };
  }
  & { readonly [weight in K]: V };

/** An array's axes: `["units"]`, `["inputSize", "units"]`, or numbers. */
export type WeightAxes = readonly ("inputSize" | "units" | number)[];

/** A gated cell as one describes it. */
export interface CellDefinition<G extends string, S extends string, K extends string = never> {
  /** What its layers are called, as Keras's classes are: `"MinGRU"`. */
  readonly kind: string;
  /** The gates, a candidate among them: what is looked at and intervened in, besides the states. */
  readonly gates: readonly G[];
  /** What goes from step to step; the last one is `"hiddenState"`, which the layer hands on. */
  readonly states: readonly S[];
  /**
   * Arrays besides W, U and b: each by its axes. A matrix starts as a kernel does (Glorot), all else
   * at 0, or at the number of `start`. Default: none.
   */
  readonly weights?: { readonly [weight in K]: WeightAxes };
  /** Where biases of gates and arrays of `weights` start, one number each. Default: 0. */
  readonly start?: { readonly [name in NoInfer<G | K>]?: number };
  /**
   * One step. Each gate and each state passes `at`, by its site, right after it is computed, and what
   * `at` returns is used from there on: `const z = at("gates.update", o.sigmoid(…))`.
   */
  readonly step: <V>(
    o: Equations<V>,
    values: StepValues<V, S>,
    weights: StepWeights<V, G, K>,
    at: (site: `gates.${G}` | S, value: V) => V,
  ) => void;
}

/** One with whatever names. */
export interface AnyDefinition extends Omit<CellDefinition<string, string, string>, "step"> {
  readonly step: <V>(
    o: Equations<V>,
    values: Readonly<Record<string, V>>,
    weights: AnyWeights<V>,
    at: (site: string, value: V) => V,
  ) => void;
}

/** W, U and b by gate, and other arrays. */
export type AnyWeights<V> = Readonly<Record<string, V | Readonly<Record<string, V>>>>;

const DEFINITION: KeysOf<CellDefinition<string, string>> = {
  kind: "required",
  gates: "required",
  states: "required",
  weights: "optional",
  start: "optional",
  step: "required",
};

// all but what a step says itself
const { activation: _a, useBias: _b, dropout: _c, recurrentDropout: _d, ...rules } = recurrentRules;
const { activation: _e, useBias: _f, dropout: _g, recurrentDropout: _h, ...defaults } =
  recurrentDefaults;

/** What a cell of one's own has not: its step writes its functions itself. */
const NONE = { functions: { φ: tanh, σ: sigmoid }, options: { dropout: 0, recurrentDropout: 0 } };

/**
 * A gated cell of your own: a function that makes layers of it, as `lstm()` makes LSTMs. What they
 * need follows from the one step: training, {@linkcode trace} with every gate and state,
 * interventions, {@linkcode prove}, patch sweeps, masks, both directions.
 *
 * The step is written with `o` alone ({@linkcode Equations}), since a value is a tensor when the
 * layer predicts, and something else when it learns or is proved. W, U and b have a part for each
 * gate; those that the step never asks for are not there. A step is tried when it is defined.
 *
 * Its layers predict by the equations; Keras and ONNX have no name for them, so that `saveKeras` and
 * `saveOnnx` refuse them.
 *
 * @param definition kind, gates, states and the step
 * @returns `(options) => layer`, with the options of {@linkcode CellLayerOptions}
 * @throws {TypeError} where the description is incomplete, or its step cannot be what it says.
 *
 * @example minGRU (Feng et al. 2024, "Were RNNs All We Needed?", section 3.1)
 * ```ts
 * import { defineCell, dense, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const minGru = defineCell({
 *   kind: "MinGRU",
 *   gates: ["update", "candidate"],
 *   states: ["hiddenState"],
 *   step(o, { x, hiddenState: h }, { W, b }, at) {
 *     const z = at("gates.update", o.sigmoid(o.affine([[x, W.update]], b.update)));
 *     const h̃ = at("gates.candidate", o.affine([[x, W.candidate]], b.candidate));
 *     at("hiddenState", o.sumOfProducts([o.oneMinus(z), h], [z, h̃]));
 *   },
 * });
 * const model = sequential([minGru({ units: 8 }), dense({ units: 1 })], { inputShape: [null, 2] });
 * assertEquals(model.getWeights().map(({ shape }) => shape), [[2, 16], [16], [8, 1], [1]]);
 * ```
 */
export function defineCell<
  const G extends string,
  const S extends string,
  const K extends string = never,
>(definition: CellDefinition<G, S, K>): (options: CellLayerOptions) => RecurrentLayer {
  const own = definition as unknown as AnyDefinition;
  checkDefinition(own);
  const { kind } = own;
  const owner = `${/^[AEIOU]/.test(kind) ? "an" : "a"} ${kind}`;
  const arrays = cellArrays(own);
  const cell = cellOf(own, arrays);

  const make = (options: RecurrentOptions): RecurrentLayer =>
    recurrentLayer<RecurrentOptions>({
      className: kind,
      cell,
      owner,
      options: { ...NONE.options, ...options } as Required<RecurrentOptions>,
      functions: NONE.functions,
      config: { step: own.step },
      arrays: (inputSize) => arrays.specs(inputSize, options.units),
      make,
    });
  return (options) => {
    const chosen = { ...defaults, ...definedOptions(owner, options) };
    checkOptions(owner, chosen, rules);
    return make(chosen);
  };
}

/** The cell as a layer runs it. */
function cellOf({ kind, gates, states, step }: AnyDefinition, arrays: CellArrays): Cell {
  return {
    kind,
    gates,
    states,
    sites: [...gates.map((gate) => `gates.${gate}`), ...states],
    biases: 1,
    functions: [],
    arrays: arrays.names,
    arrayGates: arrays.gates,
    traceName: kind,
    step<V>(o: Ops<V>, x: V, before: readonly V[], { all, at }: CellStep<V>): V[] {
      const after: Record<string, V> = {};
      const values = Object.fromEntries(states.map((state, k) => [state, before[k]!]));
      step(
        equationsOf(o),
        { ...values, x },
        arrays.parts(o, all!),
        (site, value) => after[site] = at(site, value),
      );
      return states.map((state) => after[state]!);
    },
  };
}

function checkDefinition(definition: AnyDefinition): void {
  checkParts("define a cell", "its description", definition, DEFINITION);
  const { kind, gates, states, weights = {}, start = {}, step } = definition;
  const refuse = (rule: string, found: string) =>
    new TypeError(`Cannot define ${kind}: ${rule}, but ${found}`);
  if (typeof kind !== "string" || !/^[A-Z][A-Za-z0-9]*$/.test(kind)) {
    throw new TypeError(
      `Cannot define a cell: its kind must be a name as "MinGRU", of letters and digits, but it is ` +
        (typeof kind === "string" ? JSON.stringify(kind) : kindOf(kind)),
    );
  }
  if (kindOfLayer(kind) !== undefined) {
    throw refuse("its kind must be a name of its own", `${kind} is Keras's`);
  }
  const names = { gates, states, weights: Object.keys(weights) };
  for (const [what, list] of Object.entries(names)) {
    const isName = (name: unknown) =>
      typeof name === "string" && /^\p{L}[\p{L}\p{M}\p{N}_]*$/u.test(name);
    if (!Array.isArray(list) || !list.every(isName) || new Set(list).size < list.length) {
      const found = Array.isArray(list) ? JSON.stringify(list) : kindOf(list);
      throw refuse(`its ${what} must be names, each once`, `they are ${found}`);
    }
  }
  if (states.at(-1) !== "hiddenState") {
    throw refuse(
      `the last of its states must be "hiddenState", which the layer hands on`,
      `they are ${JSON.stringify(states)}`,
    );
  }
  const taken = ["W", "U", "b", "x", "gates", "source"];
  const wrong = [...states, ...names.weights].find((name) => taken.includes(name));
  if (wrong !== undefined) {
    throw refuse(
      `its states and weights have names besides ${taken.join(", ")}`,
      `one is ${wrong}`,
    );
  }
  for (const [name, axes] of Object.entries(weights)) {
    const isAxis = (axis: unknown) =>
      axis === "inputSize" || axis === "units" ||
      typeof axis === "number" && Number.isSafeInteger(axis) && axis > 0;
    if (Array.isArray(axes) && axes.length > 0 && axes.every(isAxis)) continue;
    throw refuse(
      `the axes of ${name} must be a list of "inputSize", "units" and whole numbers from 1`,
      `they are ${JSON.stringify(axes)}`,
    );
  }
  for (const [name, from] of Object.entries(start)) {
    if (![...gates, ...names.weights].includes(name)) {
      const known = [...gates, ...names.weights];
      throw refuse(
        "what starts somewhere is a gate or one of its weights",
        `${name} is none of ${known.join(", ")}`,
      );
    }
    if (!Number.isFinite(from)) throw refuse(`${name} must start at a number`, `it is ${from}`);
  }
  if (typeof step !== "function") {
    throw refuse("its step must be a function", `it is ${kindOf(step)}`);
  }
}
