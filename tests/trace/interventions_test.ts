// Tolerance: none. What is the same computation gives the same bits.

import {
  arange,
  bidirectional,
  dense,
  type Intervention,
  lstm,
  lstmForward,
  masking,
  type Model,
  multiply,
  sequential,
  siteNames,
  splitGates,
  Tensor,
  timeDistributed,
  trace,
} from "@gatescope/lstm";
import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { valueAt } from "../../lib/cells/sites.ts";
import { seededRandom } from "../../lib/tensor/random.ts";

const random = seededRandom(7);
const numbers = (...shape: number[]) =>
  new Tensor(
    Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
  );

const [BATCH, TIMESTEPS, INPUTS, UNITS] = [3, 5, 2, 4];
const x = numbers(BATCH, TIMESTEPS, INPUTS);

function small(seed = 1): Model {
  const layers = [lstm({ units: UNITS }), dense({ units: 3, activation: "softmax" })];
  return sequential(layers, { inputShape: [TIMESTEPS, INPUTS], seed });
}

const model = small();
const plain = trace(model, x);
const operate = (...interventions: Intervention[]) => trace(model, x, { interventions });

/** All numbers of the first LSTM's trace, and the prediction. */
function bits({ layers, prediction }: ReturnType<typeof trace>): Float64Array[] {
  return [...siteNames.map((site) => valueAt(layers[0]!, site)), prediction]
    .map(({ data }) => Float64Array.from(data));
}

/** The model with some weights changed: those for which `change` gives another number. */
function changed(
  change: (weight: number, array: number, row: number, column: number) => number,
): Model {
  const copy = small();
  copy.setWeights(
    model.getWeights().map((weight, array) => {
      const columns = weight.shape.at(-1)!;
      const data = weight.data.map((value, k) =>
        change(value, array, Math.floor(k / columns), k % columns)
      );
      return new Tensor(data, weight.shape);
    }),
  );
  return copy;
}

Deno.test("an identity intervention changes no bit", () => {
  for (const site of siteNames) {
    assertEquals(bits(operate({ scale: site, by: 1 })), bits(plain), site);
    const own = valueAt(plain.layers[0]!, site);
    assertEquals(bits(operate({ set: site, to: own })), bits(plain), site);
  }
  const { weights, options } = {
    weights: { kernel: numbers(2, 8), recurrentKernel: numbers(2, 8) },
    options: {},
  };
  const heard: string[] = [];
  const listen = (value: Tensor, { site, timestep }: { site: string; timestep: number }) => {
    heard.push(`${timestep} ${site}`);
    return value;
  };
  const [one, two] = [
    lstmForward(x, weights, options),
    lstmForward(x, weights, { ...options, listen }),
  ];
  for (const site of siteNames) assertEquals(valueAt(one, site).data, valueAt(two, site).data);
  assertEquals(heard, [0, 1, 2, 3, 4].flatMap((t) => siteNames.map((site) => `${t} ${site}`)));
});

Deno.test("an ablated hidden unit is the model whose weights out of it are 0", () => {
  const zeroed = changed((value, array, row) =>
    (array === 1 || array === 3) && row === 2 ? 0 : value
  );
  const { prediction } = trace(zeroed, x);
  assertEquals(operate({ ablate: "hiddenState", unit: 2 }).prediction, prediction);
  assertNotEquals(prediction.data, plain.prediction.data);
});

Deno.test("an ablated candidate is the model whose weights into it are 0, an ablated input gate too", () => {
  const candidate = 2 * UNITS + 1; // the block of c̃, unit 1
  const zeroed = trace(
    changed((value, array, _, column) => array < 3 && column === candidate ? 0 : value),
    x,
  );
  const ablated = operate({ ablate: "gates.candidate", unit: 1 });
  assertEquals(bits(ablated), bits(zeroed));
  assertEquals(operate({ ablate: "gates.input", unit: 1 }).prediction, zeroed.prediction);
});

Deno.test("an ablated forget gate is the cell that starts anew at each step", () => {
  const { layers } = operate({ ablate: "gates.forget" });
  const { gates, cellState } = layers[0]!;
  assertEquals(cellState.data, multiply(gates.input, gates.candidate).data);
});

Deno.test("set, scale and ablate touch the unit, timestep and sample that they name alone", () => {
  const place = { unit: [1, 3], timestep: 2, sample: 0 };
  for (
    const [intervention, expected] of [
      [{ set: "gates.output", to: 0.25, ...place }, () => 0.25],
      [{ scale: "gates.output", by: -2, ...place }, (value: number) => -2 * value],
      [{ ablate: "gates.output", ...place }, () => 0],
    ] as const
  ) {
    const output = operate(intervention).layers[0]!.gates.output;
    const before = plain.layers[0]!.gates.output;
    for (let u = 0; u < UNITS; u++) {
      const value = before.item(0, 2, u);
      assertEquals(output.item(0, 2, u), u % 2 === 1 ? expected(value) : value);
      assertEquals(output.item(0, 1, u), before.item(0, 1, u));
      assertEquals(output.item(1, 2, u), before.item(1, 2, u)); // another sample
    }
    assertNotEquals(output.at(0, 3).data, before.at(0, 3).data); // what comes after it, though
  }
});

Deno.test("set takes another run's values: all of them make it that run's prediction", () => {
  const other = trace(model, numbers(BATCH, TIMESTEPS, INPUTS));
  const { gates } = other.layers[0]!;
  const { prediction, layers } = operate(
    { set: "gates.input", to: gates.input },
    { set: "gates.forget", to: gates.forget },
    { set: "gates.candidate", to: gates.candidate },
    { set: "gates.output", to: gates.output },
  );
  assertEquals(prediction, other.prediction);
  assertEquals(layers[0]!.cellState, other.layers[0]!.cellState);
  const byUnit = operate({ set: "gates.forget", to: [0, 0.5, 1, 2] }).layers[0]!.gates.forget;
  assertEquals(byUnit.at(1, 3).toArray(), [0, 0.5, 1, 2]);
});

Deno.test("freeze holds a value as it was in the step before, over several steps too", () => {
  const { cellState, gates } = operate({ freeze: "cellState", timestep: [2, 3], unit: 0 })
    .layers[0]!;
  assertEquals(cellState.item(1, 2, 0), plain.layers[0]!.cellState.item(1, 1, 0));
  assertEquals(cellState.item(1, 3, 0), cellState.item(1, 1, 0));
  assertNotEquals(cellState.item(1, 4, 0), cellState.item(1, 1, 0));
  assertEquals(gates.input.at(1, 2), plain.layers[0]!.gates.input.at(1, 2));

  const first = operate({ freeze: "gates.forget" }).layers[0]!.gates.forget; // at its first value
  for (let t = 0; t < TIMESTEPS; t++) assertEquals(first.at(2, t), first.at(2, 0));
  const zeros = operate({ freeze: "hiddenState", timestep: 0 }).layers[0]!; // the state it began with
  assertEquals(zeros.hiddenState.at(0, 0).toArray(), [0, 0, 0, 0]);
});

Deno.test("freeze holds a value as it was at a timestep", () => {
  const { forget } = operate({ freeze: "gates.forget", at: 1, timestep: [3, 4] }).layers[0]!.gates;
  const before = plain.layers[0]!.gates.forget;
  assertEquals(forget.at(0, 2), before.at(0, 2));
  assertEquals([forget.at(0, 3), forget.at(0, 4)], [before.at(0, 1), before.at(0, 1)]);
});

Deno.test("interventions go in order: a scaled set is not a set scale", () => {
  const set: Intervention = { set: "gates.input", to: 0.5 };
  const scale: Intervention = { scale: "gates.input", by: 0.5 };
  assertEquals(operate(set, scale).layers[0]!.gates.input.item(0, 0, 0), 0.25);
  assertEquals(operate(scale, set).layers[0]!.gates.input.item(0, 0, 0), 0.5);
});

Deno.test("Bidirectional: each direction by its name, the step before being the one computed before", () => {
  const both = sequential([
    bidirectional(lstm({ units: 3, returnSequences: true })),
    lstm({ units: 2 }),
  ], { inputShape: [TIMESTEPS, INPUTS], seed: 2 });
  const before = trace(both, x);
  const { layers } = trace(both, x, {
    interventions: [{ freeze: "cellState", timestep: 1, layer: "bidirectional/backward_layer" }],
  });
  assertEquals(layers[0]!.cellState, before.layers[0]!.cellState);
  assertEquals(layers[1]!.cellState.select(1, 1), before.layers[1]!.cellState.select(1, 2));
  const last = trace(both, x, { interventions: [{ ablate: "hiddenState", layer: -1 }] });
  assertEquals(last.prediction.data, new Float32Array(BATCH * 2));
  assertThrows(
    () => trace(both, x, { interventions: [{ ablate: "hiddenState" }] }),
    RangeError,
    "Cannot ablate: one of the recurrent layers must be chosen by `layer`, but none of " +
      "bidirectional/forward_layer, bidirectional/backward_layer, lstm_1 is",
  );
});

Deno.test("a masked step keeps its state, and inside TimeDistributed a step is a sample", () => {
  const masked = sequential([masking(), lstm({ units: 2 })], { inputShape: [3, 2], seed: 1 });
  const input = [[[1, 2], [0, 0], [3, 4]]];
  const interventions: Intervention[] = [{ set: "cellState", to: 9, timestep: 1 }];
  const { layers } = trace(masked, input, { interventions });
  assertEquals(layers[0]!.cellState.at(0, 1), layers[0]!.cellState.at(0, 0));

  const folded = sequential([timeDistributed(lstm({ units: 2 }))], { inputShape: [3, 4, 1] });
  const ablated = trace(folded, arange(24).reshape([2, 3, 4, 1]), {
    interventions: [{ ablate: "cellState", sample: 5, timestep: 3 }],
  });
  assertEquals(ablated.layers[0]!.cellState.at(5, 3).toArray(), [0, 0]);
  assertEquals(ablated.prediction.at(1, 2).toArray(), [0, 0]);
});

Deno.test("what is not there is refused by name", () => {
  const wide = sequential([lstm({ units: 64 })], { inputShape: [10, 2] });
  const input = arange(80).reshape([4, 10, 2]);
  const refused = (intervention: Intervention, message: string, kind = RangeError) =>
    assertThrows(() => trace(wide, input, { interventions: [intervention] }), kind, message);

  refused(
    { ablate: "gates.input", unit: 64 },
    "Cannot ablate: lstm has units 0 to 63 (-1 is the last), but unit is 64",
  );
  refused(
    { set: "cellState", to: 1, timestep: [0, 10] },
    "Cannot set: lstm has timesteps 0 to 9 (-1 is the last), but timestep is 10",
  );
  refused(
    { scale: "cellState", by: 1, sample: -5 },
    "Cannot scale: lstm has samples 0 to 3 (-1 is the last), but sample is -5",
  );
  refused(
    { freeze: "cellState", layer: 1 },
    "Cannot freeze: the model has recurrent layers 0 to 0 (lstm), but layer is 1",
  );
  refused(
    { freeze: "cellState", layer: "lstmm" },
    'Cannot freeze: `layer` must be lstm, but "lstmm" was given; did you mean lstm?',
  );
  refused(
    { freeze: "gates.input", timestep: 0 },
    "Cannot freeze gates.input of timestep 0: a step must come before it",
  );
  refused({ freeze: "cellState", at: 4, timestep: [4, 5] }, "but at is 4");
  refused(
    { ablate: "gate.input" as "gates.input" },
    '"gate.input" was given; did you mean gates.input?',
  );
  refused(
    { ablate: "cellState", units: 3 } as Intervention,
    "sample, but units was given; did you mean unit?",
    TypeError,
  );
  refused(
    { unit: 3 } as unknown as Intervention,
    "has one verb, ablate, set, scale or freeze, but { unit } was given",
    TypeError,
  );
  refused(
    { set: "cellState", to: [1, 2] },
    "the tail of [batch, timesteps, units], [4, 10, 64] here, but the shape is [2]",
    TypeError,
  );
});

Deno.test("a run that was listened to has no gradient", async () => {
  const { lstmBackward } = await import("@gatescope/lstm");
  const weights = { kernel: numbers(2, 4), recurrentKernel: numbers(1, 4) };
  const options = { listen: (value: Tensor) => value };
  const run = { x, weights, trace: lstmForward(x, weights, options) };
  assertThrows(() => lstmBackward(run, numbers(3, 5, 1), options), TypeError, "listener");
  assert(splitGates(weights.kernel).input.shape[1] === 1);
});
