// `deno task lab`: JupyterLab on the notebooks, with the Deno kernel. Arguments go to JupyterLab.

import { delimiter } from "node:path";
import { jupyterLab, writeKernelspec } from "./jupyter.ts";

try {
  const program = await jupyterLab();
  const kernels = await writeKernelspec();
  const others = Deno.env.get("JUPYTER_PATH");
  const server = new Deno.Command(program, {
    args: Deno.args,
    cwd: import.meta.dirname!,
    env: { JUPYTER_PATH: others ? `${kernels}${delimiter}${others}` : kernels },
  }).spawn();
  // Ctrl-C reaches JupyterLab as well, which asks before it ends.
  Deno.addSignalListener("SIGINT", () => {});
  if (Deno.build.os !== "windows") {
    Deno.addSignalListener("SIGTERM", () => server.kill("SIGTERM"));
  }
  Deno.exit((await server.status).code);
} catch (error) {
  console.error(`${error}`);
  Deno.exit(1);
}
