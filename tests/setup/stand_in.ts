/**
 * Stand-ins for the JSR packages, from npm's `deno-std`: the standard library's compiled JavaScript,
 * without types, which lie beside this file in stand_in/. A stand-in goes by the version pinned in
 * deno.json (@std/assert 1.0.19) though deno-std carries its own (1.0.18; @std/path is 1.1.4 in both).
 *
 * deno.lock holds the real packages' hashes. Deno compares them when it downloads, so the stand-ins
 * pass under it; no lock may ever be written from them (lock_test.ts).
 */
import { cp } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type JsrPackage, markerName, packageFolder, root, vendorState } from "./vendor_folder.ts";

const source = {
  specifier: "npm:deno-std@1.4.0",
  integrity:
    "sha512-7c0Y6tyn0Sx0NKiaAeGtDwrpG+C7VFcOStVcYXPnjAuIEonxzVV+n6s8iuFjg6keqzxo/zrPbR/J9EY9BLNsRA==",
};

/** What is taken from deno-std: folders that import from each other and nothing else. */
interface Recipe {
  readonly folders: readonly string[];
  /** Exported path -> file. */
  readonly exports: Readonly<Record<string, string>>;
  /** The types of every exported file, in stand_in/. */
  readonly types: string;
}

const recipes: Readonly<Record<string, Recipe>> = {
  "@std/assert": {
    folders: ["assert", "internal"],
    exports: { ".": "./assert/mod.js" },
    types: "assert.d.ts",
  },
  "@std/path": {
    folders: ["path", "internal"],
    exports: {
      ".": "./path/mod.js",
      "./posix": "./path/posix/mod.js",
      "./windows": "./path/windows/mod.js",
    },
    types: "path.d.ts",
  },
};

/** Changes with everything that a stand-in is made of, so that an outdated one is noticed. */
export async function standInRecipe(): Promise<string> {
  const files = ["stand_in.ts", ...Object.values(recipes).map(({ types }) => `stand_in/${types}`)];
  const texts = await Promise.all(
    files.map((file) => Deno.readTextFile(new URL(file, import.meta.url))),
  );
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(texts.join("")));
  return `A stand-in from ${source.specifier}, not the real package: see tests/setup/stand_in.ts\n` +
    new Uint8Array(hash).toHex();
}

/** Puts stand-ins into the vendor folder, each whole or not at all. */
export async function makeStandIns(
  packages: readonly JsrPackage[],
  recipe: string,
): Promise<void> {
  const vendor = new URL("vendor/", root);
  await Deno.mkdir(vendor, { recursive: true });
  const workshop = await Deno.makeTempDir({ dir: fileURLToPath(vendor), prefix: ".stand_in_" });
  try {
    const denoStd = await fetchDenoStd(workshop);
    for (const pin of packages) {
      if (await vendorState(pin, recipe) === "stand-in") continue; // another task was faster
      const made = await makeStandIn(pin, denoStd, `${workshop}/${pin.name.replace("/", "_")}`);
      await Deno.writeTextFile(`${made}/${markerName}`, recipe);
      await moveIntoPlace(made, packageFolder(pin.name));
    }
  } finally {
    await Deno.remove(workshop, { recursive: true });
  }
}

/** Has Deno's own npm client install deno-std, checked against its hash; returns its folder. */
async function fetchDenoStd(workshop: string): Promise<string> {
  const name = source.specifier.replace("npm:", "");
  const project = { imports: { "deno-std": source.specifier }, nodeModulesDir: "auto" };
  const lock = {
    version: "5",
    specifiers: { [source.specifier]: "1.4.0" },
    npm: { [name]: { integrity: source.integrity } },
    workspace: { dependencies: [source.specifier] },
  };
  await Deno.writeTextFile(`${workshop}/deno.json`, JSON.stringify(project));
  await Deno.writeTextFile(`${workshop}/deno.lock`, JSON.stringify(lock));
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["install", "--frozen", "--quiet"],
    cwd: workshop,
    env: { NO_COLOR: "1" },
    stdout: "null",
  }).output();
  if (!success) {
    throw new Error(
      `Cannot prepare the packages of deno.json: neither JSR nor npm answers as it should, ` +
        `but the answer is ${new TextDecoder().decode(stderr).trim()}`,
    );
  }
  return `${workshop}/node_modules/deno-std`;
}

async function makeStandIn(pin: JsrPackage, denoStd: string, target: string): Promise<string> {
  const recipe = recipes[pin.name];
  if (recipe === undefined) {
    const foreseen = Object.keys(recipes).join(" and ");
    throw new Error(
      `Cannot stand in for ${pin.name}: only ${foreseen} are foreseen, ` +
        `but the pin in deno.json is jsr:${pin.name}@${pin.version}`,
    );
  }
  const files = `${target}/${pin.version}`;
  for (const folder of recipe.folders) {
    await cp(`${denoStd}/${folder}`, `${files}/${folder}`, { recursive: true, dereference: true });
  }
  const types = new URL(`stand_in/${recipe.types}`, import.meta.url);
  for (const path of Object.values(recipe.exports)) {
    const module = `${files}/${path}`;
    await Deno.copyFile(types, module.replace(/\.js$/, ".d.ts"));
    const code = await Deno.readTextFile(module);
    await Deno.writeTextFile(module, `/* @ts-self-types="./mod.d.ts" */\n${code}`);
  }
  const versions = { versions: { [pin.version]: {} } };
  await Deno.writeTextFile(`${target}/meta.json`, JSON.stringify(versions));
  const manifest = { exports: recipe.exports, manifest: {} };
  await Deno.writeTextFile(`${files}_meta.json`, JSON.stringify(manifest));
  return target;
}

/** Two tasks may do this at the same time: the later one lets the earlier one's be. */
async function moveIntoPlace(made: string, place: URL): Promise<void> {
  await Deno.mkdir(new URL("../", place), { recursive: true });
  await Deno.remove(place, { recursive: true }).catch(ignoreNotFound);
  try {
    await Deno.rename(made, place);
  } catch (error) {
    const marker = await Deno.stat(new URL(markerName, place)).catch(() => undefined);
    if (marker === undefined) throw error;
  }
}

function ignoreNotFound(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
