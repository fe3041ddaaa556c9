// An attribution as the words that were read.

import { amongNames } from "../base/names.ts";
import { checkOptions, type KeysOf } from "../base/options.ts";
import { visibleLine } from "../base/visible.ts";
import { cellColor } from "../display/cell_color.ts";
import { type ChartLook, LOOK, lookCss } from "../display/chart_look.ts";
import { escapeHtml } from "../display/html.ts";
import { inWords } from "../display/number.ts";
import { View } from "../display/view.ts";
import { indexAt } from "../tensor/indices.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Attribution } from "./attribution.ts";
import { short } from "./attribution_view.ts";

/** The words of one sample, or those of each. */
export type Tokens = readonly string[] | readonly (readonly string[])[];

/** Which words are shown, and by what they are coloured. */
export interface WordsOptions extends ChartLook {
  /** One sample alone, -1 is the last. Default: all, up to 1,000 words. */
  readonly sample?: number;
  /**
   * `"word"`: what the word itself wrote, summed over its embedding. `"timestep"`: all that was
   * written when it was read, by what the layer held too. Default: `"word"`.
   */
  readonly by?: "word" | "timestep";
  /** The name of what is explained. Default: `logit of class 1`, or `output` of a regression. */
  readonly target?: string;
}

const ACTION = "show the words";
const OPTIONS: KeysOf<WordsOptions> = {
  sample: "optional",
  by: "optional",
  target: "optional",
  ...LOOK,
};
const BY = ["word", "timestep"];
/** With what each is, some 150 bytes, within the 200 kB of an output. */
const MOST_WORDS = 1000;

/** One list for each sample, of one word for each timestep. */
export function checkTokens(
  tokens: Tokens,
  [batch, timesteps]: readonly [number, number, number],
): readonly (readonly string[])[] {
  const refuse = (found: string) =>
    new TypeError(
      `Cannot attribute: tokens must be ${timesteps} texts, one for each timestep, ` +
        `${batch === 1 ? "" : `for each of the ${batch} samples, `}but ${found}`,
    );
  if (!Array.isArray(tokens)) throw refuse(`tokens is of type ${typeof tokens}`);
  const isOne = tokens.every((token) => typeof token === "string");
  const lists: readonly unknown[] = isOne ? [tokens] : tokens;
  if (lists.length !== batch) {
    throw refuse(isOne ? "there is one list of texts" : `there are ${lists.length} lists`);
  }
  return lists.map((list, n) => {
    if (!Array.isArray(list) || !list.every((token) => typeof token === "string")) {
      throw refuse(`those of sample ${n} are no list of texts`);
    }
    if (list.length !== timesteps) throw refuse(`sample ${n} has ${list.length}`);
    return [...list];
  });
}

/** A line of words for each sample, behind each the colour of what it gave, and what they sum to. */
export function attributionWords(attribution: Attribution, options: WordsOptions = {}): View {
  checkOptions(ACTION, options, OPTIONS);
  const css = lookCss(options, ACTION);
  const { by = "word", target = attribution.name } = options;
  if (!BY.includes(by)) throw new RangeError(`Cannot ${ACTION}: by must be ${amongNames(by, BY)}`);
  const { tokens, logit } = attribution;
  if (tokens === undefined) {
    throw new TypeError(
      `Cannot ${ACTION}: attribute() must be told the tokens, as { tokens: ["a", "lovely", …] }, ` +
        "but they are not known",
    );
  }
  const batch = logit.data.length;
  const timesteps = attribution.contributions.shape[1]!;
  const fitting = Math.max(1, Math.floor(MOST_WORDS / timesteps));
  const samples = options.sample === undefined
    ? Array.from({ length: Math.min(batch, fitting) }, (_, n) => n)
    : [indexAt(options.sample, batch, { action: ACTION, owner: "it", name: "sample" })];
  const lines = samples.map((n) => lineOf(attribution, tokens[n]!, n, by));
  const limit = Math.max(...lines.flatMap(({ words }) => words.map(({ gave }) => Math.abs(gave))));
  const title = visibleLine(`What each ${by} gave to the ${target}`);
  const scale = `blue ${three(-limit)} to red ${three(limit)}` +
    (lines.length > 1 ? ", the same for all samples" : "");
  const left = batch - samples.length;
  const rest = options.sample !== undefined || left === 0
    ? ""
    : `${left} more samples: { sample: ${samples.length} } and so on`;
  const text = [
    `${title} (${scale})`,
    ...lines.flatMap(({ sum, words }) => [
      sum,
      `  ${words.map(({ word, gave }) => `${word} ${three(gave)}`).join(" · ")}`,
    ]),
    ...(rest === "" ? [] : [rest]),
  ].join("\n");
  return new View(text, () => ({
    "text/html": [
      `<div style="${escapeHtml(css)}">`,
      `<p><strong>${escapeHtml(title)}</strong><br>`,
      `<small>${escapeHtml(scale)}</small></p>`,
      ...lines.map((line) => lineHtml(line, limit)),
      ...(rest === "" ? [] : [`<p><small>${escapeHtml(rest)}</small></p>`]),
      "</div>",
    ].join("\n"),
  }));
}

/** A sample's words, and the sum that they are in. */
interface Line {
  readonly sum: string;
  readonly words: readonly { readonly word: string; readonly gave: number; readonly all: number }[];
  /** How many words are left out. */
  readonly left: number;
}

function lineOf(
  { sources, contributions, remainder, logit }: Attribution,
  tokens: readonly string[],
  n: number,
  by: "word" | "timestep",
): Line {
  const total = ({ data }: Tensor) => Array.from(data).reduce((sum, one) => sum + one, 0);
  const { input, hiddenState, bias } = sources;
  const words = tokens.slice(0, MOST_WORDS).map((token, t) => {
    const all = total(contributions.at(n, t));
    return { word: wordOf(token), gave: by === "word" ? total(input.at(n, t)) : all, all };
  });
  const parts = by === "word"
    ? [
      ["words", total(input.at(n))],
      ["what the layer held", total(hiddenState.at(n))],
      ["its bias", total(bias.at(n))],
    ] as const
    : [["timesteps", total(contributions.at(n))]] as const;
  const sum = [...parts, ["remainder", remainder.item(n)] as const]
    .map(([name, part]) => `${name} ${short(part)}`).join(" + ");
  const left = tokens.length - words.length;
  return { sum: `sample ${n}: ${short(logit.item(n))} = ${sum}`, words, left };
}

/** Three digits: more than a colour says. */
const three = (value: number) => inWords(value, { digits: 3 });

/** A word as it is seen, one that is empty too. */
function wordOf(token: string): string {
  return visibleLine(token).trim() || "␣";
}

function lineHtml({ sum, words, left }: Line, limit: number): string {
  const spans = words.map(({ word, gave, all }) => {
    const title = gave === all ? three(gave) : `${three(gave)}, of ${three(all)} at its timestep`;
    return `<span style="padding:2px 3px${cellColor(gave, limit || 1)}" ` +
      `title="${escapeHtml(`${word}: ${title}`)}">${escapeHtml(word)}</span>`;
  });
  if (left > 0) spans.push(`<small>… ${left} more words</small>`);
  return `<p style="margin:0.6em 0;line-height:1.7"><small>${escapeHtml(sum)}</small><br>\n` +
    `<span dir="auto">${spans.join(" ")}</span></p>`;
}
