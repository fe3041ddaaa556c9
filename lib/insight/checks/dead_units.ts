import type { Work } from "../../base/work.ts";
import { isBuiltIn } from "../../values/built_in.ts";
import type { LstmActivations } from "../../cells/lstm.ts";
import { type SiteName, valueIfAt } from "../../cells/sites.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { CheckResult, Finding } from "./finding.ts";
import { type CheckContext, type RecurrentVisit, unitNames } from "./check_context.ts";

/** Units whose hidden state is 0 throughout: whatever stands behind them gets nothing. */
export function* deadUnits({ recurrents }: CheckContext): Work<CheckResult> {
  const findings: Finding[] = [];
  for (const visit of recurrents) {
    if (visit.dead.length === 0) continue;
    if (isKept(visit)) yield* visit.ledger.read();
    findings.push(finding(visit));
  }
  return {
    measurement: {
      check: "dead units",
      worst: Math.max(0, ...recurrents.map(({ dead }) => dead.length)),
      unit: "units whose hidden state is 0 at every step",
      limit: 0,
    },
    findings,
  };
}

/** Whether the hidden state itself is what a cell keeps. */
function isKept({ ledger }: RecurrentVisit): boolean {
  return ledger.state === "hiddenState";
}

function finding(visit: RecurrentVisit): Finding {
  const { name, trace, dead, run, ledger } = visit;
  const units = trace.hiddenState.shape[2]!;
  const every = ({ data }: Tensor, unit: number, is: (value: number) => boolean) => {
    for (let k = unit; k < data.length; k += units) if (!is(data[k]!)) return false;
    return true;
  };
  const shut = (site: SiteName) => {
    const values = valueIfAt(trace, site);
    const isShut = (value: number) => Math.abs(value) <= SHUT;
    return values === undefined ? [] : dead.filter((unit) => every(values, unit, isShut));
  };
  const isWhole = (value: number) => value >= 1 - SHUT;
  const held = isKept(visit) ? dead.filter((unit) => every(ledger.keep, unit, isWhole)) : [];
  const causes = [
    ["their candidate is 0 at every step", shut("gates.candidate")],
    ["their input gate is shut at every step", shut("gates.input")],
    ["their output gate is shut at every step", shut("gates.output")],
    ["they keep all that they start from at every step, and nothing is written", held],
  ] as const;
  const rest = dead.filter((unit) => !causes.some(([, found]) => found.includes(unit)));
  const known = [...causes, ["what they write is too little, or forgotten at once", rest] as const]
    .filter(([, found]) => found.length > 0)
    .map(([cause, found]) => `${cause} (${found.length})`);
  return {
    kind: "dead units",
    layer: name,
    number: dead.length,
    what: `${unitNames(dead)} of ${units}: h is 0 at every step of every sample`,
    cause: known.join("; "),
    remedy: usesRelu(run.options)
      ? "tanh and sigmoid, a smaller learning rate, or inputs centred and scaled to about ±1: relu's slope is 0 " +
        "below 0, so training cannot bring them back"
      : "biases nearer 0, and inputs centred and scaled to about ±1",
    severity: 0.4 + 0.4 * dead.length / units,
  };
}

const SHUT = 1e-6;

function usesRelu(
  options: LstmActivations,
) {
  return [options.activation, options.recurrentActivation].some((activation = "tanh") =>
    typeof activation === "string"
      ? /relu/.test(activation)
      : isBuiltIn(activation) && /relu/.test(activation.activationName)
  );
}
