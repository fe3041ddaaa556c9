// Which arrays of a PyTorch file belong to which layer. A layer's own name decides, else the shapes;
// where several modules fit, they come in the order of the state_dict. A .safetensors holds them by
// the alphabet: there numbers in the names decide (lstms.2 before lstms.10), else it is refused.

import { quoted } from "../../base/quoted.ts";
import { UnreadableFileError } from "../../files/unreadable.ts";
import { type Layer, unwrapped, type WeightSpec } from "../../layers/layer.ts";
import { formatShape, sameShape } from "../../tensor/shape.ts";
import type { LoadedWeights } from "../build_model.ts";
import type { Converted } from "../conversion.ts";
import type { Line } from "../format.ts";
import { shownSpecs, specsOf, widthBefore } from "../layer_widths.ts";
import { numbered } from "../numbered.ts";
import { type PytorchArrays, pytorchProvenance } from "./file.ts";
import { checkLayers, isRecurrent, notesOn } from "./layers.ts";
import { modulesIn, strayIn, TORCH_KINDS, type TorchKind, type TorchModule } from "./modules.ts";
import { missing, stacksIn, type TorchStack } from "./recurrent.ts";

/**
 * The arrays of a PyTorch file for layers that are known.
 *
 * @throws {UnreadableFileError} where arrays are missing, left over, or may belong to several layers.
 */
export function pytorchWeights(file: PytorchArrays, line: Line): LoadedWeights {
  const layers = line.map(({ layer }) => layer);
  checkLayers(line);
  const torch = new TorchFile(file, layers);
  const perLayer = torch.assign();
  const provenance = pytorchProvenance(file.metadata, torch.stacks);
  return {
    perLayer,
    provenance: { ...provenance, notes: [...provenance.notes, ...notesOn(line)] },
  };
}

/** What is not yet given to a layer. */
class TorchFile {
  readonly stacks: readonly TorchStack[];
  readonly #modules: Set<TorchModule>;
  /** Those that layers ask for by name. */
  readonly #asked: ReadonlySet<string>;
  readonly #isOrdered: boolean;

  constructor(
    readonly file: PytorchArrays,
    readonly layers: readonly Layer[],
  ) {
    this.stacks = stacksIn(file.arrays);
    this.#modules = new Set(modulesIn(file.arrays));
    this.#isOrdered = file.isOrdered ?? false;
    const all = [...this.stacks, ...this.#modules];
    this.#asked = new Set(layers.flatMap((layer) => askedFor(layer, all)?.prefix ?? []));
  }

  assign(): Converted[][] {
    const recurrent = this.#inOrder().flatMap(({ layers }) => layers);
    const perLayer = this.layers.map((layer, at): Converted[] => {
      const inner = unwrapped(layer);
      if (isRecurrent(layer)) {
        const own = recurrent.shift() ?? missing("another layer", this.file.arrays);
        return [...own.weights];
      }
      const kind = TORCH_KINDS.find(({ className }) => className === inner.className);
      if (kind === undefined || hasNone(inner)) return [];
      return this.#module(layer, kind, widthBefore(this.layers, at));
    });
    const left = [...this.#modules];
    const stray = strayIn(left) ?? left[0]?.prefix ?? recurrent[0]?.weights[0]?.from;
    if (stray === undefined) return perLayer;
    const rule = "each of its arrays must belong to a layer";
    throw new UnreadableFileError(rule, `one is ${quoted(stray)}`);
  }

  /** The recurrent modules in the order of the layers. */
  #inOrder(): readonly TorchStack[] {
    const places = [...this.layers.keys()].filter((at) => isRecurrent(this.layers[at]!));
    const free = new Map<string, TorchStack[]>(); // those of the same shapes
    for (const stack of this.stacks.filter(({ prefix }) => !this.#asked.has(prefix))) {
      const shapes = shapesOf(stack);
      free.set(shapes, [...free.get(shapes) ?? [], stack]);
    }
    const fits = ({ cell, layers }: TorchStack, place: number) =>
      layers.every(({ weights, inputSize }, k) => {
        const at = places[place + k];
        if (at === undefined) return false;
        const layer = this.layers[at]!;
        return (layer.wrapped ?? layer).className === cell.className &&
          sameShapes(layer.weights([null, inputSize]), weights) &&
          (widthBefore(this.layers, at) ?? inputSize) === inputSize;
      });
    const found: (readonly TorchStack[])[] = [];
    const follow = (place: number, before: readonly TorchStack[]): void => {
      if (found.length > (this.#isOrdered ? 0 : 1)) return;
      if (place === places.length) return void found.push(before);
      const named = askedFor(this.layers[places[place]!]!, this.stacks);
      const next = named !== undefined ? [named] : [...free.values()].flatMap((alike) => {
        return alike.find((stack) => !before.includes(stack)) ?? [];
      });
      for (const stack of next.filter((one) => fits(one, place))) {
        follow(place + stack.layers.length, [...before, stack]);
      }
    };
    for (const [shapes, alike] of free) {
      const sorted = this.#isOrdered ? alike : numbered(alike, ({ prefix }) => prefix);
      if (sorted !== undefined) free.set(shapes, [...sorted]);
      else if (places.some((_, place) => fits(alike[0]!, place))) {
        refuseAlike(alike[0]!.cell.className, alike);
      }
    }
    follow(0, []);
    if (found.length > 1) refuseAlike("recurrent layer", found[0]!);
    return found[0] ?? this.stacks; // where none fits, the error tells of the first that does not
  }

  /** The arrays of the module that a layer is, which is then no more to be given away. */
  #module(layer: Layer, kind: TorchKind, width: number | undefined): Converted[] {
    const inner = unwrapped(layer);
    const asked = askedFor(layer, [...this.#modules]);
    const fits = [...this.#modules].filter((one) => {
      const arrays = kind.take(one);
      return arrays !== undefined && !this.#asked.has(one.prefix) &&
        sameShapes(specsOf(inner, width ?? kind.inputs?.(arrays, inner)), arrays);
    });
    const sorted = this.#isOrdered ? fits : numbered(fits, ({ prefix }) => prefix);
    if (asked === undefined && sorted === undefined) refuseAlike(kind.className, fits);
    const module = asked ?? sorted![0];
    const arrays = module && kind.take(module);
    if (module !== undefined && arrays !== undefined) {
      this.#modules.delete(module);
      return arrays;
    }
    const rule = `the layer ${kind.className} needs an ${kind.module} of ${
      shownSpecs(inner, width)
    }`;
    const left = [...this.#modules].slice(0, 8).map(({ prefix }) => quoted(prefix)).join(", ");
    const state = module === undefined
      ? `the modules left are ${left || "none"}`
      : `${quoted(module.prefix)} has ${[...module.arrays.keys()].slice(0, 8).join(", ")}`;
    throw new UnreadableFileError(rule, state);
  }
}

/** Throws where several modules fit and the file does not tell their order. */
function refuseAlike(kind: string, modules: readonly { readonly prefix: string }[]): never {
  const found = modules.slice(0, 8).map(({ prefix }) => quoted(prefix));
  const rule = `where several modules fit, each layer must have its module's name ` +
    `(as in { name: ${found[0]} }), since the file does not tell their order`;
  throw new UnreadableFileError(rule, `those that fit a ${kind} are ${found.join(", ")}`);
}

/** Whether a layer has no arrays, as a normalization without γ and β. */
function hasNone(layer: Layer): boolean {
  return specsOf(layer).length === 0;
}

/** The module that a layer asks for by its name, with or without what stands before it. */
function askedFor<T extends { readonly prefix: string }>(
  layer: Layer,
  modules: readonly T[],
): T | undefined {
  // the model's own name ("lstm_1") is no name of a module
  const name = layer.name ?? layer.wrapped?.name;
  if (name === undefined || name === "") return undefined;
  const exact = modules.find(({ prefix }) => prefix === name);
  if (exact !== undefined) return exact;
  const behind = modules.filter(({ prefix }) => prefix.endsWith(`.${name}`));
  return behind.length === 1 ? behind[0] : undefined;
}

function shapesOf({ layers }: TorchStack): string {
  return layers.map(({ weights }) => weights.map(({ tensor }) => formatShape(tensor.shape)))
    .join(";");
}

function sameShapes(specs: readonly WeightSpec[], arrays: readonly Converted[]): boolean {
  return specs.length === arrays.length &&
    specs.every(({ shape }, k) => sameShape(shape, arrays[k]!.tensor.shape));
}
