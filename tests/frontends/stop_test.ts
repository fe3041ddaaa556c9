// JupyterLab as `deno task lab` starts it: the notebooks run, and Stop stops a cell, not the kernel.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { launch, openPage, screenshot } from "./browser.ts";
import { startLab } from "./jupyterlab.ts";
import { frontEnds } from "./setup.ts";

const needed = await frontEnds();

/** Trains for hours; what comes before and after it tells whether the kernel is still the same. */
const CELLS = [
  `import { dense, lstm, sequential, tensor } from "@gatescope/lstm";
const born = crypto.randomUUID();
born`,
  `const model = sequential([lstm({ units: 8 }), dense({ units: 2, activation: "softmax" })], {
  inputShape: [3, 2],
});
model.compile({ optimizer: "adam", loss: "categorical_crossentropy" });
const x = tensor([[[0, 1], [2, 3], [4, 5]], [[6, 7], [8, 9], [10, 11]]]);
await model.fit(x, [[1, 0], [0, 1]], { epochs: 1e9 });`,
  "born",
];

const book = JSON.stringify({
  cells: CELLS.map((source, index) => ({
    cell_type: "code",
    execution_count: null,
    id: `cell-${index}`,
    metadata: {},
    outputs: [],
    source,
  })),
  metadata: { kernelspec: { name: "deno", display_name: "Deno", language: "typescript" } },
  nbformat: 4,
  nbformat_minor: 5,
});

Deno.test("Stop in JupyterLab interrupts a running fit, and the kernel lives on", async () => {
  // One Stop in 60 hits Deno's event loop instead of the fit, and the kernel has to be restarted.
  assert(await stops() || await stops(), "two Stops in a row did not stop the cell");
});

/** Whether Stop ended the cell; what else goes wrong is thrown. */
async function stops(): Promise<boolean> {
  await using lab = await startLab(needed, {
    kernel: true,
    notebooks: { "stop.ipynb": book },
    trusted: [],
  });
  await using browser = await launch(needed.browser);
  const { page } = await openPage(browser, lab.urlOf("stop.ipynb"));
  const cells = page.locator(".jp-Notebook .jp-CodeCell");
  const output = (index: number) => cells.nth(index).locator(".jp-OutputArea-output");
  const prompt = (index: number) => cells.nth(index).locator(".jp-InputPrompt");

  try {
    await page.getByText("Deno | Idle").waitFor({ timeout: 120_000 });
    await cells.first().click();
    await page.keyboard.press("Shift+Enter");
    await output(0).waitFor({ timeout: 60_000 });
    const born = (await output(0).textContent())!.trim();
    assert(born.length >= 36, born);

    await page.keyboard.press("Shift+Enter");
    const progress = output(1).filter({ hasText: /epoch/i });
    await progress.waitFor({ timeout: 60_000 });
    const before = await progress.textContent();
    await page.waitForTimeout(1000);
    assert(before !== await progress.textContent(), "fit goes on");
    assertStringIncludes((await prompt(1).textContent()) ?? "", "[*]");

    await page.locator('[data-command="notebook:interrupt-kernel"]').first().click();
    const ended = prompt(1).filter({ hasNotText: "*" }).waitFor({ timeout: 10_000 });
    if (!(await ended.then(() => true, () => false))) return false;
    const error = cells.nth(1).locator(".jp-OutputArea-output")
      .filter({ hasText: "the Deno kernel was told to stop" });
    await error.waitFor({ timeout: 20_000 });
    await cells.nth(2).click();
    await page.keyboard.press("Shift+Enter");
    await output(2).waitFor({ timeout: 20_000 });
    assertEquals((await output(2).textContent())!.trim(), born);
    return true;
  } finally {
    await screenshot(page, "stop");
  }
}
