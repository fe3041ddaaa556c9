import { either } from "../base/names.ts";
import { part } from "../base/work.ts";
import { reverseSteps, shapeOf } from "../values/arrange.ts";
import {
  defineLayer,
  innerWork,
  inPieces,
  type Layer,
  type OpenShape,
  unwrapped,
  type WeightSpec,
} from "./layer.ts";
import {
  checkOptions,
  choiceRule,
  definedOptions,
  flagRule,
  type LayerName,
} from "./layer_options.ts";
import { type MergeMode, mergeModes } from "./merge_modes.ts";
import { recurrenceOf, type RecurrentLayer } from "./recurrent.ts";
import { given, type LayerKind, names } from "./kind.ts";

/** The options of Bidirectional. */
export interface BidirectionalOptions extends LayerName {
  /** How the two results become one. Default: `"concat"`, side by side. */
  readonly mergeMode?: MergeMode;
  /** The layer that goes backwards. Default: a copy of the other one. */
  readonly backwardLayer?: RecurrentLayer;
  /**
   * Whether masked steps of a sequence give zeros; Keras before 2.4 and TF.js repeat the result
   * before them. Default: true.
   */
  readonly zeroOutputForMask?: boolean;
}

/**
 * Two recurrent layers of one kind, one in the order of time and one against it, each with its own weights: the forward
 * layer's come first. Source: keras/src/layers/rnn/bidirectional.py (Keras 3.15.1).
 *
 * With `returnSequences`, both results are in the order of the input, and masked steps give zeros.
 * Keras's merge mode None gives two results, which a Sequential model cannot hand on: `"concat"`
 * has the same numbers side by side.
 *
 * @param layer an LSTM, a GRU, a SimpleRNN or a layer of a cell of one's own that goes forward
 * @throws {TypeError} where the layer is no recurrent one, or the two do not fit each other.
 * @throws {RangeError} where the merge mode is unknown.
 *
 * @example
 * ```ts
 * import { bidirectional, dense, lstm, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([
 *   bidirectional(lstm({ units: 4, returnSequences: true })),
 *   bidirectional(lstm({ units: 4 }), { mergeMode: "ave" }),
 *   dense({ units: 2 }),
 * ], { inputShape: [3, 5] });
 * assertEquals(model.layers.map(({ outputShape }) => outputShape), [[3, 8], [4], [2]]);
 * ```
 */
export function bidirectional(layer: RecurrentLayer, options: BidirectionalOptions = {}): Layer {
  const chosen = {
    mergeMode: "concat" as MergeMode,
    zeroOutputForMask: true,
    ...definedOptions("a Bidirectional", options),
  };
  checkOptions("a Bidirectional", chosen, {
    mergeMode: {
      ...choiceRule(Object.keys(mergeModes)),
      expected: `${either(Object.keys(mergeModes))} ` +
        `(Keras's None gives two results, which no next layer takes: concat has both)`,
    },
    backwardLayer: {
      expected: `a ${layer?.className}, made by its function`,
      isKind: (value) =>
        value === undefined ||
        recurrenceOf(value) !== undefined && (value as Layer).className === layer?.className,
    },
    zeroOutputForMask: flagRule,
  });
  const { name, mergeMode } = chosen;
  const { ahead, back } = checkedPair(layer, chosen);
  const { returnSequences } = ahead.options;
  const stateCount = recurrenceOf(ahead)!.cell.states.length;
  const { config } = ahead;
  const pair: Layer = defineLayer({
    className: "Bidirectional",
    name,
    wrapped: layer,
    config: {
      merge_mode: mergeMode,
      layer: { class_name: ahead.className, config },
      backward_layer: { class_name: back.className, config: back.config },
      stateful: config.stateful,
    },
    cells: ["forward_layer", "backward_layer"],
    inputCount: [1, 1 + 2 * stateCount] as const,
    outputShape: (input: OpenShape, ...states: OpenShape[]) => {
      const shape = ahead.outputShape(input, ...states.slice(0, states.length / 2));
      back.outputShape(input, ...states.slice(states.length / 2));
      const units = ahead.options.units + (mergeMode === "concat" ? back.options.units : 0);
      return [...shape.slice(0, -1), units];
    },
    ...(ahead.options.returnState && {
      resultShapes: (input: OpenShape, ...states: OpenShape[]) => [
        pair.outputShape(input, ...states),
        ...[ahead, back].flatMap(({ options }) => new Array(stateCount).fill([options.units])),
      ],
    }),
    weights: (input: OpenShape): WeightSpec[] => {
      const prefixed = (prefix: string, { weights }: Layer) =>
        weights(input).map((spec) => ({ ...spec, name: `${prefix}/${spec.name}` }));
      return [...prefixed("forward_layer", ahead), ...prefixed("backward_layer", back)];
    },
    ...inPieces(function* (o, [x, ...states], weights, context) {
      const count = ahead.weights(shapeOf(o, x!).slice(1)).length;
      const half = (layer: RecurrentLayer, k: number, own: typeof weights) =>
        innerWork(
          context,
          layer,
          [x!, ...states.slice(stateCount * k, stateCount * (k + 1))],
          own,
          {
            ...context,
            name: `${context.name}/${["forward_layer", "backward_layer"][k]}`,
            states: context.states?.slice(k, k + 1),
          },
        );
      const one = yield* part(half(ahead, 0, weights.slice(0, count)), 0, 0.5);
      const two = yield* part(half(back, 1, weights.slice(count)), 0.5, 1);
      const [y, reversed] = [one.outputs[0]!, two.outputs[0]!];
      const inOrder = returnSequences ? reverseSteps(o, reversed) : reversed;
      return {
        outputs: [
          mergeModes[mergeMode](o, y, inOrder),
          ...one.outputs.slice(1),
          ...two.outputs.slice(1),
        ],
        mask: one.mask,
        states: one.states && two.states && [...one.states, ...two.states],
      };
    }),
  });
  halves.set(pair, { ahead, back });
  return pair;
}

/** The two layers inside of those that `bidirectional()` made. */
const halves = new WeakMap<
  Layer,
  { readonly ahead: RecurrentLayer; readonly back: RecurrentLayer }
>();

/** The recurrent layer of that name, one of `layer.cells`, in it or inside of it. */
export function recurrentPart(layer: Layer, cell: string): RecurrentLayer {
  const inner = unwrapped(layer);
  const { ahead, back } = halves.get(inner) ?? {};
  return (cell === "backward_layer" ? back : ahead) ?? inner as RecurrentLayer;
}

/** The two layers as Bidirectional runs them: it decides what masked steps of a sequence give. */
function checkedPair(
  layer: RecurrentLayer,
  { backwardLayer: given, mergeMode, zeroOutputForMask: zeros }:
    & Pick<BidirectionalOptions, "backwardLayer">
    & Required<Pick<BidirectionalOptions, "mergeMode" | "zeroOutputForMask">>,
) {
  const made = recurrenceOf(layer);
  if (made === undefined) {
    throw new TypeError(
      `Cannot make a Bidirectional: it takes an LSTM, made by lstm(), a GRU, a SimpleRNN or a layer ` +
        `of a cell of your own, but it is ` +
        `${(layer as Layer | undefined)?.className ?? typeof layer}`,
    );
  }
  const zeroOutputForMask = zeros && layer.options.returnSequences;
  const ahead = made.make({ ...layer.options, zeroOutputForMask });
  const other = given?.options ?? { ...layer.options, goBackwards: !layer.options.goBackwards };
  const back = made.make({ ...other, zeroOutputForMask });
  const differs = (
    key: "goBackwards" | "returnSequences" | "returnState" | "stateful" | "units",
  ) => ahead.options[key] !== back.options[key];
  const problem = !differs("goBackwards")
    ? "goBackwards must differ between its two layers"
    : differs("returnSequences") || differs("stateful") || differs("returnState")
    ? "returnSequences, returnState and stateful must be the same in its two layers"
    : mergeMode !== "concat" && differs("units")
    ? `mergeMode ${mergeMode} needs two layers of the same units`
    : undefined;
  if (problem !== undefined) {
    const shown = ({ options }: RecurrentLayer) =>
      `{ units: ${options.units}, goBackwards: ${options.goBackwards}, ` +
      `returnSequences: ${options.returnSequences}, stateful: ${options.stateful} }`;
    throw new TypeError(
      `Cannot make a Bidirectional: ${problem}, but the layers are ${shown(ahead)} ` +
        `and ${shown(back)}`,
    );
  }
  return { ahead, back };
}

/** The two layers inside, and what Keras calls them. */
function halvesOf(layer: Layer): [direction: string, inner: Layer][] {
  const { ahead, back } = halves.get(layer)!;
  return [["forward_layer", ahead], ["backward_layer", back]];
}

/** Keras's Bidirectional. */
export const BIDIRECTIONAL: LayerKind = {
  className: "Bidirectional",
  options: names("layer backward_layer merge_mode"),
  moreInputs: "initial_state",
  read: (config, reading) => {
    const { backward_layer: other = null, merge_mode: mode } = config;
    if (mode === null) {
      reading.refuse(
        "its merge_mode must be concat, sum, mul or ave",
        "merge_mode is None, which gives two results",
      );
    }
    return bidirectional(reading.layer(config.layer) as RecurrentLayer, {
      name: config.name,
      mergeMode: given(mode, "concat") as MergeMode,
      zeroOutputForMask: reading.zeroOutputForMask ?? true,
      ...(other === null ? {} : { backwardLayer: reading.layer(other) as RecurrentLayer }),
    });
  },
  write: (layer, name, writing) => {
    checkMaskedSteps(layer, name);
    const [[, ahead], [, back]] = halvesOf(layer) as [[string, Layer], [string, Layer]];
    return {
      merge_mode: layer.config.merge_mode,
      layer: writing.layer(`forward_${name}`, ahead),
      backward_layer: writing.layer(`backward_${name}`, back),
    };
  },
  paths: (layer, count, pathsOf) =>
    halvesOf(layer).flatMap(([direction, inner]) =>
      pathsOf(inner, count / 2).map((path) => `${direction}/${path}`)
    ),
  seeds: (layer, seedsOf) =>
    halvesOf(layer).flatMap(([direction, inner]) =>
      seedsOf(inner).map((path) => `${direction}/${path}`)
    ),
};

/** Keras 3's Bidirectional always gives zeros at masked steps of a sequence. */
function checkMaskedSteps(layer: Layer, name: string): void {
  const { return_sequences: sequences, zero_output_for_mask: zeros } =
    halvesOf(layer)[0]![1].config;
  if (sequences !== true || zeros === true) return;
  throw new TypeError(
    "Cannot write a .keras file: Keras 3's Bidirectional gives zeros at masked steps, but " +
      `the layer ${name} has zeroOutputForMask false`,
  );
}
