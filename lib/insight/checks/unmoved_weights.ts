import { formatPercent } from "../../display/number.ts";
import type { PlacedLayer } from "../../model/graph.ts";
import type { CheckResult, Finding } from "./finding.ts";
import type { CheckContext, RecurrentVisit } from "./check_context.ts";
import { hasSaturatedGates } from "./saturated_gates.ts";

/** Of an array, the part that may stand still: a few weights move by less than float32 can hold. */
const FEW = 0.01;

/** Weights that `fit` left as they were, to the last bit. An embedding's words that never occur may. */
export function unmovedWeights({ network, recurrents, start }: CheckContext): CheckResult {
  const measured = start === undefined ? [] : network.layers.flatMap((placed) => {
    const { layer, firstWeight, weights } = placed;
    if (layer.takes === "words" || weights.length === 0) return [];
    const arrays = weights.map(({ name }, k) => {
      const now = network.weights[firstWeight + k]!.data;
      const before = start.weights[firstWeight + k]!.data;
      let still = 0;
      now.forEach((weight, index) => still += weight === before[index] ? 1 : 0);
      return { name, still, count: now.length };
    });
    return [{ placed, arrays }];
  });
  const shareOf = ({ arrays }: { arrays: readonly Moves[] }) =>
    Math.max(...arrays.map(({ still, count }) => still / count));
  return {
    measurement: {
      check: "weights that never moved",
      worst: start === undefined ? undefined : Math.max(0, ...measured.map(shareOf)),
      unit: "largest part of an array that training left as it was",
      limit: FEW,
    },
    findings: measured.flatMap((one) =>
      shareOf(one) > FEW ? [finding(one.placed, one.arrays, recurrents)] : []
    ),
  };
}

interface Moves {
  readonly name: string;
  readonly still: number;
  readonly count: number;
}

function finding(
  placed: PlacedLayer,
  arrays: readonly Moves[],
  recurrents: readonly RecurrentVisit[],
): Finding {
  const still = arrays.reduce((sum, one) => sum + one.still, 0);
  const count = arrays.reduce((sum, one) => sum + one.count, 0);
  const dead = recurrents.filter(({ dead }) => dead.length > 0);
  const saturated = recurrents.filter(hasSaturatedGates);
  const reasons = [
    ...dead.length > 0 ? ["dead units"] : [],
    ...saturated.length > 0 ? ["saturated gates"] : [],
  ].join(" and ");
  const names = recurrents.filter((visit) => dead.includes(visit) || saturated.includes(visit))
    .map(({ name }) => name).join(", ");
  return {
    kind: "weights that never moved",
    layer: placed.name,
    number: still,
    what: `${still} of ${count} weights (${formatPercent(still / count)}): ` +
      arrays.filter((one) => one.still > 0)
        .map((one) => `${one.name} ${one.still} of ${one.count}`).join(", "),
    cause: reasons !== ""
      ? `their gradient is 0 or too small for float32: ${reasons} in ${names}`
      : "their gradient is 0 or too small for float32: an input that is always 0, an activation on " +
        "flat ground, a sequence of one step, or a learning rate of 0",
    remedy: reasons !== ""
      ? `see the ${reasons}: once they are mended, these weights move again`
      : "look at the inputs and the activations they lead to; train longer or with a larger " +
        "learning rate",
    severity: 0.3 + 0.4 * still / count,
  };
}
