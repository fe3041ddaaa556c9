// Showing something in the middle of a cell, so that it is sure to arrive.

import { arrival, jupyterOfKernel } from "./jupyter.ts";

/**
 * Shows a value now, in the middle of a cell, and resolves when it is on its way; in a terminal
 * it prints the value's text.
 *
 * @param value a view, a tensor, or anything else
 *
 * @example A table before the end of a cell
 * ```ts
 * import { show, table } from "@gatescope/lstm";
 *
 * await show(table([[1, 2], [3, 4]], { caption: "first" }));
 * ```
 */
export async function show(value: unknown): Promise<void> {
  const jupyter = jupyterOfKernel();
  if (jupyter === undefined) {
    console.log(value);
    return;
  }
  if (typeof value === "object" && value !== null) {
    await jupyter.display(value);
  } else {
    // The kernel shows nothing for NaN, Infinity, -0 and null: their text is sent.
    await jupyter.broadcast("display_data", {
      data: { "text/plain": typeof value === "string" ? value : Deno.inspect(value) },
      metadata: {},
      transient: {},
    });
  }
  await arrival();
}
