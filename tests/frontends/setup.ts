// What the front ends' tests need besides Deno: JupyterLab and nbconvert in the repository's virtual
// environment, the Python plotly package beside it, and Chromium. Each is made when it is missing.

import { run, VENV, virtualEnvironment } from "../../notebooks/jupyter.ts";
import { fromDebian } from "../setup/from_debian.ts";

const PLOTLY = ["plotly>=6,<7"];
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
  const bin = await virtualEnvironment().catch(async () => {
    await fromDebian("python3-venv"); // Debian keeps venv in a package of its own
    return await virtualEnvironment();
  });
  if (!(await exists(`${PLOTLY_FOLDER}/share/jupyter/labextensions`))) {
    await run(`${bin}/pip`, "install", "--quiet", `--target=${PLOTLY_FOLDER}`, ...PLOTLY);
  }
  return { bin, plotlyPath: `${PLOTLY_FOLDER}/share/jupyter`, browser: await chromium() };
}

async function chromium(): Promise<string> {
  for (const path of [Deno.env.get("CHROMIUM") ?? "", ...BROWSERS]) {
    if (path !== "" && await exists(path)) return path;
  }
  await fromDebian("chromium", "fonts-liberation"); // the pictures' font
  return BROWSERS[0]!;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
