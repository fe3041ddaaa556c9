import { assertEquals } from "@std/assert";
import { RecentlyUsed } from "../../lib/model/fast/recently_used.ts";

Deno.test("what was not asked for longest makes room first, whatever was made first", () => {
  const kept = new RecentlyUsed<string>(3);
  const made: string[] = [];
  const get = (key: string) =>
    kept.get(key, () => {
      made.push(key);
      return key;
    });
  for (const key of ["a", "b", "c", "a", "d"]) get(key); // b is the oldest when d comes
  assertEquals(made, ["a", "b", "c", "d"]);
  for (const key of ["a", "c", "d"]) get(key);
  assertEquals(made, ["a", "b", "c", "d"], "still there");
  get("b");
  assertEquals(made, ["a", "b", "c", "d", "b"], "made again");
});
