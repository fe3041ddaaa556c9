// The functions of gates over many numbers: a loop that calls one function alone is twice as fast as one
// that all functions share.

import { activationCurves, type ElementwiseActivationName } from "./activation_curves.ts";

type Numbers = Float64Array | Float32Array | Int32Array;

/** A curve over numbers side by side. */
export interface CurveLoops {
  /** f(x) */
  readonly each: (x: Numbers, into: Float64Array) => void;
  /** dy ⊙ f′(x), y = f(x) */
  readonly back: (x: Numbers, y: Numbers | undefined, dy: Numbers, into: Float64Array) => void;
}

const sigmoid = activationCurves.sigmoid.fixed!;
const tanh = activationCurves.tanh.fixed!;

/** By name. */
export const curveLoops: Partial<Record<ElementwiseActivationName, CurveLoops>> = {
  sigmoid: {
    each: (x, into) => {
      for (let k = 0; k < into.length; k++) into[k] = sigmoid.f(x[k]!);
    },
    back: (x, y, dy, into) => {
      for (let k = 0; k < into.length; k++) into[k] = dy[k]! * sigmoid.derivative(x[k]!, y?.[k]);
    },
  },
  tanh: {
    each: (x, into) => {
      for (let k = 0; k < into.length; k++) into[k] = tanh.f(x[k]!);
    },
    back: (x, y, dy, into) => {
      for (let k = 0; k < into.length; k++) into[k] = dy[k]! * tanh.derivative(x[k]!, y?.[k]);
    },
  },
};
