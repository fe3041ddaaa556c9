// What the front ends' tests need besides Deno: JupyterLab and nbconvert in a virtual environment
// of their own, the Python plotly package beside it, and Chromium. Each is made when it is missing.

const root = new URL("../../", import.meta.url).pathname;

/** JupyterLab, nbconvert and plotly in the versions that the tests were written for. */
const REQUIREMENTS = ["jupyterlab>=4.6,<5", "nbconvert>=7.16,<8"];
const PLOTLY = ["plotly>=6,<7"];
/** In the repository, and out of git. */
const VENV = `${root}.venv`;
const PLOTLY_FOLDER = `${VENV}/plotly`;
const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** The programs that the tests start. */
export interface FrontEnds {
  /** The `bin` folder of the virtual environment. */
  readonly bin: string;
  /** Where the Python plotly package puts its JupyterLab extension. */
  readonly plotlyPath: string;
  /** A Chromium. */
  readonly browser: string;
}

/** Makes what is missing and says so. */
export async function frontEnds(): Promise<FrontEnds> {
  const bin = `${VENV}/bin`;
  if (!(await exists(`${bin}/jupyter-lab`)) || !(await exists(`${bin}/jupyter-nbconvert`))) {
    console.error(`Setup: JupyterLab and nbconvert go into ${VENV}.`);
    // Debian keeps venv in a package of its own.
    await run("python3", "-m", "venv", VENV).catch(async () => {
      await fromDebian("python3-venv");
      await run("python3", "-m", "venv", VENV);
    });
    await run(`${bin}/pip`, "install", "--quiet", ...REQUIREMENTS);
  }
  if (!(await exists(`${PLOTLY_FOLDER}/share/jupyter/labextensions`))) {
    await run(`${bin}/pip`, "install", "--quiet", `--target=${PLOTLY_FOLDER}`, ...PLOTLY);
  }
  return { bin, plotlyPath: `${PLOTLY_FOLDER}/share/jupyter`, browser: await chromium() };
}

async function chromium(): Promise<string> {
  for (const path of [Deno.env.get("CHROMIUM") ?? "", ...BROWSERS]) {
    if (path !== "" && await exists(path)) return path;
  }
  console.error("Setup: Chromium comes from Debian.");
  await fromDebian("chromium", "fonts-liberation"); // the pictures' font
  return BROWSERS[0]!;
}

async function fromDebian(...packages: string[]): Promise<void> {
  const sudo = Deno.uid() === 0 ? [] : ["sudo"];
  await run(...sudo, "apt-get", "update", "--quiet");
  await run(...sudo, "apt-get", "install", "--quiet", "--yes", ...packages);
}

/** Runs a program to its end; its output is told where it fails. */
export async function run(...command: string[]): Promise<void> {
  const [program = "", ...args] = command;
  const { success, stdout, stderr } = await new Deno.Command(program, { args }).output();
  if (success) return;
  const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("\n");
  throw new Error(`${command.join(" ")} failed:\n${text}`);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
