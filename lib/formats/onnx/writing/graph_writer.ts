import type { OnnxAttribute, OnnxNode, OnnxTensor } from "../../../files/onnx_schema.ts";
import type { Tensor } from "../../../tensor/tensor.ts";

/** What an attribute may be; floats are marked, since whole ones would be taken for integers. */
type AttributeValue =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | { readonly float: number }
  | { readonly floats: readonly number[] };

/** An operator's attributes; those that are undefined are left out. */
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>;

/** How long an axis is: a number, that of another value's axis, or −1 for what is left. */
export type Length = number | { readonly of: string; readonly axis: number };

// AttributeProto.AttributeType and TensorProto.DataType (onnx/onnx.proto)
const [FLOAT, INT, TEXT, FLOATS, INTS, TEXTS] = [1, 2, 3, 6, 7, 8] as const;
/** TensorProto.DataType (onnx/onnx.proto). */
export const DATA_TYPES = { float: 1, int32: 6, int64: 7, bool: 9 } as const;

/** A graph as it is written: nodes in the order of computation, and their constants. */
export class OnnxGraphWriter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  readonly #taken: Set<string>;
  #use = "";
  #owner = "";

  /** The names are those that nothing else may have. */
  constructor(taken: Iterable<string> = []) {
    this.#taken = new Set(taken);
  }

  /** Names nodes after one use of a layer, and constants after the layer, while `write` runs. */
  within<T>({ use, owner }: { readonly use: string; readonly owner: string }, write: () => T): T {
    const outer = [this.#use, this.#owner] as const;
    [this.#use, this.#owner] = [use, owner];
    const written = write();
    [this.#use, this.#owner] = outer;
    return written;
  }

  /** A node of one result: its name. An input that is undefined is left out. */
  add(type: string, inputs: readonly (string | undefined)[], attributes: Attributes = {}): string {
    return this.addAll(type, inputs, 1, attributes)[0]!;
  }

  /** A node of several results. */
  addAll(
    type: string,
    inputs: readonly (string | undefined)[],
    results: number,
    attributes: Attributes = {},
  ): string[] {
    const name = this.#free(`${this.#use}/${type}`);
    const outputs = Array.from(
      { length: results },
      (_, k) => k === 0 ? name : this.#free(`${name}:${k}`),
    );
    const last = inputs.findLastIndex((input) => input !== undefined);
    this.nodes.push({
      type,
      name,
      inputs: inputs.slice(0, last + 1).map((input) => input ?? ""),
      outputs,
      attributes: Object.entries(attributes).flatMap(([key, value]) =>
        value === undefined ? [] : [attributeOf(key, value)]
      ),
    });
    return outputs;
  }

  /** The value under another name, where it was made since then; else itself. */
  renamed(value: string, to: string, since: number): string {
    const made = this.nodes.slice(since);
    if (this.#taken.has(to) || !made.some(({ outputs }) => outputs!.includes(value))) return value;
    this.#taken.add(to);
    const rename = (names: readonly string[] = []) => names.map((one) => one === value ? to : one);
    made.forEach((node, k) => {
      const name = node.name === value ? to : node.name!;
      this.nodes[since + k] = {
        ...node,
        name,
        inputs: rename(node.inputs),
        outputs: rename(node.outputs),
      };
    });
    return to;
  }

  /** A constant in float32. */
  constant(name: string, { data, shape }: Tensor): string {
    const raw = new Uint8Array(new Float32Array(data).buffer); // as they lie: little-endian
    return this.#initializer({ name, shape, dataType: DATA_TYPES.float, raw });
  }

  /** A number in float32. */
  number(value: number): string {
    const raw = new Uint8Array(Float32Array.of(value).buffer);
    return this.#initializer({ name: `${value}`, shape: [], dataType: DATA_TYPES.float, raw });
  }

  /** A constant list of whole numbers, or one alone. */
  integers(name: string, values: readonly number[] | number): string {
    const list = typeof values === "number" ? [values] : values;
    const raw = new Uint8Array(BigInt64Array.from(list, BigInt).buffer);
    const shape = typeof values === "number" ? [] : [values.length];
    return this.#initializer({ name, shape, dataType: DATA_TYPES.int64, raw });
  }

  /** The lengths as a list: a constant where all of them are known. */
  lengths(name: string, lengths: readonly Length[]): string {
    if (lengths.every((one) => typeof one === "number")) return this.integers(name, lengths);
    const parts = lengths.map((one) =>
      typeof one === "number"
        ? this.integers(`${one}`, [one])
        : this.add("Shape", [one.of], { start: one.axis, end: one.axis + 1 })
    );
    return parts.length === 1 ? parts[0]! : this.add("Concat", parts, { axis: 0 });
  }

  /** The same numbers in another shape; 0 is the length of the same axis. */
  reshape(x: string, lengths: readonly Length[]): string {
    return this.add("Reshape", [x, this.lengths("shape", lengths)]);
  }

  /** Constants of one name and content are one: a layer that is used twice has its arrays once. */
  #initializer(own: OnnxTensor & { readonly name: string }): string {
    const name = `${this.#owner}/${own.name}`;
    const same = this.initializers.find((one) =>
      one.name === name && one.dataType === own.dataType &&
      String(one.shape) === String(own.shape) && areSame(one.raw!, own.raw!)
    );
    if (same !== undefined) return name;
    const free = this.#free(name);
    this.initializers.push({ ...own, name: free });
    return free;
  }

  #free(name: string): string {
    let free = name;
    for (let k = 1; this.#taken.has(free); k++) free = `${name}_${k}`;
    this.#taken.add(free);
    return free;
  }
}

function areSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, k) => byte === b[k]);
}

function attributeOf(name: string, value: AttributeValue): OnnxAttribute {
  const bytes = (text: string) => new TextEncoder().encode(text);
  if (typeof value === "number") return { name, type: INT, int: value };
  if (typeof value === "string") return { name, type: TEXT, text: bytes(value) };
  if ("float" in value) return { name, type: FLOAT, float: value.float };
  if ("floats" in value) return { name, type: FLOATS, floats: value.floats };
  return typeof value[0] === "string"
    ? { name, type: TEXTS, texts: (value as readonly string[]).map(bytes) }
    : { name, type: INTS, ints: value as readonly number[] };
}
