import type { OnnxAttribute, OnnxNode, OnnxTensor } from "../files/onnx_schema.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** What an attribute may be. */
type AttributeValue = number | string | readonly number[] | readonly string[] | Floats;

/** Floats, which whole numbers would be taken for integers without. */
export interface Floats {
  readonly floats: readonly number[];
}

// AttributeProto.AttributeType and TensorProto.DataType (onnx/onnx.proto)
const [FLOAT, INT, TEXT, FLOATS, INTS, TEXTS] = [1, 2, 3, 6, 7, 8] as const;
const [FLOAT32, INT64] = [1, 7] as const;

/** A graph as it is written: nodes in the order of computation, and their constants. */
export class OnnxGraphWriter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];

  /** A node of one or more results; the name of the first, and `name:1`, … of the others. */
  add(
    type: string,
    inputs: readonly string[],
    { name, results = 1, ...attributes }: {
      readonly name: string;
      readonly results?: number;
      readonly [attribute: string]: AttributeValue | undefined;
    },
  ): string {
    const outputs = Array.from({ length: results }, (_, k) => k === 0 ? name : `${name}:${k}`);
    const written = Object.entries(attributes).flatMap(([key, value]): OnnxAttribute[] =>
      value === undefined ? [] : [attributeOf(key, value)]
    );
    this.nodes.push({ type, name, inputs, outputs, attributes: written });
    return name;
  }

  /** A constant in float32. */
  constant(name: string, { data, shape }: Tensor): string {
    const raw = new Uint8Array(new Float32Array(data).buffer); // as they lie: little-endian
    this.initializers.push({ name, shape, dataType: FLOAT32, raw });
    return name;
  }

  /** A constant list of whole numbers, or one alone. */
  integers(name: string, values: readonly number[] | number): string {
    const list = typeof values === "number" ? [values] : values;
    const raw = new Uint8Array(BigInt64Array.from(list, BigInt).buffer);
    const shape = typeof values === "number" ? [] : [values.length];
    this.initializers.push({ name, shape, dataType: INT64, raw });
    return name;
  }
}

function attributeOf(name: string, value: AttributeValue): OnnxAttribute {
  const bytes = (text: string) => new TextEncoder().encode(text);
  if (typeof value === "number") return { name, type: INT, int: value };
  if (typeof value === "string") return { name, type: TEXT, text: bytes(value) };
  if ("floats" in value) {
    const { floats } = value;
    return floats.length === 1 && (name === "alpha" || name === "beta")
      ? { name, type: FLOAT, float: floats[0]! }
      : { name, type: FLOATS, floats };
  }
  return typeof value[0] === "string"
    ? { name, type: TEXTS, texts: (value as readonly string[]).map(bytes) }
    : { name, type: INTS, ints: value as readonly number[] };
}
