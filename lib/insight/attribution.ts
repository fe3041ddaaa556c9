import { checkOptions, type KeysOf } from "../base/options.ts";
import { shownAs } from "../base/shown.ts";
import { equalPart, part, type Work } from "../base/work.ts";
import { type AtOnce, atOnceOrInTurns, IN_TURNS, type InTurns } from "../display/in_turns.ts";
import type { Chart } from "../display/figure.ts";
import type { View } from "../display/view.ts";
import type { ModelInput } from "../model/inputs.ts";
import type { Inside } from "../layers/inside.ts";
import { type Model, networkOf } from "../model/model.ts";
import { requireOneOutput } from "../model/network.ts";
import { add } from "../tensor/arithmetic.ts";
import { indexAt } from "../tensor/indices.ts";
import { formatShape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { join } from "../values/arrange.ts";
import type { Variable } from "../values/gradients.ts";
import { numbers } from "../values/numbers.ts";
import { attributionHeatmap, type AttributionHeatmapOptions } from "./attribution_view.ts";
import {
  attributionWords,
  checkTokens,
  type Tokens,
  type WordsOptions,
} from "./attribution_words.ts";
import { type LogitOfHidden, logitOfHidden, logitsOf, nameOfLogit } from "./head.ts";
import { type RecurrentShare, recurrentShare } from "./recurrent_share.ts";

/** What is to be explained. */
export interface AttributeOptions {
  /** Which output, -1 is the last; may be left out where there is one. */
  readonly target?: number;
  /**
   * The words that the timesteps are, those of each sample; of one sample, its alone. The attribution
   * then shows itself as these words.
   */
  readonly tokens?: Tokens;
}

const OPTIONS: KeysOf<AttributeOptions & AtOnce> = {
  target: "optional",
  tokens: "optional",
  ...IN_TURNS,
};

/** A logit as a sum over timesteps and units. */
export interface Attribution {
  /** Which output it is. */
  readonly target: number;
  /** What is explained, in words: `logit of class 1`, or `output` of a regression. */
  readonly name: string;
  /** What is explained: the output before its last activation, `[batch]`. */
  readonly logit: Tensor;
  /**
   * What each timestep wrote into each unit's cell state, as far as it reaches the logit:
   * `[batch, timesteps, units]`; of Bidirectional the forward layer's units, then the backward's.
   */
  readonly contributions: Tensor;
  /** What no timestep is held to, `[batch]`: logit = Σ contributions + remainder. */
  readonly remainder: Tensor;
  /**
   * |remainder| / (|remainder| + Σ|contributions|), `[batch]`, 0 to 1: its part of all sizes added up,
   * which what is explained may be much less than, where contributions cancel.
   */
  readonly remainderShare: Tensor;
  /** Of what the remainder is the sum, `[batch]` each. */
  readonly remainderParts: {
    /** The biases of the layers after the recurrent one. */
    readonly bias: Tensor;
    /** What a stateful layer remembered from the call before. */
    readonly initialState: Tensor;
    /** Activations that could not be shared: of a sum near 0, or what they give for 0. */
    readonly unshared: Tensor;
  };
  /** The contributions by what wrote them. Their sum over all three is that over the units. */
  readonly sources: {
    /** The recurrent layer's input, `[batch, timesteps, inputSize]`. */
    readonly input: Tensor;
    /** The hidden state of the step before, `[batch, timesteps]`. */
    readonly hiddenState: Tensor;
    /** The candidate's bias, and what could not be shared, `[batch, timesteps]`. */
    readonly bias: Tensor;
  };
  /** The words of each sample, where they were told. */
  readonly tokens?: readonly (readonly string[])[];
  /** The sums as colours, for one sample: what wrote × timestep, or unit × timestep. */
  heatmap(options?: AttributionHeatmapOptions): Chart;
  /** The words of each sample, coloured by what they gave; for an attribution that knows its `tokens`. */
  words(options?: WordsOptions): View;
}

/**
 * As a promise, which takes turns with other code: a signal stops it, a line says how far it is.
 *
 * @throws {DOMException} where the signal stopped it; or whatever its reason is.
 *
 * @example
 * ```ts
 * import { arange, attribute, dense, lstm, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const layers = [lstm({ units: 4 }), dense({ units: 1 })];
 * const model = sequential(layers, { inputShape: [3, 2], seed: 1 });
 * const x = arange(6).reshape([1, 3, 2]);
 * const { logit } = await attribute(model, x, { signal: AbortSignal.timeout(60_000) });
 * assertEquals(logit, attribute(model, x).logit);
 * ```
 */
export function attribute(
  model: Model,
  x: ModelInput,
  options: AttributeOptions & InTurns,
): Promise<Attribution>;
/**
 * Who decided: an output before its softmax as a sum over the timesteps that wrote it into the
 * states, and over the units.
 *
 * An LSTM's cell state, and a GRU's hidden state, is, exactly, the sum of what was written and not
 * forgotten since:
 *
 * ```txt
 * c_T = Σ_t (Π_{s>t} f_s) ⊙ i_t ⊙ c̃_t          h_T = Σ_t (Π_{s>t} z_s) ⊙ (1 − z_t) ⊙ h̃_t
 * ```
 *
 * A cell of one's own is followed by its own step in the same way. A SimpleRNN has no gate: its state
 * is shared among what was added up in it, h_{t−1}·U back to the step before.
 *
 * What follows it is shared by the rescale rule: φ(c_T) in proportion to the addends of c_T; the
 * layers after it likewise. What cannot be shared stands in the remainder: biases, φ(c_T) where c_T
 * is near 0, φ(0). The gates are taken as they were: that an earlier timestep opened a gate is not
 * held to it. Of stacked layers it is the last one's timesteps.
 *
 * @param model whose last recurrent layer hands on its last hidden state, followed by Dense, Dropout
 * and Activation layers
 * @param x `[batch, …]`, as for `model.predict`
 * @param options which output, and the words
 * @throws {TypeError} where the model is of another kind, the shape is not the model's, or there are
 * more or fewer words than timesteps.
 * @throws {RangeError} where there is no such output.
 *
 * @example Nothing is lost: the sums are the logits
 * ```ts
 * import { arange, attribute, dense, lstm, sequential } from "@gatescope/lstm";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const layers = [lstm({ units: 8 }), dense({ units: 2, activation: "softmax" })];
 * const model = sequential(layers, { inputShape: [3, 2], seed: 1 });
 * const x = arange(24).reshape([4, 3, 2]);
 * const { logit, contributions, remainder } = attribute(model, x, { target: 1 });
 *
 * let sum = remainder.item(0);
 * for (const contribution of contributions.at(0).data) sum += contribution; // timesteps and units
 * assertAlmostEquals(sum, logit.item(0), 1e-9);
 * ```
 *
 * @example Words, coloured by what they gave
 * ```ts
 * import { attribute, dense, embedding, lstm, sequential } from "@gatescope/lstm";
 *
 * const layers = [
 *   embedding({ inputDim: 10, outputDim: 4 }),
 *   lstm({ units: 8 }),
 *   dense({ units: 1, activation: "sigmoid" }),
 * ];
 * const model = sequential(layers, { inputShape: [3], seed: 1 });
 * attribute(model, [[4, 7, 2]], { tokens: ["a", "lovely", "film"] });
 * ```
 *
 * Source of the rescale rule: Shrikumar et al. 2017 (DeepLIFT), section 3.5.1.
 */
export function attribute(
  model: Model,
  x: ModelInput,
  options?: AttributeOptions & AtOnce,
): Attribution;
export function attribute(
  model: Model,
  x: ModelInput,
  options: AttributeOptions & (AtOnce | InTurns) = {},
): Attribution | Promise<Attribution> {
  return atOnceOrInTurns("attribute", attributionWork(model, x, options), options);
}

/** What is done, about, when the equations have run. */
const RUN = 0.25;

function* attributionWork(
  model: Model,
  x: ModelInput,
  options: AttributeOptions,
): Work<Attribution> {
  const network = networkOf(model, "attribute");
  checkOptions("attribute", options, OPTIONS);
  requireOneOutput(network, "attribute");
  const run = yield* part(network.tapeWork(network.checkInputs(x, "attribute")), 0, RUN);
  yield RUN;
  const logits = logitsOf(run, "attribute");
  const target = checkTarget(options.target, logits.logits.value.shape[1]!, "attribute");
  const logit = logitOfHidden(run, logits, target, "attribute");
  const insides = run.insides.filter((inside) => logit.factors.has(inside));
  checkOneShape(insides);
  const parts: RecurrentShare[] = [];
  for (const [k, inside] of insides.entries()) {
    const share = recurrentShare(run, inside, logit.factors.get(inside)!);
    parts.push(yield* part(equalPart(share, k, insides.length), RUN, 1));
  }
  const tokens = options.tokens === undefined
    ? undefined
    : checkTokens(options.tokens, parts[0]!.contributions.shape as [number, number, number]);
  return attributionOf({ target, name: nameOfLogit(logits, target), tokens }, logit, parts);
}

/** Throws where layers share in a logit whose contributions, or what wrote them, cannot be added. */
function checkOneShape(insides: readonly Inside<Variable>[]): void {
  const check = (rule: string, what: string, shapeOf: (inside: Inside<Variable>) => Shape) => {
    const shapes = insides.map((inside) => formatShape(shapeOf(inside)));
    if (shapes.every((shape) => shape === shapes[0])) return;
    throw new TypeError(
      `Cannot attribute: the recurrent layers before the output must have ${rule}, ` +
        `but their ${what} are ${shapes.join(" and ")}`,
    );
  };
  check(
    "as many timesteps and units",
    "hidden states",
    ({ x, recurrence: { end } }) => x.value.shape.with(2, end[0]!.value.shape[1]!),
  );
  check("inputs of as many features", "inputs", ({ x }) => x.value.shape);
}

type Shape = readonly number[];

/** The output meant; the only one where none is said. */
export function checkTarget(target: number | undefined, count: number, action: string): number {
  if (target === undefined && count === 1) return 0;
  return indexAt(target, count, { action, owner: "the model", name: "output", option: "target" });
}

function attributionOf(
  { target, name, tokens }: {
    readonly target: number;
    readonly name: string;
    readonly tokens: Attribution["tokens"] | undefined;
  },
  { logit, bias, unshared }: LogitOfHidden,
  parts: readonly RecurrentShare[],
): Attribution {
  const sum = (of: (part: RecurrentShare) => Tensor) => add(...parts.map(of));
  const contributions = join(numbers, parts.map((part) => part.contributions));
  const remainderParts = {
    bias,
    initialState: sum((part) => part.initialState),
    unshared: add(unshared, sum((part) => part.unshared)),
  };
  const remainder = add(bias, remainderParts.initialState, remainderParts.unshared);
  const batch = logit.data.length;
  const remainderShare = Float64Array.from(remainder.data, (rest, n) => {
    let shared = 0;
    for (const contribution of contributions.at(n).data) shared += Math.abs(contribution);
    return rest === 0 ? 0 : Math.abs(rest) / (Math.abs(rest) + shared);
  });
  const attribution: Attribution = {
    target,
    name,
    logit,
    contributions,
    remainder,
    remainderShare: new Tensor(remainderShare, [batch]),
    remainderParts,
    sources: {
      input: sum((part) => part.sources.input),
      hiddenState: sum((part) => part.sources.hiddenState),
      bias: sum((part) => part.sources.bias),
    },
    ...(tokens && { tokens }),
    heatmap: (options) => attributionHeatmap(attribution, options),
    words: (options) => attributionWords(attribution, options),
  };
  return Object.freeze(shownAs("Attribution", attribution));
}
