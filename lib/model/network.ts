// A graph with its weights: what predicting, training and tracing all run. Shapes and numbers only;
// the public door in front of it is Model.

import { equalPart, finish, part, type Work } from "../base/work.ts";
import type { CellTrace } from "../cells/cell_run.ts";
import { valuesOfSite } from "../cells/cell_run.ts";
import { passer } from "../cells/lstm_forward.ts";
import type { SiteListener } from "../cells/sites.ts";
import { traceOfRun } from "../cells/trace_of_run.ts";
import type { Inside } from "../layers/inside.ts";
import {
  equationsBy,
  type LayerRun,
  type LayerState,
  type Mask,
  type OpenShape,
  type SiteListeners,
  type WeightSpec,
  wholeRun,
} from "../layers/layer.ts";
import { type Random, seededRandom } from "../tensor/random.ts";
import { formatShape, sameShape } from "../tensor/shape.ts";
import { asFloat32, asFloat64, asTensor, type Tensor, type TensorLike } from "../tensor/tensor.ts";
import { Gradients, type Variable } from "../values/gradients.ts";
import { numbersBy } from "../values/numbers.ts";
import type { Ops } from "../values/ops.ts";
import type { Product } from "../values/product.ts";
import { Float64Products } from "../compute/float64.ts";
import { FastLayers } from "./fast/fast_layers.ts";
import type { Graph, GraphInput, GraphNode, Place, PlacedLayer } from "./graph.ts";
import { checkInputShapes, type ModelInput, tensorsOf } from "./inputs.ts";
import { type States, walk, type WalkContext, type Walked } from "./walk.ts";

/** How the weights are kept and how a model computes. */
export type Precision = "float32" | "float64";

/** What one run may depend on besides input and weights. */
export interface NetworkContext {
  /** Whether dropout drops. */
  readonly training?: boolean;
  /** Where dropout draws from; there in training. */
  readonly random?: Random;
  /** Whether lib/compute may compute, in precision float32; the equations in float64 otherwise. */
  readonly fast?: boolean;
  /** Whether a fast run has traces as well; the equations' always has. */
  readonly records?: boolean;
  /** Who sees the values inside. */
  readonly listeners?: SiteListeners;
  /** The equations' operations, where somebody looks at them. */
  readonly ops?: Ops<Tensor>;
  /** Runs each layer in its own way, by how it would run; a layer is then one piece. */
  readonly around?: (run: LayerRun<Tensor>) => LayerRun<Tensor>;
}

/** What one run gave. */
export interface NetworkRun {
  /** `[batch, …]` each, in float64; a fast run's may be in float32. */
  readonly outputs: readonly Tensor[];
  /** The first of them. */
  readonly output: Tensor;
  /** Which steps of each output count; all where there is none. */
  readonly masks: readonly (Mask | undefined)[];
  /** Each node's results. */
  readonly results: readonly (readonly Tensor[])[];
  /** What happened inside each recurrent layer, and its name. */
  readonly traces: readonly NamedTrace[];
  /** The same, in pieces. */
  readonly tracesWork: () => Work<readonly NamedTrace[]>;
  /** The same as the equations had it; none of a fast run. */
  readonly insides: readonly Inside<Tensor>[];
  /** Where each stateful layer ended: `network.states` from now on, if the run is to count. */
  readonly states: NetworkStates;
}

/** A recurrent layer's trace. */
export interface NamedTrace {
  readonly name: string;
  readonly trace: CellTrace;
}

/** A run that gradients can go back through. */
export interface GradientRun
  extends Omit<NetworkRun, "results" | "insides" | "traces" | "tracesWork"> {
  readonly tape: Gradients;
  /** The outputs as the tape knows them. */
  readonly variables: readonly Variable[];
  /** What happened inside each recurrent layer. */
  readonly insides: readonly Inside<Variable>[];
  /** What becomes of each weight by a run in training; undefined where nothing does. */
  readonly updates: readonly (Tensor | undefined)[];
  /** From the gradients of the loss with respect to the outputs: those with respect to each weight. */
  readonly backward: (gradients: readonly Tensor[]) => Tensor[];
  /** The same, in pieces. */
  readonly backwardWork: (gradients: readonly Tensor[]) => Work<Tensor[]>;
}

/** What the stateful layers remember, by layer; undefined is zeros. */
export type NetworkStates = readonly (LayerState | undefined)[];

/** What is done, about, when gradients have gone back to the inputs: those of the weights are left. */
const BACK = 0.7;

/** A graph with its weights. */
export class Network implements Graph {
  readonly inputs: readonly GraphInput[];
  readonly layers: readonly PlacedLayer[];
  readonly nodes: readonly GraphNode[];
  readonly outputs: readonly Place[];
  readonly outputShapes: readonly OpenShape[];
  readonly areSamples: boolean;
  readonly isRow: boolean;
  readonly precision: Precision;
  readonly seed: number;
  /** What the stateful layers remember; who runs the network decides whether it takes the new. */
  states: NetworkStates;
  /**
   * How many samples a batch of a stateful network has, where its file tells: as in Keras, the next
   * batch goes on where this one ended, sample by sample.
   */
  batchSize: number | undefined;
  #kept: readonly Tensor[] | undefined; // float32 or float64, as the precision says
  #inFloat64: readonly Tensor[] | undefined;
  #fast: FastLayers | undefined;

  /** The weights start when they are first asked for. */
  constructor(graph: Graph, { precision, seed }: { precision: Precision; seed: number }) {
    this.inputs = graph.inputs;
    this.layers = graph.layers;
    this.nodes = graph.nodes;
    this.outputs = graph.outputs;
    this.outputShapes = graph.outputShapes;
    this.areSamples = graph.areSamples;
    this.isRow = graph.isRow;
    this.precision = precision;
    this.seed = seed;
    this.states = this.layers.map(() => undefined);
  }

  /** What each weight is, layer by layer in Keras's order; `name` is `lstm/kernel`. */
  get weightSpecs(): readonly WeightSpec[] {
    return this.layers.flatMap(({ name, weights }) =>
      weights.map((weight) => ({ ...weight, name: `${name}/${weight.name}` }))
    );
  }

  /** The numbers of the weights that training moves. */
  get trainable(): readonly number[] {
    return this.weightSpecs.flatMap(({ trainable = true }, k) => trainable ? [k] : []);
  }

  /** The weights in float64 (their values float32's, in that precision); not to be written into. */
  get weights(): readonly Tensor[] {
    return this.#inFloat64 ??= this.keptWeights.map(asFloat64);
  }

  /** Takes these in their place; the shapes are known to fit. */
  set weights(weights: readonly Tensor[]) {
    this.#kept = weights.map(this.precision === "float64" ? asFloat64 : asFloat32);
    this.#inFloat64 = undefined;
  }

  /** The weights in their precision; another array after each change, not to be written into. */
  get keptWeights(): readonly Tensor[] {
    if (this.#kept === undefined) {
      const random = seededRandom(this.seed);
      this.weights = this.weightSpecs.map(({ shape, initialize }) => initialize(shape, random));
    }
    return this.#kept!;
  }

  /** The inputs in float64, their shapes checked; of a stateful network one batch, or several. */
  checkInputs(
    x: ModelInput,
    action: string,
    { batches = 1 }: { batches?: 1 | "any" } = {},
  ): Tensor[] {
    const given = tensorsOf(x, this.inputs, action).map(asFloat64);
    checkInputShapes(given, this, action);
    const [batch] = given[0]!.shape;
    const { batchSize } = this;
    const isWhole = batchSize === undefined || batch === batchSize ||
      batches === "any" && batch! % batchSize === 0;
    if (!isWhole) {
      throw new TypeError(
        `Cannot ${action}: a stateful model's file tells its batch, and ` +
          (batches === "any" ? `the samples must be whole batches of ` : `the samples must be `) +
          `${batchSize}, but the input has ${batch}`,
      );
    }
    return given;
  }

  /** As many arrays as it has, of their shapes; throws where they are others. */
  checkWeights(weights: readonly TensorLike[]): Tensor[] {
    const specs = this.weightSpecs;
    if (!Array.isArray(weights) || weights.length !== specs.length) {
      const found = Array.isArray(weights) ? `${weights.length} were given` : "no list was given";
      throw new TypeError(`Cannot set the weights: the model has ${specs.length}, but ${found}`);
    }
    const given = weights.map((weight) => asTensor(weight));
    for (const [k, { name, shape }] of specs.entries()) {
      if (sameShape(given[k]!.shape, shape)) continue;
      throw new TypeError(
        `Cannot set the weights: weight ${k}, ${name}, must be ${formatShape(shape)}, ` +
          `but its shape is ${formatShape(given[k]!.shape)}`,
      );
    }
    return given;
  }

  /** Runs on checked inputs. Changes nothing: not even what stateful layers remember. */
  forward(inputs: readonly Tensor[], context: NetworkContext = {}): NetworkRun {
    return finish(this.forwardWork(inputs, context));
  }

  /** The same, in pieces. */
  *forwardWork(inputs: readonly Tensor[], context: NetworkContext = {}): Work<NetworkRun> {
    const { fast, records, listeners, ops = numbersOfRun(), around } = context;
    const insides: (Inside<Tensor> | NamedTrace)[] = [];
    const inside = (one: Inside<Tensor> | NamedTrace) => insides.push(one);
    const compute = this.#computing(fast);
    const work = compute?.run({ records: records ?? false, inside }) ?? equationsBy(ops);
    const walked = yield* this.#walk(ops, inputs, compute ? this.keptWeights : this.weights, {
      ...context,
      work: around ? around(wholeRun(work)) : work,
      inside,
      ...(listeners && {
        listen: (name: string) => listeners.has(name) ? passer(listeners.get(name)!) : undefined,
      }),
    });
    let traces: readonly NamedTrace[] | undefined;
    const tracesWork = function* () {
      return traces ??= yield* tracesOf(insides, listeners);
    };
    return {
      ...ofNumbers(walked, (x) => x),
      results: walked.results,
      insides: insides.flatMap((one) => "trace" in one ? [] : one),
      tracesWork,
      get traces() {
        return finish(tracesWork());
      },
    };
  }

  /** The same, so that gradients can go back through it. */
  forwardOnTape(inputs: readonly Tensor[], context: NetworkContext = {}): GradientRun {
    return finish(this.tapeWork(inputs, context));
  }

  /** The same, in pieces. */
  *tapeWork(inputs: readonly Tensor[], context: NetworkContext = {}): Work<GradientRun> {
    const tape = new Gradients(productOfRun());
    const insides: Inside<Variable>[] = [];
    const compute = this.#computing(context.fast);
    const kept = compute ? this.keptWeights : this.weights;
    const weights = kept.map((weight) => tape.leaf(weight));
    const work = compute?.runOnTape(tape) ?? equationsBy(tape);
    const walked = yield* this.#walk(tape, inputs.map((x) => tape.given(x)), weights, {
      ...context,
      work: (...run) => tape.within(run[3].name, () => work(...run)),
      inside: (one) => insides.push(one),
    });
    const backwardWork = function* (gradients: readonly Tensor[]): Work<Tensor[]> {
      const seeds = walked.outputs.map((output, k) => [output, gradients[k]!] as const);
      yield* part(tape.backwardWork(seeds), 0, BACK);
      const found: Tensor[] = [];
      for (const [k, weight] of weights.entries()) {
        const own = equalPart(tape.gradientWork(weight), k, weights.length);
        found.push(yield* part(own, BACK, 1));
      }
      return found;
    };
    return {
      ...ofNumbers(walked, ({ value }) => value),
      tape,
      variables: walked.outputs,
      insides,
      updates: walked.updates.map((update) => update?.value),
      backwardWork,
      backward: (gradients) => finish(backwardWork(gradients)),
    };
  }

  /** Some work on it, which it must stay as it is for: in turns, other code may change it meanwhile. */
  *whileUnchanged<T>(action: string, work: Work<T>): Work<T> {
    const { keptWeights, states } = this;
    for (;;) {
      const { done, value } = work.next();
      if (done === true) return value;
      yield value;
      const isSame = this.keptWeights === keptWeights &&
        this.states.every((state, k) => state === states[k]);
      if (isSame) continue;
      throw new TypeError(
        `Cannot ${action}: the model must stay as it is meanwhile, but its weights or what it ` +
          `remembers changed`,
      );
    }
  }

  /** A walk over any kind of value, from the states that are remembered. */
  walk<V>(o: Ops<V>, x: readonly Tensor[], context: WalkContext<V> = {}): Work<Walked<V>> {
    return this.#walk(
      o,
      x.map((one) => o.given(one)),
      this.weights.map((w) => o.given(w)),
      context,
    );
  }

  #walk<V>(
    o: Ops<V>,
    inputs: readonly V[],
    weights: readonly V[],
    context: WalkContext<V>,
  ): Work<Walked<V>> {
    const states: States<V> = this.states.map((layer) =>
      layer?.map((states) =>
        states.map((state) => (o.remembered ?? o.given).call(o, asFloat64(state)))
      )
    );
    return walk(this, inputs, weights, o, { states, ...context });
  }

  #computing(fast = false): FastLayers | undefined {
    return fast && this.precision === "float32" ? this.#fast ??= new FastLayers() : undefined;
  }
}

/** Who multiplies the matrices of one run in float64. */
export function productOfRun(): Product {
  const products = new Float64Products();
  return (...factors) => products.addProducts(...factors);
}

/** The equations in float64, their products as fast as they can be with the same bits. */
export function numbersOfRun(): Ops<Tensor> {
  return numbersBy(productOfRun());
}

/** Throws where a model has several outputs, of which only one can be meant. */
export function requireOneOutput({ outputs }: Graph, action: string): void {
  if (outputs.length === 1) return;
  throw new TypeError(
    `Cannot ${action}: the model must have one output, but it has ${outputs.length}; ` +
      `functional(inputs, output) makes a model of one of them`,
  );
}

/** What a walk gave, in numbers. */
function ofNumbers<V>({ outputs, masks, states }: Walked<V>, numbersOf: (x: V) => Tensor) {
  const found = outputs.map(numbersOf);
  return {
    outputs: found,
    output: found[0]!,
    masks,
    states: states.map((layer) => layer?.map((states) => states.map(numbersOf))),
  };
}

/** The traces of what happened on a tape, in pieces. */
export function tracesOfTape(insides: readonly Inside<Variable>[]): Work<NamedTrace[]> {
  return tracesOf(insides.map(valuesOf));
}

/** The traces of what happened, those that are there already among them. */
function* tracesOf(
  insides: readonly (Inside<Tensor> | NamedTrace)[],
  listeners?: SiteListeners,
): Work<NamedTrace[]> {
  const traces: NamedTrace[] = [];
  for (const [k, one] of insides.entries()) {
    if ("trace" in one) {
      traces.push(one);
      continue;
    }
    const { name } = one;
    const work = traceOfInside(one, listeners?.get(name));
    traces.push({ name, trace: yield* equalPart(work, k, insides.length) });
  }
  return traces;
}

/** What happened inside, in numbers alone. */
function valuesOf({ recurrence, x, weights, before, ...rest }: Inside<Variable>): Inside<Tensor> {
  const value = ({ value }: Variable) => value;
  const each = (values: Readonly<Record<string, Variable>>) =>
    Object.fromEntries(Object.entries(values).map(([site, one]) => [site, one.value]));
  const steps = recurrence.steps.map((step) => ({
    x: step.x.value,
    before: step.before.map(value),
    computed: each(step.computed),
    values: each(step.values),
    after: step.after.map(value),
  }));
  return {
    ...rest,
    x: x.value,
    weights: weights.map(value),
    before: before?.map(value),
    recurrence: { steps, order: recurrence.order, end: recurrence.end.map(value) },
  };
}

function* traceOfInside(inside: Inside<Tensor>, listen?: SiteListener): Work<CellTrace> {
  const { cell, recurrence: { steps } } = inside;
  const values = new Map<string, Tensor>();
  for (const site of cell.sites) {
    values.set(site, valuesOfSite(steps, site));
    yield values.size / cell.sites.length;
  }
  return traceOfRun(cell, (site) => values.get(site)!, { ...inside, listen });
}
