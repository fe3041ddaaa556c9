// The Deno kernel, where there is one.

/** The part of `Deno.jupyter` that is used here; it exists inside the Deno kernel only. */
export interface Jupyter {
  /** Shows a value. */
  display(value: unknown): Promise<void>;
  /** Sends a message of Jupyter's protocol to all front ends. */
  broadcast(type: string, content: Record<string, unknown>): Promise<void>;
}

// The kernel may report "idle" before its outputs are sent, and a front end that stops listening
// then loses them. Awaiting the display and waiting on a little lost none (shared facts, §5).
const ARRIVAL_MS = 50;

/** The kernel's own door; undefined outside the Deno kernel. */
export function jupyterOfKernel(): Jupyter | undefined {
  try {
    return (Deno as unknown as { jupyter?: Jupyter }).jupyter;
  } catch {
    return undefined; // outside the kernel, touching it throws
  }
}

/** Resolves when what was sent is on its way. */
export function arrival(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ARRIVAL_MS));
}
