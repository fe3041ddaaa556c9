// Showing something in the middle of a cell, so that it is sure to arrive.

/** The part of `Deno.jupyter` that is used here; it exists inside the Deno kernel only. */
interface Jupyter {
  display(value: unknown): Promise<void>;
  broadcast(type: string, content: Record<string, unknown>): Promise<void>;
}

// The kernel may report "idle" before its outputs are sent, and a front end that stops listening
// then loses them. Awaiting the display and waiting on a little lost none (shared facts, §5).
const ARRIVAL_MS = 50;

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
  await new Promise((resolve) => setTimeout(resolve, ARRIVAL_MS));
}

function jupyterOfKernel(): Jupyter | undefined {
  try {
    return (Deno as unknown as { jupyter?: Jupyter }).jupyter;
  } catch {
    return undefined; // outside the kernel, touching it throws
  }
}
