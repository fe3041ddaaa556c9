import { assertEquals } from "@std/assert";
import { show } from "../../lib/display/show.ts";
import { View } from "../../lib/display/view.ts";

/** Runs `show` with a stand-in for the kernel's `Deno.jupyter`, and returns what it was given. */
async function shownInKernel(value: unknown): Promise<unknown[]> {
  const given: unknown[] = [];
  const original = Object.getOwnPropertyDescriptor(globalThis, "Deno") ?? {};
  const jupyter = {
    display: (shown: unknown) => Promise.resolve(void given.push(shown)),
    broadcast: (type: string, content: unknown) =>
      Promise.resolve(void given.push([type, content])),
  };
  const kernelDeno = Object.create(Deno, { jupyter: { value: jupyter } });
  Object.defineProperty(globalThis, "Deno", { ...original, value: kernelDeno });
  try {
    await show(value);
  } finally {
    Object.defineProperty(globalThis, "Deno", original);
  }
  return given;
}

Deno.test("show() hands objects to the kernel's display", async () => {
  const view = new View("plain");
  assertEquals(await shownInKernel(view), [view]);
});

Deno.test("show() sends the text of values that the kernel would show nothing of", async () => {
  for (const [value, text] of [[NaN, "NaN"], [-0, "-0"], [null, "null"], ["a\nb", "a\nb"]]) {
    assertEquals(await shownInKernel(value), [
      ["display_data", { data: { "text/plain": text }, metadata: {}, transient: {} }],
    ]);
  }
});

Deno.test("show() prints outside the kernel", async () => {
  const printed: unknown[] = [];
  const log = console.log;
  console.log = (value: unknown) => void printed.push(value);
  try {
    await show(new View("plain"));
  } finally {
    console.log = log;
  }
  assertEquals(printed.map((value) => Deno.inspect(value)), ["plain"]);
});
