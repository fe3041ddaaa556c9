// Kinds of numbers in ONNX: TensorProto.DataType.

/** float32, float16, float64, bfloat16. */
export const FLOATS: readonly number[] = [1, 10, 11, 16];
/** The floats of 16 bits. */
export const HALVES: readonly number[] = [10, 16];
/** Integers. */
export const WORDS: readonly number[] = [2, 3, 4, 5, 6, 7, 12, 13];
/** Integers and truth values. */
export const WHOLES: readonly number[] = [...WORDS, 9];
