import { assert, assertEquals } from "@std/assert";
import {
  markerName,
  packageFolder,
  pinnedJsrPackages,
  readIfThere,
  root,
} from "./vendor_folder.ts";

const text = await Deno.readTextFile(new URL("deno.lock", root));
const lock: {
  jsr: Record<string, { integrity: string }>;
  workspace: { dependencies: string[] };
} = JSON.parse(text);

Deno.test("deno.lock holds what deno.json pins, and no host's name", async () => {
  const { imports }: { imports: Record<string, string> } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", root)),
  );
  assertEquals(lock.workspace.dependencies.toSorted(), Object.values(imports).toSorted());
  assertEquals(text.match(/https?:.*/)?.[0], undefined);
});

Deno.test("deno.lock holds the real packages' hashes, never a stand-in's", async () => {
  for (const pin of await pinnedJsrPackages()) {
    const name = `${pin.name}@${pin.version}`;
    const integrity = lock.jsr[name]?.integrity;
    assert(integrity !== undefined, `${name} is not in deno.lock`);
    const folder = packageFolder(pin.name);
    const manifest = await readIfThere(new URL(`${pin.version}_meta.json`, folder));
    if (manifest === undefined) continue; // Deno vendors a real one when first imported
    const isStandIn = await readIfThere(new URL(markerName, folder)) !== undefined;
    assertEquals(await hashForLock(manifest) === integrity, !isStandIn, `${name} in deno.lock`);
  }
});

/** What Deno would write: the SHA-256 of the manifest, which it notes when it vendors a real one. */
async function hashForLock(manifest: string): Promise<string> {
  const { lockfileChecksum }: { lockfileChecksum?: string } = JSON.parse(manifest);
  if (lockfileChecksum !== undefined) return lockfileChecksum;
  const bytes = new TextEncoder().encode(manifest);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
