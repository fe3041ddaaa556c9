import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { resolve, toFileUrl } from "@std/path";
import { download } from "../../lib/files/download.ts";
import { loadNpy } from "../../lib/files/npy.ts";
import type { Source } from "../../lib/files/source.ts";
import { UnreadableFileError } from "../../lib/files/unreadable.ts";
import { bytesOf, pathOf } from "./arrays.ts";

const FILE = pathOf("int64.npy");
const SHAPE = [4, 3, 2];

Deno.test("loadNpy() reads a path, a file URL and its text", async () => {
  assertEquals((await loadNpy(FILE)).shape, SHAPE);
  assertEquals((await loadNpy(toFileUrl(FILE))).shape, SHAPE);
  assertEquals((await loadNpy(toFileUrl(FILE).href)).shape, SHAPE);
});

Deno.test("loadNpy() reads paths with spaces, percent signs and letters beyond ASCII", async () => {
  const folder = await Deno.makeTempDir();
  const path = resolve(folder, "Gewichte 100% ä#1.npy");
  await Deno.copyFile(FILE, path);
  assertEquals((await loadNpy(path)).shape, SHAPE);
  assertEquals((await loadNpy(toFileUrl(path))).shape, SHAPE);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("loadNpy() reads over http, and tells what the server answers otherwise", async () => {
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    ({ url }) =>
      url.endsWith("/x.npy")
        ? new Response(bytesOf("int64.npy"))
        : new Response("<html>", { status: 404, statusText: "Not Found" }),
  );
  const site = `http://127.0.0.1:${server.addr.port}`;
  assertEquals((await loadNpy(`${site}/x.npy`)).shape, SHAPE);
  assertEquals((await loadNpy(new URL(`${site}/x.npy`))).shape, SHAPE);
  const error = await assertRejects(() => loadNpy(`${site}/y.npy`), UnreadableFileError);
  assertEquals(
    error.message,
    `Cannot read ${site}/y.npy: the server must send it, but the answer is 404 Not Found`,
  );
  await server.shutdown();

  const gone = await assertRejects(() => loadNpy(`${site}/x.npy`), UnreadableFileError);
  assertEquals(
    gone.message.startsWith(`Cannot read ${site}/x.npy: the server must send all of it`),
    true,
  );
  assertInstanceOf(gone.cause, Error);
});

Deno.test("a server that never ends, or falls silent, is left", async () => {
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    ({ url }) => {
      const isSilent = url.endsWith("/silent");
      const body = new ReadableStream({
        type: "bytes",
        pull: (stream) => isSilent ? new Promise(() => {}) : stream.enqueue(new Uint8Array(1000)),
      });
      return new Response(body);
    },
  );
  const place = (path: string) => new URL(`http://127.0.0.1:${server.addr.port}/${path}`);
  const endless = await assertRejects(
    () => download(place("endless"), { bytes: 100_000 }),
    UnreadableFileError,
  );
  assertEquals(
    endless.message,
    `Cannot read the file: it must be of 100000 bytes at most, ` +
      "but it has more",
  );
  const silent = await assertRejects(
    () => download(place("silent"), { patience: 200 }),
    UnreadableFileError,
  );
  assertEquals(
    silent.message,
    `Cannot read the file: the server must send all of it, ` +
      "but reading it failed: nothing came for 0.2 s",
  );
  await server.shutdown();
});

Deno.test("a download may be as long as its limit, and slow as long as something comes", async () => {
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () => {
      let parts = 0;
      const body = new ReadableStream({
        async pull(stream) {
          await new Promise((resolve) => setTimeout(resolve, 100));
          if (++parts > 8) stream.close();
          else stream.enqueue(new Uint8Array(100));
        },
      });
      return new Response(body);
    },
  );
  const place = new URL(`http://127.0.0.1:${server.addr.port}/`);
  assertEquals((await download(place, { bytes: 800, patience: 500 })).length, 800); // in 0.9 s
  await assertRejects(() => download(place, { bytes: 799 }), UnreadableFileError, "799 bytes");
  await server.shutdown();
});

/** How much more memory a process of its own takes while it downloads, in MB. */
async function memoryOfDownload(place: URL): Promise<number> {
  const code = `
    import { download } from ${JSON.stringify(import.meta.resolve("../../lib/files/download.ts"))};
    const before = Deno.memoryUsage().rss;
    let most = before;
    const timer = setInterval(() => most = Math.max(most, Deno.memoryUsage().rss), 10);
    await download(new URL(${JSON.stringify(place.href)}));
    clearInterval(timer);
    console.log((most - before) / 1e6);`;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, code);
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", `--config=${config}`, file],
  }).output();
  await Deno.remove(file);
  return Number(new TextDecoder().decode(stdout).trim() || NaN);
}

Deno.test("a download in tiny pieces takes little memory, is whole, and ends in time", async () => {
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    ({ url }) => {
      let sent = 0;
      const pieces = new ReadableStream({
        async pull(stream) {
          if (sent % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
          stream.enqueue(new Uint8Array([sent]));
          if (++sent === 20_000) stream.close();
        },
      });
      const drip = new ReadableStream({
        async pull(stream) {
          await new Promise((resolve) => setTimeout(resolve, 50));
          stream.enqueue(new Uint8Array(1));
        },
      });
      const isEmpty = url.endsWith("/empty");
      return new Response(isEmpty ? new Uint8Array() : url.endsWith("/drip") ? drip : pieces);
    },
  );
  const place = (path: string) => new URL(`http://127.0.0.1:${server.addr.port}/${path}`);
  assertEquals(await download(place("pieces")), Uint8Array.from({ length: 20_000 }, (_, k) => k));
  const megabytes = await memoryOfDownload(place("pieces")); // other tests share this process
  assertEquals(megabytes < 200, true, `${megabytes} MB`); // 64 KiB each: 1.3 GB
  assertEquals((await download(place("empty"))).length, 0);
  await assertRejects(
    () => download(place("drip"), { patience: 1_000, time: 500 }),
    UnreadableFileError,
    "reading it failed: it did not end within 0.5 s",
  );
  await server.shutdown();
});

Deno.test("loadNpy() says where it looked for a file that is not there", async () => {
  for (
    const path of [
      "no/such/weights.npy",
      "C:\\no\\such.npy",
      "c:/no/such.npy",
      "c://no/such.npy",
      "http.npy",
      "",
    ]
  ) {
    const error = await assertRejects(() => loadNpy(path), UnreadableFileError);
    assertEquals(
      error.message,
      `Cannot read ${path || "the file"}: there must be such a file, but there is none at ${
        resolve(path)
      }`,
    );
    assertInstanceOf(error.cause, Deno.errors.NotFound);
  }
});

Deno.test("loadNpy() refuses a folder", async () => {
  await assertRejects(
    () => loadNpy(pathOf("")),
    UnreadableFileError,
    ": it must be a file, but it is a folder",
  );
});

Deno.test("loadNpy() refuses a file URL that names no path", async () => {
  const error = await assertRejects(() => loadNpy("file:///%FF.npy"), UnreadableFileError);
  assertEquals(
    error.message.startsWith("Cannot read file:///%FF.npy: it must be possible to open it"),
    true,
  );
});

Deno.test("loadNpy() refuses other kinds of sources, with a TypeError", async () => {
  for (
    const [given, found] of [
      [undefined, "undefined was given"],
      [null, "null was given"],
      [7, "the number 7 was given"],
      [new Float32Array(3), "an array of 3 was given"],
      [new Blob([]), "a Blob was given"],
      [{}, "an empty object was given"],
      ["ftp://host/x.npy", "the URL begins with ftp:"],
      ["data://x", "the URL begins with data:"],
      ["http://", "the URL cannot be parsed"],
    ] as const
  ) {
    await assertRejects(
      () => loadNpy(given as unknown as Source),
      TypeError,
      `, but ${found}`,
    );
  }
});

Deno.test({
  name: "loadNpy() needs no permission but to read that one file",
  permissions: { read: [FILE] },
  async fn() {
    assertEquals((await loadNpy(FILE)).shape, SHAPE);
    assertEquals((await loadNpy(toFileUrl(FILE))).shape, SHAPE);
  },
});

Deno.test({
  name: "loadNpy() says which permission is missing",
  permissions: "none",
  async fn() {
    const file = await assertRejects(() => loadNpy("x.npy"), UnreadableFileError);
    assertInstanceOf(file.cause, Deno.errors.NotCapable);
    assertEquals(/to open it, but reading it failed: .*--allow-read/.test(file.message), true);
    const host = await assertRejects(
      () => loadNpy("http://127.0.0.1:8000/x.npy"),
      UnreadableFileError,
    );
    assertEquals(
      /all of it, but reading it failed: .*--allow-net/.test(host.message),
      true,
    );
  },
});
