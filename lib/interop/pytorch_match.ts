// Which arrays of a PyTorch file belong to which layer. A layer's own name decides, else the shapes;
// where several modules fit, they come in the order of the state_dict. A .safetensors holds them by
// the alphabet: there numbers in the names decide (lstms.2 before lstms.10), else it is refused.

import { quoted } from "../base/quoted.ts";
import { UnreadableFileError } from "../files/unreadable.ts";
import { type Layer, unwrapped } from "../layers/layer.ts";
import { formatShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { LoadedWeights } from "./build_model.ts";
import { type Converted, taken, transposed } from "./conversion.ts";
import type { Line } from "./format.ts";
import {
  LSTM_ARRAY,
  lstmStacks,
  missing,
  type PytorchArrays,
  pytorchProvenance,
  type TorchLstm,
} from "./pytorch.ts";

type Arrays = ReadonlyMap<string, Tensor>;

/**
 * The arrays of a PyTorch file for layers that are known.
 *
 * @throws {UnreadableFileError} where arrays are missing, left over, or may belong to several layers.
 */
export function pytorchWeights(file: PytorchArrays, line: Line): LoadedWeights {
  const { arrays, metadata, isOrdered = false } = file;
  const perLayer = new TorchFile(arrays, line.map(({ layer }) => layer), isOrdered).assign();
  return { perLayer, provenance: pytorchProvenance(metadata) };
}

/** What is not yet given to a layer. */
class TorchFile {
  readonly #modules: Set<string>; // of nn.Linear and nn.Embedding
  readonly #stacks: readonly TorchLstm[];
  readonly #names: ReadonlySet<string>; // which layers ask for by name

  constructor(
    readonly arrays: Arrays,
    readonly layers: readonly Layer[],
    readonly isOrdered: boolean,
  ) {
    this.#stacks = lstmStacks(arrays);
    const weights = [...arrays.keys()].filter((key) => key.endsWith(".weight"));
    this.#modules = new Set(weights.map((key) => key.slice(0, -".weight".length)));
    this.#names = new Set(layers.flatMap((layer) => nameOf(layer) ?? []));
  }

  assign(): Converted[][] {
    const recurrent = this.#inOrder().flatMap(({ layers }) => layers);
    const perLayer = this.layers.map((layer, at): Converted[] => {
      const inner = unwrapped(layer);
      if (isRecurrent(layer)) {
        const own = recurrent.shift() ?? missing("another layer", this.arrays);
        return [...own.weights];
      }
      if (inner.className !== "Dense" && inner.className !== "Embedding") return [];
      return this.#module(layer, inner, widthBefore(this.layers, at) ?? 0);
    });
    const stray = [...this.#modules][0] ?? recurrent[0]?.weights[0]?.from ??
      [...this.arrays.keys()].find((key) => !LSTM_ARRAY.test(key) && !/\.(weight|bias)$/.test(key));
    if (stray === undefined) return perLayer;
    const rule = "each of its arrays must belong to a layer";
    throw new UnreadableFileError(rule, `one is ${quoted(stray)}`);
  }

  /** The nn.LSTMs in the order of the layers. */
  #inOrder(): readonly TorchLstm[] {
    const places = [...this.layers.keys()].filter((at) => isRecurrent(this.layers[at]!));
    const wanted = (place: number) => {
      const own = nameOf(this.layers[places[place]!]!);
      return this.#stacks.find(({ prefix }) => prefix !== "" && prefix === own);
    };
    const free = new Map<string, TorchLstm[]>(); // those of the same shapes
    for (const stack of this.#stacks.filter(({ prefix }) => !this.#names.has(prefix))) {
      const shapes = shapesOf(stack);
      free.set(shapes, [...free.get(shapes) ?? [], stack]);
    }
    const fits = ({ layers }: TorchLstm, place: number) =>
      layers.every(({ weights, inputSize }, k) => {
        const at = places[place + k];
        return at !== undefined && sameShapes(this.layers[at]!, inputSize, weights) &&
          (widthBefore(this.layers, at) ?? inputSize) === inputSize;
      });
    const found: (readonly TorchLstm[])[] = [];
    const follow = (place: number, before: readonly TorchLstm[]): void => {
      if (found.length > (this.isOrdered ? 0 : 1)) return;
      if (place === places.length) return void found.push(before);
      const named = wanted(place);
      const next = named !== undefined ? [named] : [...free.values()].flatMap((alike) => {
        return alike.find((stack) => !before.includes(stack)) ?? [];
      });
      for (const stack of next.filter((one) => fits(one, place))) {
        follow(place + stack.layers.length, [...before, stack]);
      }
    };
    for (const [shapes, alike] of free) {
      const sorted = this.isOrdered ? alike : numbered(alike, ({ prefix }) => prefix);
      if (sorted !== undefined) free.set(shapes, [...sorted]);
      else if (places.some((_, place) => fits(alike[0]!, place))) {
        this.#refuse("LSTM", alike.map(({ prefix }) => prefix));
      }
    }
    follow(0, []);
    if (found.length > 1) this.#refuse("LSTM", found[0]!.map(({ prefix }) => prefix));
    return found[0] ?? this.#stacks; // where none fits, the error tells of the first that does not
  }

  #module(layer: Layer, inner: Layer, width: number): Converted[] {
    const isDense = inner.className === "Dense";
    const [spec, bias] = inner.weights([width]);
    const wanted = isDense ? spec!.shape.toReversed() : spec!.shape;
    const fits = [...this.#modules].filter((module) =>
      formatShape(this.arrays.get(`${module}.weight`)!.shape) === formatShape(wanted) &&
      this.arrays.has(`${module}.bias`) === (bias !== undefined) && !this.#names.has(module)
    );
    const own = nameOf(layer);
    const named = own !== undefined && this.#modules.has(own) ? own : undefined;
    const sorted = this.isOrdered ? fits : numbered(fits, (module) => module);
    if (named === undefined && sorted === undefined) this.#refuse(inner.className, fits);
    const module = named ?? sorted?.[0];
    if (module === undefined) {
      const kind = isDense ? "an nn.Linear" : "an nn.Embedding";
      const bias = inner.weights([width]).length > 1 ? " with a bias" : "";
      const rule = `a ${inner.className} needs ${kind} of ${formatShape(wanted)}${bias}`;
      const there = [...this.#modules].slice(0, 8).map(quoted).join(", ") || "none";
      throw new UnreadableFileError(rule, `the modules left are ${there}`);
    }
    this.#modules.delete(module);
    const weight = taken(`${module}.weight`, this.arrays.get(`${module}.weight`)!);
    const offset = this.arrays.get(`${module}.bias`);
    return [
      isDense ? transposed(weight) : weight,
      ...(offset === undefined ? [] : [taken(`${module}.bias`, offset)]),
    ];
  }

  #refuse(kind: string, modules: readonly string[]): never {
    const found = modules.slice(0, 8).map(quoted).join(", ");
    const rule = `where several modules fit, each layer must have its module's name ` +
      `(as in { name: ${quoted(modules[0]!)} }), since the file does not tell their order`;
    throw new UnreadableFileError(rule, `those that fit a ${kind} are ${found}`);
  }
}

/** How many features go into a layer; undefined where only the file tells. */
function widthBefore(layers: readonly Layer[], at: number): number | undefined {
  for (const layer of layers.slice(0, at).reverse()) {
    const { className } = unwrapped(layer);
    if (isRecurrent(layer)) return layer.outputShape([null, 1]).at(-1) ?? undefined;
    if (className === "Embedding") return layer.outputShape([null]).at(-1) ?? undefined;
    if (className === "Dense") return layer.outputShape([null, 1]).at(-1) ?? undefined;
  }
  return undefined;
}

function shapesOf({ layers }: TorchLstm): string {
  return layers.map(({ weights }) => weights.map(({ tensor }) => formatShape(tensor.shape)))
    .join(";");
}

function isRecurrent({ className }: Layer): boolean {
  return className === "LSTM" || className === "Bidirectional";
}

/** The name that was asked for; the model's own ("lstm_1") is no name of a module. */
function nameOf(layer: Layer): string | undefined {
  return layer.name ?? layer.wrapped?.name;
}

function sameShapes(layer: Layer, inputSize: number, weights: readonly Converted[]): boolean {
  const specs = layer.weights([null, inputSize]);
  return specs.length === weights.length &&
    specs.every(({ shape }, k) => formatShape(shape) === formatShape(weights[k]!.tensor.shape));
}

/** In the order of the numbers in their names; undefined where the names differ otherwise. */
function numbered<T>(all: readonly T[], name: (one: T) => string): readonly T[] | undefined {
  const [stem, ...others] = all.map((one) => name(one).replace(/\d+/g, "#"));
  if (others.some((other) => other !== stem)) return undefined;
  const numbers = (one: T) => name(one).match(/\d+/g)?.map(BigInt) ?? [];
  const order = (a: T, b: T) => {
    const [first, second] = [numbers(a), numbers(b)];
    const at = first.findIndex((number, k) => number !== second[k]);
    return at === -1 ? 0 : first[at]! < second[at]! ? -1 : 1;
  };
  const sorted = all.toSorted(order);
  return sorted.some((one, k) => k > 0 && order(sorted[k - 1]!, one) === 0) ? undefined : sorted;
}
