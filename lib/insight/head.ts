// What stands between a model's last recurrent layer and its logits, from the logits back.

import { finish } from "../base/work.ts";
import type { Inside } from "../layers/inside.ts";
import type { GradientRun } from "../model/network.ts";
import { dot } from "../tensor/arithmetic.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Activation } from "../values/activations.ts";
import { isNamed } from "../values/built_in.ts";
import type { Variable } from "../values/gradients.ts";
import { dependents, give, sharesOf, sizesOf } from "./shares.ts";

/** A run's logits: its output before the activations that close it, a softmax for example. */
export interface Logits {
  /** `[batch, classes]` */
  readonly logits: Variable;
  /** What is done with the logits. */
  readonly closing: readonly Activation[];
}

/** The logits of a run whose output is `[batch, classes]`. */
export function logitsOf(
  { variables: [output], insides }: GradientRun,
  action: string,
): Logits {
  const ends = new Set(insides.map(endOf)); // a SimpleRNN's own activation closes no output
  let logits = output!;
  const closing: Activation[] = [];
  while (logits.origin.op === "apply" && !ends.has(logits)) {
    if (logits.origin.f.activationName !== "linear") closing.unshift(logits.origin.f);
    logits = logits.origin.x;
  }
  if (logits.value.shape.length === 2) return { logits, closing };
  throw new TypeError(
    `Cannot ${action}: a model's output must be [batch, classes], from the last hidden state of its ` +
      `last recurrent layer alone, but its shape is [${logits.value.shape.join(", ")}]`,
  );
}

/** The activations that make a probability of a logit. */
const OF_LOGITS = ["softmax", "log_softmax", "sparsemax", "sigmoid", "log_sigmoid"] as const;

/** What is explained, in words: `logit of class 1`, a regression's `output`, `output 1 before relu`. */
export function nameOfLogit({ logits, closing }: Logits, target: number): string {
  const count = logits.value.shape[1]!;
  if (closing.some((activation) => isNamed(activation, ...OF_LOGITS))) {
    return count === 1 ? "logit" : `logit of class ${target}`;
  }
  const before = closing.map(({ activationName }) => ` before ${activationName}`);
  return nameOfOutput(target, count) + (before[0] ?? "");
}

/** What an output is called: `output`, or `output 1` of several. */
export function nameOfOutput(target: number, count: number): string {
  return count === 1 ? "output" : `output ${target}`;
}

/** A logit as a weighted sum of the last hidden states, for each sample. */
export interface LogitOfHidden {
  /** `[batch]` */
  readonly logit: Tensor;
  /** Of each recurrent layer that hands on to it, `[batch, units]`: logit = Σ factor·h + bias + unshared */
  readonly factors: ReadonlyMap<Inside<Variable>, Tensor>;
  /** What the biases give, `[batch]`. */
  readonly bias: Tensor;
  /** What activations between the layers gave that nothing could be held to, `[batch]`. */
  readonly unshared: Tensor;
}

/**
 * The logit `target` as a sum over the last hidden states of the last recurrent layers on the way to it.
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
  const later = dependents(tape.variables, ends.keys());
  const batch = logits.value.shape[0]!;
  const classes = logits.value.shape[1]!;
  const factors = new Map<Variable, Tensor>([[logits, oneHot(batch, classes, target)]]);
  const found = new Map<Inside<Variable>, Tensor>();
  const [bias, unshared] = [new Float64Array(batch), new Float64Array(batch)];
  const sizes = finish(sizesOf(tape.variables, (x) => later.has(x)));
  for (const variable of tape.variables.toReversed()) {
    const factor = factors.get(variable);
    if (factor === undefined || factor.data.every((value) => value === 0)) continue;
    const inside = ends.get(variable);
    if (inside !== undefined) {
      found.set(inside, factor);
      continue;
    }
    const shares = variable.origin.op === "products"
      ? undefined
      : sharesOf(variable, factor, (x) => later.has(x), sizes);
    if (shares === undefined) {
      throw new TypeError(
        `Cannot ${action}: between the last hidden state of the last recurrent layer and the logits ` +
          `there may be sums, activations and moves, as of Dense, Dropout and Activation, but ` +
          `${variable.scope} multiplies values, or hands on other hidden states`,
      );
    }
    if (shares.rest !== undefined) addPerSample(unshared, shares.rest);
    for (const { x, factor, share } of shares.operands) {
      if (later.has(x)) give(factors, x, factor());
      else addPerSample(bias, share()); // what no recurrent layer has a part in
    }
  }
  if (found.size === 0) {
    throw new TypeError(`Cannot ${action}: a model needs a recurrent layer, but it has none`);
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

/** `sample 3 of 16`; of a single one, `sample 0`. */
export function sampleOf(n: number, samples: number): string {
  return samples === 1 ? `sample ${n}` : `sample ${n} of ${samples}`;
}
