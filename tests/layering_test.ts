// The rooms of lib and what each may import. CONTRIBUTING.md shows the same table to people.

import { assertEquals } from "@std/assert";

const MAY_IMPORT: Record<string, readonly string[]> = {
  base: [],
  compute: [],
  display: ["base"],
  tensor: ["base"],
  files: ["tensor", "base"],
  values: ["tensor", "base"],
  cells: ["values", "tensor", "base"],
  layers: ["cells", "values", "compute", "tensor", "base"],
  model: ["layers", "cells", "values", "compute", "files", "tensor", "display", "base"],
  formats: ["model", "layers", "cells", "values", "files", "tensor", "base"],
  trace: ["model", "layers", "cells", "tensor", "display", "base"],
  insight: ["trace", "model", "layers", "cells", "values", "compute", "tensor", "display", "base"],
  code: ["insight", "model", "layers", "cells", "values", "files", "tensor", "display", "base"],
  views: [
    "code",
    "insight",
    "trace",
    "model",
    "layers",
    "cells",
    "values",
    "tensor",
    "display",
    "base",
  ],
};

/** Of rooms that are loaded when they are used: the doors, which mod.ts loads, and nothing behind them. */
const DOORS: Record<string, readonly string[]> = {
  files: ["npy.ts", "npz.ts", "unreadable.ts"],
  formats: [
    "keras/save_keras.ts",
    "load_model.ts",
    "load_recurrent.ts",
    "onnx/save_onnx.ts",
  ],
};

interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly code?: { readonly specifier: string };
    readonly type?: { readonly specifier: string };
    readonly isDynamic?: boolean;
  }[];
}

const root = new URL("../", import.meta.url).href;

async function modules(): Promise<Module[]> {
  return (await allModules()).filter(({ specifier }) => specifier.startsWith(`${root}lib/`));
}

/** Those of packages too. */
async function allModules(): Promise<Module[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "mod.ts"],
    cwd: new URL(root),
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).modules;
}

const roomOf = (specifier: string) => specifier.slice(`${root}lib/`.length).split("/")[0]!;

function targetsOf({ dependencies = [] }: Module): string[] {
  return dependencies
    .flatMap(({ code, type }) => [code?.specifier, type?.specifier])
    .filter((target) => target !== undefined && target.startsWith(root)) as string[];
}

Deno.test("a room imports only what the table allows, and nothing in lib imports mod.ts", async () => {
  const found = await modules();
  const violations = found.flatMap((module) =>
    targetsOf(module)
      .filter((target) => {
        if (!target.startsWith(`${root}lib/`)) return true;
        const [from, to] = [roomOf(module.specifier), roomOf(target)];
        return from !== to && !MAY_IMPORT[from]?.includes(to);
      })
      .map((target) => `${module.specifier} imports ${target}`.replaceAll(root, ""))
  );
  assertEquals(violations, []);
  assertEquals(found.length > 20, true, "deno info found the modules");
});

Deno.test("no module of lib imports itself by a detour of values", async () => {
  const found = await modules();
  const code = new Map(found.map((module) => [
    module.specifier,
    (module.dependencies ?? []).flatMap(({ code }) => code ? [code.specifier] : []),
  ]));
  const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
    (code.get(from) ?? []).some((next) =>
      next === to || !seen.has(next) && reaches(next, to, seen.add(next))
    );
  const cycles = [...code.keys()].filter((specifier) => reaches(specifier, specifier));
  assertEquals(cycles.map((specifier) => specifier.replace(root, "")), []);
});

/** What importing mod.ts loads, by specifier. */
async function loadedModules(): Promise<Set<string>> {
  const found = new Map((await allModules()).map((module) => [module.specifier, module]));
  const loaded = new Set([`${root}mod.ts`]);
  for (const specifier of loaded) { // grows as it goes
    for (const { code, isDynamic } of found.get(specifier)?.dependencies ?? []) {
      if (code !== undefined && isDynamic !== true) loaded.add(code.specifier);
    }
  }
  return loaded;
}

Deno.test("importing mod.ts loads of files and formats the doors alone, and no package but the random numbers", async () => {
  const loaded = await loadedModules();
  for (const [room, doors] of Object.entries(DOORS)) {
    const folder = `${root}lib/${room}/`;
    const own = [...loaded].filter((specifier) => specifier.startsWith(folder));
    assertEquals(own.map((specifier) => specifier.slice(folder.length)).sort(), doors);
  }
  const foreign = [...loaded].filter((specifier) => !specifier.startsWith(root));
  assertEquals(foreign.map((name) => name.replace(/@[\d.]+/, "")), [
    "npm:/pure-rand/generator/xoroshiro128plus",
  ]);
});

Deno.test("what a door loads when it is used, importing mod.ts does not", async () => {
  const loaded = await loadedModules();
  const behind = (await modules()).flatMap(({ dependencies = [] }) =>
    dependencies.flatMap(({ code, isDynamic }) => isDynamic && code ? [code.specifier] : [])
  );
  assertEquals(behind.filter((specifier) => loaded.has(specifier)), []);
  for (const room of ["code", "display", "files", "formats", "insight", "model"]) {
    const isThere = behind.some((specifier) => specifier.startsWith(`${root}lib/${room}/`));
    assertEquals(isThere, true, `${room} has a door`);
  }
});

Deno.test("no file of lib has a name that says nothing", async () => {
  const names = (await modules()).map(({ specifier }) => specifier.split("/").at(-1)!);
  const empty = ["utils.ts", "helpers.ts", "common.ts", "types.ts"];
  assertEquals(names.filter((name) => empty.includes(name)), []);
});

Deno.test("no module of lib imports what browsers lack, or asks for Deno without knowing it is there", async () => {
  // These are reached after isDeno(), in the Deno kernel alone, or catch what is not there.
  const inDeno = ["base/deno", "display/jupyter", "display/picture", "display/progress"]
    .concat(["display/show", "display/view", "files/beside", "files/source"]);
  const found = await modules();
  const violations = found.filter(({ specifier, dependencies = [] }) => {
    const known = inDeno.some((name) => specifier.endsWith(`/lib/${name}.ts`));
    const code = Deno.readTextFileSync(new URL(specifier)).replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, "");
    return dependencies.some(({ code }) => code?.specifier.startsWith("node:")) ||
      !known && /(?<!")\bDeno\.[a-z]/.test(code);
  });
  assertEquals(violations.map(({ specifier }) => specifier.replace(root, "")), []);
});
