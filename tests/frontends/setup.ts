// What the front ends' tests need besides Deno: JupyterLab and nbconvert in the repository's virtual
// environment, the Python plotly package beside it, Chromium, and poppler for what it prints. Each is
// made when it is missing, by the first of those who ask at once; run alone, this makes them all.

import { run, VENV, virtualEnvironment } from "../../notebooks/jupyter.ts";
import { fromDebian } from "../setup/from_debian.ts";

const PLOTLY = ["plotly>=6,<7"];
const PLOTLY_FOLDER = `${VENV}/plotly`;
const LOCK = `${VENV}/front-ends.lock`;
const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Poppler's program that says what stands where in a PDF. */
export const PDF_TO_TEXT = "/usr/bin/pdftotext";

/** The programs that the tests start. */
export interface FrontEnds {
  /** The `bin` folder of the virtual environment. */
  readonly bin: string;
  /** Where the Python plotly package puts its JupyterLab extension. */
  readonly plotlyPath: string;
  /** A Chromium. */
  readonly browser: string;
}

/** Makes what is missing and says so; two at once wait for each other. */
export async function frontEnds(): Promise<FrontEnds> {
  await Deno.mkdir(VENV, { recursive: true });
  using lock = await Deno.open(LOCK, { create: true, write: true });
  await lock.lock(true);
  const bin = await virtualEnvironment().catch(async () => {
    await fromDebian("python3-venv"); // Debian keeps venv in a package of its own
    return await virtualEnvironment();
  });
  if (!(await exists(`${PLOTLY_FOLDER}/share/jupyter/labextensions`))) {
    await run(`${bin}/pip`, "install", "--quiet", `--target=${PLOTLY_FOLDER}`, ...PLOTLY);
  }
  if (!(await exists(PDF_TO_TEXT))) await fromDebian("poppler-utils");
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

if (import.meta.main) await frontEnds();
