// The layers, over exact numbers or float32.

import type { Tensor } from "@gatescope/lstm";
import type { Kind } from "./exact_numbers.ts";

/** Of one sample: timesteps, or one row. */
export type Rows<V> = V[][];

/** A recurrent layer. */
export interface Recurrent {
  readonly weights: readonly Tensor[];
  readonly activation: string;
  readonly recurrentActivation: string;
  readonly backwards?: boolean;
}

export function lstmRows<V>(
  { of, sum, apply, add, multiply }: Kind<V>,
  x: Rows<V>,
  { weights: [W, U, b], activation, recurrentActivation, backwards = false }: Recurrent,
  counts: readonly boolean[] = x.map(() => true),
): { states: Rows<V>; inside: V[] } {
  const units = U!.shape[0]!;
  let [c, h]: [V[], V[]] = [Array(units).fill(of(0)), Array(units).fill(of(0))];
  const [states, inside]: [Rows<V>, V[]] = [[], []];
  const steps = x.map((_, t) => backwards ? x.length - 1 - t : t);
  for (const t of steps) {
    const z = (gate: number, u: number) => {
      const column = gate * units + u;
      const products = [
        ...x[t]!.map((value, j) => [value, of(W!.item(j, column))] as const),
        ...h.map((value, j) => [value, of(U!.item(j, column))] as const),
      ];
      return sum(products, of(b!.item(column)));
    };
    const gates = c.map((_, u) =>
      [0, 1, 2, 3].map((gate) =>
        apply(gate === 2 ? activation : recurrentActivation, z(gate, u))
      ) as [V, V, V, V]
    );
    const cNext = gates.map(([i, forget, candidate], u) =>
      counts[t] ? add(multiply(forget, c[u]!), multiply(i, candidate)) : c[u]!
    );
    const hNext = gates.map(([, , , o], u) =>
      counts[t] ? multiply(o, apply(activation, cNext[u]!)) : h[u]!
    );
    [c, h] = [cNext, hNext];
    if (counts[t]) inside.push(...gates.flat());
    inside.push(...c, ...h);
    states.push(h);
  }
  return { states, inside };
}

export function denseRow<V>(
  { of, sum, apply, softmax }: Kind<V>,
  x: V[],
  [W, b]: readonly Tensor[],
  activation: string,
): V[] {
  const z = Array.from(
    b!.data,
    (bias, u) => sum(x.map((value, j) => [value, of(W!.item(j, u))] as const), of(bias)),
  );
  return activation === "softmax" ? softmax(z) : z.map((value) => apply(activation, value));
}

/** A GRU's: the reset after the product where there are two rows of biases, or before. */
export function gruRows<V>(
  { of, sum, apply, add, multiply, mix }: Kind<V>,
  x: Rows<V>,
  { weights: [W, U, b], activation, recurrentActivation }: Recurrent,
): { states: Rows<V>; inside: V[] } {
  const [units, width] = U!.shape as [number, number];
  const isAfter = b!.shape.length === 2;
  const bias = (row: number, column: number) => of(b!.data[row * width + column]!);
  let h: V[] = Array(units).fill(of(0));
  const [states, inside]: [Rows<V>, V[]] = [[], []];
  for (const xₜ of x) {
    const ofX = (at: number) => xₜ.map((value, j) => [value, of(W!.item(j, at))] as const);
    const ofH = (at: number, from: V[]) =>
      from.map((value, j) => [value, of(U!.item(j, at))] as const);
    const each = (block: number, make: (at: number, u: number) => V) =>
      h.map((_, u) => make(block * units + u, u));
    const both = (at: number, from: V[]) =>
      isAfter
        ? add(sum(ofX(at), bias(0, at)), sum(ofH(at, from), bias(1, at)))
        : sum([...ofX(at), ...ofH(at, from)], bias(0, at));
    const [z, r] = [0, 1].map((block) =>
      each(block, (at) => apply(recurrentActivation, both(at, h)))
    ) as [V[], V[]];
    const rh = h.map((value, u) => multiply(r[u]!, value));
    const candidate = each(2, (at, u) => {
      const ofReset = () => multiply(r[u]!, sum(ofH(at, h), bias(1, at)));
      return apply(
        activation,
        isAfter ? add(sum(ofX(at), bias(0, at)), ofReset()) : both(at, rh),
      );
    });
    h = h.map((value, u) => mix(z[u]!, value, candidate[u]!));
    inside.push(...h.flatMap((_, u) => [z[u]!, r[u]!, candidate[u]!]), ...h);
    states.push(h);
  }
  return { states, inside };
}

export function simpleRnnRows<V>(
  { of, sum, apply }: Kind<V>,
  x: Rows<V>,
  { weights: [W, U, b], activation }: Pick<Recurrent, "weights" | "activation">,
): { states: Rows<V>; inside: V[] } {
  let h: V[] = Array(U!.shape[0]).fill(of(0));
  const states = x.map((xₜ) =>
    h = h.map((_, u) => {
      const products = [
        ...xₜ.map((value, j) => [value, of(W!.item(j, u))] as const),
        ...h.map((value, j) => [value, of(U!.item(j, u))] as const),
      ];
      return apply(activation, sum(products, of(b!.item(u))));
    })
  );
  return { states, inside: states.flat() };
}
