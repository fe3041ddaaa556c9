// The Deno kernel, where there is one.

/** The part of `Deno.jupyter` that is used here; it exists inside the Deno kernel only. */
export interface Jupyter {
  /** Shows a value. */
  display(value: unknown): Promise<void>;
  /** Sends a message of Jupyter's protocol to all front ends. */
  broadcast(type: string, content: Record<string, unknown>): Promise<void>;
}

// The kernel computes in one thread and sends from another, which may report "idle" before a cell's
// last outputs: a front end that stops listening then loses them, one that is at the next cell shows
// them there. Measured by tests/frontends/arrival_test.ts: none was late after so long.
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

/** Sends a cell's last value, if it has one; the kernel calls it at the end of each cell. */
type SendResult = ((executionCount: number, result: unknown) => Promise<void>) & {
  [WAITS]?: true;
};

const WAITS = Symbol.for("gatescope.waits"); // a second copy of this package need not wait again

/**
 * Lets each cell of the Deno kernel end only when its outputs are on their way, whatever they are:
 * views, plain values, lines of the console. Elsewhere it does nothing.
 */
export function awaitOutputs(): void {
  if (jupyterOfKernel() === undefined) return;
  // The kernel's own name for it (cli/js/40_jupyter.js), which no contract keeps: without it, cells
  // end as they did.
  const { internal } = Deno as unknown as { internal: symbol };
  const kernel =
    (Deno as unknown as Record<symbol, { jupyter?: { broadcastResult?: SendResult } }>)[internal]
      ?.jupyter;
  const send = kernel?.broadcastResult;
  if (kernel === undefined || typeof send !== "function" || send[WAITS]) return;
  const sendAndWait: SendResult = async (executionCount, result) => {
    await send(executionCount, result);
    waitForArrival();
  };
  sendAndWait[WAITS] = true;
  kernel.broadcastResult = sendAndWait;
}

/** Holds this thread, not the one that sends: no timer, since Stop may have ended the kernel's. */
function waitForArrival(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ARRIVAL_MS);
}
