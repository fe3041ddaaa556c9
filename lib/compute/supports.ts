// Whether the fast equations cover a layer; else those of lib/cells compute it.

import { type FastActivation, fastActivation, SOFTMAX } from "./activations.ts";
import { availableBuild } from "./engine.ts";

/** An activation as `getActivation` describes itself. */
export interface NamedActivation {
  /** Keras's name of it. */
  readonly activationName: string;
  /** Keras's arguments in camelCase. */
  readonly options: object;
}

/** A gated cell's two activations in their fast form; undefined where this machine or one of them has none. */
export function supportsCell(
  activation: NamedActivation,
  recurrentActivation: NamedActivation,
): { activation: FastActivation; recurrentActivation: FastActivation } | undefined {
  const [φ, σ] = [supportsDense(activation), supportsDense(recurrentActivation)];
  if (φ === undefined || σ === undefined) return undefined;
  if (φ.kind === SOFTMAX || σ.kind === SOFTMAX) return undefined;
  return { activation: φ, recurrentActivation: σ };
}

/** A dense layer's activation in its fast form; undefined where there is none. */
export function supportsDense(activation: NamedActivation): FastActivation | undefined {
  if (availableBuild() === undefined) return undefined;
  return fastActivation(activation.activationName, activation.options);
}
