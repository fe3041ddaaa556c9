// What a state_dict alone says of its layers, as the call that opens it: weights have shapes, and no
// activations. In a .safetensors the modules stand by the alphabet: their widths order them.

import { quoted } from "../base/quoted.ts";
import { formatShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { PytorchArrays, TorchLstm } from "./pytorch.ts";

/** The layers of a state_dict in words, and as they are made here. */
export interface Proposal {
  /** `lstm.* is an LSTM of 32 units on 2 inputs, fc.* a Dense of 1` */
  readonly words: string;
  /** `[lstm({ units: 32 }), dense({ units: 1 })]` */
  readonly layers: string;
}

interface Module {
  readonly prefix: string;
  readonly kind: "Embedding" | "LSTM" | "Dense";
  readonly words: string;
  /** Features in and out; an Embedding takes words. */
  readonly width: readonly [number | undefined, number];
  /** What tells it from others: where these are alike, so are the modules. */
  readonly shapes: string;
  /** The calls that make its layers. */
  readonly calls: (name: string | undefined, isLast: boolean) => string[];
}

const MAX_MODULES = 8; // 8! orders at most are tried

/**
 * What the arrays are.
 *
 * @param stacks the nn.LSTMs among them
 * @param others the names of the other arrays
 * @returns undefined where some are of other modules than nn.Linear and nn.Embedding, or of many
 */
export function proposal(
  { arrays, isOrdered = false }: PytorchArrays,
  stacks: readonly TorchLstm[],
  others: readonly string[],
): Proposal | undefined {
  const plain = others.filter((key) =>
    key.endsWith(".weight") && arrays.get(key)!.shape.length === 2
  ).map((key) => key.slice(0, -".weight".length));
  const isStray = (key: string) => !plain.includes(key.replace(/\.(weight|bias)$/, ""));
  if (others.some(isStray) || stacks.length + plain.length > MAX_MODULES) return undefined;
  const inputs = stacks.map(({ layers }) => layers[0]!.inputSize);
  const all = [
    ...stacks.map(recurrent),
    ...plain.map((prefix) => matrix(prefix, arrays, inputs)),
  ];
  if (all.length === 0) return undefined;
  const places = [...arrays.keys()];
  const placeOf = ({ prefix }: Module) =>
    places.findIndex((key) => prefix === "" || key.startsWith(`${prefix}.`));
  const ranks = ["Embedding", "LSTM", "Dense"];
  const sorted = all.toSorted((a, b) =>
    isOrdered ? placeOf(a) - placeOf(b) : ranks.indexOf(a.kind) - ranks.indexOf(b.kind) ||
      a.prefix.localeCompare(b.prefix, "en", { numeric: true })
  );
  const [row = sorted, another] = [...chained(sorted, undefined).take(2)];
  const last = row.findLast(({ kind }) => kind === "LSTM");
  const alike = (one: Module) => row.some((two) => two !== one && two.shapes === one.shapes);
  const calls = row.flatMap((one) => {
    return one.calls(alike(one) && !isOrdered ? one.prefix : undefined, one === last);
  });
  const words = row.map(({ prefix, words }, k) => {
    return `${prefix === "" ? "" : `${prefix}.`}* ${k === 0 ? "is " : ""}${words}`;
  });
  const isTold = isOrdered || row.length === 1 || row !== sorted && another === undefined;
  if (!isTold) words.push("in an order that the file does not tell");
  return { words: words.join(", "), layers: `[${calls.join(", ")}]` };
}

/** The orders of the modules in which each takes what the one before gives. */
function* chained(left: readonly Module[], width: number | undefined): Generator<Module[]> {
  if (left.length === 0) yield [];
  for (const one of left) {
    const [takes, gives] = one.width;
    if (width !== undefined && takes !== width) continue;
    const others = left.filter((other) => other !== one);
    for (const rest of chained(others, gives)) yield [one, ...rest];
  }
}

function recurrent({ prefix, layers }: TorchLstm): Module {
  const { units, inputSize, isBidirectional } = layers[0]!;
  const depth = layers.length;
  const what = [depth > 1 ? `${depth} LSTMs` : "an LSTM", isBidirectional ? " both ways" : ""];
  return {
    prefix,
    kind: "LSTM",
    words: `${what.join("")} of ${units} units on ${inputSize} inputs`,
    width: [inputSize, units * (isBidirectional ? 2 : 1)],
    shapes: layers.map(({ weights }) => weights.map(({ tensor }) => formatShape(tensor.shape)))
      .join(";"),
    calls: (name, isLast) =>
      layers.map(({ units, useBias, isBidirectional }, k) => {
        const call = made("lstm", {
          units,
          returnSequences: isLast && k === depth - 1 ? undefined : true,
          useBias: useBias ? undefined : false,
          name: k === 0 ? name : undefined,
        });
        return isBidirectional ? `bidirectional(${call})` : call;
      }),
  };
}

/** An nn.Linear, or an nn.Embedding, which has no bias, and as many columns as an LSTM has inputs. */
function matrix(
  prefix: string,
  arrays: ReadonlyMap<string, Tensor>,
  inputs: readonly number[],
): Module {
  const useBias = arrays.has(`${prefix}.bias`);
  const { shape } = arrays.get(`${prefix}.weight`)!;
  const [rows, columns] = shape as [number, number];
  const isWords = !useBias && (/emb|word|token|vocab/i.test(prefix) || inputs.includes(columns));
  const shapes = `${useBias} ${formatShape(shape)}`;
  return isWords
    ? {
      ...{ prefix, shapes, kind: "Embedding", words: `an Embedding of ${rows} words` },
      width: [undefined, columns],
      calls: (name) => [made("embedding", { inputDim: rows, outputDim: columns, name })],
    }
    : {
      ...{ prefix, shapes, kind: "Dense", words: `a Dense of ${rows}` },
      width: [columns, rows],
      calls: (name) => [
        made("dense", { units: rows, useBias: useBias ? undefined : false, name }),
      ],
    };
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
  return `${maker}({ ${parts.join(", ")} })`;
}
