// A JupyterLab of the tests' own, with settings and trust of its own.

import { fileURLToPath } from "node:url";
import type { FrontEnds } from "./setup.ts";

/** How this JupyterLab is set. */
export interface LabOptions {
  /** Whether the Python plotly package is installed beside it. */
  readonly plotly?: boolean;
  readonly dark?: boolean;
  /** Whether `deno task lab`'s own script starts it, with the Deno kernel. */
  readonly kernel?: boolean;
  /** Notebooks by file name; those in `trusted` are signed as the user's own. */
  readonly notebooks: Record<string, string>;
  readonly trusted: readonly string[];
}

/** A server that runs. */
export interface Lab extends AsyncDisposable {
  urlOf(notebook: string): string;
}

const STARTING_MS = 60_000;
const NOTEBOOKS = fileURLToPath(new URL("../../notebooks/", import.meta.url));

/** Starts JupyterLab on a free port, with a folder of the given notebooks. */
export async function startLab({ bin, plotlyPath }: FrontEnds, options: LabOptions): Promise<Lab> {
  // A kernel finds deno.json from the notebook upwards; the folder of copies is out of git.
  if (options.kernel) await Deno.mkdir(`${NOTEBOOKS}/executed`, { recursive: true });
  const dir = options.kernel ? { dir: `${NOTEBOOKS}/executed` } : {};
  const folder = await Deno.makeTempDir({ prefix: "gatescope-lab-", ...dir });
  for (const name of ["files", "data", "config", "settings", "workspaces", "runtime"]) {
    await Deno.mkdir(`${folder}/${name}`);
  }
  const env = {
    JUPYTER_DATA_DIR: `${folder}/data`,
    JUPYTER_CONFIG_DIR: `${folder}/config`,
    JUPYTER_RUNTIME_DIR: `${folder}/runtime`,
    JUPYTERLAB_SETTINGS_DIR: `${folder}/settings`,
    JUPYTERLAB_WORKSPACES_DIR: `${folder}/workspaces`,
    JUPYTER_PATH: options.plotly ? plotlyPath : "",
    PATH: `${bin}:${Deno.env.get("PATH")}`,
  };
  await settings(folder, "notebook-extension/tracker", { windowingMode: "none" });
  await settings(folder, "apputils-extension/notification", { fetchNews: "false" });
  await settings(folder, "apputils-extension/themes", {
    theme: options.dark ? "JupyterLab Dark" : "JupyterLab Light",
  });
  for (const [name, text] of Object.entries(options.notebooks)) {
    await Deno.writeTextFile(`${folder}/files/${name}`, text);
  }
  for (const name of options.trusted) {
    await new Deno.Command(`${bin}/jupyter-trust`, { args: [`${folder}/files/${name}`], env })
      .output();
  }
  const port = freePort();
  const server = new Deno.Command(options.kernel ? Deno.execPath() : `${bin}/jupyter-lab`, {
    args: [
      ...(options.kernel ? ["run", "--allow-all", `${NOTEBOOKS}/lab.ts`] : []),
      ...["--no-browser", "--allow-root", `--port=${port}`, `--ServerApp.root_dir=${folder}/files`],
      ...["--IdentityProvider.token=", "--ServerApp.port_retries=0"],
      "--LabApp.expose_app_in_browser=True", // as jupyterapp, for arrival_test.ts
    ],
    env,
    stdout: "null",
    stderr: "null",
  }).spawn();
  await untilItAnswers(`http://localhost:${port}/api`);
  return {
    urlOf: (notebook) => `http://localhost:${port}/doc/tree/${notebook}?reset`,
    async [Symbol.asyncDispose]() {
      server.kill(options.kernel ? "SIGTERM" : "SIGKILL"); // the script passes it on
      await server.status;
      await Deno.remove(folder, { recursive: true }).catch(() => {});
    },
  };
}

async function settings(folder: string, plugin: string, values: object): Promise<void> {
  const file = `${folder}/settings/@jupyterlab/${plugin}.jupyterlab-settings`;
  await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
  await Deno.writeTextFile(file, JSON.stringify(values));
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "localhost", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

async function untilItAnswers(url: string): Promise<void> {
  const end = Date.now() + STARTING_MS;
  while (Date.now() < end) {
    const answered = await fetch(url).then(async (response) => {
      await response.body?.cancel();
      return response.ok;
    }, () => false);
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`JupyterLab did not answer at ${url}`);
}
