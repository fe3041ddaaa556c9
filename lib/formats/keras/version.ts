// What differs between the writers of a Keras configuration.

import type { KerasReading } from "../../layers/kind.ts";

/** Who wrote a configuration, and what that writer's layers do where it does not say. */
export type KerasWriter = Pick<
  KerasReading,
  "generation" | "version" | "recurrentActivation" | "zeroOutputForMask" | "masks"
>;

/** The version of files that tell none, as Keras itself takes it. */
export const VERSION_UNTOLD = "1";

/** Whether layers and options have the names of Keras 1. */
export function isKeras1(version: string): boolean {
  return /^1(\.|$)/.test(version);
}

/**
 * The writer by the `keras_version` of its file. Keras 2.3 made sigmoid the default (hard_sigmoid
 * before). tf.keras gives zeros at masked steps, which is Keras from 2.4; Keras before repeats the
 * last result. TensorFlow 1.13 to 2.1 all call themselves 2.2.4-tf, and differ among themselves.
 * Merges count the steps that any mask counts from 3.4 on, Keras 3 before hands no mask on.
 */
export function kerasWriter(version: string): KerasWriter {
  const [, major, minor, isTf] = /^(\d+)(?:\.(\d+))?[^-]*(-tf)?/.exec(version) ?? [];
  if (Number(major) > 2) {
    return {
      generation: "keras3",
      version,
      recurrentActivation: "sigmoid",
      zeroOutputForMask: true,
      masks: Number(major) > 3 || Number(minor ?? Infinity) >= 4 ? "any" : "none",
    };
  }
  const generation = "keras2";
  const isOpen = isTf !== undefined && Number(minor) < 3;
  const isFirst = Number(major) < 2 || Number(minor) < 3;
  return {
    generation,
    version,
    recurrentActivation: isOpen ? undefined : isFirst ? "hard_sigmoid" : "sigmoid",
    zeroOutputForMask: isOpen
      ? undefined
      : isTf !== undefined || Number(major) === 2 && Number(minor) >= 4,
    masks: "all",
  };
}

/** TF.js itself: tfjs-layers/src/layers/recurrent.ts, merge.ts. */
export const TFJS_WRITER: KerasWriter = {
  generation: "keras2",
  version: "TF.js",
  recurrentActivation: "hard_sigmoid",
  zeroOutputForMask: false,
  masks: "all",
};
