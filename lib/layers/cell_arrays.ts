// The arrays of a cell of one's own: those that its step asks for, found by trying it.

import { amongNames } from "../base/names.ts";
import { kindOf } from "../base/kind.ts";
import { seededRandom } from "../tensor/random.ts";
import { formatShape, sameShape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { equationsOf } from "../values/equations.ts";
import { Gradients } from "../values/gradients.ts";
import { numbers } from "../values/numbers.ts";
import type { Ops } from "../values/ops.ts";
import type { AnyDefinition, AnyWeights } from "./define_cell.ts";
import { glorotUniform, type Initializer, orthogonal, startOf } from "./initializers.ts";
import type { WeightSpec } from "./layer.ts";

/** Those that have a part for each gate, in the order of the layer's arrays. */
const BY_GATE = [
  { letter: "W", name: "kernel", called: "kernel", initialize: glorotUniform },
  { letter: "U", name: "recurrent_kernel", called: "recurrentKernel", initialize: orthogonal },
  { letter: "b", name: "bias", called: "bias", initialize: undefined },
] as const;
type Letter = typeof BY_GATE[number]["letter"];

/** A cell's arrays. */
export interface CellArrays {
  /** Their names, as a trace's run has them. */
  readonly names: readonly string[];
  /** The gates that each has a part for; none of an array of another shape. */
  readonly gates: readonly (readonly string[])[];
  /** Their shapes, and how they start. */
  readonly specs: (inputSize: number, units: number) => WeightSpec[];
  /** As the step reads them, from those of the layer. */
  readonly parts: <V>(o: Ops<V>, all: readonly V[]) => AnyWeights<V>;
}

/** The sizes that a step is tried with: all different, so that one in another's place shows. */
const TRIED = { batch: 2, inputSize: 3, units: 5 };

/**
 * The arrays that a step asks for.
 *
 * @throws {TypeError} where the step is not what its description says.
 */
export function cellArrays(definition: AnyDefinition): CellArrays {
  const asked: Record<Letter, Set<string>> = { W: new Set(), U: new Set(), b: new Set() };
  const { gates, weights = {}, start = {} } = definition;
  tryStep(definition, numbers, (x) => x, (letter, gate) => asked[letter].add(gate));
  tryStep(definition, new Gradients(), (x, o) => (o as Gradients).leaf(x), () => {});

  const blocks = BY_GATE.map((array) => ({
    ...array,
    gates: gates.filter((gate) => asked[array.letter].has(gate)),
  })).filter(({ gates }) => gates.length > 0);
  const own = Object.entries(weights);
  const read = new WeakMap<readonly unknown[], AnyWeights<never>>(); // once a run, not once a step
  return {
    names: [...blocks.map(({ called }) => called), ...own.map(([name]) => name)],
    gates: [...blocks.map(({ gates }) => gates), ...own.map(() => [])],
    specs: (inputSize, units) => [
      ...blocks.map(({ letter, name, gates, initialize }) => ({
        name,
        shape: [...rowsOf(letter, { inputSize, units }), gates.length * units],
        initialize: initialize ?? biasStart(gates.map((gate) => start[gate] ?? 0), units),
      })),
      ...own.map(([name, axes]) => {
        const shape = axes.map((axis) =>
          typeof axis === "number" ? axis : axis === "units" ? units : inputSize
        );
        const from = start[name];
        return { name, shape, initialize: from === undefined ? startOf(shape) : filled(from) };
      }),
    ],
    parts: <V>(o: Ops<V>, all: readonly V[]) => {
      const known = read.get(all);
      if (known !== undefined) return known as AnyWeights<V>;
      const found: Record<string, V | Record<string, V>> = { W: {}, U: {}, b: {} };
      blocks.forEach(({ letter, gates }, k) => {
        const parts = o.blocks(all[k]!, gates.length);
        found[letter] = Object.fromEntries(gates.map((gate, n) => [gate, parts[n]!]));
      });
      own.forEach(([name], k) => found[name] = all[blocks.length + k]!);
      read.set(all, found as AnyWeights<never>);
      return found as AnyWeights<V>;
    },
  };
}

function rowsOf(letter: Letter, { inputSize, units }: typeof TRIED | Omit<typeof TRIED, "batch">) {
  return letter === "b" ? [] : [letter === "W" ? inputSize : units];
}

const filled = (value: number): Initializer => (shape) =>
  new Tensor(new Float64Array(shape.reduce((a, b) => a * b, 1)).fill(value), shape);

const biasStart = (from: readonly number[], units: number): Initializer => (shape) =>
  new Tensor(
    Float64Array.from({ length: from.length * units }, (_, k) => from[k / units | 0]!),
    shape,
  );

/** Runs a step once, on numbers of no meaning: each gate and state must pass, in the right shape. */
function tryStep<V>(
  { kind, gates, states, weights = {}, step }: AnyDefinition,
  o: Ops<V>,
  valueOf: (x: Tensor, o: Ops<V>) => V,
  asks: (letter: Letter, gate: string) => void,
): void {
  const random = seededRandom(1);
  const { batch, inputSize, units } = TRIED;
  const some = (shape: readonly number[]) => {
    const length = shape.reduce((a, b) => a * b, 1);
    return valueOf(
      new Tensor(Float64Array.from({ length }, () => random.uniform() - 0.5), shape),
      o,
    );
  };
  const refuse = (rule: string, found: string, cause?: unknown) =>
    new TypeError(`Cannot define ${kind}: ${rule}, but ${found}`, { cause });
  const given: Record<string, unknown> = {};
  for (const { letter } of BY_GATE) {
    const parts: Record<string, V> = {};
    given[letter] = new Proxy(parts, {
      get: (_, gate) => {
        if (typeof gate !== "string" || !gates.includes(gate)) {
          throw refuse(
            `${letter} has a part for each gate`,
            `its step asks for ${letter}.${String(gate)}: a gate is ${amongNames(gate, gates)}`,
          );
        }
        asks(letter, gate);
        return parts[gate] ??= some([...rowsOf(letter, TRIED), units]);
      },
    });
  }
  for (const [name, axes] of Object.entries(weights)) {
    given[name] = some(axes.map((axis) => typeof axis === "number" ? axis : TRIED[axis]));
  }
  const before = Object.fromEntries(states.map((state) => [state, some([batch, units])]));
  const sites = [...gates.map((gate) => `gates.${gate}`), ...states];
  const passed = new Set<string>();
  const at = (site: string, value: V) => {
    if (!sites.includes(site)) {
      throw refuse("at() takes one of its sites", `the site must be ${amongNames(site, sites)}`);
    }
    if (passed.has(site)) throw refuse("each site is passed once", `${site} is passed again`);
    passed.add(site);
    const shape = shapeIfAny(o, value);
    if (shape === undefined || !sameShape(shape, [batch, units])) {
      throw refuse(
        `each gate and state must be [batch, units]`,
        `${site} is ${shape === undefined ? kindOf(value) : formatShape(shape)} ` +
          `where batch is ${batch}, inputSize ${inputSize} and units ${units}`,
      );
    }
    return value;
  };
  try {
    step(
      equationsOf(o),
      { x: some([batch, inputSize]), ...before } as { readonly x: V } & Record<string, V>,
      given as AnyWeights<V>,
      at,
    );
  } catch (error) {
    if (error instanceof TypeError && error.message.startsWith(`Cannot define ${kind}`)) {
      throw error;
    }
    throw refuse(
      "its step must compute with o alone, the shapes [batch, inputSize] and [batch, units]",
      `it throws: ${error instanceof Error ? error.message : String(error)}`,
      error,
    );
  }
  const missing = sites.find((site) => !passed.has(site));
  if (missing !== undefined) {
    throw refuse("its step passes each gate and state by at()", `${missing} is not passed`);
  }
}

function shapeIfAny<V>(o: Ops<V>, value: V): readonly number[] | undefined {
  try {
    return o.numbers(value).shape;
  } catch {
    return undefined;
  }
}
