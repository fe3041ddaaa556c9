// What computes for long, as a promise: the same result, in turns with other code, until a signal.

import {
  addition,
  arange,
  attribute,
  bidirectional,
  checkup,
  defineCell,
  dense,
  diagnose,
  embedding,
  functional,
  gradients,
  gru,
  input,
  lstm,
  memory,
  type Model,
  multiply,
  prove,
  saveC,
  sequential,
  simpleRnn,
  type Tensor,
  timeDistributed,
  trace,
} from "@gatescope/lstm";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { finish, type Work } from "../../lib/base/work.ts";
import { estimateRun } from "../../lib/insight/proof/estimated_run.ts";
import { networkOf } from "../../lib/model/model.ts";

const quiet = { verbose: false };

/** Numbers between −1 and 1. */
const waves = (...shape: number[]): Tensor => {
  const x = arange(shape.reduce((a, b) => a * b)).reshape(shape);
  x.data.forEach((k, n) => (x.data as Float64Array)[n] = Math.sin(k));
  return x;
};

/** Everything in a result but its functions. */
function plain(value: unknown): unknown {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  if (value instanceof Map) return [...value].map(plain);
  const entries = Object.entries(value).filter(([, part]) => typeof part !== "function");
  return Object.fromEntries(entries.map(([key, part]) => [key, plain(part)]));
}

function stateful(): Model {
  const layers = [lstm({ units: 3, stateful: true }), dense({ units: 2 })];
  const model = sequential(layers, { inputShape: [5, 2], seed: 1 });
  model.predict(waves(2, 5, 2));
  return model;
}

function branched(): Model {
  const x = input([5, 2]);
  const ahead = gru({ units: 2, returnSequences: true }).apply(x);
  const [one, two] = [lstm({ units: 3 }).apply(ahead), lstm({ units: 3 }).apply(x)];
  return functional(x, dense({ units: 2 }).apply(addition().apply([one, two])), { seed: 2 });
}

const row = (...layers: Parameters<typeof sequential>[0]) =>
  sequential([...layers, dense({ units: 2, activation: "softmax" })], {
    inputShape: [5, 2],
    seed: 1,
  });
const MODELS: Record<string, readonly [make: () => Model, x: Tensor]> = {
  "an LSTM": [() => row(lstm({ units: 3 })), waves(2, 5, 2)],
  "an LSTM in float64": [
    () => sequential([lstm({ units: 3 })], { inputShape: [5, 2], seed: 1, precision: "float64" }),
    waves(2, 5, 2),
  ],
  "a GRU backwards": [() => row(gru({ units: 3, goBackwards: true })), waves(2, 5, 2)],
  "a SimpleRNN of many samples": [() => row(simpleRnn({ units: 3 })), waves(11, 5, 2)],
  "Bidirectional": [() => row(bidirectional(lstm({ units: 3 }))), waves(2, 5, 2)],
  "stacked, one in TimeDistributed": [
    () =>
      row(
        lstm({ units: 4, returnSequences: true }),
        timeDistributed(dense({ units: 3 })),
        gru({ units: 3 }),
      ),
    waves(2, 5, 2),
  ],
  "a stateful one that remembers": [stateful, waves(2, 5, 2)],
  "masked": [
    () =>
      sequential([
        embedding({ inputDim: 4, outputDim: 2, maskZero: true }),
        bidirectional(gru({ units: 3 })),
        dense({ units: 2 }),
      ], { inputShape: [5], seed: 1 }),
    arange(10).reshape([2, 5]),
  ],
  "several in a graph": [branched, waves(2, 5, 2)],
};
(MODELS["masked"]![1].data as Float64Array).set([1, 2, 0, 3, 0, 0, 1, 1, 2, 0]);

Deno.test("as a promise, trace, prove, checkup, attribute, memory and gradients give what they give at once, bit for bit", async (t) => {
  for (const [name, [make, x]] of Object.entries(MODELS)) {
    await t.step(name, async () => {
      const model = make();
      const before = trace(model, x);
      assertEquals(plain(await trace(model, x, quiet)), plain(before));
      assertEquals(
        plain(await trace(model, x, { fast: true, ...quiet })),
        plain(trace(model, x, { fast: true })),
      );
      const [proof, later] = [prove(model, x), await prove(model, x, quiet)];
      assertEquals(plain(later), plain(proof));
      assertEquals(later.explain().text, proof.explain().text);
      const expected = { prediction: multiply(before.prediction, 1.1), layers: [...before.layers] };
      assertEquals(
        plain(await prove(model, x, { expected, ...quiet })),
        plain(prove(model, x, { expected })),
      );
      assertEquals(await checkup(model, x, quiet), checkup(model, x));
      assertEquals(
        plain(await attribute(model, x, { target: 0, ...quiet })),
        plain(attribute(model, x, { target: 0 })),
      );
      for (const layer of before.layers) {
        assertEquals(plain(await memory(layer, quiet)), plain(memory(layer)));
      }
      const y = before.prediction;
      const loss = { loss: "mse" } as const;
      assertEquals(
        plain(await gradients(model, x, multiply(y, 2), { ...loss, ...quiet })),
        plain(gradients(model, x, multiply(y, 2), loss)),
      );
      assertEquals(plain(trace(model, x)), plain(before)); // nothing of it is left in the model
    });
  }
});

Deno.test("as a promise, diagnose finds what it finds at once, of arrays and of a model", async () => {
  const x = waves(2, 5, 2);
  const model = row(gru({ units: 2 }));
  const expected = model.predict(x);
  const known = { activation: "tanh", denseActivation: "softmax" } as const;
  for (const weights of [model, model.getWeights()]) {
    const [found, later] = [
      diagnose(weights, x, expected, known),
      await diagnose(weights, x, expected, { ...known, ...quiet }),
    ];
    assert(found.outcome !== "none");
    assertEquals(plain(later), plain(found));
    assertEquals(
      later.readings.map((reading) => plain(reading.toModel().getWeights())),
      found.readings.map((reading) => plain(reading.toModel().getWeights())),
    );
  }
});

/** Runs where there is no terminal, with each line that would be printed. */
async function withLines<T>(take: (line: string) => void, run: () => Promise<T>): Promise<T> {
  const { log } = console;
  console.log = take;
  Object.defineProperty(Deno.stdout, "isTerminal", { value: () => false, configurable: true });
  try {
    return await run();
  } finally {
    console.log = log;
    Reflect.deleteProperty(Deno.stdout, "isTerminal"); // the prototype's is there again
  }
}

/** Timesteps of the slow cell. */
const STEPS = 140;
let steps = 0;
let onStep = (_step: number) => {};

/** A minGRU whose every step takes a millisecond at least, and is counted. */
const slow = defineCell({
  kind: "Slow",
  gates: ["update", "candidate"],
  states: ["hiddenState"],
  step(o, { x, hiddenState: h }, { W, U, b }, at) {
    for (const start = performance.now(); performance.now() - start < 1;);
    onStep(++steps);
    const z = at("gates.update", o.sigmoid(o.affine([[x, W.update], [h, U.update]], b.update)));
    const candidate = at("gates.candidate", o.affine([[x, W.candidate]], b.candidate));
    at("hiddenState", o.sumOfProducts([o.oneMinus(z), h], [z, candidate]));
  },
});
const x = waves(1, STEPS, 2);
const slowModel = (stateful = false) =>
  sequential([slow({ units: 2, stateful }), dense({ units: 1 })], {
    inputShape: [STEPS, 2],
    seed: 1,
  });

/** A signal that is there soon after the step of that number; counted from now on. */
function signalAt(step: number): AbortSignal {
  const controller = new AbortController();
  steps = 0;
  onStep = (k) => {
    if (k === step) setTimeout(() => controller.abort("enough"), 0);
  };
  return controller.signal;
}

/** The functions that go through all timesteps so many times. */
const CALLS: Record<
  string,
  readonly [call: (model: Model, signal: AbortSignal) => Promise<unknown>, runs: number]
> = {
  trace: [(model, signal) => trace(model, x, { signal, ...quiet }), 1],
  prove: [(model, signal) => prove(model, x, { signal, ...quiet }), 4],
  checkup: [(model, signal) => checkup(model, x, { signal, ...quiet }), 1],
  attribute: [(model, signal) => attribute(model, x, { signal, ...quiet }), 1],
  gradients: [(model, signal) => gradients(model, x, [[1]], { loss: "mse", signal, ...quiet }), 1],
};

Deno.test("a signal stops each of them wherever it is, with its reason, and the model is as it was", async (t) => {
  for (const [name, [call, runs]] of Object.entries(CALLS)) {
    for (let run = 0; run < runs; run++) {
      await t.step(`${name}, run ${run + 1} of ${runs}`, async () => {
        const [model, twin] = [slowModel(true), slowModel(true)];
        assertEquals(model.predict(x), twin.predict(x));
        const signal = signalAt(run * STEPS + 10);
        assertEquals(
          await call(model, signal).then(() => "not stopped", (reason) => reason),
          "enough",
        );
        assert(steps > run * STEPS && steps < run * STEPS + 0.8 * STEPS, `${steps} steps`);
        assertEquals(model.predict(x), twin.predict(x));
      });
    }
    await t.step(`${name}, stopped before it begins`, async () => {
      const model = slowModel();
      steps = 0;
      await assertRejects(() => call(model, AbortSignal.abort()), DOMException, "aborted");
      assertEquals(steps, 0);
    });
  }
  await t.step("AbortSignal.timeout", async () => {
    const error = await assertRejects(
      () => prove(slowModel(), x, { signal: AbortSignal.timeout(20), ...quiet }),
      DOMException,
    );
    assertEquals(error.name, "TimeoutError");
  });
});

Deno.test("a run, its way back and its bounds' are pieces, each of which says how much is done", () => {
  const model = sequential([
    lstm({ units: 3, returnSequences: true }),
    bidirectional(gru({ units: 3, returnSequences: true })),
    simpleRnn({ units: 3 }),
    dense({ units: 2 }),
  ], { inputShape: [80, 2], seed: 1 });
  const network = networkOf(model);
  const inputs = network.checkInputs(waves(2, 80, 2), "test");
  const { tape, variables } = network.forwardOnTape(inputs);
  const estimated = finish(
    estimateRun(network, inputs, { see: () => {}, given: () => undefined }),
  );
  const works: Record<string, readonly [work: Work<unknown>, least: number]> = {
    "a run": [network.forwardWork(inputs), 4 * 5 + 4],
    "a run on a tape": [network.tapeWork(inputs), 4 * 5 + 4],
    "the way back": [tape.backwardWork([[variables[0]!, waves(2, 2)]]), 4],
    "the way back of bounds": [estimated.bounds.sensitivity(estimated.result, 1), 4],
  };
  for (const [name, [work, least]] of Object.entries(works)) {
    const shares = [...work];
    assert(shares.length >= least, `${name}: ${shares.length} pieces`);
    const falls = shares.findIndex((share, k) => k > 0 && share < shares[k - 1]! - 1e-12);
    assertEquals(falls, -1, `${name}: ${shares.slice(falls - 1, falls + 1)}`);
    assert(shares[0]! >= 0 && shares.at(-1)! <= 1 && shares.at(-1)! > 0.8, `${name}: ${shares}`);
  }
});

Deno.test("diagnose takes its turns among the readings, and a signal stops it", async () => {
  const small = row(lstm({ units: 4 }));
  const x = waves(8, 5, 2);
  const expected = multiply(small.predict(x), 1.2); // no reading comes near: nearly all is the search
  const [began, gaps] = [performance.now(), [0]];
  let last = began;
  const timer = setInterval(() => {
    gaps.push(performance.now() - last);
    last = performance.now();
  }, 1);
  const weights = small.getWeights();
  const { tried } = await diagnose(weights, x, expected, quiet);
  clearInterval(timer);
  const [took, most] = [performance.now() - began, Math.max(...gaps)];
  assert(tried > 1000 && most < took / 3, `${tried} readings, ${most} of ${took} ms`);

  const controller = new AbortController();
  setTimeout(() => controller.abort("enough"), 0);
  const { signal } = controller;
  const stopped = diagnose(weights, x, expected, { signal, ...quiet });
  assertEquals(await stopped.then(() => "not stopped", (reason) => reason), "enough");
});

Deno.test("a memory that is stopped has the units that are done, as they are at once", async () => {
  const early = trace(slowModel(), x).layers[0]!;
  const none = await memory(early, { signal: signalAt(20), ...quiet });
  assertEquals([none.aborted, none.derivativeUnits, none.derivative], [true, [], undefined]);
  assertEquals(none.retention, memory(early).retention);

  const wide = sequential([lstm({ units: 96 })], { inputShape: [150, 2], seed: 1 });
  const [layer] = trace(wide, waves(2, 150, 2)).layers;
  const controller = new AbortController();
  const units = [...Array(96).keys()].reverse();
  const some = await withLines(
    (line) => {
      if (Number(line.match(/(\d+) %/)?.[1]) >= 20) controller.abort();
    },
    () => memory(layer!, { units, signal: controller.signal, verbose: true }),
  );
  const { length } = some.derivativeUnits;
  assert(some.aborted && length > 0 && length < 96, `${length}`);
  assertEquals(some.derivativeUnits, units.slice(0, length));
  const same = memory(layer!, { units: units.slice(0, length) });
  assertEquals(some.derivative, same.derivative);
  assert(!same.aborted);
});

Deno.test("saveC is stopped while it computes its self-test, and writes no file", async () => {
  const folder = await Deno.makeTempDir();
  const save = (signal: AbortSignal) =>
    saveC(`${folder}/slow.c`, slowModel(), { signal, ...quiet });
  const stopped = await save(signalAt(20)).then(() => "not stopped", (reason) => reason);
  assertEquals([stopped, [...Deno.readDirSync(folder)]], ["enough", []]);
  assert(steps > 0 && steps < STEPS, `${steps}`);
  const { source } = await save(signalAt(Infinity));
  assertEquals(source, (await saveC(`${folder}/slow.c`, slowModel())).source);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("other code runs meanwhile: timers, and a change of the model, which prove does not pass over", async () => {
  const model = slowModel();
  onStep = () => {};
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const before = trace(model, x);
  const seen = await trace(model, x, quiet);
  clearInterval(timer);
  assert(ticks >= 2, `${ticks}`);

  const weights = model.getWeights();
  const change = () => model.setWeights(weights.map((weight) => multiply(weight, 2)));
  setTimeout(change, 0);
  const old = await trace(model, x, quiet);
  assertEquals([plain(seen), plain(old)], [plain(before), plain(before)]);
  assert(trace(model, x).prediction.item(0, 0) !== before.prediction.item(0, 0));

  for (const call of [() => prove(model, x, quiet), () => checkup(model, x, quiet)]) {
    model.setWeights(weights);
    setTimeout(change, 0);
    await assertRejects(call, TypeError, "the model must stay as it is meanwhile");
  }
});

Deno.test("the line says how far it is and how long it takes, and that it is over or stopped", async () => {
  const lines: string[] = [];
  const told: string[][] = [];
  await withLines((line) => lines.push(line), async () => {
    onStep = () => {};
    await prove(slowModel(), x, { verbose: true });
    told.push(lines.splice(0));
    await prove(slowModel(), x, { verbose: true, signal: signalAt(STEPS + 10) }).catch(() => {});
    told.push(lines.splice(0));
    await trace(slowModel(), x, quiet);
    await trace(slowModel(), x, { signal: new AbortController().signal }); // no terminal: silent
    told.push(lines.splice(0));
  });
  const [whole, stopped, none] = told as [string[], string[], string[]];
  const shares = whole.slice(0, -1).map((line) => {
    const share = line.match(/^prove · (\d+) %(?: · \d+ m?s left)?$/)?.[1];
    assert(share !== undefined, line);
    return Number(share);
  });
  assert(shares.length > 3 && shares.at(-1)! > 50, `${shares}`);
  assertEquals(shares, shares.toSorted((a, b) => a - b));
  assert(/^prove · \d+ m?s$/.test(whole.at(-1)!), whole.at(-1));
  assert(/^prove · \d+ %, stopped$/.test(stopped.at(-1)!), stopped.at(-1));
  assertEquals(none, []);
});

Deno.test("what is no signal and no word is refused, and so is a mistake, by a promise", async () => {
  // deno-lint-ignore no-explicit-any
  const any = (value: unknown) => value as any;
  const model = slowModel();
  const misspelt = { ...quiet, sginal: 1 };
  for (
    const call of [
      () => prove(model, x, { signal: any(5) }),
      () => memory(trace(model, x).layers[0]!, { signal: any({}) }),
      () => checkup(model, x, { verbose: any("yes") }),
    ]
  ) await assertRejects(() => Promise.resolve(call()), TypeError, "Cannot ");
  await assertRejects(
    () => prove(model, waves(1, 3, 3), quiet),
    TypeError,
    "Cannot prove: the input",
  );
  await assertRejects(
    () => prove(model, x, misspelt),
    TypeError,
    "did you mean signal?",
  );
  assertThrows(() => checkup(model, x, any({ loss: [] })), TypeError, "a copy");
  assertThrows(
    () => any(checkup)(model, x, undefined, quiet),
    TypeError,
    "the history stands among the options",
  );
});
