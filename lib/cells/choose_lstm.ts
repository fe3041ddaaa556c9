// Which recurrent layer is meant, of a model that may have several.

import { kindOf } from "../base/kind.ts";
import { amongNames } from "../base/names.ts";
import type { CellTrace } from "./cell_run.ts";

/** Which recurrent layer of a model: by its place in `trace.layers` (-1 is the last), or its name there. */
export type LstmChoice = number | string;

/**
 * The layer meant: the one chosen, or the only one there is.
 *
 * @param action what is being done, for the error: "ablate"
 * @throws {RangeError} where there is no such layer, or none is chosen of several.
 */
export function chooseLstm<P extends { readonly name: string }>(
  places: readonly P[],
  choice: LstmChoice | undefined,
  action: string,
): P {
  const names = places.map(({ name }) => name);
  if (places.length === 0) {
    throw new RangeError(
      `Cannot ${action}: the model must have a recurrent layer, but it has none`,
    );
  }
  if (choice === undefined) {
    if (places.length === 1) return places[0]!;
    throw new RangeError(
      `Cannot ${action}: one of the recurrent layers must be chosen by \`layer\`, but none of ` +
        `${names.join(", ")} is`,
    );
  }
  if (typeof choice === "number") {
    const within = Number.isInteger(choice) && choice >= -places.length && choice < places.length;
    if (within) return places.at(choice)!;
    throw new RangeError(
      `Cannot ${action}: the model has recurrent layers 0 to ${places.length - 1} (${
        names.join(", ")
      }), ` +
        `but layer is ${choice}`,
    );
  }
  const found = places.find(({ name }) => name === choice);
  if (found !== undefined) return found;
  throw new RangeError(
    `Cannot ${action}: \`layer\` must be ${amongNames(choice, names)}`,
  );
}

/** A model's trace, as far as this room knows it. */
interface ModelTrace {
  readonly layers: readonly CellTrace[];
  readonly names: readonly string[];
}

/** A tensor, or the copy of one by `structuredClone` or JSON. */
const isTensorOrCopy = (value: unknown) =>
  typeof value === "object" && value !== null && "shape" in value;

/** Whether it is what `trace()` returned, or one layer's part of it; copies of them are. */
export function isTrace(value: unknown): value is ModelTrace | CellTrace {
  if (typeof value !== "object" || value === null) return false;
  const { layers, names, gates, cellState, hiddenState } = value as
    & Partial<ModelTrace>
    & Partial<CellTrace>;
  return Array.isArray(layers) && Array.isArray(names) ||
    typeof gates === "object" && gates !== null && isTensorOrCopy(hiddenState) &&
      (cellState === undefined || isTensorOrCopy(cellState));
}

/**
 * One layer's trace: the one given, or the one chosen of a model's.
 *
 * @throws {TypeError} where it is no trace.
 */
export function oneTrace(
  trace: ModelTrace | CellTrace,
  choice: LstmChoice | undefined,
  action: string,
): CellTrace {
  const named = allTraces(trace, action);
  return "layers" in trace ? chooseLstm(named, choice, action).trace : named[0]!.trace;
}

/**
 * Each layer's trace by its name: the one given, all of a model's, or the one chosen of them.
 *
 * @throws {TypeError} where it is no trace.
 */
export function namedTraces(
  trace: ModelTrace | CellTrace,
  choice: LstmChoice | undefined,
  action: string,
): NamedTrace[] {
  const named = allTraces(trace, action);
  if (!("layers" in trace)) return named;
  return choice === undefined && named.length > 0 ? named : [chooseLstm(named, choice, action)];
}

interface NamedTrace {
  readonly name: string;
  readonly trace: CellTrace;
}

function allTraces(trace: ModelTrace | CellTrace, action: string): NamedTrace[] {
  if (!isTrace(trace)) {
    throw new TypeError(
      `Cannot ${action}: it takes what trace(model, x), lstmForward() or gruForward() returned, ` +
        `but ${kindOf(trace)} was given`,
    );
  }
  if (!("layers" in trace)) return [{ name: "", trace }];
  return trace.layers.map((layer, k) => ({ name: trace.names[k]!, trace: layer }));
}
