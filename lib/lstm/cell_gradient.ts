// The gradient through one step: the chain rule, line by line against the equations of `step`.

import { add, multiply } from "../tensor/arithmetic.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Cell } from "./cell.ts";
import { type Gates, joinGates } from "./gates.ts";

/**
 * From the gradients by a step's results, dh' and dc', to dz `[batch, 4·units]` and dc:
 *
 * ```txt
 * h' = o ⊙ φ(c')          do = dh' ⊙ φ(c')         dc' gains φ'(c') ⊙ (dh' ⊙ o)
 * c' = f ⊙ c + i ⊙ c̃      df = dc' ⊙ c     di = dc' ⊙ c̃     dc̃ = dc' ⊙ i     dc = dc' ⊙ f
 * i, f, o = σ(z), c̃ = φ(z)  dz = σ'(z) ⊙ d(i, f, o), φ'(z) ⊙ dc̃
 * ```
 *
 * Each f'(x) ⊙ dy is `f.backward(x, dy)`, so that softmax, whose slope is a matrix, fits too. The
 * step is computed again rather than remembered: the trace keeps gates, not pre-activations.
 * `dcNext` is all that depends on c', through h' too, and `gates` by the gates' values.
 */
export function throughCell(
  z: Gates, // [batch, units] each
  c: Tensor,
  next: { readonly dh: Tensor; readonly dc: Tensor },
  { φ, σ }: Pick<Cell, "φ" | "σ">,
): { readonly dz: Tensor; readonly dc: Tensor; readonly dcNext: Tensor; readonly gates: Gates } {
  const [i, f, o, c̃] = [σ(z.input), σ(z.forget), σ(z.output), φ(z.candidate)];
  const cNext = add(multiply(f, c), multiply(i, c̃));

  const dcNext = add(next.dc, φ.backward(cNext, multiply(next.dh, o)));
  const gates = {
    input: multiply(dcNext, c̃),
    forget: multiply(dcNext, c),
    candidate: multiply(dcNext, i),
    output: multiply(next.dh, φ(cNext)),
  };
  const dz = joinGates({
    input: σ.backward(z.input, gates.input),
    forget: σ.backward(z.forget, gates.forget),
    candidate: φ.backward(z.candidate, gates.candidate),
    output: σ.backward(z.output, gates.output),
  });
  return { dz, dc: multiply(dcNext, f), dcNext, gates };
}
