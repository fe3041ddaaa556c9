/**
 * What every task needs before it starts (`deno task setup`): a Deno that is new enough, and the JSR
 * packages of deno.json. Deno fetches those by itself; only where JSR can't be reached does this put
 * stand-ins from npm into the vendor folder, until JSR answers.
 *
 * Run with `--no-config --no-lock`: deno.json asks for the very packages that may be missing.
 */
import { pinnedJsrPackages, removeStandIns, vendorState } from "./vendor_folder.ts";
import { makeStandIns, standInRecipe } from "./stand_in.ts";

/** On older ones (2.8.2 and 2.8.3 were tried) the notebooks do not come to an end. */
const oldestDeno = "2.9.0";

/** A network that swallows packets must not hold up every task. */
const longestWaitForJsr = { withoutPackages: 8_000, withStandIns: 2_000 };

function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split(/[.+-]/).map(Number));
  for (const i of [0, 1, 2]) {
    const difference = (a?.[i] ?? 0) - (b?.[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** Asks Deno itself, which knows the host, the mirrors and what it already has in its cache. */
async function denoCanFetch(specifiers: string[], milliseconds: number): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: ["cache", "--quiet", "--no-config", "--no-lock", ...specifiers],
      stdin: "null",
      stdout: "null",
      stderr: "null",
      signal: AbortSignal.timeout(milliseconds),
    }).output();
    return success;
  } catch (error) {
    if (error instanceof DOMException) return false; // timed out
    throw error;
  }
}

async function prepare(): Promise<string | undefined> {
  const packages = await pinnedJsrPackages();
  const recipe = await standInRecipe();
  const states = await Promise.all(packages.map((pin) => vendorState(pin, recipe)));
  if (states.every((state) => state === "real")) return;

  const missing = packages.filter((_, i) => states[i] === "missing");
  const patience = missing.length > 0 ? "withoutPackages" : "withStandIns";
  const specifiers = packages.map(({ name, version }) => `jsr:${name}@${version}`);
  if (await denoCanFetch(specifiers, longestWaitForJsr[patience])) {
    const removed = await removeStandIns(packages);
    return removed > 0 ? "Setup: JSR answers now, its packages replace the stand-ins." : undefined;
  }
  if (missing.length === 0) return;

  await makeStandIns(missing, recipe);
  const names = missing.map(({ name, version }) => `${name}@${version}`).join(" and ");
  return `Setup: JSR can't be reached, so vendor/ gets stand-ins for ${names} from npm's deno-std.`;
}

if (import.meta.main) {
  try {
    if (isOlder(Deno.version.deno, oldestDeno)) {
      throw new Error(
        `Cannot run this task: it needs Deno ${oldestDeno} or newer, ` +
          `but the version is ${Deno.version.deno}`,
      );
    }
    const line = await prepare();
    if (line !== undefined) console.error(line);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
