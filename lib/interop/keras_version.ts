// What differs between the writers of a Keras configuration.

import type { KerasReading } from "../layers/kind.ts";

/** Who wrote a configuration, and what that writer's layers do where it does not say. */
export type KerasWriter = Pick<
  KerasReading,
  "generation" | "version" | "recurrentActivation" | "zeroOutputForMask"
>;

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
