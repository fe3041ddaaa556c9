// What a diagnosis is to explain.

import { formatShape, sameShape } from "../../tensor/shape.ts";
import { asFloat64, type Tensor, type TensorLike } from "../../tensor/tensor.ts";
import type { ArrayReadings } from "./array_roles.ts";
import { type LstmValue, lstmValues } from "../../cells/lstm.ts";
import { type ExpectedTrace, partsOf, valueOf } from "../proof/expected.ts";

/** What a reading's run is held against. */
export interface Wanted {
  /** The last result, `[batch, …]`; or all, `[batch, timesteps, …]`. */
  readonly prediction: Tensor | undefined;
  /** Values inside, `[batch, timesteps, units]` each. */
  readonly inside: Readonly<Partial<Record<LstmValue, Tensor>>>;
}

/** Takes what is expected, in any of its forms. */
export function wantedOf(expected: TensorLike | ExpectedTrace): Wanted {
  const { prediction, layers = [] } = partsOf(expected, "diagnose");
  if (layers.length > 1) {
    throw new TypeError(
      `Cannot diagnose: there is one LSTM, but the expected layers are ${layers.length}`,
    );
  }
  const inside = Object.fromEntries(lstmValues.flatMap((value) => {
    const theirs = valueOf(layers[0], value);
    return theirs === undefined ? [] : [[value, asFloat64(theirs)]];
  }));
  if (prediction === undefined && Object.keys(inside).length === 0) {
    throw new TypeError(
      "Cannot diagnose: there must be something to explain, a prediction or values inside, " +
        "but expected is empty",
    );
  }
  return { prediction: prediction === undefined ? undefined : asFloat64(prediction), inside };
}

/** The same as `prove` takes it. */
export function expectedOf({ prediction, inside }: Wanted): ExpectedTrace {
  const gates = {
    ...(inside["gates.input"] && { input: inside["gates.input"] }),
    ...(inside["gates.forget"] && { forget: inside["gates.forget"] }),
    ...(inside["gates.candidate"] && { candidate: inside["gates.candidate"] }),
    ...(inside["gates.output"] && { output: inside["gates.output"] }),
  };
  const { cellState, hiddenState } = inside;
  const layer = { gates, ...(cellState && { cellState }), ...(hiddenState && { hiddenState }) };
  return { layers: [layer], ...(prediction && { prediction }) };
}

/** Throws where a shape fits no model of these arrays. */
export function checkWanted(
  { units, dense }: ArrayReadings,
  [batch, timesteps]: readonly number[],
  { prediction, inside }: Wanted,
): void {
  const check = (what: string, { shape }: Tensor, allowed: readonly number[][]) => {
    if (allowed.some((other) => sameShape(other, shape))) return;
    throw new TypeError(
      `Cannot diagnose: the expected ${what} must be ${allowed.map(formatShape).join(" or ")}, ` +
        `but the shape is ${formatShape(shape)}`,
    );
  };
  const width = dense?.bias.data.length ?? units;
  const sequence = [batch!, timesteps!, width];
  if (prediction !== undefined) check("prediction", prediction, [[batch!, width], sequence]);
  for (const [value, tensor] of Object.entries(inside)) {
    check(value, tensor, [[batch!, timesteps!, units]]);
  }
}
