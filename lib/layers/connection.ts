// Models of any shape, as they are put together: each layer's result leads on to others.

import { kindOf } from "../base/kind.ts";
import type { Layer, OpenShape } from "./layer.ts";

/** One use of a layer. */
export interface Call {
  /** The layer. */
  readonly layer: Layer;
  /** What goes into it. */
  readonly inputs: readonly Connection[];
}

/** A value of a model that is being put together: an input, or a layer's result. */
export class Connection {
  /** Without the batch. */
  readonly shape: OpenShape;
  /** An input's name, where one was asked for. */
  readonly name: string | undefined;
  /** Where it comes from; undefined of an input. */
  readonly call: Call | undefined;
  /** Which of the call's results it is. */
  readonly result: number;

  /** Made by `input()` and by a layer's `apply`. */
  constructor(
    shape: OpenShape,
    from: { readonly name?: string; readonly call?: Call; readonly result?: number },
  ) {
    this.shape = Object.freeze([...shape]);
    this.name = from.name;
    this.call = from.call;
    this.result = from.result ?? 0;
    Object.freeze(this);
  }
}

/** The results of a layer for these inputs; throws where they do not fit it. */
export function connect(layer: Layer, given: Connection | readonly Connection[]): Connection[] {
  const inputs = given instanceof Connection ? [given] : given;
  const action = `apply a ${layer.className}`;
  if (!Array.isArray(inputs) || !inputs.every((one) => one instanceof Connection)) {
    const found = Array.isArray(inputs) ? "a list with something else" : kindOf(given);
    throw new TypeError(
      `Cannot ${action}: it takes what input() or another layer's apply() gave, ` +
        `but ${found} was given`,
    );
  }
  checkInputCount(layer, inputs.length, action);
  const call = Object.freeze({ layer, inputs: Object.freeze([...inputs]) });
  return resultShapes(layer, inputs.map(({ shape }) => shape))
    .map((shape, result) => new Connection(shape, { call, result }));
}

/** The shapes of all results. */
export function resultShapes(layer: Layer, inputs: readonly OpenShape[]): readonly OpenShape[] {
  return layer.resultShapes?.(...inputs) ?? [layer.outputShape(...inputs)];
}

/** Throws where a layer takes another number of inputs. */
export function checkInputCount(layer: Layer, count: number, action: string): void {
  const [least, most] = layer.inputCount ?? [1, 1];
  if (count >= least && count <= most) return;
  const wanted = least === most
    ? `${least}`
    : most === Infinity
    ? `${least} or more`
    : `${least} to ${most}`;
  throw new TypeError(
    `Cannot ${action}: a ${layer.className} takes ${wanted} inputs, but ${count} were given`,
  );
}
