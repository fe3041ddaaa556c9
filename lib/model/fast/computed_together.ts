import { Tensor } from "../../tensor/tensor.ts";
import type { Gradients, Variable } from "../../values/gradients.ts";

/** Several values that were computed elsewhere, and go back together. */
export function computedTogether(
  tape: Gradients,
  values: readonly Tensor[],
  operands: readonly Variable[],
  back: (gradients: readonly Tensor[]) => readonly (Tensor | undefined)[],
): Variable[] {
  if (values.length === 1) return [tape.computed(values[0]!, operands, (g) => back([g]))];
  const ends = values.map((_, k) => values.slice(0, k + 1).reduce((n, x) => n + x.data.length, 0));
  const at = values.map(({ data }, k) => ends[k]! - data.length);
  const all = new Float32Array(ends.at(-1)!);
  values.forEach(({ data }, k) => all.set(data, at[k]!));
  const whole = tape.computed(
    new Tensor(all, [all.length]),
    operands,
    ({ data }) =>
      back(values.map(({ shape }, k) => new Tensor(data.slice(at[k]!, ends[k]!), shape))),
  );
  return values.map(({ data, shape }, k) =>
    tape.arrange(shape, [whole], [0, at[k]!, 0, data.length])
  );
}
