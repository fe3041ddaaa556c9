// The numbers come from PyTorch, ONNX Runtime and Keras themselves (tests/fixtures/formats/diagnosed.py).

import { diagnose, loadModel, loadNpz, type Tensor } from "@gatescope/lstm";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const folder = new URL("../fixtures/formats/diagnosed/", import.meta.url);
const arrays = await loadNpz(new URL("arrays.npz", folder));

/** A case's weights in its framework's order, and what went in and came out. */
function caseOf(name: string) {
  const of = (part: string): Tensor | undefined => arrays.get(`${name}_${part}`);
  const weights = Array.from({ length: 6 }, (_, k) => of(`${k}`)).filter((one) =>
    one !== undefined
  );
  return { weights, x: of("x")!, prediction: of("prediction")!, states: of("states") };
}

const torchOrder = "gate order r z h (PyTorch, cuDNN)";
const before = "reset before the product instead of after";
const turned = "recurrent kernel transposed"; // a square: no shape says that it is PyTorch's

const CASES: Readonly<Record<string, readonly string[]>> = {
  torch_gru: [torchOrder],
  torch_rnn: [turned],
  torch_rnn_relu: [turned, "activation relu"],
  onnx_gru_before: [before],
  onnx_gru_after: [],
  onnx_gru_reverse: ["time reversed"],
  onnx_gru_softsign: [before, "activation softsign"],
  onnx_rnn: [turned],
  onnx_rnn_relu: [turned, "activation relu"],
  keras_gru: [],
  keras_gru_before: [before],
  keras_gru_hard: [
    "activation softsign",
    "recurrent activation hard_sigmoid",
    "time reversed",
  ],
  keras_rnn: [],
};

Deno.test("diagnose() names how PyTorch, ONNX Runtime and Keras mean their arrays of GRUs and SimpleRNNs", () => {
  for (const [name, departures] of Object.entries(CASES)) {
    const { weights, x, prediction, states } = caseOf(name);
    for (
      const expected of [prediction, ...(states ? [{ layers: [{ hiddenState: states }] }] : [])]
    ) {
      const { reading, sentence } = diagnose(weights, x, expected);
      assertEquals(reading?.departures, departures, `${name}: ${sentence}`);
      if (expected !== prediction) continue;
      const most = 1e-6 * Math.max(1, ...prediction.data.map(Math.abs));
      reading!.toModel().predict(x).data.forEach((p, k) =>
        assert(Math.abs(p - prediction.data[k]!) < most, name)
      );
    }
  }
});

Deno.test("what PyTorch's exporter made of a GRU comes out in one sentence: reset before the product", () => {
  const { weights, x } = caseOf("torch_gru");
  const { sentence } = diagnose(weights, x, arrays.get("exported_prediction")!);
  assertStringIncludes(
    sentence,
    `explains these numbers: ${torchOrder}, ${before}, all else as in Keras. It is off by `,
  );
});

Deno.test("the exported model is diagnosed as it was loaded, from both of the biases that its file has", async () => {
  const model = await loadModel(new URL("exported.onnx", folder));
  const { x, prediction } = caseOf("torch_gru");
  const { reading, sentence } = diagnose(model, x, prediction);
  assertStringIncludes(
    sentence,
    "explains these numbers: reset after the product instead of before, all else as in the model.",
  );
  const right = reading!.toModel();
  right.predict(x).data.forEach((p, k) => assert(Math.abs(p - prediction.data[k]!) < 1e-6));
  assertEquals(diagnose(model, x, arrays.get("exported_prediction")!).reading!.departures, []);

  // Biases of one's own are no sum of the file's any more.
  const weights = model.getWeights();
  model.setWeights(weights.map((weight, k) => k === 2 ? weight.data.map((b) => b / 2) : weight));
  assertEquals(diagnose(model, x, model.predict(x)).reading!.departures, []);
  assertEquals(diagnose(model, x, prediction).outcome, "none");
});

Deno.test("an nn.GRU exported alone is diagnosed in its own axes, the timesteps first", async () => {
  const model = await loadModel(new URL("bare.onnx", folder));
  const { x, prediction } = caseOf("bare");
  assertEquals(diagnose(model, x, prediction).reading?.departures, [
    "reset after the product instead of before",
  ]);
});
