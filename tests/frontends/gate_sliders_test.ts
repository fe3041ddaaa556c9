// The slider view in Chromium, dragged by a mouse. Tolerance 1e-6, what it promises; the slider's own
// value is read back from the page.

import {
  dense,
  gateSliders,
  type Intervention,
  lstm,
  sequential,
  Tensor,
  trace,
} from "@gatescope/lstm";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { JUPYTER_DISPLAY } from "../../lib/display/view.ts";
import { seededRandom } from "../../lib/tensor/random.ts";
import { hacked, launch, openPage, screenshot } from "./browser.ts";
import { frontEnds } from "./setup.ts";

const needed = await frontEnds();
const random = seededRandom(9);
const numbers = (...shape: number[]) =>
  new Tensor(
    Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
  );
const x = numbers(3, 5, 2);
const layers = [lstm({ units: 4 }), dense({ units: 3, activation: "softmax" })];
const model = sequential(layers, { inputShape: [5, 2], seed: 3 });
model.setWeights(model.getWeights().map(({ shape }) => numbers(...shape)));
const HOSTILE = `</script><script>hacked = true</script><img src=x onerror="hacked = true">"'&`;

/** A page that is allowed no eval: the sliders are plain code. */
const POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'";

Deno.test("dragged, the sliders show what trace() computes; released, what it was", async () => {
  const view = gateSliders(model, x, { sample: 1, title: HOSTILE, units: () => HOSTILE });
  const html = String((await view[JUPYTER_DISPLAY]())["text/html"]);
  const file = await Deno.makeTempFile({ suffix: ".html" });
  await Deno.writeTextFile(
    file,
    `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">` +
      `<meta http-equiv="Content-Security-Policy" content="${POLICY}">` +
      html + html, // the same output twice, as in two views of one notebook
  );
  await using browser = await launch(needed.browser);
  const { page, errors } = await openPage(browser, `file://${file}`);
  await Deno.remove(file);
  assertEquals(await page.locator("[data-gatescope-sliders][data-drawn]").count(), 2);
  const box = page.locator("[data-gatescope-sliders]").first();
  const control = (name: string) => box.locator(`[data-control="${name}"]`);
  const valuesOf = async (site: string) =>
    (await box.locator(`svg[data-site="${site}"]`).getAttribute("data-values"))!.split(" ")
      .map(Number);
  const seen = async () => ({
    prediction: await box.locator("[data-value]").evaluateAll((cells) =>
      // deno-lint-ignore no-explicit-any
      cells.map((cell: any) => Number(cell.dataset.value))
    ),
    cellState: await valuesOf("cellState"),
    hiddenState: await valuesOf("hiddenState"),
    held: await box.locator('[data-shown="held"]').textContent(),
  });
  /** Where the controls stand. */
  const places = async () =>
    await Promise.all(
      ["site", "unit", "timestep", "value", "release", "release-all"].map((name) =>
        control(name).boundingBox()
      ),
    );
  /** Drags the slider to a part of its width, and returns where it stands then. */
  const drag = async (part: number) => {
    const { x, y, width, height } = (await control("value").boundingBox())!;
    await page.mouse.move(x + width / 2, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + part * width, y + height / 2, { steps: 5 });
    await page.mouse.up();
    return Number(await control("value").inputValue());
  };
  const expectSame = (
    shown: { prediction: number[]; cellState: number[] },
    interventions: Intervention[],
  ) => {
    const { prediction, layers } = trace(model, x, { interventions });
    assertEquals([shown.prediction.length, shown.cellState.length], [3, 5]);
    shown.prediction.forEach((value, k) => assertAlmostEquals(value, prediction.item(1, k), 1e-6));
    shown.cellState.forEach((value, t) =>
      assertAlmostEquals(value, layers[0]!.cellState.item(1, t, 2), 1e-6)
    );
  };

  await control("unit").selectOption("2");
  const before = await seen();
  expectSame(before, []);

  // what is handed on and the prediction move with the output gate, and the controls do not
  await control("site").selectOption("gates.output");
  await control("timestep").selectOption("4");
  const stood = await places();
  for (const part of [0.02, 0.5, 0.98]) {
    const output = await drag(part);
    const { hiddenState, prediction, cellState } = await seen();
    const held: Intervention = { set: "gates.output", to: output, unit: 2, timestep: 4 };
    expectSame({ prediction, cellState }, [held]);
    assertEquals(cellState, before.cellState);
    assert(Math.abs(hiddenState[4]! - before.hiddenState[4]!) > 1e-4);
    assertEquals((await valuesOf("gates.output"))[4], output);
    assertEquals(await places(), stood);
  }
  await control("release-all").click();
  await control("timestep").selectOption("-1");

  await control("site").selectOption("gates.forget");
  const forget = await drag(0.125);
  assert(forget > 0.05 && forget < 0.2, `${forget}`);
  await control("site").selectOption("cellState");
  await control("timestep").selectOption("1");
  const cellState = await drag(0.9);
  const dragged = await seen();
  const held: Intervention = { set: "gates.forget", to: forget, unit: 2 };
  expectSame(dragged, [held, { set: "cellState", to: cellState, unit: 2, timestep: 1 }]);
  assert(Math.abs(dragged.prediction[0]! - before.prediction[0]!) > 1e-4);
  assert(dragged.held!.includes("gates.forget of </script>"), "labels are texts");
  await screenshot(page, "gate_sliders");

  await control("release").click(); // what is chosen: the cell state
  expectSame(await seen(), [held]);
  await control("release-all").click();
  assertEquals(await seen(), before);
  assertEquals([await page.locator("img").count(), await hacked(page)], [0, undefined]);
  assertEquals(errors, []);
});
