// Arrays without shapes: only their length tells whether they fit, and WASM would not notice.

import type { CellKind } from "./cell_kinds.ts";
import type { Numbers } from "./gated_layer.ts";

/** @throws {TypeError} where there are more or fewer numbers than `length`. */
export function checkLength(name: string, numbers: Numbers, length: number): void {
  if (numbers.length === length) return;
  throw new TypeError(
    `Cannot compute: ${name} must hold ${length} numbers, but holds ${numbers.length}`,
  );
}

/** The lengths of a gated cell's arrays. */
export function checkGatedArrays(
  arrays: { readonly kernel: Numbers; readonly recurrentKernel: Numbers; readonly bias?: Numbers },
  { blocks, biases }: CellKind,
  units: number,
  inputSize: number,
): void {
  checkLength("kernel", arrays.kernel, inputSize * blocks * units);
  checkLength("recurrentKernel", arrays.recurrentKernel, units * blocks * units);
  if (arrays.bias !== undefined) checkLength("bias", arrays.bias, biases * blocks * units);
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

/** One array after the other. */
export function joined(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  parts.reduce((at, part) => (all.set(part, at), at + part.length), 0);
  return all;
}
