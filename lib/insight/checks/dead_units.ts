import { isBuiltIn } from "../../values/built_in.ts";
import type { LstmActivations } from "../../cells/lstm.ts";
import type { CheckResult, Finding } from "./finding.ts";
import { type CheckContext, type LstmVisit, unitNames } from "./check_context.ts";

/** Units whose hidden state is 0 throughout: whatever stands behind them gets nothing. */
export function deadUnits({ lstms }: CheckContext): CheckResult {
  const findings = lstms.flatMap((lstm) => lstm.dead.length === 0 ? [] : [finding(lstm)]);
  return {
    measurement: {
      check: "dead units",
      worst: Math.max(0, ...lstms.map(({ dead }) => dead.length)),
      unit: "units whose hidden state is 0 at every step",
      limit: 0,
    },
    findings,
  };
}

function finding({ name, trace, dead, run }: LstmVisit): Finding {
  const units = trace.cellState.shape[2]!;
  const shut = (values: { readonly data: ArrayLike<number> }, unit: number) => {
    for (let k = unit; k < values.data.length; k += units) {
      if (Math.abs(values.data[k]!) > SHUT) return false;
    }
    return true;
  };
  const { input, candidate, output } = trace.gates;
  const causes = [
    ["their candidate is 0 at every step", dead.filter((unit) => shut(candidate, unit))],
    ["their input gate is shut at every step", dead.filter((unit) => shut(input, unit))],
    ["their output gate is shut at every step", dead.filter((unit) => shut(output, unit))],
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
