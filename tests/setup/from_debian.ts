import { run } from "../../notebooks/jupyter.ts";

/** Installs what a test needs besides Deno, and says so. */
export async function fromDebian(...packages: string[]): Promise<void> {
  console.error(`Setup: ${packages.join(" and ")} come from Debian.`);
  const sudo = Deno.uid() === 0 ? [] : ["sudo"];
  const env = [...sudo, "env", "DEBIAN_FRONTEND=noninteractive"];
  await run(...env, "apt-get", "update", "--quiet");
  await run(...env, "apt-get", "install", "--quiet", "--yes", ...packages);
}
