// One LSTM's part in an attribution: from its last hidden states back to what was written.

import { lstmActivation } from "../values/activations.ts";
import { splitGates } from "../cells/gates.ts";
import type { LayerTrace } from "../cells/lstm_forward.ts";
import { add, dot, multiply } from "../tensor/arithmetic.ts";
import { asFloat64, Tensor, type TensorLike } from "../tensor/tensor.ts";
import { sumUnits } from "./head.ts";
import { type Ledger, ledgerOf, traceSource } from "./ledger.ts";
import { absolute, rescale } from "./rescale.ts";

/** What one LSTM has in a number that is a weighted sum of its last hidden states. */
export interface LstmShare {
  readonly contributions: Tensor; // [batch, timesteps, units]
  readonly initialState: Tensor; // [batch]
  readonly unshared: Tensor; // [batch]
  readonly sources: Sources;
}

/** What an LSTM has in it, by what wrote it. */
export interface Sources {
  readonly input: Tensor; // [batch, timesteps, inputSize]
  readonly hiddenState: Tensor; // [batch, timesteps]
  readonly bias: Tensor; // [batch, timesteps]
}

/** The part of one LSTM, from the factor of its last hidden state, `[batch, units]`. */
export function lstmShare(trace: LayerTrace, factor: Tensor): LstmShare {
  const { x, weights, options } = traceSource(trace, "attribute");
  const ledger = ledgerOf(trace, "attribute");
  const φ = lstmActivation(options.activation ?? "tanh");
  const [batch, timesteps, units] = trace.cellState.shape as [number, number, number];

  const fromSteps = multiply(ledger.kept, ledger.written); // Σ over t: c_T, but for the start
  const start = options.initialState === undefined
    ? new Tensor(new Float64Array(batch * units), [batch, units])
    : asFloat64(options.initialState.cellState);
  const fromStart = multiply(ledger.keptFromStart, start);

  // h = o ⊙ φ(c_T)
  const last = ledger.order.at(-1)!;
  const size = add(sumSteps(absolute(fromSteps)), absolute(fromStart));
  const { factor: m, rest } = rescale(φ, trace.cellState.select(1, last), size);
  const byCell = multiply(factor, ledger.shown, m); // of the logit by c_T's addends
  return {
    contributions: eachStep(fromSteps, byCell),
    initialState: add(
      sumUnits(multiply(byCell, fromStart)),
      sumUnits(multiply(factor, untouched())),
    ),
    unshared: sumUnits(multiply(factor, ledger.shown, rest)),
    sources: sourcesOf(),
  };

  /** h of the samples none of whose steps count: as it was at the start. */
  function untouched(): Tensor {
    const h = trace.hiddenState.select(1, last);
    return new Tensor(h.data.map((value, k) => ledger.shown.data[k] === 0 ? value : 0), h.shape);
  }

  /** i ⊙ c̃ by what made c̃ = φ(x·W + h·U + b), each gate as it was. */
  function sourcesOf(): Sources {
    const [W, U] = [weights.kernel, weights.recurrentKernel].map((array) =>
      splitGates(asFloat64(array)).candidate
    ) as [Tensor, Tensor];
    const b = weights.bias === undefined
      ? undefined
      : splitGates(asFloat64(weights.bias)).candidate;
    const h = hiddenBefore(trace, ledger, options.initialState?.hiddenState);
    const fromHidden = dot(h, U);
    const z = add(dot(x, W), fromHidden, b ?? 0);
    const size = add(
      dot(absolute(x), absolute(W)),
      absolute(fromHidden),
      b === undefined ? 0 : absolute(b),
    );
    const { factor: ofCandidate } = rescale(φ, z, size);
    const open = multiply(ledger.kept, ledger.input);
    const bySum = multiply(eachStep(open, byCell), ofCandidate); // of the logit by z's addends
    const input = multiply(x, dot(bySum, W.transpose()));
    const hiddenState = sumUnits(multiply(bySum, fromHidden));
    const all = sumUnits(eachStep(fromSteps, byCell));
    const bias = add(all, multiply(add(sumUnits(input), hiddenState), -1));
    return { input, hiddenState: hiddenState.reshape([batch, timesteps]), bias };
  }
}

/** h before each step, `[batch, timesteps, units]`. */
export function hiddenBefore(
  { hiddenState }: LayerTrace,
  { order }: Ledger,
  start: TensorLike | undefined,
): Tensor {
  const [batch, timesteps, units] = hiddenState.shape as [number, number, number];
  const data = new Float64Array(hiddenState.data.length);
  const first = start === undefined ? undefined : asFloat64(start);
  order.forEach((t, k) => {
    for (let n = 0; n < batch; n++) {
      const before = k === 0 ? first?.at(n) : hiddenState.at(n, order[k - 1]!);
      if (before !== undefined) data.set(before.data, (n * timesteps + t) * units);
    }
  });
  return new Tensor(data, hiddenState.shape);
}

/** `[batch, timesteps, units]` becomes `[batch, units]`. */
function sumSteps(x: Tensor): Tensor {
  return add(...Array.from({ length: x.shape[1]! }, (_, t) => x.select(1, t)));
}

/** `[batch, timesteps, units]` times `[batch, units]`, at each timestep. */
function eachStep(x: Tensor, factor: Tensor): Tensor {
  const samples = Array.from({ length: x.shape[0]! }, (_, n) => multiply(x.at(n), factor.at(n)));
  const data = new Float64Array(x.data.length);
  samples.forEach((sample, n) => data.set(sample.data, n * sample.data.length));
  return new Tensor(data, x.shape);
}
