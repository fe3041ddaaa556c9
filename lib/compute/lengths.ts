// Arrays without shapes: only their length tells whether they fit, and WASM would not notice.

import type { Numbers } from "./lstm_layer.ts";

/** @throws {TypeError} where there are more or fewer numbers than `length`. */
export function checkLength(name: string, numbers: Numbers, length: number): void {
  if (numbers.length === length) return;
  throw new TypeError(
    `Cannot compute: ${name} must hold ${length} numbers, but holds ${numbers.length}`,
  );
}

/** The lengths of an LSTM's arrays. */
export function checkLstmArrays(
  arrays: { readonly kernel: Numbers; readonly recurrentKernel: Numbers; readonly bias?: Numbers },
  units: number,
  inputSize: number,
): void {
  checkLength("kernel", arrays.kernel, inputSize * 4 * units);
  checkLength("recurrentKernel", arrays.recurrentKernel, units * 4 * units);
  if (arrays.bias !== undefined) checkLength("bias", arrays.bias, 4 * units);
}

/** The lengths of a dense layer's arrays. */
export function checkDenseArrays(
  arrays: { readonly kernel: Numbers; readonly bias?: Numbers },
  units: number,
  inputSize: number,
): void {
  checkLength("kernel", arrays.kernel, inputSize * units);
  if (arrays.bias !== undefined) checkLength("bias", arrays.bias, units);
}
