// What a diagnosis is to explain.

import { formatShape, sameShape } from "../../tensor/shape.ts";
import { asFloat64, type Tensor, type TensorLike } from "../../tensor/tensor.ts";
import type { ArrayReadings } from "./array_roles.ts";
import { type SiteName, sitesOf } from "../../cells/sites.ts";
import { type ExpectedTrace, partsOf, valueOf } from "../proof/expected.ts";

/** What a reading's run is held against. */
export interface Wanted {
  /** The last result, `[batch, …]`; or all, `[batch, timesteps, …]`. */
  readonly prediction: Tensor | undefined;
  /** Values inside, `[batch, timesteps, units]` each. */
  readonly inside: Readonly<Partial<Record<SiteName, Tensor>>>;
}

/** Takes what is expected, in any of its forms. */
export function wantedOf(expected: TensorLike | ExpectedTrace): Wanted {
  const { prediction, layers = [] } = partsOf(expected, "diagnose");
  if (layers.length > 1) {
    throw new TypeError(
      `Cannot diagnose: there is one recurrent layer, but the expected layers are ${layers.length}`,
    );
  }
  const inside = Object.fromEntries(
    sitesOf(layers[0] ?? {}).flatMap((value) => {
      const theirs = valueOf(layers[0], value);
      return theirs === undefined ? [] : [[value, asFloat64(theirs)]];
    }),
  );
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
  const parts = Object.entries(inside).map(([site, tensor]) => [site.split("."), tensor] as const);
  const gates = parts.flatMap(([[, gate], tensor]) => gate === undefined ? [] : [[gate, tensor]]);
  const states = parts.flatMap(([[state, gate], tensor]) => gate ? [] : [[state, tensor]]);
  const layer = { gates: Object.fromEntries(gates), ...Object.fromEntries(states) };
  return { layers: [layer], ...(prediction && { prediction }) };
}

/**
 * The readings that can have what is expected.
 *
 * @throws {TypeError} where none can.
 */
export function fitting(
  arrays: readonly ArrayReadings[],
  shape: readonly number[],
  wanted: Wanted,
): ArrayReadings[] {
  const faults = arrays.map((one) => faultOf(one, shape, wanted));
  const found = arrays.filter((_, k) => faults[k] === undefined);
  if (found.length > 0) return found;
  throw new TypeError(`Cannot diagnose: ${faults[0]}`);
}

/** Why no model of these arrays has such values. */
function faultOf(
  { of: { cell, owner }, units, dense }: ArrayReadings,
  [batch, timesteps]: readonly number[],
  { prediction, inside }: Wanted,
): string | undefined {
  const fault = (what: string, { shape }: Tensor, allowed: readonly number[][]) =>
    allowed.some((other) => sameShape(other, shape))
      ? undefined
      : `the expected ${what} must be ${allowed.map(formatShape).join(" or ")}, ` +
        `but the shape is ${formatShape(shape)}`;
  const width = dense?.bias.data.length ?? units;
  const sequence = [batch!, timesteps!, width];
  const values = Object.entries(inside).map(([value, tensor]) =>
    cell.sites.includes(value)
      ? fault(value, tensor!, [[batch!, timesteps!, units]])
      : `what is expected must be among the gates and states of ${owner}, but it has ${value}`
  );
  return [
    prediction && fault("prediction", prediction, [[batch!, width], sequence]),
    ...values,
  ].find((found) => found !== undefined);
}
