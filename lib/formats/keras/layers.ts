// The layers of a Keras configuration, by the table of layers.

import { isRecord } from "../../files/json.ts";
import { asFileError, UnreadableFileError } from "../../files/unreadable.ts";
import type { KerasConfig } from "../../layers/kind.ts";
import type { Layer } from "../../layers/layer.ts";
import { kindOfLayer, LAYER_KINDS } from "../../layers/table.ts";
import { kerasActivation } from "./activation.ts";
import { checkLayerRecord } from "./options.ts";
import type { KerasWriter } from "./version.ts";

/** A layer as a configuration tells it. */
export interface KerasLayerConfig {
  readonly className: string;
  readonly name: string;
  readonly config: KerasConfig;
}

/** The layers that are read, for messages. */
export const KNOWN_LAYERS: string = LAYER_KINDS.map(({ className }) => className).join(", ");

/** What messages call a layer. */
export function placeOf({ name, className }: { name: string; className: string }): string {
  return `${JSON.stringify(name)} (${className})`;
}

/**
 * The layer that a configuration tells of.
 *
 * @throws {UnreadableFileError} where it is of a class or has an option that is not read: its name,
 * its class and what is read stand in the message.
 */
export function kerasLayer(
  { className, name, config }: KerasLayerConfig,
  writer: KerasWriter,
  call: KerasConfig = {},
): Layer {
  const place = placeOf({ name, className });
  const kind = kindOfLayer(className);
  if (kind === undefined) {
    throw new UnreadableFileError(
      `its layers must be of ${KNOWN_LAYERS}`,
      `the layer ${JSON.stringify(name)} is a ${className}`,
    );
  }
  const refuse = (rule: string, found: string): never => {
    throw new UnreadableFileError(rule, found, { source: place });
  };
  for (const [option, only] of Object.entries(kind.only ?? {})) {
    const value = config[option] ?? only;
    if (value === only) continue;
    refuse(`${option} must be ${only}`, `the value is ${JSON.stringify(value).slice(0, 100)}`);
  }
  return asFileError("its options must be a layer's", () => {
    const options = { ...config, ...((kind.readsCall || kind.callOptions) && { call }) };
    return kind.read({ ...options, name }, {
      ...writer,
      activation: (value) => kerasActivation(value, writer.generation, place),
      layer: (value) => inner(value, place, writer),
      refuse,
    });
  }, place);
}

/** How many axes the kernel of a layer, or of the one inside of it, moves along; 0 of most. */
export function kernelAxesOf({ className, wrapped }: Layer): number {
  return kindOfLayer(className)?.kernelAxes ?? (wrapped === undefined ? 0 : kernelAxesOf(wrapped));
}

/** The layer within Bidirectional and TimeDistributed. */
function inner(value: unknown, place: string, writer: KerasWriter): Layer {
  const { class_name: className, config } = isRecord(value) ? value : {};
  if (isRecord(value)) checkLayerRecord(value, place);
  if (typeof className !== "string" || !isRecord(config)) {
    const state = `the layer is ${JSON.stringify(value)?.slice(0, 100)}`;
    throw new UnreadableFileError("it holds a layer of its own", state, { source: place });
  }
  const name = typeof config.name === "string" ? config.name : className;
  return kerasLayer({ className, name, config }, writer);
}

/** Throws where a version leaves open what a layer gives at masked steps. */
export function checkMaskedSteps(layers: readonly Layer[], writer: KerasWriter): void {
  const { zeroOutputForMask: zeros, version } = writer;
  let isMasked = false;
  for (const { name, className, makesMask, wrapped, cells } of layers) {
    if (makesMask === true) isMasked = true;
    if (!isMasked) continue;
    const refuse = (rule: string, state: string): never => {
      throw new UnreadableFileError(rule, state, {
        source: placeOf({ name: name!, className }),
      });
    };
    const givesSequences = cells?.length === 2 && wrapped?.config.return_sequences === true;
    if (zeros === undefined && givesSequences) {
      refuse(
        `its version must tell what masked steps of a ${className} give: zeros, or the ` +
          "result before them",
        `the version is ${version}, under which both exist`,
      );
    }
    if (kindOfLayer(className)?.forgetsMasks && writer.generation === "keras2") {
      refuse(
        `no mask may come to a ${className}: Keras 2 forgets behind it which steps count`,
        `the version is ${version}, and one comes before it`,
      );
    }
    if (kindOfLayer(className)?.countsByMasks && /^3\.[45](\D|$)/.test(version)) {
      refuse(
        `its version must tell what a ${className} makes of masked steps`,
        `the version is ${version}, in which Keras's backends differ`,
      );
    }
  }
}

/**
 * Throws where masked steps would be zeros in the order of time, and the result is in the other order:
 * what Keras's unrolled loops backwards do (keras/src/backend/jax/rnn.py).
 */
export function checkUnrolled(
  nodes: readonly KerasLayerConfig[],
  layers: readonly Layer[],
  { zeroOutputForMask }: KerasWriter,
): void {
  if (!layers.some(({ makesMask }) => makesMask === true)) return;
  for (const node of nodes) {
    const { layer, backward_layer: back, ...own } = node.config;
    const inner = [layer, back].flatMap((one): KerasConfig[] =>
      isRecord(one) && isRecord(one.config) ? [one.config] : []
    );
    const isPair = inner.some(({ unroll, return_sequences: all }) =>
      unroll === true && all === true
    ) &&
      zeroOutputForMask === true;
    const isOne = own.unroll === true && own.return_sequences === true &&
      own.go_backwards === true &&
      own.zero_output_for_mask === true;
    if (!isPair && !isOne) continue;
    const rule = "unroll must be false where masked steps of a sequence are zeros: Keras's loop " +
      "backwards has them at the wrong steps";
    throw new UnreadableFileError(rule, "it is true", { source: placeOf(node) });
  }
}
