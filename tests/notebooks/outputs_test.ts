import { assertEquals } from "@std/assert";
import type { Output } from "../../notebooks/notebook.ts";
import { OutputCollector } from "../../notebooks/outputs.ts";

type Content = Record<string, unknown>;

/** The outputs of cells that get these messages. */
function collected(...cells: [type: string, content: Content][][]): Output[][] {
  const collector = new OutputCollector();
  return cells.map((messages) => {
    const outputs: Output[] = [];
    collector.startCell(outputs);
    for (const [type, content] of messages) collector.add({ type, parentId: undefined, content });
    return outputs;
  });
}

const stream = (name: string, text: string): [string, Content] => ["stream", { name, text }];

const display = (text: string, display_id?: string, type = "display_data"): [string, Content] => [
  type,
  { data: { "text/plain": text }, metadata: {}, transient: display_id ? { display_id } : {} },
];

const shown = (outputs: Output[] | undefined) =>
  outputs!.map((output) => "data" in output ? output.data["text/plain"] : output);

Deno.test("neighbouring texts of one stream are one output", () => {
  const messages = [stream("stdout", "a"), stream("stdout", "b\n"), stream("stderr", "c")];
  assertEquals(collected([...messages, stream("stdout", "d")]), [[
    { output_type: "stream", name: "stdout", text: "ab\n" },
    { output_type: "stream", name: "stderr", text: "c" },
    { output_type: "stream", name: "stdout", text: "d" },
  ]]);
});

Deno.test("an update changes every output with its display_id, in earlier cells too", () => {
  const update = (text: string) => display(text, "loss", "update_display_data");
  const [first, second] = collected(
    [display("0.9", "loss"), display("other", "x"), update("0.8")],
    [display("0.8", "loss"), update("0.1"), display("no update", "y", "update_display_data")],
  );
  assertEquals(shown(first), ["0.1", "other"]);
  assertEquals(shown(second), ["0.1"]);
});

Deno.test("clear_output clears at once, or with wait when the next output comes", () => {
  const clear = (wait: boolean): [string, Content] => ["clear_output", { wait }];
  const [atOnce, waiting, never] = collected(
    [display("old"), clear(false)],
    [display("old"), clear(true), display("new")],
    [display("old"), clear(true)],
  );
  assertEquals([shown(atOnce), shown(waiting), shown(never)], [[], ["new"], ["old"]]);
});

Deno.test("an output has no field that nbformat lacks", () => {
  assertEquals(collected([display("a", "id")]), [[
    { output_type: "display_data", data: { "text/plain": "a" }, metadata: {} },
  ]]);
});
