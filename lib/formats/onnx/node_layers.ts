// Nodes of an ONNX graph as layers: any operation over the inputs, the weights, and what is computed
// of lengths, with the file's own axes.

import { Connection } from "../../layers/connection.ts";
import { zeros } from "../../layers/initializers.ts";
import { defineLayer, type Layer, type Mask, type OpenShape } from "../../layers/layer.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { shapeOf } from "../../values/arrange.ts";
import type { Ops } from "../../values/ops.ts";
import type { Converted } from "../conversion.ts";
import { type Known, type Lengths, type Part, partOf, tensorOfPart } from "./known.ts";
import { UnreadNode } from "./errors.ts";

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
  /** Which steps of the result count. Default: all. */
  readonly mask?: <V>(o: Ops<V>, operands: Some<Running<V>>) => Mask | undefined;
}

/** One or more. */
export type Some<T> = readonly [T, ...T[]];

/** A layer, and the arrays that are its weights. */
export interface NodeLayer {
  readonly layer: Layer;
  readonly arrays: readonly Converted[];
  readonly results: readonly Connection[];
}

/** How many axes a result may have. */
export const MAX_AXES = 8;
const MOST_NUMBERS = 2 ** 27;

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
  const shapesOf = (full: readonly (readonly number[])[]) => {
    const shapes = (one: Connection) => full[connections.indexOf(one)]!;
    return operation.shapes(partsOf({ shapeOf: shapes, found: new Map() }, shapes));
  };
  const resultShapes = (...inputs: OpenShape[]) =>
    shapesOf(inputs.map((shape, k) => withFirst(shape, connections[k]!))).map(openShape);
  const wholeShapes = (...inputs: OpenShape[]) =>
    whenRunning(operator, () => shapesOf(inputs.map((shape) => shape.map((n) => n ?? NaN))))
      .map((shape) => shape.map((length) => Number.isNaN(length) ? null : length));
  const layer = defineLayer({
    className: `Onnx${operator}`,
    config: {},
    inputCount: [connections.length, connections.length] as const,
    outputShape: (...inputs: OpenShape[]) => resultShapes(...inputs)[0]!,
    resultShapes,
    wholeShapes,
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
      const given = running as unknown as Some<Running<V>>;
      return whenRunning(operator, () => {
        operation.shapes(parts).forEach(checkSize);
        return { outputs: operation.run(o, given), mask: operation.mask?.(o, given) };
      });
    },
  });
  const results = layer.applyAll(connections);
  operation.shapes(partsOf({ shapeOf: fullShape, found: new Map() }, fullShape))
    .forEach(([first], k) => firstIs(results[k]!, first!));
  return { layer, arrays: weights.map(({ array }) => array), results };
}

/** What does not fit a node is, in a call, of the wrong lengths. */
function whenRunning<T>(operator: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof UnreadNode)) throw error;
    throw new RangeError(
      `Cannot run a ${operator} of an ONNX graph: its inputs must fit it, but ${error.message}`,
    );
  }
}

/** How long the first axis is, where the graph fixes it whatever goes in. */
const firsts = new WeakMap<Connection, number>();

/** Keeps in mind how long the first axis is; NaN where it is not known. */
export function firstIs(connection: Connection, length: number): void {
  if (!Number.isNaN(length)) firsts.set(connection, length);
}

function withFirst(shape: OpenShape, connection: Connection): number[] {
  return [firsts.get(connection) ?? NaN, ...shape.map((length) => length ?? NaN)];
}

/** A connection's shape, the first axis included; NaN is a length that is not known. */
export function fullShape(connection: Connection): number[] {
  return withFirst(connection.shape, connection);
}

function openShape(shape: readonly number[]): OpenShape {
  if (shape.length === 0) throw new UnreadNode("its result is a single number, without an axis");
  checkAxes(shape.length);
  checkSize(shape);
  return shape.slice(1).map((length) => Number.isNaN(length) ? null : length);
}

/** Throws where a result is larger than any that a graph needs: few bytes may ask for much. */
function checkSize(shape: readonly number[]): void {
  const size = sizeOf(shape.filter((length) => !Number.isNaN(length)));
  if (size <= MOST_NUMBERS) return;
  throw new UnreadNode(`its result may have at most ${MOST_NUMBERS} numbers: it has ${size}`);
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
