// What weights alone say of their layers, as the call that opens them: arrays have shapes, and no
// activations.

import { quoted } from "../base/quoted.ts";
import { UnreadableFileError } from "../files/unreadable.ts";

/** The layers of a file in words, and as they are made here. */
export interface Proposal {
  /** `lstm.* is an LSTM of 32 units on 2 inputs, fc.* a Dense of 1` */
  readonly words: string;
  /** `[lstm({ units: 32 }), dense({ units: 1 })]`; not there where they fit in no row. */
  readonly layers?: string | undefined;
}

/** A layer, or a few in a row, as their arrays tell of them. */
export interface Found {
  /** What messages call its arrays: `lstm.*`. */
  readonly label: string;
  readonly words: string;
  /** Features in and out; an Embedding takes words. */
  readonly width: readonly [number | undefined, number];
  readonly isRecurrent: boolean;
  /** Whether it takes whole sequences alone. */
  readonly takesSequences?: true;
  /** The calls that make it; `isLast`: no LSTM follows, so its last step may be enough. */
  readonly calls: (isLast: boolean, name?: string) => string[];
}

/** How a file was asked for. */
export interface FileSource {
  readonly name: string;
  readonly key?: string | undefined;
}

/** How a recurrent layer is called, in words and in code. */
export const RECURRENT_WORDS = {
  LSTM: { maker: "lstm", one: "an LSTM", several: "LSTMs" },
  GRU: { maker: "gru", one: "a GRU", several: "GRUs" },
  SimpleRNN: { maker: "simpleRnn", one: "a SimpleRNN", several: "SimpleRNNs" },
} as const;

/** A recurrent layer, or several on top of each other. */
export function foundRecurrent(
  label: string,
  { kind, inputSize, units, isBidirectional = false, useBias = true, options = {}, note }: {
    readonly kind: keyof typeof RECURRENT_WORDS;
    readonly inputSize: number;
    /** Of each of them. */
    readonly units: readonly number[];
    readonly isBidirectional?: boolean;
    readonly useBias?: boolean;
    /** What else its call says. */
    readonly options?: Readonly<Record<string, boolean>>;
    /** What the arrays do not tell. */
    readonly note?: string | undefined;
  },
): Found {
  const depth = units.length;
  const { maker, one, several } = RECURRENT_WORDS[kind];
  const what = (depth > 1 ? `${depth} ${several}` : one) + (isBidirectional ? " both ways" : "");
  const size = `of ${units[0]} units on ${inputSize} input${inputSize === 1 ? "" : "s"}`;
  return {
    label,
    words: `${what} ${size}${note === undefined ? "" : ` (${note})`}`,
    width: [inputSize, units[depth - 1]! * (isBidirectional ? 2 : 1)],
    isRecurrent: true,
    calls: (isLast, name) =>
      units.map((units, k) => {
        const call = made(maker, {
          units,
          returnSequences: isLast && k === depth - 1 ? undefined : true,
          useBias: useBias ? undefined : false,
          ...options,
          name: k === 0 ? name : undefined,
        });
        return isBidirectional ? `bidirectional(${call})` : call;
      }),
  };
}

/** A Conv1D of `[filters, channels, steps]`. */
export function foundConvolution(
  label: string,
  [filters, channels, kernelSize]: readonly number[],
  useBias: boolean,
): Found {
  return {
    label,
    words: `a Conv1D of ${filters} filters over ${kernelSize} steps of ${channels} channel${
      channels === 1 ? "" : "s"
    } (its padding and strides do not stand there)`,
    width: [channels, filters!],
    isRecurrent: false,
    takesSequences: true,
    calls: (_, name) => [
      made("conv1D", { filters, kernelSize, useBias: useBias ? undefined : false, name }),
    ],
  };
}

/** A normalization of `size` features. */
export function foundNormalization(
  label: string,
  { kind, size, epsilon, center = true, scale = true, note }: {
    readonly kind: "BatchNormalization" | "LayerNormalization";
    readonly size: number;
    /** Where it is not Keras's. */
    readonly epsilon?: number;
    readonly center?: boolean;
    readonly scale?: boolean;
    readonly note?: string;
  },
): Found {
  const maker = kind === "BatchNormalization" ? "batchNormalization" : "layerNormalization";
  return {
    label,
    words: `a ${kind} of ${size}${note === undefined ? "" : ` (${note})`}`,
    width: [size, size],
    isRecurrent: false,
    calls: (_, name) => [
      made(maker, {
        epsilon,
        center: center ? undefined : false,
        scale: scale ? undefined : false,
        name,
      }),
    ],
  };
}

/** A Dense of `[inputs, units]`. */
export function foundDense(
  label: string,
  [inputs, units]: readonly number[],
  useBias: boolean,
): Found {
  return {
    label,
    words: `a Dense of ${units}`,
    width: [inputs, units!],
    isRecurrent: false,
    calls: (_, name) => [made("dense", { units, useBias: useBias ? undefined : false, name })],
  };
}

/** An Embedding of `[words, features]`. */
export function foundEmbedding(label: string, [inputDim, outputDim]: readonly number[]): Found {
  return {
    label,
    words: `an Embedding of ${inputDim} words`,
    width: [undefined, outputDim!],
    isRecurrent: false,
    calls: (_, name) => [made("embedding", { inputDim, outputDim, name })],
  };
}

/**
 * The layers in a row.
 *
 * @param nameOf the name that a layer needs, so that its arrays are found
 */
export function proposed(
  row: readonly Found[],
  nameOf: (one: Found) => string | undefined = () => undefined,
): Proposal {
  const at = row.findLastIndex(({ isRecurrent }) => isRecurrent);
  const needsAll = row.slice(Math.max(at, 0)).some(({ takesSequences }) => takesSequences);
  const last = needsAll ? undefined : row[at];
  const calls = row.flatMap((one) => one.calls(one === last, nameOf(one)));
  const words = row.map(({ label, words }, k) => `${label} ${k === 0 ? "is " : ""}${words}`);
  return { words: words.join(", "), layers: `[${calls.join(", ")}]` };
}

/** How many layers are tried behind one another, until no order is told. */
const MAX_TRIES = 20_000;

/** The orders of layers in which each takes what the one before gives; the given one, if it is one, first. */
export function* chained(layers: readonly Found[]): Generator<Found[]> {
  let tries = 0;
  function* rest(left: readonly Found[], width: number | undefined): Generator<Found[]> {
    if (left.length === 0) yield [];
    for (const one of left) {
      if (++tries > MAX_TRIES) return;
      const [takes, gives] = one.width;
      if (width !== undefined && takes !== width) continue;
      const others = left.filter((other) => other !== one);
      for (const more of rest(others, gives)) yield [one, ...more];
    }
  }
  yield* rest(layers, undefined);
}

/** Refuses weights alone, with the call that opens them. */
export function refuseWeightsAlone({ words, layers }: Proposal, { name, key }: FileSource): never {
  const source = name === "the given bytes" ? "source" : JSON.stringify(name);
  const choice = key === undefined ? "" : `key: ${JSON.stringify(key)}, `;
  const given = layers === undefined ? "layers" : `layers: ${layers}`;
  const rule = "weights alone tell no layers, so these must be given, with their activations: " +
    `loadModel(${source}, { ${choice}${given} }) or model.loadWeights(source)`;
  throw new UnreadableFileError(rule, `none are given: ${words}`);
}

/** `lstm({ units: 5, name: "encoder" })`, what is undefined left out. */
function made(
  maker: string,
  options: Readonly<Record<string, number | boolean | string | undefined>>,
): string {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const parts = given.map(([key, value]) => {
    return `${key}: ${typeof value === "string" ? quoted(value) : value}`;
  });
  return parts.length === 0 ? `${maker}()` : `${maker}({ ${parts.join(", ")} })`;
}
