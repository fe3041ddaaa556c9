// The shape of a model's input, where its configuration does not tell.

import { UnreadableFileError } from "../../files/unreadable.ts";
import type { Layer, OpenShape } from "../../layers/layer.ts";
import { sameShape } from "../../tensor/shape.ts";
import type { LoadedLayer } from "../build_model.ts";
import type { Converted } from "../conversion.ts";
import type { KerasModel } from "./config.ts";

/** The shape of a row's input: as told, or by its first kernel; undefined of connected layers. */
export function inputShapeOf(
  { parts, layers, inputShape }: Pick<KerasModel, "parts" | "layers" | "inputShape">,
  arraysOf: (layer: Layer) => readonly Converted[],
): OpenShape | undefined {
  if (inputShape !== undefined || !Array.isArray(parts)) return inputShape;
  return inferredInput(layers.map((layer) => ({ layer, weights: arraysOf(layer) })));
}

/** A first layer's kernel tells the input's size, where the configuration does not. */
export function inferredInput(layers: readonly LoadedLayer[]): OpenShape {
  const first = layers.find(({ weights }) => weights.length > 0);
  const size = first && widthOf(first);
  if (size === undefined) {
    const rule = "its input's shape must be told by an InputLayer or a first kernel";
    throw new UnreadableFileError(rule, "the configuration has neither");
  }
  return first!.layer.takes === "words" ? [null] : [null, size];
}

/** For which width of its input a layer has arrays of these shapes; else by its kernel's rows. */
function widthOf({ layer, weights }: LoadedLayer): number | undefined {
  const [{ tensor: { shape } }] = weights as [Converted];
  const rows = shape.at(-2);
  const { groups = 1 } = layer.config; // a kernel has the channels of one
  const widths = [rows, (rows ?? NaN) * Number(groups), shape.at(-1)];
  return widths.find((width) => {
    if (!Number.isInteger(width)) return false;
    const specs = wanted(() => layer.weights([null, width!]));
    return specs?.every((spec, k) => weights[k] && sameShape(spec.shape, weights[k].tensor.shape));
  }) ?? rows;
}

function wanted<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined; // said when the model is built
  }
}
