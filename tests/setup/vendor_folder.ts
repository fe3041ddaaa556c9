/**
 * The vendor folder, as Deno lays it out with `"vendor": true`: which of the JSR packages pinned in
 * deno.json are there, and whether each is the real one or our stand-in.
 */

/** A JSR package as pinned in deno.json: `{ name: "@std/assert", version: "1.0.19" }`. */
export interface JsrPackage {
  readonly name: string;
  readonly version: string;
}

export type VendorState = "real" | "stand-in" | "missing";

/** The project's root; `tests/setup/` is two levels below it. */
export const root: URL = new URL("../../", import.meta.url);

/** Where Deno keeps, and looks for, every version of a vendored package. */
export function packageFolder(name: string): URL {
  return new URL(`vendor/jsr.io/${name}/`, root);
}

/** Lies in the folder of each package that is a stand-in, with the recipe it was made by. */
export const markerName = "stand_in.txt";

/** The pins of deno.json whose specifier begins with `jsr:`. */
export async function pinnedJsrPackages(): Promise<JsrPackage[]> {
  const configuration: { imports: Record<string, string> } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", root)),
  );
  const pins: JsrPackage[] = [];
  for (const specifier of Object.values(configuration.imports)) {
    const [, name, version] = specifier.match(/^jsr:(@[^/]+\/[^@]+)@(\d[^/]*)$/) ?? [];
    if (name && version) pins.push({ name, version });
  }
  return pins;
}

/** A stand-in made by another recipe than today's counts as missing, so that it is made anew. */
export async function vendorState(
  { name, version }: JsrPackage,
  recipe: string,
): Promise<VendorState> {
  const marker = await readIfThere(new URL(markerName, packageFolder(name)));
  if (marker !== undefined) return marker === recipe ? "stand-in" : "missing";
  const manifest = await readIfThere(new URL(`${version}_meta.json`, packageFolder(name)));
  return manifest === undefined ? "missing" : "real";
}

/** Removes the stand-ins, and only them. */
export async function removeStandIns(packages: readonly JsrPackage[]): Promise<number> {
  let removed = 0;
  for (const { name } of packages) {
    if (await readIfThere(new URL(markerName, packageFolder(name))) === undefined) continue;
    await Deno.remove(packageFolder(name), { recursive: true });
    removed++;
  }
  return removed;
}

export async function readIfThere(file: URL): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
