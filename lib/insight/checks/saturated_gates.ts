import { isGate, nameOf, type SiteName, valueAt } from "../../cells/sites.ts";
import { formatNumber, formatPercent } from "../../display/number.ts";
import type { CheckResult, Finding } from "./finding.ts";
import { type CheckContext, keeperOf, type RecurrentVisit, unitNames } from "./check_context.ts";

/** A slope of which a gradient keeps less than a thousandth: the sigmoid's beyond ±6.9. */
const FLAT = 1e-3;
/** With more of a gate's values than that on flat ground, little is learnt through it; half of relu's are there. */
const MOST = 0.9;

/** Gates that stay where their activation is flat: at every step, or at most steps of all units. */
export function saturatedGates({ recurrents }: CheckContext): CheckResult {
  const measured = recurrents.flatMap(measureAll);
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

/** Whether a gate of a layer is found saturated. */
export function hasSaturatedGates(visit: RecurrentVisit): boolean {
  return measureAll(visit).some(isSaturated);
}

const isSaturated = ({ stuck, share }: Measured) => stuck.length > 0 || share > MOST;

function measureAll(visit: RecurrentVisit): Measured[] {
  return [...visit.slopes.keys()].map((site) => measure(visit, site));
}

interface Measured {
  readonly visit: RecurrentVisit;
  readonly site: SiteName;
  /** Units that are flat at every step; dead ones are another finding. */
  readonly stuck: readonly number[];
  /** Of all values of living units, the part that is flat. */
  readonly share: number;
}

function measure(visit: RecurrentVisit, site: SiteName): Measured {
  const { slopes, ledger, dead } = visit;
  const steps = slopes.get(site)!;
  const [batch, units] = steps[0]!.shape as [number, number];
  const living = Array.from({ length: units }, (_, unit) => unit)
    .filter((unit) => !dead.includes(unit));
  const steep = new Uint8Array(units);
  let [flat, all] = [0, 0];
  for (const [t, { data }] of steps.entries()) {
    for (let n = 0; n < batch; n++) {
      if (!ledger.counts(n, t)) continue;
      all += living.length;
      for (const unit of living) {
        if (Math.abs(data[n * units + unit]!) < FLAT) flat++;
        else steep[unit] = 1;
      }
    }
  }
  const stuck = all === 0 ? [] : living.filter((unit) => steep[unit] === 0);
  return { visit, site, stuck, share: all === 0 ? 0 : flat / all };
}

function finding({ visit: { name, trace, ledger }, site, stuck, share }: Measured): Finding {
  const units = trace.hiddenState.shape[2]!;
  const keeper = keeperOf(ledger.cell);
  const mean = meanOf(valueAt(trace, site).data, units, stuck);
  const isOpenOrShut = isGate(site) && site !== "gates.candidate";
  const side = !isOpenOrShut
    ? `near ${formatNumber(mean, { digits: 2 })}`
    : mean > 0.5
    ? "open"
    : "shut";
  return {
    kind: "saturated gates",
    layer: name,
    number: stuck.length > 0 ? stuck.length : share,
    what: stuck.length > 0
      ? `${nameOf(site)} of ${
        unitNames(stuck)
      } of ${units}: ${side} at every step, slope below ${FLAT}`
      : `${nameOf(site)}: ${formatPercent(share)} of all its values have a slope below ${FLAT}`,
    cause: "the sums in front of the activation are far from 0: large inputs, weights or biases",
    remedy:
      "centre the inputs and scale them to about ±1, set the gate's bias nearer 0, or use a smaller learning " +
      `rate${
        keeper === undefined
          ? ""
          : `; where a unit is to hold for ever, a${
            /^[aeiou]/.test(keeper) ? "n" : ""
          } ${keeper} gate that stays open is right`
      }`,
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
