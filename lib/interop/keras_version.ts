// What differs between the writers of a Keras configuration.

import type { KerasGeneration } from "./keras_activation.ts";

/** Who wrote a configuration, and what that writer's layers do where it does not say. */
export interface KerasWriter {
  readonly generation: KerasGeneration;
  /** The version, for messages. */
  readonly version: string;
  /** An LSTM's recurrent activation where none is given; undefined where the version leaves it open. */
  readonly recurrentActivation: "sigmoid" | "hard_sigmoid" | undefined;
  /** Whether Bidirectional gives zeros at masked steps; undefined where the version leaves it open. */
  readonly zeroOutputForMask: boolean | undefined;
}

/**
 * The writer by the `keras_version` of its file. Keras 2.3 made sigmoid the default (hard_sigmoid
 * before). tf.keras gives zeros at masked steps, which is Keras from 2.4; Keras before repeats the
 * last result. TensorFlow 1.13 to 2.1 all call themselves 2.2.4-tf, and differ among themselves.
 */
export function kerasWriter(version: string): KerasWriter {
  const [, major, minor, isTf] = /^(\d+)\.(\d+)[^-]*(-tf)?/.exec(version) ?? [];
  if (Number(major) !== 2) {
    const [generation, recurrentActivation] = ["keras3", "sigmoid"] as const;
    return { generation, version, recurrentActivation, zeroOutputForMask: true };
  }
  const generation = "keras2";
  const isOpen = isTf !== undefined && Number(minor) < 3;
  return {
    generation,
    version,
    recurrentActivation: isOpen ? undefined : Number(minor) < 3 ? "hard_sigmoid" : "sigmoid",
    zeroOutputForMask: isOpen ? undefined : isTf !== undefined || Number(minor) >= 4,
  };
}

/** TF.js itself: tfjs-layers/src/layers/recurrent.ts. */
export const TFJS_WRITER: KerasWriter = {
  generation: "keras2",
  version: "TF.js",
  recurrentActivation: "hard_sigmoid",
  zeroOutputForMask: false,
};
