// Tolerance 1e-6: what the slider view promises. The source is the same, so the bits are too. Its
// script runs here without a page; tests/frontends drags in a real one.

import {
  activation,
  type ActivationName,
  dense,
  dropout,
  embedding,
  gateSliders,
  getActivation,
  type Intervention,
  type Layer,
  lstm,
  type Model,
  sequential,
  Tensor,
  trace,
  type View,
} from "@gatescope/lstm";
import { assert, assertAlmostEquals, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { JUPYTER_DISPLAY } from "../../lib/display/view.ts";
import { activationCurves } from "../../lib/values/activation_curves.ts";
import { PAGE_EQUATIONS } from "../../lib/insight/page_bundle.ts";
import { seededRandom } from "../../lib/tensor/random.ts";
import { pageBundle } from "../../tools/build_page.ts";

const random = seededRandom(9);
const numbers = (...shape: number[]) =>
  new Tensor(
    Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
  );
const x = numbers(3, 5, 2);
const HOSTILE = `</script><script>document.title="hacked"</script><img src=x onerror=hacked()>"'&`;

function build(layers: Layer[], inputShape: (number | null)[] = [5, 2]): Model {
  const model = sequential(layers, { inputShape, seed: 3 });
  model.setWeights(model.getWeights().map(({ shape }) => numbers(...shape)));
  return model;
}

async function htmlOf(view: View): Promise<string> {
  return String((await view[JUPYTER_DISPLAY]())["text/html"]);
}

interface Held {
  readonly site: string;
  readonly unit: number;
  readonly timestep: number;
  readonly value: number;
}

/** The view's own script, run here without a page. */
async function runOf(view: View): Promise<
  (held: Held[]) => { steps: { values: Record<string, Tensor> }[]; prediction: number[] }
> {
  const script = (await htmlOf(view)).match(/<script>\n([\s\S]*)\n<\/script>/)![1]!;
  return new Function("document", `return ${script}`)(undefined).run;
}

Deno.test("the page computes what trace() computes, whatever is held, to 1e-6", async () => {
  const cases: Record<string, [Layer[], (number | null)[], unknown]> = {
    "Dense": [[lstm({ units: 4 }), dense({ units: 3, activation: "softmax" })], [5, 2], x],
    "relu, backwards, no bias": [
      [
        lstm({ units: 3, activation: "relu", goBackwards: true, useBias: false }),
        dense({ units: 1, activation: "sigmoid" }),
      ],
      [5, 2],
      x,
    ],
    "deep": [
      [
        lstm({ units: 3, returnSequences: true }),
        dropout({ rate: 0.5 }),
        lstm({ units: 4, recurrentActivation: "hard_sigmoid" }),
        dense({ units: 5, activation: "gelu", useBias: false }),
        dense({ units: 3 }),
        activation("softmax"),
      ],
      [5, 2],
      x,
    ],
    "masked words": [
      [embedding({ inputDim: 6, outputDim: 2, maskZero: true }), lstm({ units: 3 })],
      [null],
      [[1, 2, 3, 0, 0], [1, 1, 1, 1, 1], [5, 0, 5, 0, 5]],
    ],
  };
  for (const [name, [layers, inputShape, input]] of Object.entries(cases)) {
    const model = build(layers, inputShape);
    const run = await runOf(gateSliders(model, input as Tensor, { sample: 2 }));
    const layer = -1;
    const held: [Held[], Intervention[]][] = [
      [[], []],
      [
        [{ site: "gates.forget", unit: 1, timestep: -1, value: 0.25 }],
        [{ set: "gates.forget", to: 0.25, unit: 1, layer }],
      ],
      [
        [
          { site: "cellState", unit: 2, timestep: 3, value: -2 },
          { site: "gates.candidate", unit: 0, timestep: 1, value: 3 },
          { site: "hiddenState", unit: 0, timestep: 4, value: 1.5 },
        ],
        [
          { set: "cellState", to: -2, unit: 2, timestep: 3, layer },
          { set: "gates.candidate", to: 3, unit: 0, timestep: 1, layer },
          { set: "hiddenState", to: 1.5, unit: 0, timestep: 4, layer },
        ],
      ],
    ];
    for (const [inPage, interventions] of held) {
      const expected = trace(model, input as Tensor, { interventions });
      const found = run(inPage);
      found.prediction.forEach((value, k) =>
        assertAlmostEquals(value, expected.prediction.item(2, k), 1e-6, name)
      );
      const c = expected.layers.at(-1)!.cellState.at(2).data;
      assertEquals(found.steps.flatMap(({ values }) => [...values.cellState!.data]), [...c], name);
    }
  }
});

Deno.test("the page's bundle is that of the equations as they are", async () => {
  assertEquals(await Deno.readTextFile("lib/insight/page_bundle.ts"), await pageBundle());
});

Deno.test("the page has every activation", () => {
  const names = [...Object.keys(activationCurves), "softmax", "log_softmax", "sparsemax"];
  const functions = names.map((name) =>
    name === "threshold"
      ? getActivation(name, { threshold: 0.5, defaultValue: -1 })
      : getActivation(name as ActivationName)
  );
  functions.push(getActivation("relu", { maxValue: 1, negativeSlope: 0.1 }));
  functions.push(getActivation("gelu", { approximate: true }));
  assert(!/<\/?script|<!--/i.test(PAGE_EQUATIONS), "it stands in a script, as it is");
  const page = new Function(PAGE_EQUATIONS)();
  const z = [-20, -3, -1, -0.3, 0, 0.3, 1, 3, 20];
  functions.forEach((f) => {
    const own = page.getActivation(f.activationName, f.options);
    const found = own(new page.Tensor(Float64Array.from(z), [9]));
    assertEquals([...found.data], [...f(z).data], f.activationName);
  });
});

Deno.test("labels are data: nothing of them ends the script or becomes an element", async () => {
  const model = build([lstm({ units: 2 }), dense({ units: 2, activation: "softmax" })]);
  const html = await htmlOf(gateSliders(model, x, {
    title: HOSTILE,
    units: () => HOSTILE,
    classes: [HOSTILE, "up"],
    timesteps: HOSTILE,
  }));
  assertEquals(html.match(/<\/?script>/g), ["<script>", "</script>"]);
  assert(!html.includes("<img"));
});

Deno.test("they start at the gate that moves the outputs most when it is held at 0 throughout", () => {
  for (const seed of [1, 2, 3]) {
    const random = seededRandom(seed);
    const model = sequential([lstm({ units: 4 }), dense({ units: 3, activation: "softmax" })], {
      inputShape: [5, 2],
      seed,
    });
    model.setWeights(
      model.getWeights().map(({ data, shape }) =>
        new Tensor(Float64Array.from(data, () => random.normal()), shape)
      ),
    );
    const before = model.predict(x).at(1);
    const moved = ["gates.input", "gates.forget", "gates.candidate", "gates.output"].flatMap((
      site,
    ) =>
      [0, 1, 2, 3].map((unit) => {
        const interventions = [{ ablate: site, unit } as Intervention];
        const after = trace(model, x, { interventions }).prediction.at(1);
        const size = Math.max(...after.data.map((value, k) => Math.abs(value - before.data[k]!)));
        return { site, unit, size, after: after.item(0) };
      })
    );
    const most = Math.max(...moved.map(({ size }) => size));
    const [, name, number, told] = gateSliders(model, x, { sample: 1 }).text.match(
      /Held at 0 throughout, the (.*?)(?: gate)? of unit (\d) moves it most: class 0 \S+ → ([^,]+),/,
    )!;
    const { size, after } = moved.find(({ site, unit }) =>
      site === `gates.${name}` && unit === Number(number)
    )!;
    assertAlmostEquals(size, most, 1e-6); // an input gate and a candidate of 0 are as good
    assertAlmostEquals(Number(told), after, 1e-4);
  }
});

Deno.test("of a layer too large to try each unit, they start at the one that the output sees", () => {
  const units = 48;
  const model = sequential([lstm({ units }), dense({ units: 1 })], {
    inputShape: [60, 2],
    seed: 1,
  });
  const [kernel, recurrentKernel, bias, , denseBias] = model.getWeights() as Tensor[];
  const seen = new Float64Array(units);
  seen[37] = 1;
  const alone = new Tensor(new Float64Array(units * 4 * units), recurrentKernel!.shape); // no unit sees another
  model.setWeights([kernel!, alone, bias!, new Tensor(seen, [units, 1]), denseBias!]);
  const long = new Tensor(Float64Array.from({ length: 120 }, (_, k) => Math.sin(k)), [1, 60, 2]);
  assertMatch(
    gateSliders(model, long).text,
    /Held at 0 throughout, the .* of unit 37 moves it most/,
  );
});

Deno.test("they start where they are told, and refuse a place that is none", async () => {
  const model = build([lstm({ units: 4 }), dense({ units: 1 })]);
  const view = gateSliders(model, x, { start: { site: "cellState", unit: -1, timestep: 2 } });
  assert(!view.text.includes("moves it most"));
  assert((await htmlOf(view)).includes('"start":{"site":"cellState","unit":3,"timestep":2}'));
  const refused = (start: object, message: string) =>
    assertThrows(() => gateSliders(model, x, { start: start as never }), Error, message);
  refused({ site: "gates.reset", unit: 0 }, "start.site must be");
  refused({ site: "cellState", unit: 4 }, "but start.unit is 4");
  refused({ site: "cellState", unit: 0, timestep: 5 }, "but start.timestep is 5");
  refused({ site: "cellState", unit: 0, step: 5 }, "step");
});

Deno.test("an output that is no class is called an output", () => {
  const textOf = (...head: Layer[]) => gateSliders(build([lstm({ units: 2 }), ...head]), x).text;
  assert(textOf(dense({ units: 1 })).includes("\n- output: "));
  assert(textOf(dense({ units: 1, activation: "sigmoid" })).includes("\n- output: "));
  assert(textOf(dense({ units: 2 })).includes("\n- output 1: "));
  assert(textOf(dense({ units: 2, activation: "softmax" })).includes("\n- class 1: "));
});

Deno.test("gateSliders() refuses other models and samples", () => {
  const sequences = build([lstm({ units: 2, returnSequences: true })]);
  assertThrows(
    () => gateSliders(sequences, x),
    TypeError,
    "the last hidden state of one recurrent layer",
  );
  const model = build([lstm({ units: 2 })]);
  assertThrows(
    () => gateSliders(model, x, { sample: 3 }),
    RangeError,
    "samples 0 to 2 (-1 is the last), but sample is 3",
  );
  assert(gateSliders(model, x, { sample: -1 }).text.startsWith("What if? lstm, sample 2 of 3"));
});
