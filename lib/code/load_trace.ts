// The door of loadTrace: what reads traces is loaded when it is asked for.

import { refuseOptions } from "../base/options.ts";
import type { Source } from "../files/source.ts";
import type { ExpectedTrace } from "../insight/proof/expected.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** What a device computed, as {@linkcode prove} takes it. */
export interface DeviceTrace extends ExpectedTrace {
  /** The recurrent layers, in the order in which the device ran them. */
  readonly names: readonly string[];
  /** What other layers gave, by their names. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** What the model gave, where the trace has it. */
  readonly prediction?: Tensor;
}

/**
 * Reads what a device printed: the C file of {@linkcode saveC} with `-DNAME_TRACE`, or any program
 * that prints the same lines, `sample,layer,site,timestep,unit,value`. A site is a cell's gate or
 * state (`gates.forget`, `hiddenState`), `output` of a layer or `prediction` of the model; the
 * timestep is left out where there is none.
 *
 * @param source a path, a URL or the bytes of the CSV
 * @returns what {@linkcode prove} takes as `expected`
 * @throws {UnreadableFileError} where a line is not as above, or a number is missing or there twice.
 *
 * @example
 * ```ts
 * import { loadTrace, lstm, prove, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([lstm({ units: 1 })], { inputShape: [1, 1], seed: 1 });
 * const [h] = model.predict([[[1]]]).data;
 * const printed = `sample,layer,site,timestep,unit,value\n0,lstm,prediction,,0,${h}\n`;
 * const expected = await loadTrace(new TextEncoder().encode(printed));
 * assertEquals(prove(model, [[[1]]], { expected }).verdict, "rounding");
 * ```
 */
export async function loadTrace(source: Source): Promise<DeviceTrace> {
  refuseOptions("load a trace", arguments, 1);
  return await (await import("./read_trace.ts")).readTrace(source);
}
