// Tolerance 1e-9, of logits near 1: what the ledger promises. In float64 it is 1e-14 or so.

import {
  activation,
  attribute,
  bidirectional,
  concatenate,
  dense,
  dropout,
  embedding,
  functional,
  input,
  type Intervention,
  type Layer,
  lstm,
  masking,
  type Model,
  sequential,
  Tensor,
  timeDistributed,
  trace,
} from "@gatescope/lstm";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { JUPYTER_DISPLAY, type View } from "../../lib/display/view.ts";
import { seededRandom } from "../../lib/tensor/random.ts";

const random = seededRandom(3);
const numbers = (...shape: number[]) =>
  new Tensor(
    Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
  );
const sum = ({ data }: Tensor) => Array.from(data).reduce((a, b) => a + b, 0);
const x = numbers(3, 7, 2);

function build(layers: Layer[], inputShape: (number | null)[] = [7, 2]): Model {
  const model = sequential(layers, { inputShape, seed: 5, precision: "float64" });
  model.setWeights(
    model.getWeights().map(({ data, shape }) => {
      const moved = data.map((value) => value + 0.3 * random.normal()); // biases are no zeros then
      return new Tensor(Float64Array.from(moved), shape);
    }),
  );
  return model;
}

const softmax = dense({ units: 3, activation: "softmax" });

Deno.test("contributions and remainder sum to the logit to 1e-9: all shapes of models", () => {
  const cases: Record<string, Layer[]> = {
    "Dense": [lstm({ units: 4 }), softmax],
    "relu": [lstm({ units: 4, activation: "relu" }), softmax],
    "recurrent relu": [lstm({ units: 4, recurrentActivation: "relu" }), softmax],
    "φ(0) is not 0": [lstm({ units: 4, activation: "softplus" }), softmax],
    "softmax inside": [lstm({ units: 4, activation: "softmax" }), softmax],
    "no bias": [lstm({ units: 4, useBias: false }), dense({ units: 3, useBias: false })],
    "backwards": [lstm({ units: 4, goBackwards: true }), softmax],
    "stacked": [lstm({ units: 3, returnSequences: true }), lstm({ units: 4 }), softmax],
    "two directions": [bidirectional(lstm({ units: 4 })), softmax],
    "their sum": [bidirectional(lstm({ units: 4 }), { mergeMode: "sum" }), softmax],
    "their mean": [bidirectional(lstm({ units: 4 }), { mergeMode: "ave" }), softmax],
    "masked": [masking({ maskValue: 9 }), lstm({ units: 4 }), softmax],
    "a deep head": [
      lstm({ units: 4 }),
      dropout({ rate: 0.5 }),
      dense({ units: 5, activation: "relu" }),
      dense({ units: 4, activation: "sigmoid" }),
      dense({ units: 3 }),
      activation("softmax"),
    ],
    "no head": [lstm({ units: 3 }), activation("softmax")],
  };
  const masked = new Tensor(Float64Array.from(x.data), x.shape);
  for (const k of [2, 3, 12, 13]) masked.data[k] = 9; // steps 1 and 6, the last, of sample 0
  masked.data.fill(9, 14, 28); // all of sample 1
  for (const [name, layers] of Object.entries(cases)) {
    const model = build(layers);
    const input = name === "masked" ? masked : x;
    const found = [0, 1, 2].map((target) => attribute(model, input, { target }));
    const probabilities = model.predict(input);
    for (const n of [0, 1, 2]) {
      for (const { contributions, remainder, logit, sources, remainderParts } of found) {
        assertAlmostEquals(sum(contributions.at(n)) + remainder.item(n), logit.item(n), 1e-9, name);
        const bySource = sum(sources.input.at(n)) + sum(sources.hiddenState.at(n)) +
          sum(sources.bias.at(n));
        assertAlmostEquals(bySource, sum(contributions.at(n)), 1e-9, name);
        const { bias, initialState, unshared } = remainderParts;
        const parts = bias.item(n) + initialState.item(n) + unshared.item(n);
        assertAlmostEquals(parts, remainder.item(n), 1e-12);
      }
      // and the logits are the model's: their softmax is what it predicts, to float32
      const exponentials = found.map(({ logit }) => Math.exp(logit.item(n)));
      const total = exponentials.reduce((a, b) => a + b, 0);
      found.forEach(({ logit }, k) => {
        const expected = name === "no bias" ? logit.item(n) : exponentials[k]! / total;
        assertAlmostEquals(expected, probabilities.item(n, k), 1e-6, name);
      });
    }
  }
});

Deno.test("a stateful LSTM's memory stands in the remainder", () => {
  const model = build([lstm({ units: 4, stateful: true }), softmax]);
  model.predict(x);
  const { contributions, remainder, logit, remainderParts } = attribute(model, x, { target: 0 });
  assertAlmostEquals(sum(contributions.at(1)) + remainder.item(1), logit.item(1), 1e-9);
  assert(remainderParts.initialState.item(1) !== 0);
});

Deno.test("with a linear activation, a contribution is what ablating its write takes away", () => {
  const model = build([lstm({ units: 4, activation: "linear" }), dense({ units: 2 })]);
  const { contributions } = attribute(model, x, { target: 1 });
  const { gates } = trace(model, x).layers[0]!;
  const hold: Intervention[] = [ // the gates as they were: the ledger takes them as given
    { set: "gates.input", to: gates.input },
    { set: "gates.forget", to: gates.forget },
    { set: "gates.candidate", to: gates.candidate },
    { set: "gates.output", to: gates.output },
  ];
  const logit = (interventions: Intervention[]) => {
    // float32 is too coarse: the last hidden state times the dense kernel
    const [, , , kernel, bias] = model.getWeights();
    const { hiddenState } = trace(model, x, { interventions }).layers[0]!;
    return Array.from({ length: 3 }, (_, n) =>
      [0, 1, 2, 3].reduce(
        (total, u) => total + hiddenState.item(n, 6, u) * kernel!.item(u, 1),
        bias!.item(1),
      ));
  };
  const before = logit(hold);
  let largest = 0;
  for (let timestep = 0; timestep < 7; timestep++) {
    for (let unit = 0; unit < 4; unit++) {
      const after = logit([...hold, { ablate: "gates.input", timestep, unit }]);
      for (let n = 0; n < 3; n++) {
        const contribution = contributions.item(n, timestep, unit);
        largest = Math.max(largest, Math.abs(contribution));
        assertAlmostEquals(before[n]! - after[n]!, contribution, 1e-9);
      }
    }
  }
  assert(largest > 0.1);
});

Deno.test("by hand: half is forgotten at each step, and the shares are in proportion", () => {
  const model = sequential([lstm({ units: 1 }), dense({ units: 1 })], {
    inputShape: [3, 1],
    precision: "float64",
  });
  // i = o = 1 (σ(40)), f = ½ (σ(0)), c̃ = tanh(x); y = 2h + 5
  model.setWeights([[[0, 0, 1, 0]], [[0, 0, 0, 0]], [40, 0, 0, 40], [[2]], [5]]);
  const steps = [0.8, -0.4, 0.1];
  const { contributions, remainder, remainderShare, sources } = attribute(
    model,
    [steps.map((step) => [step])],
  );
  const written = steps.map((step, t) => Math.tanh(step) * 0.5 ** (2 - t));
  const c = written.reduce((a, b) => a + b, 0);
  written.forEach((w, t) => {
    const expected = 2 * Math.tanh(c) * w / c;
    assertAlmostEquals(contributions.item(0, t, 0), expected, 1e-12);
    assertAlmostEquals(sources.input.item(0, t, 0), expected, 1e-12);
    assertEquals(sources.hiddenState.item(0, t), 0);
  });
  assertEquals(remainder.item(0), 5);
  const shared = written.reduce((a, w) => a + Math.abs(2 * Math.tanh(c) * w / c), 0);
  assertAlmostEquals(remainderShare.item(0), 5 / (5 + shared), 1e-12);
});

Deno.test("where c_T is near 0 nothing is shared: it stands in the remainder, and is said", () => {
  // i = 1 then −1 (linear gates): c = softplus(0) − softplus(0) = 0, h = softplus(0) = ln 2
  const linear = sequential([
    lstm({ units: 1, activation: "softplus", recurrentActivation: "linear" }),
    dense({ units: 1 }),
  ], { inputShape: [2, 1], precision: "float64" });
  linear.setWeights([[[1, 0, 0, 0]], [[0, 0, 0, 0]], [0, 1, 0, 1], [[3]], [0]]);
  const { contributions, remainder, remainderShare, remainderParts } = attribute(
    linear,
    [[[1], [-1]]],
  );
  assertEquals([...contributions.data], [0, 0]);
  assertAlmostEquals(remainder.item(0), 3 * Math.LN2, 1e-12);
  assertEquals(remainderParts.unshared.item(0), remainder.item(0));
  assertEquals(remainderShare.item(0), 1);
});

Deno.test("an attribution shows itself: inputs over timesteps, below the title its sum and the remainder's share", async () => {
  const model = build([lstm({ units: 4 }), softmax]);
  const found = attribute(model, x, { target: 2 });
  const text = Deno.inspect(found);
  const [, logit, written, rest, percent, sizes] = text.match(
    /^logit of class 2 of sample 0 of 3: (\S+)\n= written (\S+) \+ remainder (\S+): (\S+) % of all sizes added up, (\S+)\n/,
  )!.map(Number) as [number, number, number, number, number, number];
  assertAlmostEquals(logit, found.logit.item(0), 1e-3);
  assertAlmostEquals(written + rest, logit, 1e-3);
  assertAlmostEquals(percent / 100, Math.abs(rest) / sizes, 0.005);
  assertAlmostEquals(sizes, sum(sizesOf(found.contributions.at(0))) + Math.abs(rest), 1e-3);
  const view = found.heatmap({
    sample: -1,
    inputs: ["<b>price</b>", "volume"],
    target: "<img src=x onerror=alert(1)>",
  });
  const bundle = await (view as View)[JUPYTER_DISPLAY]();
  const html = String(bundle["text/html"]);
  assert(html.includes("hidden state before") && html.includes("volume"));
  assert(!/<img src=x|<b>price/.test(html));
  assert(found.heatmap({ by: "unit" }).text.includes("4 × 7 values"));
});

const sizesOf = ({ data, shape }: Tensor) => new Tensor(data.map(Math.abs), shape);

Deno.test("what is explained is called by what it is: a logit behind a softmax, else an output", () => {
  const nameOf = (...head: Layer[]) =>
    attribute(build([lstm({ units: 4 }), ...head]), x, { target: -1 }).name;
  assertEquals(nameOf(softmax), "logit of class 2");
  assertEquals(nameOf(dense({ units: 3 }), activation("softmax")), "logit of class 2");
  assertEquals(nameOf(dense({ units: 1, activation: "sigmoid" })), "logit");
  assertEquals(nameOf(dense({ units: 2, activation: "sigmoid" })), "logit of class 1");
  assertEquals(nameOf(dense({ units: 1 })), "output");
  assertEquals(nameOf(dense({ units: 2 })), "output 1");
  assertEquals(nameOf(dense({ units: 1, activation: "relu" })), "output before relu");
  assertEquals(nameOf(), "output 3");
});

const reader = build([
  embedding({ inputDim: 6, outputDim: 3 }),
  lstm({ units: 4 }),
  dense({ units: 1, activation: "sigmoid" }),
], [4]);
const ids = [[1, 2, 3, 4], [5, 5, 0, 1]];
const tokens = [["a", "lovely", "film", "!"], ["bad", "bad", "", "a"]];

Deno.test("words: each one's is the sum over its embedding, and with all else they sum to the logit", () => {
  const found = attribute(reader, ids, { tokens });
  const lines = Deno.inspect(found).split("\n");
  assertEquals(lines.length, 5);
  for (const n of [0, 1]) {
    const [logit, ...parts] = [...lines[1 + 2 * n]!.matchAll(/-?\d[\d.e-]*/g)].slice(1).map(Number);
    assertEquals(parts.length, 4);
    assertAlmostEquals(logit!, found.logit.item(n), 1e-3);
    assertAlmostEquals(parts.reduce((a, b) => a + b, 0), logit!, 1e-3);
    const words = lines[2 + 2 * n]!.trim().split(" · ").map((pair) => pair.split(" "));
    assertEquals(words.map(([word]) => word), tokens[n]!.map((token) => token || "␣"));
    words.forEach(([, gave], t) => {
      const expected = sum(found.sources.input.at(n, t));
      assertAlmostEquals(Number(gave), expected, 0.005 * Math.abs(expected));
    });
  }
  const steps = found.words({ by: "timestep", sample: -1 }).text.split("\n");
  assertEquals(steps.length, 3);
  const gave = steps[2]!.trim().split(" · ").map((pair) => Number(pair.split(" ")[1]));
  assertAlmostEquals(
    gave.reduce((a, b) => a + b, 0) + found.remainder.item(1),
    found.logit.item(1),
    2e-2 * sum(sizesOf(found.contributions.at(1))),
  );
});

Deno.test("words: the strongest colour is the largest of all samples', red for and blue against", async () => {
  const found = attribute(reader, ids, { tokens });
  const html = String((await found.words()[JUPYTER_DISPLAY]())["text/html"]);
  const given = ids.flatMap((_, n) => [0, 1, 2, 3].map((t) => sum(found.sources.input.at(n, t))));
  const most = Math.max(...given.map(Math.abs));
  const colors = [...html.matchAll(/<span style="padding:2px 3px([^"]*)"/g)].map(([, css]) => css!);
  assertEquals(colors.length, 8);
  given.forEach((gave, k) => {
    const color = gave < 0 ? "33,102,172" : "178,24,43";
    const strength = (0.46 * Math.abs(gave) / most).toFixed(2);
    if (strength === "0.00") assertEquals(colors[k], "");
    else assertEquals(colors[k], `;background-color:rgba(${color},${strength})`);
  });
  assert(html.includes("the same for all samples"));
});

Deno.test("hostile words stay words: no element, no attribute, no line and no direction of theirs", async () => {
  const HOSTILE = `</span><img src=x onerror="alert(1)"><script>alert(1)</script>"'&\n\u202e`;
  const hostile = attribute(reader, [ids[0]!], { tokens: ["a", HOSTILE, "film", `" onclick="x`] });
  const view = hostile.words({ target: HOSTILE });
  const html = String((await view[JUPYTER_DISPLAY]())["text/html"]);
  const known = /<\/?(?:div|p|span|small|strong)(?: (?:style|title|dir)="[^"<>]*")*>|<br>/g;
  assert(!/[<>]/.test(html.replaceAll(known, "")), html);
  assert(!html.includes("\u202e") && !view.text.includes("\u202e"));
  assertEquals(view.text.split("\n").length, 3);
  assert(!/<img src=x/.test(String((await hostile.heatmap()[JUPYTER_DISPLAY]())["text/html"])));
});

Deno.test("attribute() refuses words that are not one for each timestep, and says what to tell", () => {
  const refused = (tokens: unknown, message: string, input: number[][] = ids) =>
    assertThrows(
      () => attribute(reader, input, { tokens: tokens as string[] }),
      TypeError,
      `Cannot attribute: tokens must be 4 texts, one for each timestep, ${message}`,
    );
  refused(["a", "b", "c", "d"], "for each of the 2 samples, but there is one list of texts");
  refused([tokens[0]], "for each of the 2 samples, but there are 1 lists");
  refused([tokens[0], ["a"]], "for each of the 2 samples, but sample 1 has 1");
  refused(
    [tokens[0], [1, 2, 3, 4]],
    "for each of the 2 samples, but those of sample 1 are no list",
  );
  refused("abcd", "for each of the 2 samples, but tokens is of type string");
  refused(["a"], "but sample 0 has 1", [ids[0]!]);
  assertThrows(() => attribute(reader, ids).words(), TypeError, "must be told the tokens");
  assertThrows(
    () => attribute(reader, ids, { tokens }).words({ by: "unit" as "word" }),
    RangeError,
    'by must be word or timestep, but "unit" was given',
  );
});

Deno.test("attribute() refuses what it cannot explain", () => {
  const refused = (layers: Layer[], message: string, target = 0, input: Tensor = x) =>
    assertThrows(() => attribute(build(layers), input, { target }), Error, message);
  refused(
    [lstm({ units: 2, returnSequences: true })],
    "last hidden state of its last recurrent layer alone",
  );
  refused(
    [lstm({ units: 2, returnSequences: true }), timeDistributed(dense({ units: 1 }))],
    "last hidden state of its last recurrent layer alone",
  );
  refused(
    [bidirectional(lstm({ units: 2 }), { mergeMode: "mul" })],
    "bidirectional multiplies values",
  );
  refused(
    [lstm({ units: 2 }), softmax],
    "the model has outputs 0 to 2 (-1 is the last), but target is 3",
    3,
  );
  const none = sequential([dense({ units: 1 })], { inputShape: [2] });
  assertThrows(
    () => attribute(none, [[1, 2]]),
    TypeError,
    "a model needs a recurrent layer, but it has none",
  );
  const words = sequential([
    embedding({ inputDim: 5, outputDim: 2, maskZero: true }),
    lstm({ units: 3 }),
    dense({ units: 1, activation: "sigmoid" }),
  ], { inputShape: [null], precision: "float64" });
  const { contributions, remainder, logit } = attribute(words, [[1, 2, 0, 0]]);
  assertAlmostEquals(sum(contributions) + remainder.item(0), logit.item(0), 1e-9);
});

Deno.test("recurrent layers whose shares cannot be added are refused in words", () => {
  const refused = (shapes: [number, number][], units: [number, number], message: string) => {
    const inputs = shapes.map((shape) => input(shape));
    const ends = inputs.map((one, k) => lstm({ units: units[k]! }).apply(one));
    const model = functional(inputs, dense({ units: 2 }).apply(concatenate().apply(ends)));
    const x = shapes.map((shape) => numbers(1, ...shape));
    assertThrows(() => attribute(model, x, { target: 0 }), TypeError, message);
  };
  const shapes = "must have as many timesteps and units, but their hidden states are";
  refused([[4, 2], [3, 2]], [3, 3], `${shapes} [1, 4, 3] and [1, 3, 3]`);
  refused([[4, 2], [4, 2]], [3, 5], `${shapes} [1, 4, 3] and [1, 4, 5]`);
  refused(
    [[4, 2], [4, 3]],
    [3, 3],
    "must have inputs of as many features, but their inputs are [1, 4, 2] and [1, 4, 3]",
  );
});
