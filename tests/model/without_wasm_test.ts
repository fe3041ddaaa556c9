// A machine whose WebAssembly has no SIMD: the readable equations compute everything.

import { Tensor } from "@gatescope/lstm";
import { assert, assertEquals } from "@std/assert";
import { availableBuild } from "../../lib/compute/engine.ts";
import { randomArray } from "../compute/random_layers.ts";
import { cases, difference, modelOf, usual } from "./example_models.ts";

// Asked once, when something is first computed; this file has a process's modules for itself.
WebAssembly.validate = () => false;

Deno.test("where WASM has no SIMD, models in float32 predict and train by the equations", async () => {
  assertEquals(availableBuild(), undefined);
  const names = ["an LSTM and a dense layer", "words of which 0 is none", "dropout inside"];
  for (const name of [...names, "GRU and a dense layer", "poolings", "normalization"]) {
    const example = cases[name]!;
    const { x = usual } = example;
    const [model, judge] = [modelOf(example, "float32"), modelOf(example, "float64")];
    assertEquals(model.predict(x), judge.predict(x), "the same equations, rounded at the end");
    const { shape } = judge.predict(x);
    const y = new Tensor(randomArray(shape.reduce((a, b) => a * b), 1, 9), shape);
    const losses: number[][] = [];
    for (const each of [model, judge]) {
      each.compile({ optimizer: "adam", loss: "mse" });
      losses.push((await each.fit(x, y, { epochs: 3, batchSize: 2, verbose: false })).loss);
    }
    losses[0]!.forEach((loss, k) => assert(Math.abs(loss / losses[1]![k]! - 1) < 1e-6, name));
    model.getWeights().forEach((weight, k) => {
      assert(weight.data instanceof Float32Array);
      assert(difference(weight, judge.getWeights()[k]!, 1) < 1e-6, name);
    });
  }
});
