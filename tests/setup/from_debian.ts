import { run } from "../../notebooks/jupyter.ts";

const LOCK = "/tmp/gatescope-from-debian.lock";

/** Installs what a test needs besides Deno, and says so; two at once wait for each other. */
export async function fromDebian(...packages: string[]): Promise<void> {
  console.error(`Setup: ${packages.join(" and ")} come from Debian.`);
  const sudo = Deno.uid() === 0 ? [] : ["sudo"];
  const env = [...sudo, "flock", LOCK, "env", "DEBIAN_FRONTEND=noninteractive"];
  await run(...env, "apt-get", "update", "--quiet");
  await run(...env, "apt-get", "install", "--quiet", "--yes", ...packages);
}
