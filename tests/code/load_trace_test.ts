import {
  dense,
  loadTrace,
  lstm,
  prove,
  sequential,
  trace,
  UnreadableFileError,
} from "@gatescope/lstm";
import { assertEquals, assertRejects } from "@std/assert";

const bytes = (text: string) => new TextEncoder().encode(text);
const HEAD = "sample,layer,site,timestep,unit,value\n";

const model = sequential([
  lstm({ units: 3, returnSequences: true, name: 'a "quoted", name' }),
  lstm({ units: 2 }),
  dense({ units: 1 }),
], { inputShape: [4, 2], seed: 1 });
const x = Array.from(
  { length: 2 },
  (_, n) => Array.from({ length: 4 }, (_, t) => [Math.sin(n + t), Math.cos(t)]),
);

/** A trace as a device prints it, its layers in any order. */
function printed(order: readonly number[] = [0, 1]): string {
  const { layers, names, prediction } = trace(model, x);
  const rows: string[] = [];
  for (const k of order) {
    const { gates, cellState, hiddenState } = layers[k]!;
    const name = `"${names[k]!.replaceAll('"', '""')}"`;
    const sites = {
      "gates.forget": gates.forget,
      "gates.input": gates.input,
      cellState,
      hiddenState,
    };
    for (const [site, { shape: [batch, timesteps, units], data }] of Object.entries(sites)) {
      for (let at = 0; at < batch! * timesteps! * units!; at++) {
        const [n, t] = [Math.floor(at / units! / timesteps!), Math.floor(at / units!) % timesteps!];
        rows.push(`${n},${name},${site},${t},${at % units!},${Math.fround(data[at]!)}`);
      }
    }
  }
  prediction.data.forEach((value, n) =>
    rows.push(`${n},dense,prediction,,0,${Math.fround(value)}`)
  );
  return `${HEAD}${rows.join("\r\n")}\n\n`;
}

Deno.test("loadTrace reads what a device printed, and prove compares it, whatever the layers' order", async () => {
  for (const order of [[0, 1], [1, 0], [1]]) {
    const expected = await loadTrace(bytes(printed(order)));
    const { verdict, rows } = prove(model, x, { expected });
    assertEquals([verdict, rows.length], ["equal", 4 * order.length + 1]);
  }
});

Deno.test("a number that a device got wrong is found at its place", async () => {
  const lines = printed().split("\r\n");
  const at = lines.findIndex((line) => line.startsWith(`1,"lstm",gates.forget,2,1,`));
  const wrong = lines.with(at, "1,lstm,gates.forget,2,1,0.25").join("\r\n");
  const { verdict, place } = prove(model, x, { expected: await loadTrace(bytes(wrong)) });
  assertEquals(verdict, "mismatch");
  const { layer, value, sample, timestep, unit } = place!;
  assertEquals([layer, value, sample, timestep, unit], ["lstm", "gates.forget", 1, 2, 1]);
});

Deno.test("what layers without a cell gave is compared too", async () => {
  const rows = [
    "0,lstm,output,,0,0.5",
    "0,lstm,output,,1,0.5",
    "1,lstm,output,,0,0.5",
    "1,lstm,output,,1,0.5",
  ];
  const expected = await loadTrace(bytes(HEAD + rows.join("\n")));
  assertEquals(expected.outputs.lstm!.shape, [2, 2]);
  const { place } = prove(model, x, { expected });
  assertEquals([place?.layer, place?.value, place?.expected], ["lstm", "output", 0.5]);
});

Deno.test("loadTrace knows C's nan and inf", async () => {
  const { prediction } = await loadTrace(
    bytes(`${HEAD}0,a,prediction,,0,nan\n0,a,prediction,,1,-inf\n0,a,prediction,,2,-nan(0x1)\n`),
  );
  assertEquals([...prediction!.data], [NaN, -Infinity, NaN]);
});

Deno.test("a line that is none, and a number that is missing or there twice, is refused", async () => {
  const refused: [string, string][] = [
    ["", "it begins with"],
    ["boot ok\n", 'it begins with "boot ok'],
    [`${HEAD}0,a,hiddenState,0,0\n`, "line 2 is"],
    [`${HEAD}0,a,hiddenState,0,0,1\nWatchdog reset, 3,4,5,6,7\n`, "line 3 is"],
    [`${HEAD}0,a,hiddenState,0,0,1e\n`, "line 2 is"],
    [`${HEAD}0,a,hiddenState,0,0,0x10\n`, "line 2 is"],
    [`${HEAD}0,a,hiddenState,-1,0,1\n`, "line 2 is"],
    [`${HEAD}0,a,hiddenState,0,0,1\n0,a,hiddenState,1,1,1\n`, "hiddenState of a has 2 of 4"],
    [`${HEAD}0,a,hiddenState,0,0,1\n0,a,hiddenState,0,0,1\n`, "has 2 of 1"],
    [`${HEAD}0,a,output,0,0,1\n0,a,output,,0,1\n`, "has a timestep here and there"],
    [`${HEAD}0,a,h,0,0,1\n0,a,h,0,0,1\n0,a,h,1,1,1\n0,a,h,1,0,1\n`, "h of a has [0, 0, 0] twice"],
  ];
  for (const [text, found] of refused) {
    await assertRejects(() => loadTrace(bytes(text)), UnreadableFileError, found);
  }
});
