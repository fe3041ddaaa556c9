// One recurrent layer's part in an attribution: from its last hidden state back to what was written.

import { finish, part, type Work } from "../base/work.ts";
import type { Inside } from "../layers/inside.ts";
import type { GradientRun } from "../model/network.ts";
import { add, multiply } from "../tensor/arithmetic.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Variable } from "../values/gradients.ts";
import { sumUnits } from "./head.ts";
import { dependents, give, sharesOf, sizesOf } from "./shares.ts";

/** What one recurrent layer has in a number that is a weighted sum of its last hidden states. */
export interface RecurrentShare {
  readonly contributions: Tensor; // [batch, timesteps, units]
  readonly initialState: Tensor; // [batch]
  readonly unshared: Tensor; // [batch]
  readonly sources: Sources;
}

/** What a layer has in it, by what wrote it. */
export interface Sources {
  readonly input: Tensor; // [batch, timesteps, inputSize]
  readonly hiddenState: Tensor; // [batch, timesteps]
  readonly bias: Tensor; // [batch, timesteps]
}

/** What is done, about, when the sizes of all values are known. */
const SIZED = 0.3;

/**
 * The part of one layer, from the factor of its last hidden state, `[batch, units]`. The states are
 * followed back, step by step, the gates and what else a cell hands on taken as they were: what does
 * not come from the state before was written then. Of a cell without gates they are followed through
 * its recurrent kernel.
 */
export function* recurrentShare(
  { tape }: GradientRun,
  { cell, name, x, recurrence: { steps, order } }: Inside<Variable>,
  factor: Tensor,
): Work<RecurrentShare> {
  const [batch, units] = factor.shape as [number, number];
  const own = tape.variables.filter(({ scope }) => scope === name);
  const places = new Map(own.map((variable, k) => [variable, k]));
  const at = (sites: readonly string[]) =>
    new Set(steps.flatMap(({ values }) => sites.map((site) => values[site]!)));
  yield 0;
  const taken = [...cell.gates.map((gate) => `gates.${gate}`), ...cell.states.slice(1, -1)];
  const cut = at(taken);
  const doors = at(taken.filter((site) => site !== "gates.candidate"));
  const { before } = steps[order[0]!]!;
  const starts = new Set([before[0]!, before.at(-1)!]);
  const path = dependents(own, starts, cut);
  yield 0;
  const sizes = yield* part(sizesOf(own, (x) => path.has(x)), 0, SIZED);

  const factors = new Map([[steps[order.at(-1)!]!.values.hiddenState!, factor]]);
  const written = new Float64Array(batch * steps.length * units);
  const input = new Float64Array(x.value.data.length);
  const [hidden, unshared] = [new Float64Array(batch * steps.length), new Float64Array(batch)];
  let end = own.length;
  for (const [k, t] of [...order.entries()].reverse()) {
    const past = order[k - 1];
    const from = past === undefined
      ? 0
      : 1 + Math.max(...Object.values(steps[past]!.values).map((one) => places.get(one) ?? -1));
    const these = own.slice(from, end);
    end = from;
    const { x: xₜ, before } = steps[t]!;
    const sourced = dependents(these, [xₜ, ...before], doors);
    const sizesOfSources = finish(sizesOf(these, (one) => sourced.has(one)));
    const sources = new Map<Variable, Tensor>();
    for (const variable of these.reverse()) {
      const direct = factors.get(variable);
      if (direct !== undefined) {
        const isOfIt = (x: Variable) => path.has(x) || sourced.has(x);
        const shares = sharesOf(variable, direct, isOfIt, sizes);
        if (shares === undefined) throw notASum("attribute", name);
        if (shares.rest) each(shares.rest, (share, n) => unshared[n]! += share);
        for (const { x, factor, share } of shares.operands) {
          if (path.has(x)) give(factors, x, factor());
          else {
            each(share(), (share, n, u) => {
              written[(n * steps.length + t) * units + u]! += share;
            });
            if (sourced.has(x)) give(sources, x, factor());
          }
        }
      }
      const source = sources.get(variable);
      if (source === undefined) continue;
      const shares = sharesOf(variable, source, (x) => sourced.has(x), sizesOfSources);
      for (const { x, factor } of shares?.operands ?? []) {
        if (sourced.has(x)) give(sources, x, factor());
      }
    }
    const fromInput = multiply(sources.get(xₜ) ?? 0, xₜ.value);
    const size = xₜ.value.shape[1]!;
    for (let n = 0; n < batch; n++) {
      input.set(fromInput.data.subarray(n * size, (n + 1) * size), (n * steps.length + t) * size);
    }
    for (const state of new Set(before)) {
      each(multiply(sources.get(state) ?? 0, state.value), (share, n) => {
        hidden[n * steps.length + t]! += share;
      });
    }
    yield 1 - k / order.length * (1 - SIZED);
  }
  const initialState = new Float64Array(batch);
  for (const start of starts) {
    each(multiply(factors.get(start) ?? 0, start.value), (share, n) => initialState[n]! += share);
  }
  const contributions = new Tensor(written, [batch, steps.length, units]);
  const sources = {
    input: new Tensor(input, x.value.shape),
    hiddenState: new Tensor(hidden, [batch, steps.length]),
  };
  return {
    contributions,
    initialState: new Tensor(initialState, [batch]),
    unshared: new Tensor(unshared, [batch]),
    sources: {
      ...sources,
      bias: add(
        sumUnits(contributions),
        multiply(add(sumUnits(sources.input), sources.hiddenState), -1),
      ),
    },
  };

  /** Each number of `[batch, …·units]`, by its sample and unit. */
  function each({ data }: Tensor, take: (share: number, sample: number, unit: number) => void) {
    const row = data.length / batch;
    data.forEach((share, k) => take(share, Math.floor(k / row), k % units));
  }
}

/** What a cell of one's own may do, and no rule shares. */
export function notASum(action: string, name: string): TypeError {
  return new TypeError(
    `Cannot ${action}: with its gates as they were, a cell's state must be a sum of what was written, ` +
      `but ${name} multiplies what it remembers by itself, or takes it otherwise`,
  );
}
