import { equalPart, part, type Work } from "../../base/work.ts";
import { inWords } from "../../display/number.ts";
import { productOfRun } from "../../model/network.ts";
import { runAgain } from "../../cells/run_again.ts";
import type { TracedRun } from "../../cells/traced_run.ts";
import { asFloat64, Tensor, type TensorLike } from "../../tensor/tensor.ts";
import { seededRandom } from "../../tensor/random.ts";
import type { Gradients } from "../../values/gradients.ts";
import type { CheckResult, Finding } from "./finding.ts";
import { type CheckContext, keeperOf, type RecurrentVisit } from "./check_context.ts";

/** float32's last digit: beside the largest step's gradient, that of such a step is lost in the sum. */
const LOST = 2 ** -24;
/** When more than half of the timesteps are lost, what happens there cannot be learnt. */
const MOST = 0.5;
const MOST_SAMPLES = 8;

/** Timesteps whose state the last hidden state no longer depends on. */
export function* vanishingGradients({ recurrents, tape }: CheckContext): Work<CheckResult> {
  // Where every hidden state is handed on, each timestep has a gradient of its own.
  const last = recurrents.filter(({ placed, trace }) =>
    placed.outputShape.length === 1 && trace.hiddenState.shape[1]! > 1
  );
  const measured: Measured[] = [];
  for (const [k, visit] of last.entries()) {
    measured.push(yield* equalPart(measure(visit, tape), k, last.length));
  }
  return {
    measurement: {
      check: "vanishing gradients",
      worst: measured.length === 0 ? undefined : Math.max(...measured.map(({ share }) => share)),
      unit: "part of the timesteps whose gradient float32 loses",
      limit: MOST,
    },
    findings: measured.flatMap((one) => one.share > MOST ? [finding(one)] : []),
  };
}

interface Measured {
  readonly visit: RecurrentVisit;
  /** Of the timesteps, the part that is lost. */
  readonly share: number;
  /** The last of them, in the order of computation, and the norm of the first against the largest. */
  readonly lastLost: number;
  readonly ratio: number;
}

function* measure(visit: RecurrentVisit, whole: Gradients): Work<Measured> {
  const { run, recurrence, trace, ledger } = visit;
  const [batch, timesteps, units] = trace.hiddenState.shape as [number, number, number];
  const rows = Math.min(batch, MOST_SAMPLES);
  const random = seededRandom(1); // a direction that favours no unit
  const seed = Float64Array.from({ length: rows * units }, () => random.normal());
  const { tape, steps, end } = rows === batch
    ? { tape: whole, ...recurrence }
    : yield* part(runAgain(firstSamples(run, rows), units, productOfRun()), 0, 0.5);
  const states = steps.map(({ values }) => values[ledger.state]!);
  const back = tape.backwardWork(
    [[end.at(-1)!, new Tensor(seed, [rows, units])]],
    new Set(states),
  );
  yield* part(back, rows === batch ? 0 : 0.5, 1);
  const norms = Float64Array.from(states, (state) => norm(tape.gradientOf(state).data));
  const largest = norms.reduce((a, b) => Math.max(a, b), 0);
  if (!(largest > 0 && largest < Infinity)) return { visit, share: 0, lastLost: -1, ratio: 1 };
  const lost = ledger.order.filter((t) => norms[t]! < LOST * largest);
  return {
    visit,
    share: lost.length / timesteps,
    lastLost: lost.at(-1) ?? -1,
    ratio: norms[ledger.order[0]!]! / largest,
  };
}

/** The same run of fewer samples. */
function firstSamples({ x, options, ...rest }: TracedRun, count: number): TracedRun {
  const first = (whole: TensorLike) => {
    const { data, shape } = asFloat64(whole);
    const size = data.length / shape[0]!;
    return new Tensor(data.slice(0, count * size), shape.with(0, count));
  };
  const { mask, initialState } = options;
  return {
    ...rest,
    x: first(x),
    options: {
      ...options,
      ...(mask && { mask: first(mask) }),
      ...(initialState && {
        initialState: Object.fromEntries(
          Object.entries(initialState).map(([state, value]) => [state, first(value)]),
        ) as unknown as typeof initialState,
      }),
    },
  };
}

/** Not Math.hypot: batch times units may be more than a call has room for. */
function norm(values: Tensor["data"]): number {
  let [sum, most] = [0, 0];
  for (const v of values) most = Math.max(most, Math.abs(v));
  if (most === 0 || !(most < Infinity)) return most;
  for (const v of values) sum += (v / most) ** 2;
  return most * Math.sqrt(sum);
}

function finding({ visit: { name, trace, ledger }, share, lastLost, ratio }: Measured): Finding {
  const timesteps = trace.hiddenState.shape[1]!;
  const keeper = keeperOf(ledger.cell);
  return {
    kind: "vanishing gradients",
    layer: name,
    number: share,
    what: `timesteps ${ledger.order[0]} to ${lastLost} of ${timesteps} are out of reach: the ` +
      `gradient of the first is ${inWords(ratio, { digits: 2 })} of the largest`,
    cause:
      (keeper === undefined
        ? "what the recurrent kernel and the activation's slope multiply over the steps is lost in "
        : `the ${keeper} gates are shut too far: what they multiply over the steps is lost in `) +
      "float32; see memory()",
    remedy:
      (keeper === undefined
        ? "an LSTM or a GRU, "
        : `${keeper} biases of 1 and more (${
          keeper === "forget" ? "unitForgetBias, or " : ""
        }about ln T for T steps), `) +
      "shorter sequences, or Bidirectional; nothing, where the beginning does not matter",
    severity: 0.5 + 0.3 * share,
  };
}
