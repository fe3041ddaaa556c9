import type { Work } from "../../base/work.ts";
import { inWords } from "../../display/number.ts";
import { nameOf, symbolOf, valueAt } from "../../cells/sites.ts";
import type { CheckResult, Finding } from "./finding.ts";
import { type CheckContext, keeperOf, type RecurrentVisit } from "./check_context.ts";

/** A hundred full writes of a tanh. tanh of it is 1 to the last digit of float64 from 19 on. */
const LARGE = 100;
/** A cell state of that size that its own forget gates have made a hundred times larger. */
const [GROWN, SIZE] = [100, 10];

/** Cell states, or of a GRU or SimpleRNN hidden states, that grow without an end. */
export function* explodingStates({ recurrents }: CheckContext): Work<CheckResult> {
  const measured: Measured[] = [];
  for (const visit of recurrents) measured.push(yield* measure(visit));
  return {
    measurement: {
      check: "exploding cell states",
      worst: measured.reduce((worst, { largest }) => Math.max(worst, largest), 0),
      unit: `largest ${
        [...new Set(measured.map(({ visit }) => sizeOf(visit)))].join(" or ") || "|c|"
      }`,
      limit: LARGE,
    },
    findings: measured.flatMap((one) =>
      one.largest > LARGE || one.growth > GROWN && one.largest > SIZE ? [finding(one)] : []
    ),
  };
}

interface Measured {
  readonly visit: RecurrentVisit;
  readonly largest: number;
  readonly at: { readonly sample: number; readonly timestep: number; readonly unit: number };
  /** What the gates made of this unit's first state, by the end; 1 of a state that is not large. */
  readonly growth: number;
}

function* measure(visit: RecurrentVisit): Work<Measured> {
  const { data, shape } = valueAt(visit.trace, visit.ledger.state);
  const [, timesteps, units] = shape as [number, number, number];
  let [largest, k] = [0, 0];
  for (let index = 0; index < data.length; index++) {
    const size = Math.abs(data[index]!);
    if (size > largest) [largest, k] = [size, index];
  }
  const unit = k % units;
  const step = Math.floor(k / units);
  const at = { sample: Math.floor(step / timesteps), timestep: step % timesteps, unit };
  const { ledger } = visit;
  // Of a small state, nobody asks: its ledger is much to compute.
  if (largest > SIZE) yield* ledger.read();
  const kept = largest > SIZE ? ledger.kept.item(at.sample, ledger.order[0]!, unit) : 1;
  return { visit, largest, at, growth: Math.abs(kept) };
}

const sizeOf = ({ ledger }: RecurrentVisit) => `|${symbolOf(ledger.state, [])}|`;

function finding({ visit, largest, at, growth }: Measured): Finding {
  const { name, ledger } = visit;
  const keeper = keeperOf(ledger.cell);
  const grows = growth > 1;
  return {
    kind: "exploding cell states",
    layer: name,
    number: largest,
    what: `${sizeOf(visit)} is ${inWords(largest)} in unit ${at.unit}, sample ${at.sample}, ` +
      `timestep ${at.timestep}`,
    cause: grows
      ? `${
        keeper === undefined ? "what it keeps is" : `its ${keeper} gates are`
      } above 1: together ` +
        `they multiply its first ${nameOf(ledger.state)} by ` +
        inWords(growth)
      : "each step writes much and little is forgotten: a candidate or an input gate without an " +
        "upper end, or large inputs",
    remedy: grows
      ? "a recurrentActivation that ends at 1, as sigmoid does"
      : "tanh as the activation, inputs centred and scaled to about ±1, or gradients clipped in training (clipnorm)",
    severity: 0.85 + 0.1 * (1 - LARGE / Math.max(LARGE, largest)),
  };
}
