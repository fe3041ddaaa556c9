import type { Gates } from "../../cells/gates.ts";
import type { CheckResult, Finding } from "./finding.ts";
import { type CheckContext, type LstmVisit, unitNames } from "./check_context.ts";

/** A slope of which a gradient keeps less than a thousandth: the sigmoid's beyond ±6.9. */
const FLAT = 1e-3;
/** With more of a gate's values than that on flat ground, little is learnt through it; half of relu's are there. */
const MOST = 0.9;

const names = {
  input: "input gate",
  forget: "forget gate",
  candidate: "candidate",
  output: "output gate",
} as const;

/** Gates that stay where their activation is flat: at every step, or at most steps of all units. */
export function saturatedGates({ lstms }: CheckContext): CheckResult {
  const measured = lstms.flatMap(measureAll);
  return {
    measurement: {
      check: "saturated gates",
      worst: Math.max(0, ...measured.map(({ stuck }) => stuck.length)),
      unit: "units with a gate that is flat at every step",
      limit: 0,
    },
    findings: measured.filter(isSaturated).map(finding),
  };
}

/** Whether a gate of an LSTM is found saturated. */
export function hasSaturatedGates(lstm: LstmVisit): boolean {
  return measureAll(lstm).some(isSaturated);
}

const isSaturated = ({ stuck, share }: Measured) => stuck.length > 0 || share > MOST;

function measureAll(lstm: LstmVisit): Measured[] {
  return (Object.keys(names) as (keyof Gates)[]).map((gate) => measure(lstm, gate));
}

interface Measured {
  readonly lstm: LstmVisit;
  readonly gate: keyof Gates;
  /** Units that are flat at every step; dead ones are another finding. */
  readonly stuck: readonly number[];
  /** Of all values of living units, the part that is flat. */
  readonly share: number;
}

function measure(lstm: LstmVisit, gate: keyof Gates): Measured {
  const { slopes, ledger, dead } = lstm;
  const { data, shape } = slopes[gate];
  const [, timesteps, units] = shape as [number, number, number];
  const living = new Set(Array.from({ length: units }, (_, unit) => unit));
  for (const unit of dead) living.delete(unit);
  const stuck = new Set(living);
  let [flat, all] = [0, 0];
  for (let k = 0; k < data.length; k++) {
    const [unit, step] = [k % units, Math.floor(k / units)];
    if (!living.has(unit) || !ledger.counts(Math.floor(step / timesteps), step % timesteps)) {
      continue;
    }
    all++;
    if (Math.abs(data[k]!) < FLAT) flat++;
    else stuck.delete(unit);
  }
  return { lstm, gate, stuck: all === 0 ? [] : [...stuck], share: all === 0 ? 0 : flat / all };
}

function finding({ lstm: { name, trace }, gate, stuck, share }: Measured): Finding {
  const units = trace.cellState.shape[2]!;
  const mean = meanOf(trace.gates[gate].data, units, stuck);
  const side = gate === "candidate" ? `near ${mean.toFixed(2)}` : mean > 0.5 ? "open" : "shut";
  const percent = Math.round(100 * share);
  return {
    kind: "saturated gates",
    layer: name,
    number: stuck.length > 0 ? stuck.length : share,
    what: stuck.length > 0
      ? `${names[gate]} of ${
        unitNames(stuck)
      } of ${units}: ${side} at every step, slope below ${FLAT}`
      : `${names[gate]}: ${percent} % of all its values have a slope below ${FLAT}`,
    cause: "the sums in front of the activation are far from 0: large inputs, weights or biases",
    remedy:
      "centre the inputs and scale them to about ±1, set the gate's bias nearer 0, or use a smaller learning " +
      "rate; where a unit is to hold for ever, a forget gate that stays open is right",
    severity: 0.2 + 0.5 * Math.max(share, stuck.length / units),
  };
}

/** Over the units named, or all where none are. */
function meanOf(data: ArrayLike<number>, units: number, chosen: readonly number[]): number {
  const wanted = new Set(chosen);
  let [sum, count] = [0, 0];
  for (let k = 0; k < data.length; k++) {
    if (wanted.size > 0 && !wanted.has(k % units)) continue;
    sum += data[k]!;
    count++;
  }
  return sum / count;
}
