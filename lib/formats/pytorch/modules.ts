// PyTorch's modules around a recurrent one, by the names and shapes of their arrays, and the layers
// that they are. Another module is an entry of the table.

import type { Layer } from "../../layers/layer.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type Converted, taken, transposed, turned } from "../conversion.ts";
import {
  type Found,
  foundConvolution,
  foundDense,
  foundEmbedding,
  foundNormalization,
} from "../proposal.ts";
import { isRecurrentArray } from "./recurrent.ts";

/** What PyTorch's normalizations add to the variance; Keras's own default is 1e-3. */
export const TORCH_EPSILON = 1e-5;

/** A module: what stands before the names of its arrays, and these by their own names. */
export interface TorchModule {
  readonly prefix: string;
  readonly arrays: ReadonlyMap<string, Tensor>;
}

/** A kind of module. */
export interface TorchKind {
  /** Keras's class. */
  readonly className: string;
  readonly module: string;
  /** Its arrays as the layer's, in their order; undefined where they are of no such module. */
  readonly take: (module: TorchModule) => Converted[] | undefined;
  /** How many features go into it, by the layer's arrays; undefined where any may. */
  readonly inputs?: (arrays: readonly Converted[], layer: Layer) => number;
  /** Whether it has channels before timesteps, which its layer has behind. */
  readonly isChannelsFirst?: true;
  /** What weights alone say of it. */
  readonly found?: (label: string, module: TorchModule) => Found | undefined;
}

/** The kinds that are read; an nn.Linear without a bias has the arrays of an nn.Embedding. */
export const TORCH_KINDS: readonly TorchKind[] = [
  {
    className: "Dense",
    module: "nn.Linear",
    take: weighted(2, transposed),
    inputs: ([kernel]) => kernel!.tensor.shape[0]!,
    found: (label, { arrays }) => {
      return foundDense(label, arrays.get("weight")!.shape.toReversed(), arrays.has("bias"));
    },
  },
  {
    className: "Embedding",
    module: "nn.Embedding",
    take: (module) =>
      module.arrays.size === 1 ? weighted(2, (weight) => weight)(module) : undefined,
    found: (label, { arrays }) => foundEmbedding(label, arrays.get("weight")!.shape),
  },
  {
    className: "Conv1D",
    module: "nn.Conv1d",
    isChannelsFirst: true,
    take: weighted(3, (weight) => turned(weight, [2, 1, 0])),
    inputs: channelsOf,
    found: (label, { arrays }) => {
      return foundConvolution(label, arrays.get("weight")!.shape, arrays.has("bias"));
    },
  },
  {
    className: "Conv2D",
    module: "nn.Conv2d",
    isChannelsFirst: true,
    take: weighted(4, (weight) => turned(weight, [2, 3, 1, 0])),
    inputs: channelsOf,
  },
  {
    className: "BatchNormalization",
    module: "nn.BatchNorm1d",
    take: (module) => {
      const names = ["weight", "bias", "running_mean", "running_var"];
      return named(module, names, names.slice(2));
    },
    inputs: ([first]) => first!.tensor.shape[0]!,
    found: (label, { arrays }) =>
      foundNormalization(label, {
        kind: "BatchNormalization",
        size: arrays.get("running_mean")!.shape[0]!,
        epsilon: TORCH_EPSILON,
        scale: arrays.has("weight"),
        center: arrays.has("bias"),
      }),
  },
  {
    className: "LayerNormalization",
    module: "nn.LayerNorm",
    take: weighted(1, (weight) => weight),
    inputs: ([first]) => first!.tensor.shape[0]!,
    found: (label, { arrays }) =>
      // alone, a weight may be an nn.RMSNorm's or an nn.PReLU's
      !arrays.has("bias") ? undefined : foundNormalization(label, {
        kind: "LayerNormalization",
        size: arrays.get("weight")!.shape[0]!,
        epsilon: TORCH_EPSILON,
        note: "an nn.GroupNorm's arrays look alike",
      }),
  },
];

/** The modules besides the recurrent ones, in the order of the arrays. */
export function modulesIn(arrays: ReadonlyMap<string, Tensor>): TorchModule[] {
  const groups = new Map<string, Map<string, Tensor>>();
  for (const [key, tensor] of arrays) {
    if (isRecurrentArray(key) || isCount(key, tensor)) continue;
    const at = key.lastIndexOf(".");
    const prefix = key.slice(0, Math.max(at, 0));
    groups.set(prefix, (groups.get(prefix) ?? new Map()).set(key.slice(at + 1), tensor));
  }
  return [...groups].map(([prefix, own]) => ({ prefix, arrays: own }));
}

/**
 * An array that is of no known kind of module.
 *
 * @param isSaid whether it must be a kind that weights alone tell of
 */
export function strayIn(modules: readonly TorchModule[], isSaid = false): string | undefined {
  const stray = modules.find((one) =>
    !TORCH_KINDS.some(({ take, found }) =>
      take(one) !== undefined && (!isSaid || found?.("", one) !== undefined)
    )
  );
  return stray && keyIn(stray, [...stray.arrays.keys()][0]!);
}

/** What an array of a module is called in the file. */
function keyIn({ prefix }: TorchModule, name: string): string {
  return prefix === "" ? name : `${prefix}.${name}`;
}

/** How many batches were seen: nn.BatchNorm1d counts them, and optim.swa_utils.AveragedModel. */
function isCount(key: string, { shape }: Tensor): boolean {
  return shape.length === 0 && /(^|\.)(num_batches_tracked|n_averaged)$/.test(key);
}

/** The arrays of these names, in their order; undefined where one is missing or there are others. */
function named(
  module: TorchModule,
  names: readonly string[],
  required: readonly string[],
): Converted[] | undefined {
  const { arrays } = module;
  const fits = required.every((name) => arrays.has(name)) &&
    [...arrays.keys()].every((name) => names.includes(name));
  if (!fits) return undefined;
  return names.flatMap((name) => {
    const tensor = arrays.get(name);
    return tensor === undefined ? [] : [taken(keyIn(module, name), tensor)];
  });
}

/** The channels of a convolution, by its kernel: those of a group. */
function channelsOf([kernel]: readonly Converted[], { config }: Layer): number {
  return kernel!.tensor.shape.at(-2)! * (config.groups as number);
}

/** A weight of that many axes, and a bias perhaps, as long as its first one. */
function weighted(rank: number, change: (weight: Converted) => Converted): TorchKind["take"] {
  return (module) => {
    const [weight, bias] = named(module, ["weight", "bias"], ["weight"]) ?? [];
    if (weight?.tensor.shape.length !== rank) return undefined;
    if (bias === undefined) return [change(weight)];
    const { shape } = bias.tensor;
    const fits = shape.length === 1 && shape[0] === weight.tensor.shape[0];
    return fits ? [change(weight), bias] : undefined;
  };
}
