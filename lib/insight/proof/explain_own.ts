// One number of a cell of one's own, opened down to its dot products, whatever its equations are.

import { isGate } from "../../cells/sites.ts";
import type { Estimate } from "../../values/bounds/estimate.ts";
import type { EstimatedLstm, EstimatedStep } from "./estimated_run.ts";
import { arrangedFrom, biasLine, largestTerms, type Line, termsOf } from "./explained_terms.ts";

/** The way to a number from gates, states, weights and the step's input; each by its name. */
export function ownLines(
  own: Estimate,
  { x, before, values }: EstimatedStep,
  site: string,
  k: number,
  { cell, weights }: EstimatedLstm,
): Line[] {
  const names = new Map<Estimate, string>([
    ...weights.map((weight, n) => [weight, cell.arrays![n]!] as const),
    ...before.map((state, n) => [state, `${cell.states[n]} before`] as const),
    [x, "x"],
  ]);
  for (const [name, value] of Object.entries(values)) {
    if (value !== own && name !== site) names.set(value, nameOfSite(name));
  }
  const lines: Line[] = [];
  const seen = new Map<Estimate, string>();

  /** What a value is called; one without a name is opened first. */
  const called = (value: Estimate, at: number): string => {
    const known = names.get(value) ?? seen.get(value);
    if (known !== undefined) return known;
    const name = opened(value, at);
    seen.set(value, name);
    return name;
  };
  const opened = (value: Estimate, at: number): string => {
    const { origin } = value;
    const put = (what: string) => {
      lines.push({ what, value: value.value[at]! });
      return what;
    };
    const each = (xs: readonly Estimate[]) => xs.map((one) => called(one, at % one.value.length));
    switch (origin.op) {
      case "reshape":
        return called(origin.x, at);
      case "arrange": {
        const from = arrangedFrom(origin, at);
        return from === undefined ? "0" : called(...from);
      }
      case "apply":
        return put(`${origin.f.activationName}(${called(origin.x, at)})`);
      case "affine": {
        const width = origin.terms[0]![1].shape[1]!;
        const [row, column] = [Math.floor(at / width), at % width];
        const products = origin.terms.flatMap(([a, W]) => {
          const { name, from } = wholeOf(W);
          return termsOf(names.get(a) ?? "a value", a, name, W, row, column, from + column);
        });
        const bias = origin.b && wholeOf(origin.b);
        lines.push(
          ...largestTerms(products),
          ...(bias ? biasLine(origin.b!.value, column, bias.name, bias.from + column) : []),
        );
        return put(`z${[...seen.values()].filter((name) => /^z\d*$/.test(name)).length || ""}`);
      }
      case "products": {
        const pairs = origin.pairs.map(([a, b]) => {
          const [i, j] = [at % a.value.length, at % b.value.length];
          return {
            what: called(a, i),
            times: called(b, j),
            value: a.value[i]!,
            factor: b.value[j]!,
          };
        });
        lines.push(...pairs.map((pair) => ({ ...pair, product: pair.value * pair.factor })));
        return put(pairs.map(({ what, times }) => `${what}·${times}`).join(" + "));
      }
      case "sum":
        return origin.factor === 1
          ? put(`(${each(origin.xs).join(" + ")})`)
          : put(`${origin.factor}·${each(origin.xs).join("")}`);
      case "computed": {
        const [one, ...others] = origin.xs as [Estimate, ...Estimate[]];
        const width = one.value.length / value.value.length;
        if (others.length > 0) return put("a product of matrices");
        if (width === 1) return put(`(1 − ${called(one, at)})`);
        const row = Array.from({ length: width }, (_, n) => opened(one, at * width + n));
        return put(`max(${row.join(", ")})`);
      }
      case "given":
        return put("a constant");
    }
  };
  /** The array that a gate's part was cut from, and at which column. */
  const wholeOf = (part: Estimate): { readonly name: string; readonly from: number } => {
    const known = names.get(part);
    if (known !== undefined || part.origin.op !== "arrange") {
      return { name: known ?? "a matrix", from: 0 };
    }
    const { sources: [source], moves } = part.origin;
    return { name: wholeOf(source!).name, from: moves[1]! };
  };
  opened(own, k);
  const last = lines.pop();
  const what = last === undefined ? nameOfSite(site) : `${nameOfSite(site)} = ${last.what}`;
  return [...lines, { what, value: own.value[k]! }];
}

function nameOfSite(site: string): string {
  return isGate(site) ? site.slice("gates.".length) : site;
}
