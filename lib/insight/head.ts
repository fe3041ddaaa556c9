// What stands between a model's last LSTM and its logits, from the logits back.

import type { Activation } from "../lstm/activations.ts";
import { isNamed } from "../lstm/built_in.ts";
import { add, dot, multiply } from "../tensor/arithmetic.ts";
import type { Network, PlacedLayer } from "../model/network.ts";
import { formatOpenShape } from "../model/layer.ts";
import { activationOf } from "../model/layer_options.ts";
import { Tensor } from "../tensor/tensor.ts";
import { absolute, rescale } from "./rescale.ts";

/** The last LSTM, and what follows it as sums and activations, up to the logits. */
export interface Head {
  /** The network's layer that holds the LSTM. */
  readonly layer: number;
  readonly operations: readonly Operation[];
  /** What is done with the logits: a softmax, for example. */
  readonly closing: readonly Activation[];
  /** How many logits there are. */
  readonly logits: number;
}

type Operation =
  | { readonly kernel: Tensor; readonly bias: Tensor | undefined }
  | { readonly activation: Activation };

/** A logit as a weighted sum of the last hidden states, for each sample. */
export interface LogitOfHidden {
  /** `[batch]` */
  readonly logit: Tensor;
  /** `[batch, size]`: logit = Σ factor·h + bias + unshared */
  readonly factor: Tensor;
  /** What the biases give, `[batch]`. */
  readonly bias: Tensor;
  /** What activations between the layers gave that nothing could be held to, `[batch]`. */
  readonly unshared: Tensor;
}

/**
 * Finds a network's last LSTM and the layers after it: Dense, Dropout and Activation. What stands
 * after the last sum is left out, as a softmax is, so that it ends in logits.
 *
 * @throws {TypeError} where the LSTM hands on all timesteps, or another layer follows it.
 */
export function headOf(network: Network, action: string): Head {
  const { layers } = network;
  const layer = layers.findLastIndex(({ layer }) => isRecurrent(layer.className));
  const last = layers[layer];
  if (last === undefined || last.outputShape.length !== 1) {
    const current = last === undefined
      ? "model has no LSTM"
      : `output of ${last.name} is ${formatOpenShape(last.outputShape)}, None the batch`;
    throw new TypeError(
      `Cannot ${action} as the last LSTM must hand on its last hidden state alone: current ${current}`,
    );
  }
  const operations = layers.slice(layer + 1).flatMap((placed) =>
    operationsOf(network, placed, action)
  );
  const closing: Activation[] = [];
  for (let last = operations.at(-1); last !== undefined && "activation" in last;) {
    closing.unshift(last.activation);
    operations.pop();
    last = operations.at(-1);
  }
  const logits = operations.findLast((one) => "kernel" in one)?.kernel.shape[1] ??
    last.outputShape[0]!;
  return { layer, operations, closing, logits };
}

const isRecurrent = (className: string) => className === "LSTM" || className === "Bidirectional";

function operationsOf(network: Network, placed: PlacedLayer, action: string): Operation[] {
  const { layer, name, firstWeight } = placed;
  if (layer.className === "Dropout") return []; // drops nothing in a prediction
  if (layer.className === "Activation") {
    return [{ activation: activationOf(layer.config.activation) }];
  }
  if (layer.className === "Dense") {
    const [kernel, bias] = network.weights.slice(firstWeight, firstWeight + placed.weights.length);
    const φ = activationOf(layer.config.activation);
    const sum = { kernel: kernel!, bias };
    return isNamed(φ, "linear") ? [sum] : [sum, { activation: φ }];
  }
  throw new TypeError(
    `Cannot ${action} as the last LSTM may be followed by Dense, Dropout and Activation: ` +
      `current layer ${name} is a ${layer.className}`,
  );
}

/** The values in front of each operation, and behind the last one: the logits. */
function runHead({ operations }: Head, hidden: Tensor): Tensor[] {
  const values = [hidden];
  for (const operation of operations) {
    const x = values.at(-1)!;
    values.push(
      "activation" in operation
        ? operation.activation(x)
        : add(dot(x, operation.kernel), operation.bias ?? 0),
    );
  }
  return values;
}

/** The logit `target` as a sum over the last hidden states, `[batch, size]`. */
export function logitOfHidden(head: Head, hidden: Tensor, target: number): LogitOfHidden {
  const values = runHead(head, hidden);
  const logits = values.at(-1)!;
  const batch = logits.shape[0]!;
  let factor = new Tensor(new Float64Array(logits.data.length), logits.shape);
  for (let n = 0; n < batch; n++) factor.data[n * head.logits + target] = 1;
  let [bias, unshared] = [zeros(batch), zeros(batch)];
  for (const [k, operation] of [...head.operations.entries()].reverse()) {
    const before = values[k]!;
    if ("activation" in operation) {
      const { factor: m, rest } = rescale(operation.activation, before, sizeAt(head, values, k));
      unshared = add(unshared, sumUnits(multiply(factor, rest)));
      factor = multiply(factor, m);
    } else {
      if (operation.bias !== undefined) bias = add(bias, dot(factor, operation.bias));
      factor = dot(factor, operation.kernel.transpose());
    }
  }
  return { logit: logits.select(1, target), factor, bias, unshared };
}

/** Σ|addend| of what an activation got: of the sum before it, or the value itself. */
function sizeAt({ operations }: Head, values: readonly Tensor[], k: number): Tensor {
  const sum = operations[k - 1];
  if (sum === undefined || !("kernel" in sum)) return absolute(values[k]!);
  const bias = sum.bias === undefined ? 0 : absolute(sum.bias);
  return add(dot(absolute(values[k - 1]!), absolute(sum.kernel)), bias);
}

const zeros = (length: number) => new Tensor(new Float64Array(length), [length]);

/** `[batch, units]` becomes `[batch]`. */
export function sumUnits(x: Tensor): Tensor {
  return dot(x, new Tensor(new Float64Array(x.shape.at(-1)!).fill(1), [x.shape.at(-1)!]));
}
