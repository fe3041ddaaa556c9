// Every view at three sizes as it is seen: its text in full and its picture's SHA-256, compared with what
// a person has looked at (tests/display/snapshot_test.ts says how to accept another one). A picture
// that is another one is written beside the snapshots, to be looked at.

import { createHash } from "node:crypto";
import { assertSnapshot, normalised, snapshotOf, writeChanged } from "../display/snapshot.ts";
import { shown, SIZES, viewsOf } from "./gallery.ts";

for (const [name, size] of Object.entries(SIZES)) {
  Deno.test(`every view of ${size.samples} × ${size.timesteps} × ${size.units} looks as it did`, async () => {
    const file = `views_${name}.txt`;
    const before = await snapshotOf(file);
    const parts: string[] = [];
    for (const [view, value] of Object.entries(await viewsOf(size))) {
      const bundle = await shown(value);
      const picture = bundle["image/svg+xml"];
      const lines = [`# ${view}`, String(bundle["text/plain"])];
      if (picture !== undefined) {
        const svg = normalised(String(picture));
        const digest = `picture ${createHash("sha256").update(svg).digest("hex")}`;
        if (before !== undefined && !before.includes(digest)) {
          await writeChanged(`views_${name}_${view}.svg`, String(picture));
        }
        lines.push(digest);
      }
      parts.push(`${lines.join("\n\n")}\n`);
    }
    const text = parts.join("\n").replace(/From .*\/model\.keras/, "From …/model.keras");
    await assertSnapshot(file, text, String); // float64's numbers are the same on every machine
  });
}
