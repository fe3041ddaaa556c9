// Tolerance 1e-14 relative: Keras's own activations in float64 (JAX, x64) use other, equally good
// formulas. Beside it 1e-15·max(1, |x|) absolute, as theirs cancel where the value is near 0.

import { type ActivationName, getActivation, softmax, Tensor, tensor } from "@gatescope/lstm";
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { activationCurves } from "../../lib/values/activation_curves.ts";
import { activationRows } from "../../lib/values/activation_rows.ts";
import { manifest, readArrays } from "../fixtures/fixtures.ts";

const values = manifest.fixtures.find(({ kind }) => kind === "activation_values")!;
const arrays = await readArrays(values.file);
const onnxOnly = ["hard_sigmoid_onnx", "scaled_tanh", "affine"];

Deno.test("every activation and option matches Keras in float64 within 1e-14", () => {
  const seen = new Set<string>();
  for (const { activation, activationOptions, array, input } of values.functions!) {
    seen.add(activation);
    const x = arrays(input);
    const f = getActivation(activation, activationOptions);
    const expected = arrays(array).data;
    f(x).data.forEach((y, k) => {
      const [at, e] = [x.data[k]!, expected[k]!];
      if (Number.isNaN(at)) return; // Keras's shrink functions and others make 0 of NaN
      const close = Number.isFinite(e)
        ? Math.abs(y - e) <= 1e-15 * Math.max(1, Math.abs(at)) + 1e-14 * Math.abs(e)
        : Object.is(y, e);
      assert(close, `${array}(${at}) is ${y}, Keras has ${e}`);
    });
  }
  const without = ["sparsemax", "glu", ...onnxOnly]; // checked by mathematics below
  const names = [...Object.keys(activationCurves), ...Object.keys(activationRows)];
  assertEquals(names.filter((name) => !seen.has(name) && !without.includes(name)), []);
});

Deno.test("ONNX's own activations are their definitions: clip(αx + β, 0, 1), α tanh(βx), αx + β", () => {
  const options = { alpha: 0.3, beta: 0.4 };
  for (const x of [-9, -1, 0, 0.7, 8]) {
    const line = 0.3 * x + 0.4;
    assertEquals(getActivation("hard_sigmoid_onnx", options)(x), Math.min(Math.max(line, 0), 1));
    assertEquals(getActivation("scaled_tanh", options)(x), 0.3 * Math.tanh(0.4 * x));
    assertEquals(getActivation("affine", options)(x), line);
  }
});

Deno.test("every derivative agrees with central differences within 1e-7", () => {
  const h = 1e-5;
  const x = tensor([-3.7, -1.6, -0.6, -0.31, -0.05, 0.07, 0.4, 0.9, 1.3, 2.2, 5.5]);
  const families: [ActivationName, object][] = [
    ...Object.keys(activationCurves).map((n): [ActivationName, object] => [
      n as ActivationName,
      n === "threshold" ? { threshold: 0.2, defaultValue: -1 } : {},
    ]),
    ["relu", { negativeSlope: 0.1, maxValue: 2, threshold: 0.3 }],
    ["relu", { maxValue: 2 }],
    ["relu", { threshold: -1 }],
    ["gelu", { approximate: true }],
    ["elu", { alpha: 1.5 }],
    ["celu", { alpha: 0.7 }],
    ["squareplus", { b: 2 }],
  ];
  for (const [name, options] of families) {
    const f = getActivation(name, options);
    const slopes = f.backward(x, tensor(Array(11).fill(1)));
    x.data.forEach((at, k) => {
      const difference = (f(at + h) - f(at - h)) / (2 * h);
      assertAlmostEquals(
        slopes.data[k]!,
        difference,
        1e-7 * Math.max(1, Math.abs(difference)),
        `${name}'(${at})`,
      );
    });
  }
});

Deno.test("every row gradient agrees with central differences within 1e-8", () => {
  const h = 1e-5;
  const x = [[0.3, -0.8, 0.9, 1.1], [0.1, 0.2, -0.3, 0.05]];
  for (const name of Object.keys(activationRows) as ActivationName[]) {
    const f = getActivation(name);
    const y = f(x);
    const gradient = new Tensor(y.data.map((_, k) => Math.sin(k + 1)), y.shape);
    const dx = f.backward(tensor(x), gradient);
    const loss = (at: Tensor) => [...f(at).data].reduce((s, v, k) => s + v * gradient.data[k]!, 0);
    tensor(x).data.forEach((_, k) => {
      const moved = (by: number) => {
        const copy = tensor(x);
        copy.data[k]! += by;
        return loss(copy);
      };
      assertAlmostEquals(dx.data[k]!, (moved(h) - moved(-h)) / (2 * h), 1e-8, `${name} ${k}`);
    });
  }
});

Deno.test("softmax sums to 1, is shift-invariant, and survives ±1e4", () => {
  const logits = [[1, -2, 0.5], [1e4, -1e4, 0], [-1e4, -1e4, -1e4]];
  const p = softmax(logits);
  for (let r = 0; r < 3; r++) {
    assertAlmostEquals([...p.at(r).data].reduce((a, b) => a + b, 0), 1, 1e-15);
  }
  const shifted = softmax(logits.map((row) => row.map((x) => x + 4096)));
  shifted.data.forEach((v, k) => assertAlmostEquals(v, p.data[k]!, 1e-12));
});

Deno.test("sparsemax is the nearest point of the simplex", () => {
  assertEquals(getActivation("sparsemax")([[2, 0, -1], [0, 0, 0]]).at(0).toArray(), [1, 0, 0]);
  const y = getActivation("sparsemax")([0.5, 0.4, -2]);
  [0.55, 0.45, 0].forEach((e, k) => assertAlmostEquals(y.data[k]!, e, 1e-15));
});

Deno.test("glu halves the last axis: a ⊙ σ(b)", () => {
  assertEquals(getActivation("glu")([[3, 5, 0, 0]]).toArray(), [[1.5, 2.5]]);
});

Deno.test("an unknown activation is refused with the nearest names, a wrong option by its name", () => {
  const get = getActivation as (name: string, options?: object) => unknown;
  assertThrows(() => get("sigmod"), RangeError, "; did you mean sigmoid?");
  assertThrows(() => get("hardSigmoid"), RangeError, "; did you mean hard_sigmoid?");
  assertThrows(() => get("toString"), RangeError, 'sparsemax or glu, but "toString" was given');
  assertThrows(() => get("relu", { alpha: 1 }), TypeError, "negativeSlope, maxValue, threshold");
  assertThrows(() => get("tanh", { alpha: 1 }), TypeError, "the options are none, but alpha");
  assertThrows(() => get("relu", { negativeSlope: "0.1" }), TypeError, "must be a number");
  assertThrows(
    () => get("threshold"),
    TypeError,
    "threshold must be a number, but it is NaN",
  );
  assertThrows(() => getActivation("softmax")(1), TypeError, "last axis");
  assertThrows(() => getActivation("glu")([1, 2, 3]), TypeError, "must be even");
});

Deno.test("NaN stays NaN in every activation of numbers", () => {
  for (const name of Object.keys(activationCurves) as ActivationName[]) {
    const options = name === "threshold" ? { threshold: 0, defaultValue: 1 } : {};
    assert(Number.isNaN(getActivation(name, options)(NaN)), name);
  }
});
