import {
  activation,
  bidirectional,
  dense,
  gru,
  type Layer,
  lstm,
  type Model,
  type Precision,
  sequential,
  sgd,
  simpleRnn,
  type Tensor,
} from "@gatescope/lstm";
import { assert, assertEquals, assertRejects } from "@std/assert";

const x = [[[1], [2]], [[3], [4]], [[5], [6]]];
const y = [0, 1, 0];

/** A model of one unit, its weights by hand. */
function modelOf(layers: Layer[], weights: unknown[], precision: Precision = "float64"): Model {
  const model = sequential(layers, { inputShape: [2, 1], seed: 1, precision });
  model.setWeights(weights as Tensor[]);
  model.compile({ optimizer: "adam", loss: "mse" });
  return model;
}

const ones = [[[1, 1, 1, 1]], [[1, 1, 1, 1]], [0, 0, 0, 0]];

async function assertStops(model: Model, message: string, input: unknown = x): Promise<void> {
  const before = model.getWeights();
  const error = await assertRejects(
    () => model.fit(input as Tensor, y, { epochs: 2, batchSize: 2, shuffle: false }),
    RangeError,
  );
  assert(error.message.includes(message), error.message);
  assertEquals(model.getWeights(), before);
}

Deno.test("a loss that is no number stops fit, naming epoch, batch, layer, gate, step and unit", async () => {
  const unbounded = lstm({ units: 1, activation: "relu", recurrentActivation: "exponential" });
  const model = modelOf([unbounded], [[[1, 1, 1, 200]], [[0, 0, 0, 0]], [0, 0, 0, 0]]);
  await assertStops(model, "epoch 1, batch 1: the loss must be finite, but is Infinity");
  // 200·4 overflows e^z in the second sample's last step only, 200·5 and 200·6 come later
  await assertStops(
    model,
    "it began at lstm, gates.output of sample 1, timestep 1, unit 0: Infinity",
  );
});

Deno.test("of a GRU and a SimpleRNN too it names the gate or state, step and unit", async () => {
  // e^(200·4) overflows in the second sample's last step only
  const unbounded = gru({ units: 1, recurrentActivation: "exponential" });
  const weights = [[[0, 200, 1]], [[0, 0, 0]], [[0, 0, 0], [0, 0, 0]]];
  const where = "sample 1, timestep 1, unit 0: Infinity";
  await assertStops(modelOf([unbounded], weights), `it began at gru, gates.reset of ${where}`);
  const plain = simpleRnn({ units: 1, activation: "exponential" });
  const model = modelOf([plain], [[[200]], [[0]], [0]]);
  await assertStops(model, `it began at simple_rnn, hiddenState of ${where}`);
});

Deno.test("a batch later, the sample is counted among all and the weights are those before the batch", async () => {
  const model = modelOf([lstm({ units: 1 })], ones);
  model.compile({ optimizer: sgd({ learningRate: 0 }), loss: "mse" });
  const broken = [[[1], [2]], [[3], [4]], [[5], [NaN]]];
  await assertStops(model, "epoch 1, batch 2", broken);
  await assertStops(model, "it began at the input of sample 2 at [1, 0]: NaN", broken);
});

Deno.test("a weight that is no number is the culprit before any gate", async () => {
  const model = modelOf([lstm({ units: 1 }), dense({ units: 1 })], [...ones, [[Infinity]], [0]]);
  await assertStops(model, "weight dense/kernel at [0, 0]: Infinity");
});

Deno.test("the backward half of a Bidirectional is read from its own first step", async () => {
  const unbounded = lstm({ units: 1, activation: "exponential", recurrentActivation: "relu" });
  const backward = [[[0, 0, 800, 0]], [[0, 0, 0, 0]], [1, 0, 0, 1]];
  const model = modelOf(
    [bidirectional(unbounded), dense({ units: 1 })],
    [[[0, 0, 0, 0]], [[0, 0, 0, 0]], [0, 0, 0, 0], ...backward, [[1], [1]], [0]],
  );
  await assertStops(
    model,
    "bidirectional, gates.candidate of sample 0, timestep 1, unit 0: Infinity",
  );
});

Deno.test("a layer without gates is named with its output", async () => {
  const model = modelOf([lstm({ units: 1 }), dense({ units: 1 }), activation("exponential")], [
    ...ones,
    [[0]],
    [1000],
  ]);
  await assertStops(model, "activation, output of sample 0 at [0]: Infinity");
});

Deno.test("a gradient that is no number stops fit before the weights take it", async () => {
  const model = modelOf([lstm({ units: 1, activation: "linear" }), dense({ units: 1 })], [
    ...ones,
    [[1e160]],
    [0],
  ]);
  // the loss, 1e320, overflows itself
  await assertStops(model, "the loss itself: every layer's output is finite");
  const steep = modelOf([lstm({ units: 1 }), dense({ units: 1 })], [...ones, [[1e-200]], [1e150]]);
  steep.compile({ optimizer: sgd({ learningRate: 1e300 }), loss: "mae" });
  await assertStops(steep, "the weights must stay finite", x.map((n) => n.map(() => [1e10])));
});

Deno.test("a weight that float32 cannot hold stops a float32 model", async () => {
  const model = modelOf(
    [lstm({ units: 1 }), dense({ units: 1 })],
    [...ones, [[1]], [0]],
    "float32",
  );
  model.compile({ optimizer: sgd({ learningRate: 1e39 }), loss: "mse" });
  await assertStops(model, "the weights must stay finite");
  await assertStops(model, "it began at weight ");
});
