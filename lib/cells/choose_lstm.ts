// Which LSTM is meant, of a model that may have several.

import { kindOf } from "../base/kind.ts";
import { amongNames } from "../base/names.ts";
import type { LayerTrace } from "./lstm_forward.ts";

/** Which LSTM of a model: by its place in `trace.layers` (-1 is the last), or its name there. */
export type LstmChoice = number | string;

/**
 * The LSTM meant: the one chosen, or the only one there is.
 *
 * @param action what is being done, for the error: "ablate"
 * @throws {RangeError} where there is no such LSTM, or none is chosen of several.
 */
export function chooseLstm<P extends { readonly name: string }>(
  places: readonly P[],
  choice: LstmChoice | undefined,
  action: string,
): P {
  const names = places.map(({ name }) => name);
  if (places.length === 0) {
    throw new RangeError(`Cannot ${action}: the model must have an LSTM, but it has none`);
  }
  if (choice === undefined) {
    if (places.length === 1) return places[0]!;
    throw new RangeError(
      `Cannot ${action}: one of the LSTMs must be chosen by \`layer\`, but none of ` +
        `${names.join(", ")} is`,
    );
  }
  if (typeof choice === "number") {
    const within = Number.isInteger(choice) && choice >= -places.length && choice < places.length;
    if (within) return places.at(choice)!;
    throw new RangeError(
      `Cannot ${action}: the model has LSTMs 0 to ${places.length - 1} (${names.join(", ")}), ` +
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
  readonly layers: readonly LayerTrace[];
  readonly names: readonly string[];
}

/** A tensor, or the copy of one by `structuredClone` or JSON. */
const isTensorOrCopy = (value: unknown) =>
  typeof value === "object" && value !== null && "shape" in value;

/** Whether it is what `trace()` returned, or one LSTM's part of it; copies of them are. */
export function isTrace(value: unknown): value is ModelTrace | LayerTrace {
  if (typeof value !== "object" || value === null) return false;
  const { layers, names, gates, cellState, hiddenState } = value as
    & Partial<ModelTrace>
    & Partial<LayerTrace>;
  return Array.isArray(layers) && Array.isArray(names) ||
    typeof gates === "object" && gates !== null && isTensorOrCopy(hiddenState) &&
      (cellState === undefined || isTensorOrCopy(cellState));
}

/**
 * One LSTM's trace: the one given, or the one chosen of a model's.
 *
 * @throws {TypeError} where it is no trace.
 */
export function oneTrace(
  trace: ModelTrace | LayerTrace,
  choice: LstmChoice | undefined,
  action: string,
): LayerTrace {
  if (!isTrace(trace)) {
    throw new TypeError(
      `Cannot ${action}: it takes what trace(model, x) or lstmForward() returned, ` +
        `but ${kindOf(trace)} was given`,
    );
  }
  if (!("layers" in trace)) return requireLstmTrace(trace, action);
  const named = trace.layers.map((layer, k) => ({ layer, name: trace.names[k]! }));
  return requireLstmTrace(chooseLstm(named, choice, action).layer, action);
}

/** Throws where a trace is another cell's. */
export function requireLstmTrace(trace: LayerTrace, action: string): LayerTrace {
  const { cellState, gates, source } = trace;
  if (cellState !== undefined && source?.cell === undefined) return trace;
  const whose = source?.cell ?? ("update" in gates ? "GRU" : undefined);
  throw new TypeError(
    `Cannot ${action}: it takes an LSTM's trace, but this one is ` +
      (whose === undefined ? "another cell's" : `a ${whose}'s`) +
      (cellState === undefined ? ", without a cell state" : ""),
  );
}
