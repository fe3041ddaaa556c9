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
function normalised(text: string): string {
  return text
    .replace(/-?\d+\.\d{4,}/g, (number) => Number(number).toFixed(3))
    .replace(/(?<=[" ,(LMHVZ-])\d+\.\d{1,3}(?=[" ,)LMHVZ])/g, (number) => Number(number).toFixed(1))
    .replace(/\bp[0-9a-f]{8}-/g, "p…-");
}

/** Compares with the snapshot of that name; where there is none yet, it becomes one. */
export async function assertSnapshot(name: string, text: string): Promise<void> {
  const file = new URL(name, FOLDER);
  const expected = await Deno.readTextFile(file).catch(() => undefined);
  const actual = normalised(text);
  if (actual === expected) return;
  const changed = new URL(name.replace(".", "-changed."), FOLDER);
  await Deno.writeTextFile(expected === undefined && !Deno.env.has("CI") ? file : changed, actual);
  if (expected !== undefined || Deno.env.has("CI")) assertEquals(actual, expected ?? "");
}
