// A layer's equation as a routine: its own `run`, over values that are yet to come.

import { indexOf, symbolOf } from "../cells/sites.ts";
import type { Anchor } from "../cells/recurrence.ts";
import type { Layer, LayerContext } from "../layers/layer.ts";
import { recurrenceOf, type RecurrentLayer } from "../layers/recurrent.ts";
import { Tensor } from "../tensor/tensor.ts";
import { isBuiltIn } from "../values/built_in.ts";
import {
  isElementwise,
  lengthOf,
  type Loop,
  operandsOf,
  placeOf,
  type Recorded,
} from "./recorded.ts";
import { NotYetKnown, Recording } from "./recording.ts";
import type { Routine } from "./routine.ts";

/** A weight, and its name: `lstm/kernel`. */
export interface NamedWeight {
  readonly tensor: Tensor;
  readonly label: string;
}

type Run = LayerContext<Recorded>["run"];

/** What is said of a model that is no program. */
export const refuse = (rule: string, found: string): TypeError =>
  new TypeError(`Cannot write a model as a program: ${rule}, but ${found}`);

/** One step of a recurrent layer: `[1, 1, size]` and its states become the states after. */
export function stepRoutine(
  name: string,
  layer: Layer,
  inputSize: number,
  weights: readonly NamedWeight[],
  o: Recording = new Recording(),
): Routine {
  const { cell, make } = recurrenceOf(layer)!;
  const { options } = layer as RecurrentLayer;
  if (options.returnState) {
    throw refuse(
      "a layer's states are no results of their own",
      `${name} (${layer.className}) returns them`,
    );
  }
  const one = make({ ...options, goBackwards: false, returnSequences: false, stateful: false });
  const x = o.input(0, [1, 1, inputSize], "x");
  const states = cell.states.map((state, k) =>
    o.state(k, [1, options.units], symbolOf(state, cell.sites))
  );
  const pass: Anchor<Recorded> = (value, { site }) => {
    const label = symbolOf(site, cell.sites);
    const isFree = value.site === undefined && value.op.kind !== "state" &&
      placeOf(value).root === value && value.op.kind !== "constant";
    const own = isFree ? value : o.add1(value.shape, { kind: "sum", xs: [value] });
    own.label = label;
    own.site = { layer: name, site };
    nameArgument(own, indexOf(label));
    return own;
  };
  const { outputs, states: after } = recorded(
    name,
    layer,
    () =>
      one.run(o, [x], weights.map(({ tensor, label }) => o.named(tensor, label)), {
        ...contextOf(name, (inner, ...rest) => inner.run(o, ...rest)),
        states: [states],
        keepsStates: true,
        anchor: () => pass,
      }),
  );
  return {
    name,
    title: `${layer.className}, one timestep: [${inputSize}] to [${options.units}]`,
    inputs: [x],
    states,
    after: after![0]!,
    output: outputs[0]!,
    values: o.values,
  };
}

/** z_f, where f = σ(z_f) and z_f is a part of z; of sums and products inside of the function too. */
function nameArgument(value: Recorded, index: string): void {
  for (const operand of operandsOf(value)) {
    if (operand.op.kind === "part") {
      const { root } = placeOf(operand);
      if (root.op.kind !== "affine") continue;
      root.label ??= defaultName(root);
      operand.label ??= `${root.label}_${index}`;
    } else if (operand.site === undefined && isElementwise(operand)) nameArgument(operand, index);
  }
}

/** `xW` for x·W, `z` for a sum of such. */
function defaultName({ op }: Recorded): string {
  if (op.kind !== "affine" || op.terms.length > 1) return "z";
  const [[x, W]] = op.terms as [[Recorded, Recorded]];
  return `${placeOf(x).root.label}${W.label?.endsWith("recurrent_kernel") ? "U" : "W"}`;
}

/** A layer on values of these shapes, the batch of 1 included. */
export function layerRoutine(
  name: string,
  layer: Layer,
  shapes: readonly (readonly number[])[],
  weights: readonly NamedWeight[],
  /** Of the result's timesteps the last one alone. */
  lastAlone = false,
  o: Recording = new Recording(),
): Routine {
  const inputs = shapes.map((shape, k) => o.input(k, shape, shapes.length === 1 ? "x" : `x${k}`));
  const own = weights.map(({ tensor, label }) => o.named(tensor, label));
  const run: Run = (inner, given, innerWeights, context) =>
    recurrenceOf(inner) === undefined
      ? inner.run(o, given, innerWeights, context)
      : { outputs: [loopOf(o, inner, given, innerWeights, context.name)] };
  const whole = recorded(
    name,
    layer,
    () =>
      layer.takes === "words"
        ? o.lookup(wordsOf(o, layer, own, contextOf(name, run)), inputs[0]!)
        : run(layer, inputs, own, contextOf(name, run, shapes.length)).outputs[0]!,
  );
  const output = lastAlone ? lastTimestep(o, whole) : whole;
  const axes = ({ shape }: Recorded) => `[${shape.slice(1).join(", ")}]`;
  return {
    name,
    title: `${layer.className}: ${inputs.map(axes).join(" and ")} to ${axes(output)}`,
    inputs,
    states: [],
    after: [],
    output,
    values: o.values,
  };
}

function lastTimestep(o: Recording, x: Recorded): Recorded {
  const [, , ...rest] = x.shape;
  const shape = [1, 1, ...rest];
  const size = shape.reduce((a, b) => a * b);
  return o.narrowed(x, lengthOf(x) - size, shape);
}

/** What each word of a vocabulary becomes: a table. */
function wordsOf(
  o: Recording,
  layer: Layer,
  weights: readonly Recorded[],
  context: LayerContext<Recorded>,
): Recorded {
  const [first] = weights;
  if (first!.op.kind === "weight") return first!;
  const words = first!.shape[0]!;
  const each = Float64Array.from({ length: words }, (_, word) => word);
  const table = layer.run(o, [o.given(new Tensor(each, [words]))], weights, context).outputs[0]!;
  return o.named(o.numbers(table).reshape([words, lengthOf(table) / words]), first!.label!);
}

/** A recurrent layer inside of another, or of a model that needs the whole sequence. */
function loopOf(
  o: Recording,
  layer: Layer,
  [x, ...more]: readonly Recorded[],
  weights: readonly Recorded[],
  name: string,
): Recorded {
  if (more.length > 0) {
    throw refuse("recurrent layers start from zeros", `${name} is given its first states`);
  }
  const { options } = layer as RecurrentLayer;
  const [batch, timesteps, inputSize] = x!.shape as [number, number, number];
  const named = weights.map((weight) => ({ tensor: o.numbers(weight), label: weight.label! }));
  const op: Loop = {
    kind: "loop",
    step: stepRoutine(name, layer, inputSize, named, o.another()),
    x: x!,
    backwards: options.goBackwards,
    sequence: options.returnSequences,
  };
  const { units } = options;
  return o.add1(options.returnSequences ? [batch, timesteps, units] : [batch, units], op);
}

function contextOf(name: string, run: Run, count = 1): LayerContext<Recorded> {
  return { name, training: false, masks: new Array(count).fill(undefined), run };
}

/** Runs an equation; one that asks for numbers that are not there yet is refused by name. */
function recorded<T>(name: string, layer: Layer, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof NotYetKnown)) throw error;
    throw refuse(
      "what a layer does must not depend on the numbers that it gets",
      `${name} (${layer.className}) decides by them`,
    );
  }
}

/** Throws where a function is not one of `getActivation`'s, whose text is known. */
export function checkFunctions({ name, values }: Routine): void {
  for (const { op } of values) {
    if (op.kind === "loop") checkFunctions(op.step);
    if (op.kind !== "apply" || isBuiltIn(op.f)) continue;
    throw refuse(
      "each activation must be one of getActivation's",
      `${name} has one of your own, ${op.f.activationName}`,
    );
  }
}
