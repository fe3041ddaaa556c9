import { assertEquals } from "@std/assert";
import { Wire } from "../../notebooks/wire.ts";

const bytes = (frames: string[]) => frames.map((frame) => new TextEncoder().encode(frame));

Deno.test("a message is read back, whatever routing stands before it and buffers after it", () => {
  const wire = new Wire("key");
  const { frames } = wire.request("execute_request", { code: "1" });
  const message = { type: "execute_request", parentId: undefined, content: { code: "1" } };
  assertEquals(wire.read(bytes(frames)), message);
  assertEquals(wire.read(bytes(["route", ...frames, "buffer"])), message);
});

Deno.test("a damaged message, or one of somebody else's, is not read", () => {
  const { frames } = new Wire("key").request("execute_request", { code: "1" });
  assertEquals(new Wire("another key").read(bytes(frames)), undefined);
  const read = (damaged: string[]) => new Wire("key").read(bytes(damaged));
  assertEquals(read(frames.with(5, `{"code":"2"}`)), undefined, "changed");
  assertEquals(read(frames.slice(0, 5)), undefined, "cut");
  assertEquals(read(frames.slice(1)), undefined, "without its delimiter");
  assertEquals(read([]), undefined);
});
