import { Tensor, tensor } from "@gatescope/lstm";
import { assertEquals, assertStrictEquals, assertStringIncludes } from "@std/assert";
import { DENO_INSPECT, JUPYTER_DISPLAY, type MediaBundle, shownAs } from "../../lib/base/shown.ts";
import { View } from "../../lib/display/view.ts";

/** Asks as the kernel does, which knows the symbol only. */
async function bundleOf(value: object): Promise<MediaBundle> {
  return await (value as { [JUPYTER_DISPLAY](): Promise<MediaBundle> })[JUPYTER_DISPLAY]();
}

Deno.test("The hooks stand under the symbols that the Deno kernel and the console ask for", () => {
  assertStrictEquals(JUPYTER_DISPLAY, Symbol.for("Jupyter.display"));
  assertStrictEquals(DENO_INSPECT, Symbol.for("Deno.customInspect"));
});

Deno.test("A view shows its media and its text, and its text in a terminal", async () => {
  const view = new View("plain", () => ({ "text/html": "<p>rich</p>" }));
  assertEquals(await bundleOf(view), { "text/html": "<p>rich</p>", "text/plain": "plain" });
  assertEquals(Deno.inspect(view), "plain");
  assertEquals(`${view}`, "plain");
});

Deno.test("A view whose media fail shows its text and why", async () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const failing: [string, () => Record<string, object>][] = [
    ["no ink", () => {
      throw new Error("no ink");
    }],
    ["circular", () => ({ "application/json": circular })],
    ["BigInt", () => ({ "application/json": { big: 1n } })],
    ["unknown reason", () => {
      throw { toString: null };
    }],
  ];
  for (const [reason, media] of failing) {
    const bundle = await bundleOf(new View("plain", media));
    assertEquals(Object.keys(bundle), ["text/plain"]);
    assertStringIncludes(bundle["text/plain"], "plain\n(shown as text: ");
    assertStringIncludes(bundle["text/plain"], reason);
  }
});

Deno.test("A view whose media are rejected shows its text and why", async () => {
  const bundle = await bundleOf(new View("plain", () => Promise.reject(new Error("offline"))));
  assertEquals(bundle, { "text/plain": "plain\n(shown as text: offline)" });
});

Deno.test("shownAs() lets a plain object show itself and changes nothing else of it", async () => {
  const [input, ...others] = [1, 2, 3, 4].map((x) => tensor([x]));
  const given = { input: input!, forget: others[0]!, candidate: others[1]!, output: others[2]! };
  const gates = shownAs("Gates", { ...given });
  assertEquals(Object.keys(gates), ["input", "forget", "candidate", "output"]);
  assertEquals({ ...gates }, given);
  assertEquals(JSON.stringify(gates), JSON.stringify(given));
  assertStringIncludes((await bundleOf(Object.freeze(gates)))["text/plain"], "Gates, [1] each");
  assertStringIncludes(Deno.inspect(gates), "Gates, [1] each");
});

Deno.test("shownAs() on a prototype shows each object of the class, and a subclass's", async () => {
  class Twice extends Tensor {}
  const text = "Tensor [2] float64";
  assertStringIncludes((await bundleOf(tensor([1, 2])))["text/plain"], text);
  const pair = [tensor([1, 2]), new Twice(new Float64Array(2), [2])];
  assertEquals(Deno.inspect(pair).split(text).length, 3);
});

Deno.test("a value whose view cannot be made is shown as text, which says why", async () => {
  const broken = shownAs("Gates", { a: 1 });
  const text = Deno.inspect(broken);
  assertStringIncludes(text, "{ a: 1 }\n(shown as text: "); // the value is not lost
  assertEquals(await bundleOf(broken), { "text/plain": text });
});

Deno.test("A view's text writes control characters and turned directions out, and keeps its lines", async () => {
  const view = new View("a\x1b]0;t\x07\r\n\x9b31m\x7f\u202eb\u2066\0");
  const text = "a\\x1b]0;t\\x07\\x0d\n\\x9b31m\\x7f\\u202eb\\u2066\\x00";
  assertEquals(view.text, text);
  assertEquals(Deno.inspect(view), text);
  assertEquals((await view[JUPYTER_DISPLAY]())["text/plain"], text);
});
