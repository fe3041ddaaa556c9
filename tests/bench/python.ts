// A Python with the libraries of requirements.txt, in a virtual environment of the bench's own.

const folder = new URL(".venv/", import.meta.url).pathname;
const requirements = new URL("requirements.txt", import.meta.url).pathname;

/** Makes the environment at first; undefined where there is no Python or it lacks a library. */
export async function findPython(): Promise<string | undefined> {
  const python = `${folder}bin/python`;
  if (await succeeds(python, "-c", "import jax, keras, numpy, torch")) return python;
  if (!await succeeds("python3", "--version")) return undefined;
  console.error("Bench: makes tests/bench/.venv, once; PyTorch is large");
  const made = await succeeds("python3", "-m", "venv", folder) &&
    await succeeds(python, "-m", "pip", "install", "--quiet", "--requirement", requirements);
  if (!made) console.error("Bench: goes on without Python, as pip could not install its libraries");
  return made ? python : undefined;
}

async function succeeds(program: string, ...given: string[]): Promise<boolean> {
  const environment = { KERAS_BACKEND: "jax" };
  const command = new Deno.Command(program, {
    args: given,
    env: environment,
    stdout: "null",
    stderr: "null",
  });
  try {
    return (await command.output()).success;
  } catch {
    return false; // there is no such program
  }
}
