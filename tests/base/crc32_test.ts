import { assertEquals } from "@std/assert";
import { crc32 as zlibs } from "node:zlib";
import { crc32 } from "../../lib/base/crc32.ts";

Deno.test("crc32() is 0xcbf43926 of 123456789, the check value, and zlib's of any bytes", () => {
  assertEquals(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
  assertEquals(crc32(new Uint8Array()), 0);
  const bytes = Uint8Array.from({ length: 1000 }, (_, k) => (k * k) >> 3);
  for (const length of [1, 2, 255, 256, 1000]) {
    const part = bytes.subarray(0, length);
    assertEquals(crc32(part), zlibs(part), `${length} bytes`);
  }
});
