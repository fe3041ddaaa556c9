import { assertEquals } from "@std/assert";

Deno.test("Importing and showing needs no permission and touches no Deno.jupyter", async () => {
  const room = new URL("../../lib/display/", import.meta.url).href;
  const program = `
    import { table } from "${room}table.ts";
    import { heatmap } from "${room}heatmap.ts";
    import { lineChart } from "${room}line_chart.ts";
    import { show } from "${room}show.ts";
    import { JUPYTER_DISPLAY } from "${room}view.ts";
    for (const view of [table([[1]]), heatmap([[1]]), lineChart([1, 2])]) {
      await view[JUPYTER_DISPLAY]();
    }
    await show(table([[7]], { rows: ["a"], columns: ["b"] }));`;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--cached-only",
      `data:text/typescript,${encodeURIComponent(program)}`,
    ],
    stdout: "piped",
    stderr: "piped",
  }).output();
  assertEquals(new TextDecoder().decode(stderr), "");
  assertEquals(new TextDecoder().decode(stdout), "   b\na  7\n");
  assertEquals(code, 0);
});
