import { assertEquals, assertStrictEquals, assertStringIncludes } from "@std/assert";
import {
  DENO_INSPECT,
  JUPYTER_DISPLAY,
  type MediaBundle,
  showAs,
  View,
} from "../../lib/display/view.ts";

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

Deno.test("showAs() lets a plain object show itself and changes nothing else of it", async () => {
  const gates = showAs({ input: 1, forget: 2 }, ({ input }) => new View(`input is ${input}`));
  assertEquals(Object.keys(gates), ["input", "forget"]);
  assertEquals({ ...gates }, { input: 1, forget: 2 });
  assertEquals(JSON.stringify(gates), '{"input":1,"forget":2}');
  assertEquals(gates, { input: 1, forget: 2 });
  assertEquals((await bundleOf(Object.freeze(gates)))["text/plain"], "input is 1");
  assertEquals(Deno.inspect(gates), "input is 1");
});

Deno.test("showAs() on a prototype shows each object of the class, and a subclass's", async () => {
  class Counter {
    constructor(readonly count: number) {}
  }
  class Twice extends Counter {}
  showAs(Counter.prototype, (counter) => new View(`count ${counter.count}`));
  assertEquals((await bundleOf(new Counter(1)))["text/plain"], "count 1");
  assertEquals(Deno.inspect([new Counter(2), new Twice(3)]), "[ count 2, count 3 ]");
});

Deno.test("showAs() shows why where the view cannot be made", async () => {
  const broken = showAs({ a: 1 }, () => {
    throw new RangeError("nothing to see");
  });
  const text = "{ a: 1 }\n(shown as text: nothing to see)"; // the value is not lost
  assertEquals(await bundleOf(broken), { "text/plain": text });
  assertEquals(Deno.inspect(broken), text);
});

Deno.test("A view's text writes control characters and turned directions out, and keeps its lines", async () => {
  const view = new View("a\x1b]0;t\x07\r\n\x9b31m\x7f\u202eb\u2066\0");
  const text = "a\\x1b]0;t\\x07\\x0d\n\\x9b31m\\x7f\\u202eb\\u2066\\x00";
  assertEquals(view.text, text);
  assertEquals(Deno.inspect(view), text);
  assertEquals((await view[JUPYTER_DISPLAY]())["text/plain"], text);
});
