// How a view is compared with what a person has looked at.

import { assertEquals } from "@std/assert";
import type { MediaBundle } from "../../lib/display/view.ts";

const FOLDER = new URL("snapshots/", import.meta.url);

/** Text, HTML without what the picture and the script say again, and the size of the whole. */
export function partsOf(bundle: MediaBundle): string {
  const html = String(bundle["text/html"] ?? "")
    .replace(/base64,[^"]*/g, "base64,…")
    .replace(/<script>[\s\S]*<\/script>/, "<script>…</script>")
    .replace(/data-gatescope-chart="\w+"/, 'data-gatescope-chart="…"');
  return [Object.keys(bundle).sort().join(", "), bundle["text/plain"], html].join("\n\n") + "\n";
}

/** An element a line, for a diff that can be read. */
export function onLines(svg: string): string {
  return svg.replaceAll("><", ">\n<") + "\n";
}

/** What sines and exponentials decide in their last digits is rounded in texts and pictures alike. */
export function normalised(text: string): string {
  return text
    .replace(/-?\d+\.\d{4,}/g, (number) => Number(number).toFixed(3))
    .replace(/(?<=[" ,(LMHVZ-])\d+\.\d{1,3}(?=[" ,)LMHVZ])/g, (number) => Number(number).toFixed(1))
    .replace(/\bp[0-9a-f]{8}-/g, "p…-");
}

/** The snapshot of that name. */
export async function snapshotOf(name: string): Promise<string | undefined> {
  return await Deno.readTextFile(new URL(name, FOLDER)).catch(() => undefined);
}

/** Writes what differs from the snapshot of that name beside it; git ignores it. */
export async function writeChanged(name: string, text: string): Promise<void> {
  await Deno.writeTextFile(new URL(name.replace(".", "-changed."), FOLDER), text);
}

/** Compares with the snapshot of that name; where there is none yet, it becomes one. */
export async function assertSnapshot(
  name: string,
  text: string,
  normalise: (text: string) => string = normalised,
): Promise<void> {
  const expected = await snapshotOf(name);
  const actual = normalise(text);
  if (actual === expected) return;
  if (expected !== undefined || Deno.env.has("CI")) await writeChanged(name, actual);
  else await Deno.writeTextFile(new URL(name, FOLDER), actual);
  if (expected !== undefined || Deno.env.has("CI")) assertEquals(actual, expected ?? "");
}
