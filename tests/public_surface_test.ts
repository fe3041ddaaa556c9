import { assert, assertEquals } from "@std/assert";

const NAMES = [
  "Chart",
  "Html",
  "Model",
  "Tensor",
  "UnreadableFileError",
  "View",
  "activation",
  "adam",
  "add",
  "arange",
  "attribute",
  "bidirectional",
  "binaryCrossentropy",
  "categoricalCrossentropy",
  "checkup",
  "compare",
  "concatenate",
  "defineLayer",
  "dense",
  "denseBackward",
  "denseForward",
  "diagnose",
  "dot",
  "dropout",
  "embedPlotly",
  "embedding",
  "functional",
  "gateOrders",
  "gateSliders",
  "gateView",
  "getActivation",
  "gradients",
  "heatmap",
  "html",
  "input",
  "joinGates",
  "lineChart",
  "loadModel",
  "loadNpy",
  "loadNpz",
  "lstm",
  "lstmBackward",
  "lstmCell",
  "lstmForward",
  "masking",
  "meanAbsoluteError",
  "meanSquaredError",
  "memory",
  "multiply",
  "patchSweep",
  "plot",
  "prove",
  "relu",
  "rmsprop",
  "saveKeras",
  "saveNpz",
  "saveOnnx",
  "savePicture",
  "sequential",
  "sgd",
  "show",
  "sigmoid",
  "siteNames",
  "softmax",
  "sparseCategoricalCrossentropy",
  "splitGates",
  "table",
  "tanh",
  "tensor",
  "timeDistributed",
  "toSvg",
  "trace",
  "weightTable",
];

Deno.test("mod.ts exports exactly the public surface", async () => {
  assertEquals(Object.keys(await import("@gatescope/lstm")).sort(), NAMES);
});

Deno.test("importing mod.ts needs no permission and starts nothing", async () => {
  const code = `import * as all from ${JSON.stringify(import.meta.resolve("@gatescope/lstm"))};
    console.log(Object.keys(all).length);`;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, code);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      `--config=${new URL("../deno.json", import.meta.url).pathname}`,
      file,
    ],
  }).output();
  await Deno.remove(file);
  assert(success, new TextDecoder().decode(stderr));
  assertEquals(new TextDecoder().decode(stdout).trim(), `${NAMES.length}`);
});
