import { assert, assertEquals, assertMatch } from "@std/assert";
import { cp } from "node:fs/promises";
import { fileURLToPath } from "node:url";

// Deno takes another JSR host from JSR_URL: a local server, or nobody, stands for JSR in each state.

interface Run {
  readonly said: string;
  readonly milliseconds: number;
}

const assertFolder = "vendor/jsr.io/@std/assert";
const marker = `${assertFolder}/stand_in.txt`;
const manifest = `${assertFolder}/1.0.19_meta.json`;

async function project(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "gatescope setup " });
  const here = fileURLToPath(new URL(".", import.meta.url));
  await cp(here, `${folder}/tests/setup`, { recursive: true });
  await cp(`${here}/../../deno.json`, `${folder}/deno.json`);
  return folder;
}

async function setup(folder: string, jsr: string, denoDir?: string): Promise<Run> {
  const start = performance.now();
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-config", "--no-lock", "--allow-all", "tests/setup/prepare.ts"],
    cwd: folder,
    env: { JSR_URL: jsr, NO_COLOR: "1", ...(denoDir === undefined ? {} : { DENO_DIR: denoDir }) },
  }).output();
  const said = new TextDecoder().decode(stderr) + new TextDecoder().decode(stdout);
  assert(success, said);
  return { said, milliseconds: performance.now() - start };
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** Nobody listens there. */
function unreachableJsr(): string {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return `http://127.0.0.1:${port}/`;
}

async function answerAsJsr(request: Request): Promise<Response> {
  const code = new TextEncoder().encode("export {};\n");
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", code)).toHex();
  const path = new URL(request.url).pathname;
  if (path.endsWith("/meta.json")) {
    return Response.json({ versions: { "1.0.19": {}, "1.1.4": {} } });
  }
  if (path.endsWith("_meta.json")) {
    return Response.json({
      exports: { ".": "./mod.js" },
      manifest: { "/mod.js": { size: code.length, checksum: `sha256-${hash}` } },
    });
  }
  return new Response(code, { headers: { "content-type": "text/javascript" } });
}

async function withServer(
  handler: (request: Request) => Promise<Response>,
  use: (jsr: string) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {}, signal: stop.signal },
    handler,
  );
  try {
    await use(`http://127.0.0.1:${server.addr.port}/`);
  } finally {
    stop.abort();
    await server.finished;
  }
}

Deno.test("setup makes marked stand-ins without JSR, once, and removes them when JSR answers", async () => {
  const folder = await project();
  try {
    const first = await setup(folder, unreachableJsr());
    assertMatch(first.said, /^Setup: JSR can't be reached, so vendor\/ gets stand-ins for .+\n$/);
    assert(await isThere(`${folder}/${marker}`));
    assertEquals([...Deno.readDirSync(`${folder}/vendor`)].map(({ name }) => name), ["jsr.io"]);
    assertEquals((await setup(folder, unreachableJsr())).said, "");

    await Deno.writeTextFile(`${folder}/${marker}`, "another recipe");
    assertMatch((await setup(folder, unreachableJsr())).said, /stand-ins for @std\/assert@1.0.19 /);

    await withServer(answerAsJsr, async (jsr) => {
      const { said } = await setup(folder, jsr, `${folder}/deno_dir`);
      assertEquals(said, "Setup: JSR answers now, its packages replace the stand-ins.\n");
      assertEquals(await isThere(`${folder}/${assertFolder}`), false);
      assertEquals((await setup(folder, jsr, `${folder}/deno_dir`)).said, "");
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("setup leaves real packages alone, with and without JSR", async () => {
  const folder = await project();
  try {
    await Deno.mkdir(`${folder}/vendor/jsr.io/@std/path`, { recursive: true });
    await Deno.mkdir(`${folder}/${assertFolder}`, { recursive: true });
    await Deno.writeTextFile(`${folder}/${manifest}`, "real");
    await Deno.writeTextFile(`${folder}/vendor/jsr.io/@std/path/1.1.4_meta.json`, "real");
    assertEquals((await setup(folder, unreachableJsr())).said, "");
    await withServer(answerAsJsr, async (jsr) => {
      assertEquals((await setup(folder, jsr, `${folder}/deno_dir`)).said, "");
    });
    assertEquals(await Deno.readTextFile(`${folder}/${manifest}`), "real");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("setup waits no longer than 2 s for a JSR that never answers", async () => {
  const folder = await project();
  try {
    await setup(folder, unreachableJsr());
    const { promise, resolve } = Promise.withResolvers<Response>();
    await withServer(() => promise, async (jsr) => {
      const { said, milliseconds } = await setup(folder, jsr, `${folder}/deno_dir`);
      resolve(new Response(null, { status: 503 }));
      assertEquals(said, "");
      assert(milliseconds < 4_000, `took ${milliseconds} ms`); // the bound and a busy machine
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
