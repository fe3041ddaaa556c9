// Healthy models of all kinds, and one defect planted at a time.

import {
  bidirectional,
  checkup,
  dense,
  dropout,
  embedding,
  type FindingKind,
  type History,
  type Layer,
  lstm,
  masking,
  type Model,
  sequential,
  Tensor,
  timeDistributed,
} from "@gatescope/lstm";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { type Random, seededRandom } from "../../lib/tensor/random.ts";

const numbers = (random: Random, ...shape: number[]) =>
  new Tensor(
    Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
  );

const kindsOf = (found: ReturnType<typeof checkup>) => found.findings.map(({ kind }) => kind);

Deno.test("100 seeded healthy models, fresh and trained: no alarm", async () => {
  const heads: ((units: number) => Layer[])[] = [
    (units) => [lstm({ units }), dense({ units: 3, activation: "softmax" })],
    (units) => [
      lstm({ units, returnSequences: true }),
      lstm({ units: units + 1 }),
      dense({ units: 1 }),
    ],
    (units) => [bidirectional(lstm({ units })), dense({ units: 3, activation: "softmax" })],
    (units) => [
      lstm({ units, returnSequences: true }),
      timeDistributed(dense({ units: 2, activation: "softmax" })),
    ],
    (units) => [
      masking(),
      lstm({ units, recurrentActivation: "hard_sigmoid", goBackwards: true }),
      dropout({ rate: 0.2 }),
      dense({ units: 1, activation: "sigmoid" }),
    ],
  ];
  for (let seed = 0; seed < 100; seed++) {
    const random = seededRandom(seed);
    const [timesteps, inputs, units] = [5 + seed % 46, 1 + seed % 4, 4 + seed % 13];
    const x = numbers(random, 4 + seed % 5, timesteps, inputs);
    const layers = heads[seed % heads.length]!(units);
    const model = sequential(layers, { inputShape: [timesteps, inputs], seed });
    let history: History | undefined;
    if (seed % 4 === 0) {
      model.compile({ optimizer: "adam", loss: "mse" });
      const y = new Tensor(
        model.predict(x).data.map(() => random.uniform()),
        model.predict(x).shape,
      );
      history = await model.fit(x, y, { epochs: 3, batchSize: 4, verbose: false });
    }
    const found = checkup(model, x, history);
    assertEquals(found.findings.map(({ kind, what }) => `${seed} ${kind}: ${what}`), []);
    assert(found.healthy);
  }
});

const [BATCH, TIMESTEPS, INPUTS, UNITS] = [8, 12, 3, 6];
const random = seededRandom(1);
const x = numbers(random, BATCH, TIMESTEPS, INPUTS);

/** A healthy model, with `change` done to its weights: value, array, row, column. */
function planted(
  change: (value: number, array: number, row: number, column: number) => number,
  options: Partial<Parameters<typeof lstm>[0]> = {},
): Model {
  const model = sequential(
    [lstm({ units: UNITS, ...options }), dense({ units: 3, activation: "softmax" })],
    { inputShape: [TIMESTEPS, INPUTS], seed: 4 },
  );
  model.setWeights(
    model.getWeights().map(({ data, shape }, array) => {
      const columns = shape.at(-1)!;
      const changed = data.map((value, k) =>
        change(value, array, Math.floor(k / columns), k % columns)
      );
      return new Tensor(changed, shape);
    }),
  );
  return model;
}

/** A bias of one gate of some units. */
const bias = (gate: "i" | "f" | "c" | "o", to: number, ...units: number[]) =>
  planted((value, array, _, column) => {
    const [block, unit] = [Math.floor(column / UNITS), column % UNITS];
    return array === 2 && "ifco"[block] === gate && units.includes(unit) ? to : value;
  });

Deno.test("the model that the defects are planted in is healthy", () => {
  assertEquals(checkup(planted((value) => value), x).findings, []);
});

Deno.test("each planted defect is found, and nothing else", () => {
  const defects: Record<string, [Model, FindingKind, number, RegExp]> = {
    "a forget gate that stays open": [
      bias("f", 30, 2),
      "saturated gates",
      1,
      /^forget gate of unit 2 of 6: open/,
    ],
    "forget gates that stay shut": [
      bias("f", -12, 0, 5),
      "saturated gates",
      2,
      /units 0, 5 of 6: shut/,
    ],
    "an input gate that stays open": [
      bias("i", 20, 1),
      "saturated gates",
      1,
      /^input gate of unit 1/,
    ],
    "an output gate that stays open": [
      bias("o", 20, 1),
      "saturated gates",
      1,
      /^output gate of unit 1/,
    ],
    "a candidate that stays where it is": [
      bias("c", -15, 3),
      "saturated gates",
      1,
      /candidate of unit 3 of 6: near -1 at every step/,
    ],
    "an input gate that stays shut": [bias("i", -40, 1), "dead units", 1, /^unit 1 of 6/],
    "output gates that stay shut": [bias("o", -40, 1, 2), "dead units", 2, /^units 1, 2 of 6/],
    "a relu below 0": [
      planted(
        (value, array, _, column) => array === 2 && column === 2 * UNITS + 4 ? -50 : value,
        { activation: "relu" },
      ),
      "dead units",
      1,
      /^unit 4 of 6/,
    ],
    "forget gates above 1": [
      planted(
        (value, array, _, column) =>
          Math.floor(column / UNITS) !== 1 || array === 3 || array === 4
            ? value
            : array === 2 && column % UNITS === 3
            ? 2.5
            : array === 2
            ? 0.6
            : 0,
        { recurrentActivation: "linear" },
      ),
      "exploding cell states",
      NaN,
      /^\|c\| is [\d.]+ in unit 3, sample/,
    ],
    "a dense kernel far too large": [
      planted((value, array) => array === 3 ? 1000 * value : value),
      "softmax near overflow",
      NaN,
      /^a logit of sample \d is -?[\d.]+: e\^x ends at 88.72/,
    ],
    "forget gates that let nothing through": [
      planted((value, array, _, column) =>
        array === 2 && Math.floor(column / UNITS) === 1 ? -5 : array === 1 ? 0.01 * value : value
      ),
      "vanishing gradients",
      NaN,
      /^timesteps 0 to \d+ of 12 are out of reach/,
    ],
    "a NaN among the weights": [
      planted((value, array, row, column) =>
        array === 0 && row === 1 && column === 7 ? NaN : value
      ),
      "not finite",
      NaN,
      /^1 of kernel's numbers are NaN/,
    ],
  };
  for (const [name, [model, kind, number, what]] of Object.entries(defects)) {
    const found = checkup(model, x);
    assertEquals(kindsOf(found), [kind], `${name}: ${Deno.inspect(found)}`);
    const [finding] = found.findings;
    assert(what.test(finding!.what), finding!.what);
    if (!Number.isNaN(number)) assertEquals(finding!.number, number);
    assert(
      finding!.cause !== "" && finding!.remedy !== "" && finding!.layer === "lstm" ||
        finding!.layer === "dense",
    );
  }
});

Deno.test("inputs far too large: most of what the gates give is flat", () => {
  const large = new Tensor(x.data.map((value) => 300 * value), x.shape);
  const found = checkup(planted((value) => value), large);
  assertEquals(new Set(kindsOf(found)), new Set(["saturated gates"]));
  assert(found.findings.some(({ what }) => / % of all its values have a slope below/.test(what)));
});

Deno.test("weights that never moved are found from the history, with their cause", async () => {
  const train = async (model: Model, input: Tensor) => {
    model.compile({ optimizer: "adam", loss: "categorical_crossentropy" });
    const y = Array.from({ length: BATCH }, (_, n) => [0, 1, 2].map((k) => n % 3 === k ? 1 : 0));
    return checkup(model, input, await model.fit(input, y, { epochs: 2, verbose: false }));
  };
  // input 1 is always 0: its row of the kernel has no gradient
  const flat = new Tensor(x.data.map((value, k) => k % INPUTS === 1 ? 0 : value), x.shape);
  const [finding, ...others] = (await train(planted((value) => value), flat)).findings;
  assertEquals(others, []);
  assertEquals(finding!.kind, "weights that never moved");
  assertEquals(finding!.number, 4 * UNITS);
  assert(finding!.what.endsWith("kernel 24 of 72"), finding!.what);
  assert(finding!.cause.includes("an input that is always 0"));

  const dead = await train(
    planted((value, array, _, column) => array === 2 && column === 2 * UNITS + 4 ? -50 : value, {
      activation: "relu",
    }),
    x,
  );
  // its own 4·(3 + 6 + 1) weights, and what it feeds: a row of U and of the dense kernel
  assertEquals(kindsOf(dead).toSorted(), [
    "dead units",
    "weights that never moved",
    "weights that never moved",
  ]);
  const moved = dead.findings.filter(({ kind }) => kind === "weights that never moved");
  assertEquals(moved.map(({ layer, number }) => [layer, number]).toSorted(), [
    ["dense", 3],
    ["lstm", 4 * (INPUTS + UNITS + 1) + 4 * (UNITS - 1)],
  ]);
  assert(moved[0]!.cause.endsWith(": dead units in lstm"), moved[0]!.cause);

  const large = new Tensor(x.data.map((value) => 300 * value), x.shape);
  const stuck = (await train(planted((value) => value), large)).findings;
  const still = stuck.find(({ kind }) => kind === "weights that never moved")!;
  assert(still.cause.endsWith(": saturated gates in lstm"), still.cause);
  assert(still.remedy.startsWith("see the saturated gates"), still.remedy);
});

Deno.test("an embedding's words that never occur may stay as they are", async () => {
  const model = sequential([
    embedding({ inputDim: 50, outputDim: 3 }),
    lstm({ units: 4 }),
    dense({ units: 1 }),
  ], { inputShape: [6], seed: 1 });
  model.compile({ optimizer: "adam", loss: "mse" });
  const words = Array.from({ length: 8 }, (_, n) => [0, 1, 2, 3, 4, 5].map((k) => (n + k) % 7));
  const history = await model.fit(words, [0, 1, 0, 1, 0, 1, 0, 1], { verbose: false });
  assertEquals(checkup(model, words, history).findings, []);
});

Deno.test("worst first: a number that is not finite, then what explodes, down to a gate that is flat", () => {
  const model = planted((value, array, _, column) =>
    array === 3
      ? 1000 * value
      : array === 2 && column === UNITS
      ? 30
      : array === 2 && column === 1
      ? -40
      : value
  );
  const found = checkup(model, x);
  assertEquals(kindsOf(found), ["softmax near overflow", "dead units", "saturated gates"]);
  const severities = found.findings.map(({ severity }) => severity);
  assertEquals(severities, severities.toSorted((a, b) => b - a));
});

Deno.test("a checkup shows itself: the findings, or what was measured", () => {
  const healthy = Deno.inspect(checkup(planted((value) => value), x));
  assert(healthy.includes("Checkup: nothing found"), healthy);
  assert(healthy.includes("exploding cell states"));
  const large = new Tensor(x.data.map((value) => 300 * value), x.shape);
  const stuck = Deno.inspect(checkup(planted((value) => value), large));
  assertEquals(stuck.match(/centre the inputs/g)?.length, 1, "said once, then as above");
  const ill = Deno.inspect(checkup(bias("o", -40, 1), x));
  assert(/Checkup: 1 found, worst first/.test(ill) && ill.includes("output gate is shut"), ill);
});

Deno.test("checkup() leaves the model as it was, and refuses what is not its own", async () => {
  const model = sequential([lstm({ units: 3, stateful: true })], { inputShape: [4, 1], seed: 1 });
  const input = numbers(random, 2, 4, 1);
  model.compile({ optimizer: "sgd", loss: "mse" });
  const y = model.predict(input);
  model.resetStates();
  const history = await model.fit(input, y, { batchSize: 2, verbose: false });
  const before = [model.getWeights(), model.getTrainingState()];
  assertEquals(
    checkup(model, input, history).findings.filter(({ kind }) => kind === "dead units"),
    [],
  );
  assertEquals([model.getWeights(), model.getTrainingState()], before);

  const other = sequential([lstm({ units: 3 })], { inputShape: [4, 1], seed: 1 });
  assertThrows(() => checkup(other, input, history), TypeError, "another model's");
  assertThrows(() => checkup(model, input, { ...history }), TypeError, "a copy");
  assertThrows(() => checkup(model, [[1]]), TypeError, "Cannot check up: the input must be");
  assertAlmostEquals(history.loss[0]!, 0, 1e-9);
});

Deno.test("what there is nothing of to measure is said, not that it is unknown", () => {
  const layers = [lstm({ units: 2, returnSequences: true }), dense({ units: 1 })];
  const model = sequential(layers, { inputShape: [3, 1], seed: 1 });
  const text = Deno.inspect(checkup(model, [[[1], [2], [3]]]));
  for (const why of ["no softmax", "no last state", "no history"]) assert(text.includes(why), text);
});
