// Nodes of an ONNX graph as layers: any operation over the inputs, the weights, and what is computed
// of lengths, with the file's own axes.

import { Connection } from "../layers/connection.ts";
import { zeros } from "../layers/initializers.ts";
import { defineLayer, type Layer, type OpenShape } from "../layers/layer.ts";
import { sizeOf } from "../tensor/shape.ts";
import { shapeOf } from "../values/arrange.ts";
import type { Ops } from "../values/ops.ts";
import type { Converted } from "./conversion.ts";
import { type Known, type Lengths, type Part, partOf, tensorOfPart } from "./onnx_known.ts";
import { UnreadNode } from "./onnx_values.ts";

/** An array of the file that becomes a weight of the layer. */
export interface WeightOperand {
  readonly kind: "weight";
  readonly name: string;
  readonly array: Converted;
  /** Default: true. */
  readonly trainable?: boolean;
}

/** What goes into a node's layer. */
export type Operand = Connection | Known | WeightOperand;

/** An operand of a run. */
export interface Running<V> {
  readonly shape: readonly number[];
  readonly value: V;
  /** Of what is computed of lengths: the numbers. */
  readonly part: Part;
}

/** What a node computes. */
export interface Operation {
  /** The shapes of its results, the first axis included; NaN is a length that is not known. */
  readonly shapes: (operands: Some<Part>) => readonly (readonly number[])[];
  readonly run: <V>(o: Ops<V>, operands: Some<Running<V>>) => readonly V[];
}

/** One or more. */
export type Some<T> = readonly [T, ...T[]];

/** A layer, and the arrays that are its weights. */
export interface NodeLayer {
  readonly layer: Layer;
  readonly arrays: readonly Converted[];
  readonly results: readonly Connection[];
}

const MAX_AXES = 8;

/** A node's layer, and its results. */
export function nodeLayer(
  operator: string,
  operands: readonly Operand[],
  operation: Operation,
): NodeLayer {
  const connections = [
    ...new Set(
      operands.flatMap((one) =>
        one instanceof Connection ? [one] : one.kind === "known" ? one.sources : []
      ),
    ),
  ];
  const weights = operands.filter((one): one is WeightOperand =>
    "kind" in one && one.kind === "weight"
  );
  const partsOf = (lengths: Lengths, shapes: (one: Connection) => readonly number[]) =>
    operands.map((one): Part =>
      one instanceof Connection
        ? { shape: shapes(one), data: undefined }
        : one.kind === "known"
        ? partOf(one, lengths)
        : { shape: one.array.tensor.shape, data: undefined }
    ) as unknown as Some<Part>;
  const resultShapes = (...inputs: OpenShape[]) => {
    const full = inputs.map((shape) => [NaN, ...shape.map((length) => length ?? NaN)]);
    const shapes = (one: Connection) => full[connections.indexOf(one)]!;
    const lengths: Lengths = { shapeOf: shapes, found: new Map() };
    return operation.shapes(partsOf(lengths, shapes)).map((shape) => openShape(shape));
  };
  const layer = defineLayer({
    className: `Onnx${operator}`,
    config: {},
    inputCount: [connections.length, connections.length] as const,
    outputShape: (...inputs: OpenShape[]) => resultShapes(...inputs)[0]!,
    resultShapes,
    weights: () =>
      weights.map(({ name, array, trainable = true }) => ({
        name,
        shape: array.tensor.shape,
        trainable,
        initialize: zeros,
      })),
    run<V>(o: Ops<V>, inputs: readonly V[], own: readonly V[]) {
      const shapes = (one: Connection) => shapeOf(o, inputs[connections.indexOf(one)]!);
      const lengths: Lengths = { shapeOf: shapes, found: new Map() };
      const parts = partsOf(lengths, shapes);
      const running = operands.map((one, k): Running<V> => {
        const part = parts[k]!;
        if (one instanceof Connection) {
          return { shape: part.shape, part, value: inputs[connections.indexOf(one)]! };
        }
        if (one.kind === "weight") {
          return { shape: part.shape, part, value: own[weights.indexOf(one)]! };
        }
        let given: V | undefined;
        return {
          shape: part.shape,
          part,
          get value() {
            return given ??= o.given(tensorOfPart(part));
          },
        };
      });
      try {
        return { outputs: operation.run(o, running as unknown as Some<Running<V>>) };
      } catch (error) {
        if (!(error instanceof UnreadNode)) throw error;
        throw new RangeError(
          `Cannot run a ${operator} of an ONNX graph: its inputs must fit it, but ${error.message}`,
        );
      }
    },
  });
  return { layer, arrays: weights.map(({ array }) => array), results: layer.applyAll(connections) };
}

function openShape(shape: readonly number[]): OpenShape {
  if (shape.length === 0) throw new UnreadNode("its result is a single number, without an axis");
  checkAxes(shape.length);
  return shape.slice(1).map((length) => Number.isNaN(length) ? null : length);
}

/** Throws where there are more axes than are read. */
export function checkAxes(count: number): void {
  if (count > MAX_AXES) {
    throw new UnreadNode(`it may have at most ${MAX_AXES} axes, but the count is ${count}`);
  }
}

/** The same numbers in another shape; throws where they are more or fewer. */
export function reshapeTo<V>(
  o: Ops<V>,
  { shape, value }: Pick<Running<V>, "shape" | "value">,
  to: readonly number[],
): V {
  if (sizeOf(shape) !== sizeOf(to)) throw new UnreadNode(`it turns [${shape}] into [${to}]`);
  return o.reshape(value, to);
}
