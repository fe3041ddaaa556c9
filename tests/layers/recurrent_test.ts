// GRU and SimpleRNN against Keras 3.15.1 (tests/fixtures/formats/keras_recurrent.py): predictions,
// gradients and training by Keras, gates and states at every step by a replay in NumPy. Tolerances are
// relative to an array's largest number; Keras computes in float32.

import {
  adam,
  gruForward,
  joinGates,
  loadModel,
  loadNpz,
  prove,
  saveKeras,
  simpleRnnForward,
  splitGates,
  type Tensor,
  trace,
} from "@gatescope/lstm";
import { assert, assertEquals } from "@std/assert";
import { networkOf } from "../../lib/model/model.ts";
import { seededRandom } from "../../lib/tensor/random.ts";
import { valueIfAt } from "../../lib/cells/sites.ts";
import { formatFile } from "../formats/loaded.ts";

const arrays = await loadNpz(formatFile("keras_recurrent/values.npz"));
const names = [...arrays.keys()].filter((key) => key.startsWith("y_")).map((key) => key.slice(2));

function farthest(actual: Tensor, expected: Tensor): number {
  assertEquals(actual.shape, expected.shape);
  let [largest, off] = [0, 0];
  expected.data.forEach((e, k) => {
    largest = Math.max(largest, Math.abs(e));
    off = Math.max(off, Math.abs(actual.data[k]! - e));
  });
  return off / (largest || 1);
}

function assertClose(actual: Tensor, expected: Tensor, tolerance: number, what: string) {
  const off = farthest(actual, expected);
  assert(off <= tolerance, `${what}: ${off}`);
}

const SITES = [
  ...["input", "forget", "update", "reset", "candidate", "output"].map((gate) => `gates.${gate}`),
  "cellState",
  "hiddenState",
];

const fileOf = (name: string) => formatFile(`keras_recurrent/${name}.keras`);

function inputOf(name: string) {
  const second = arrays.get(`x_${name}_1`);
  const x = arrays.get(`x_${name}`)!;
  return second === undefined ? x : [x, second];
}

for (const name of names) {
  Deno.test(`${name}: prediction, gates, states and gradients are Keras's, and the proof holds`, async () => {
    const model = await loadModel(fileOf(name));
    const [x, y] = [inputOf(name), arrays.get(`y_${name}`)!];
    for (const fast of [false, true]) {
      trace(model, x, { fast }).layers.forEach((layer, k) => {
        assert(!fast || layer.hiddenState.data instanceof Float32Array);
        for (const site of SITES) {
          const theirs = arrays.get(`trace_${name}_${k}_${site.replace("gates.", "")}`);
          if (theirs !== undefined) assertClose(valueIfAt(layer, site)!, theirs, 1e-6, site);
          else if (k === 0) assertEquals(valueIfAt(layer, site), undefined);
        }
      });
    }
    const { verdict, sentence } = prove(model, x, { expected: y });
    assert(verdict === "rounding" || verdict === "equal", sentence);
    assertClose(model.predict(x), y, 1e-6, "prediction");
    const second = arrays.get(`second_${name}`);
    if (second !== undefined) {
      assertClose(model.predict(x), second, 1e-6, "the next prediction");
      return;
    }
    const network = networkOf(model);
    const inputs = network.checkInputs(x, "predict");
    const fast = { training: true, fast: true, random: seededRandom(1) };
    for (const context of [{}, ...(name.includes("dropout") ? [] : [fast])]) {
      const run = network.forwardOnTape(inputs, context);
      run.backward([arrays.get(`factors_${name}`)!]).forEach((gradient, k) => {
        const what = `gradient of ${network.weightSpecs[k]!.name}`;
        assertClose(gradient, arrays.get(`gradients_${name}_${k}`)!, 2e-6, what);
      });
    }
    const file = await Deno.makeTempFile({ suffix: ".keras" });
    await saveKeras(file, model);
    const again = await loadModel(file);
    await Deno.remove(file);
    assertEquals(again.predict(x), model.predict(x));
  });
}

for (const name of ["gru_stacked", "rnn_stacked"]) {
  Deno.test(`${name} learns as in Keras: losses and weights of two epochs`, async () => {
    const model = await loadModel(fileOf(name));
    model.compile({ optimizer: adam({ learningRate: 0.01 }), loss: "mse" });
    const { loss } = await model.fit(arrays.get(`x_${name}`)!, arrays.get(`target_${name}`)!, {
      epochs: 2,
      batchSize: 2,
      shuffle: false,
      verbose: false,
    });
    loss.forEach((value, k) => {
      const theirs = arrays.get(`loss_${name}`)!.data[k]!;
      assert(Math.abs(value - theirs) <= 2e-6 * Math.max(1, theirs), `${value}, Keras ${theirs}`);
    });
    model.getWeights().forEach((weight, k) => {
      assertClose(weight, arrays.get(`after_${name}_${k}`)!, 5e-6, `weight ${k}`);
    });
  });
}

for (const [name, resetAfter] of [["gru_plain", true], ["gru_before_plain", false]] as const) {
  const model = await loadModel(fileOf(name));
  const [kernel, recurrentKernel, bias] = model.getWeights() as [Tensor, Tensor, Tensor];
  const x = arrays.get(`x_${name}`)!;
  const weights = { kernel, recurrentKernel, bias };

  Deno.test(`gruForward is the layer, reset ${resetAfter ? "after" : "before"}; the other way it is not`, () => {
    const { hiddenState } = gruForward(x, weights, { resetAfter });
    assertEquals(hiddenState, trace(model, x).layers[0]!.hiddenState);
    const other = {
      ...weights,
      bias: resetAfter ? bias.select(0, 0) : [[...bias.data], [...bias.data]],
    };
    const wrong = gruForward(x, other as typeof weights, { resetAfter: !resetAfter });
    assert(farthest(wrong.hiddenState, hiddenState) > 1e-3);
  });

  for (const [a, b] of [["update", "reset"], ["reset", "candidate"], ["update", "candidate"]]) {
    Deno.test(`${name}: two blocks swapped, ${a} and ${b}, are seen`, () => {
      const swap = (fused: Tensor) => {
        const gates = splitGates(fused, "keras", { cell: "gru" });
        const at = a as keyof typeof gates, to = b as keyof typeof gates;
        return joinGates({ ...gates, [at]: gates[to], [to]: gates[at] });
      };
      for (const part of ["kernel", "recurrentKernel", "bias"] as const) {
        const { hiddenState } = gruForward(x, { ...weights, [part]: swap(weights[part]) }, {
          resetAfter,
        });
        assert(farthest(hiddenState, arrays.get(`trace_${name}_0_hiddenState`)!) > 1e-3, part);
      }
    });
  }
}

Deno.test("simpleRnnForward is the layer", async () => {
  const model = await loadModel(fileOf("rnn_plain"));
  const [kernel, recurrentKernel, bias] = model.getWeights() as [Tensor, Tensor, Tensor];
  const x = arrays.get("x_rnn_plain")!;
  const { hiddenState } = simpleRnnForward(x, { kernel, recurrentKernel, bias });
  assertEquals(hiddenState, trace(model, x).layers[0]!.hiddenState);
});

Deno.test("splitGates and joinGates know where each framework puts a GRU's blocks", () => {
  const { update, reset, candidate } = splitGates([1, 2, 3], "pytorch", { cell: "gru" });
  assertEquals([update.item(0), reset.item(0), candidate.item(0)], [2, 1, 3]);
  assertEquals([...joinGates({ update, reset, candidate }).data], [2, 1, 3]);
  assertEquals([...joinGates({ update, reset, candidate }, "cudnn").data], [1, 2, 3]);
});
