// What stands between a model's last LSTM and its logits, from the logits back.

import type { Inside } from "../layers/inside.ts";
import type { GradientRun } from "../model/network.ts";
import { add, dot, multiply } from "../tensor/arithmetic.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Activation } from "../values/activations.ts";
import type { Variable } from "../values/gradients.ts";
import { moveBack } from "../values/moves.ts";
import { operandsOf } from "../values/origin.ts";
import { absolute, rescale } from "./rescale.ts";

/** A run's logits: its output before the activations that close it, a softmax for example. */
export interface Logits {
  /** `[batch, classes]` */
  readonly logits: Variable;
  /** What is done with the logits. */
  readonly closing: readonly Activation[];
}

/** The logits of a run whose output is `[batch, classes]`. */
export function logitsOf({ variables: [output] }: GradientRun, action: string): Logits {
  let logits = output!;
  const closing: Activation[] = [];
  while (logits.origin.op === "apply") {
    if (logits.origin.f.activationName !== "linear") closing.unshift(logits.origin.f);
    logits = logits.origin.x;
  }
  if (logits.value.shape.length === 2) return { logits, closing };
  throw new TypeError(
    `Cannot ${action}: a model's output must be [batch, classes], from the last hidden state of its ` +
      `last LSTM alone, but its shape is [${logits.value.shape.join(", ")}]`,
  );
}

/** A logit as a weighted sum of the last hidden states, for each sample. */
export interface LogitOfHidden {
  /** `[batch]` */
  readonly logit: Tensor;
  /** Of each LSTM that hands on to it, `[batch, units]`: logit = Σ factor·h + bias + unshared */
  readonly factors: ReadonlyMap<Inside<Variable>, Tensor>;
  /** What the biases give, `[batch]`. */
  readonly bias: Tensor;
  /** What activations between the layers gave that nothing could be held to, `[batch]`. */
  readonly unshared: Tensor;
}

/**
 * The logit `target` as a sum over the last hidden states of the last LSTMs on the way to it.
 *
 * @throws {TypeError} where something else than sums, activations and moves stands between.
 */
export function logitOfHidden(
  { tape, insides }: GradientRun,
  { logits }: Logits,
  target: number,
  action: string,
): LogitOfHidden {
  const ends = new Map(insides.map((inside) => [endOf(inside), inside]));
  const later = dependents(tape.variables, ends);
  const batch = logits.value.shape[0]!;
  const classes = logits.value.shape[1]!;
  const factors = new Map<Variable, Tensor>([[logits, oneHot(batch, classes, target)]]);
  const found = new Map<Inside<Variable>, Tensor>();
  const [bias, unshared] = [new Float64Array(batch), new Float64Array(batch)];
  const give = (to: Variable, factor: Tensor, into = bias) => {
    if (later.has(to)) {
      const known = factors.get(to);
      factors.set(to, known === undefined ? factor : add(known, factor));
    } else addPerSample(into, multiply(factor, to.value)); // what no LSTM has a part in
  };
  for (const variable of tape.variables.toReversed()) {
    const factor = factors.get(variable);
    if (factor === undefined || factor.data.every((value) => value === 0)) continue;
    const inside = ends.get(variable);
    if (inside !== undefined) {
      found.set(inside, factor);
      continue;
    }
    const { origin } = variable;
    if (origin.op === "affine") {
      for (const [x, W] of origin.terms) give(x, dot(factor, W.value.transpose()));
      if (origin.b !== undefined) addPerSample(bias, multiply(factor, origin.b.value));
    } else if (origin.op === "apply") {
      const { x, f } = origin;
      const { factor: m, rest } = rescale(f, x.value, sizeOfAddends(x));
      addPerSample(unshared, multiply(factor, rest));
      give(x, multiply(factor, m));
    } else if (origin.op === "sum") {
      for (const x of origin.xs) give(x, multiply(factor, origin.factor));
    } else if (origin.op === "reshape") {
      give(origin.x, factor.reshape(origin.x.value.shape));
    } else if (origin.op === "arrange") {
      origin.sources.forEach((x, k) => {
        const back = new Float64Array(x.value.data.length);
        moveBack(back, k, factor.data, origin.moves);
        give(x, new Tensor(back, x.value.shape));
      });
    } else {
      throw new TypeError(
        `Cannot ${action}: between the last hidden state of the last LSTM and the logits there may be ` +
          `sums, activations and moves, as of Dense, Dropout and Activation, but ` +
          `${variable.scope} multiplies values, or hands on other hidden states`,
      );
    }
  }
  if (found.size === 0) {
    throw new TypeError(`Cannot ${action}: a model needs an LSTM, but it has none`);
  }
  const tensor = (values: Float64Array<ArrayBuffer>) => new Tensor(values, [batch]);
  return {
    logit: logits.value.select(1, target),
    factors: found,
    bias: tensor(bias),
    unshared: tensor(unshared),
  };
}

/** h after the step computed last. */
export function endOf({ recurrence: { steps, order } }: Inside<Variable>): Variable {
  return steps[order.at(-1)!]!.values.hiddenState!;
}

/** All that depends on the ends of the LSTMs, these included. */
function dependents(
  variables: readonly Variable[],
  ends: ReadonlyMap<Variable, unknown>,
): Set<Variable> {
  const found = new Set<Variable>(ends.keys());
  for (const one of variables) if (operandsOf(one.origin).some((x) => found.has(x))) found.add(one);
  return found;
}

/** Σ|addend| of what an activation got: of the sum before it, or the value itself. */
function sizeOfAddends({ origin, value }: Variable): Tensor {
  if (origin.op !== "affine") return absolute(value);
  const terms = origin.terms.map(([x, W]) => dot(absolute(x.value), absolute(W.value)));
  return add(...terms, origin.b === undefined ? 0 : absolute(origin.b.value));
}

function oneHot(batch: number, classes: number, target: number): Tensor {
  const data = new Float64Array(batch * classes);
  for (let n = 0; n < batch; n++) data[n * classes + target] = 1;
  return new Tensor(data, [batch, classes]);
}

function addPerSample(into: Float64Array, { data }: Tensor): void {
  const each = data.length / into.length;
  for (let k = 0; k < data.length; k++) into[Math.floor(k / each)]! += data[k]!;
}

/** `[batch, units]` becomes `[batch]`. */
export function sumUnits(x: Tensor): Tensor {
  return dot(x, new Tensor(new Float64Array(x.shape.at(-1)!).fill(1), [x.shape.at(-1)!]));
}
