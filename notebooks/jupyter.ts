// JupyterLab from PyPI, in a virtual environment of this repository, and the Deno kernel as
// Jupyter is told of it.

import { fileURLToPath } from "node:url";
import { kernelEnvironment } from "./v8_flags.ts";

const root = new URL("../", import.meta.url);

/** The repository's own virtual environment; out of git, and made when it is first needed. */
export const VENV: string = fileURLToPath(new URL(".venv", root));

const isWindows = Deno.build.os === "windows";
const BIN = `${VENV}/${isWindows ? "Scripts" : "bin"}`;

/** The versions that tests/frontends was written for. */
const REQUIREMENTS = ["jupyterlab>=4.6,<5", "nbconvert>=7.16,<8"];

/** The folder of the virtual environment's programs, with JupyterLab and nbconvert in it. */
export async function virtualEnvironment(): Promise<string> {
  if (await holds("jupyterlab", "nbconvert")) return BIN;
  console.error(`Setup: JupyterLab goes into ${VENV}, which takes a minute.`);
  await run(isWindows ? "python" : "python3", "-m", "venv", VENV);
  await run(`${BIN}/python`, "-m", "pip", "install", "--quiet", ...REQUIREMENTS);
  return BIN;
}

/** JupyterLab's program: the one of the PATH, else the virtual environment's. */
export async function jupyterLab(): Promise<string> {
  return await runs("jupyter-lab") ? "jupyter-lab" : `${await virtualEnvironment()}/jupyter-lab`;
}

/**
 * Writes a kernelspec of this very Deno, and returns the folder that `JUPYTER_PATH` has to name.
 *
 * `deno jupyter --install` would write among the user's own, and without `interrupt_mode`: Jupyter
 * would send SIGINT then, which ends the Deno kernel instead of the running cell. The notebooks ask
 * for a kernel named "deno"; one in `JUPYTER_PATH` comes before the user's, for that server alone.
 */
export async function writeKernelspec(): Promise<string> {
  const folder = fileURLToPath(new URL(".jupyter", root));
  const kernelspec = {
    argv: [Deno.execPath(), "jupyter", "--kernel", "--conn", "{connection_file}"],
    display_name: "Deno",
    language: "typescript",
    interrupt_mode: "message",
    env: await kernelEnvironment(),
  };
  await Deno.mkdir(`${folder}/kernels/deno`, { recursive: true });
  const written = await Deno.makeTempFile({ dir: `${folder}/kernels/deno` });
  await Deno.writeTextFile(written, JSON.stringify(kernelspec));
  await Deno.rename(written, `${folder}/kernels/deno/kernel.json`); // a server may be reading it
  return folder;
}

/** Runs a program to its end; its output is told where it fails. */
export async function run(...command: string[]): Promise<void> {
  const [program = "", ...args] = command;
  const { success, stdout, stderr } = await new Deno.Command(program, { args }).output();
  if (success) return;
  const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("\n");
  throw new Error(`Cannot run ${command.join(" ")}: it must succeed, but it said\n${text}`);
}

/** Whether the virtual environment has these, installed to the end; it has nothing of another Python. */
async function holds(...packages: string[]): Promise<boolean> {
  const code = "import sys; from importlib.metadata import files; " +
    "sys.exit(not all(map(files, sys.argv[1:])))"; // pip lists a package's files last
  try {
    const python = new Deno.Command(`${BIN}/python`, { args: ["-c", code, ...packages] });
    return (await python.output()).success;
  } catch {
    return false;
  }
}

/** Whether the program is there and starts. */
async function runs(program: string): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: ["--version"] }).output()).success;
  } catch {
    return false;
  }
}
