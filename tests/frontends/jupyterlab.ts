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
  const program = options.kernel
    ? [Deno.execPath(), "run", "--allow-all", `${NOTEBOOKS}/lab.ts`]
    : [`${bin}/jupyter-lab`];
  const { server, port } = await started(program, folder, env);
  return {
    urlOf: (notebook) => `http://localhost:${port}/doc/tree/${notebook}?reset`,
    async [Symbol.asyncDispose]() {
      server.kill(options.kernel ? "SIGTERM" : "SIGKILL"); // the script passes it on
      await server.status;
      await Deno.remove(folder, { recursive: true }).catch(() => {});
    },
  };
}

/** The server, when it answers; another port where somebody took a free one before it could. */
async function started(
  [program, ...script]: string[],
  folder: string,
  env: Record<string, string>,
) {
  for (let attempts = 1;; attempts++) {
    const port = freePort();
    const server = new Deno.Command(program!, {
      args: [
        ...script,
        ...["--no-browser", "--allow-root", `--port=${port}`],
        ...[`--ServerApp.root_dir=${folder}/files`, "--ServerApp.port_retries=0"],
        "--IdentityProvider.token=",
        "--LabApp.expose_app_in_browser=True", // as jupyterapp, for arrival_test.ts
      ],
      env,
      stdout: "null",
      stderr: "null",
    }).spawn();
    if (await answers(server, port, `${folder}/runtime`)) return { server, port };
    if (attempts === 3) throw new Error(`JupyterLab ended before it answered, ${attempts} times`);
  }
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

/** Waits until it answers: false where it ends before. Whoever else has the port did not write there. */
async function answers(server: Deno.ChildProcess, port: number, runtime: string): Promise<boolean> {
  const url = `http://localhost:${port}/api`;
  const end = Date.now() + STARTING_MS;
  let hasEnded = false;
  server.status.then(() => hasEnded = true);
  while (!hasEnded) {
    const isUp = [...Deno.readDirSync(runtime)].some(({ name }) => /^jpserver-.*json$/.test(name));
    const answered = isUp && await fetch(url).then(async (response) => {
      await response.body?.cancel();
      return response.ok;
    }, () => false);
    if (answered) return true;
    if (Date.now() > end) throw new Error(`JupyterLab did not answer at ${url}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}
