// V8's flags for a Deno kernel. `deno jupyter` takes none, the environment does.

/** Has V8 make 256-bit code of the tiles: large products are twice as fast, with the same bits. */
const REVECTORIZE = "--experimental-wasm-revectorize";

/** What a kernel's environment has besides: the flag, behind the user's own, where this Deno knows it. */
export function kernelEnvironment(): Promise<Record<string, string>> {
  return environment ??= find();
}
let environment: Promise<Record<string, string>> | undefined;

async function find(): Promise<Record<string, string>> {
  const own = Deno.env.get("DENO_V8_FLAGS");
  const env = { DENO_V8_FLAGS: own ? `${own},${REVECTORIZE}` : REVECTORIZE };
  // Deno does not start with a flag that its V8 was built without, as it is where there is no AVX2.
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", ""],
    env,
    stderr: "null",
  }).output();
  return success ? env : {};
}
