// Where this runs: the equations, models and views anywhere, files in Deno alone.

/** How an error says that it is something else. */
export const NOT_DENO = "this is not Deno";

/** Whether this is Deno, and no browser or Node. */
export function isDeno(): boolean {
  return typeof Deno !== "undefined";
}

/** What Deno and Node bring along and browsers do not; undefined there. */
export function builtIn<Module>(name: `node:${string}`): Module | undefined {
  type Process = { getBuiltinModule?(name: string): Module | undefined };
  return (globalThis as { process?: Process }).process?.getBuiltinModule?.(name);
}
