// x·W and its gradients; with dropout, each gate's block of W meets its own x.

import { add, dot, multiply } from "../tensor/arithmetic.ts";
import { sizeOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { type Gates, joinGates, splitGates } from "./gates.ts";

/** x·W, or (x ⊙ dₖ)·Wₖ for each gate k where there is dropout; `[batch, 4·units]`. */
export function product(x: Tensor, W: Tensor, drop: Gates | undefined): Tensor {
  if (drop === undefined) return dot(x, W);
  const blocks = splitGates(W);
  return joinGates(byGate((k) => dot(multiply(x, drop[k]), blocks[k])));
}

/** From dz, the gradient by the product: dx = dz·Wᵀ, with dropout Σₖ (dzₖ·Wₖᵀ) ⊙ dₖ. */
export function productGradientByInput(
  dz: Tensor, // […, 4·units]
  transposedW: Tensor,
  drop: Gates | undefined,
): Tensor {
  if (drop === undefined) return dot(dz, transposedW);
  const [dzs, blocks] = [splitGates(dz), splitGates(transposedW, "keras", { axis: 0 })];
  const { input, forget, candidate, output } = byGate((k) =>
    multiply(dot(dzs[k], blocks[k]), drop[k])
  );
  return add(input, forget, candidate, output);
}

/** From dz, the gradient by the product: dW = xᵀ·dz, with dropout dWₖ = (x ⊙ dₖ)ᵀ·dzₖ. */
export function productGradientByKernel(dz: Tensor, x: Tensor, drop: Gates | undefined): Tensor {
  if (drop === undefined) return dot(asRows(x).transpose(), asRows(dz));
  const dzs = splitGates(dz);
  return joinGates(
    byGate((k) => dot(asRows(multiply(x, drop[k])).transpose(), asRows(dzs[k]))),
  );
}

/** The gradient by what was added to every row, from `[…, n]`: the sum of the rows, `[n]`. */
export function sumRows(x: Tensor): Tensor {
  const rows = sizeOf(x.shape.slice(0, -1));
  return dot(new Tensor(new Float64Array(rows).fill(1), [rows]), asRows(x));
}

/** `[…, n]` as `[rows, n]`. */
function asRows({ data, shape }: Tensor): Tensor {
  return new Tensor(data, [sizeOf(shape.slice(0, -1)), shape.at(-1)!]);
}

export function byGate(make: (gate: keyof Gates) => Tensor): Gates {
  return {
    input: make("input"),
    forget: make("forget"),
    candidate: make("candidate"),
    output: make("output"),
  };
}
