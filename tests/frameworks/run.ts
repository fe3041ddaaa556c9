// `deno task test:frameworks`: what saveKeras and saveOnnx write, opened by real Keras and by real ONNX
// Runtime. Needs Python 3.11 or newer; sets up its own environment in .venv beside this file.

import { fromFileUrl, join } from "@std/path";
import { writeModels } from "./write.ts";

const here = fromFileUrl(new URL("./", import.meta.url));
const venv = join(here, ".venv");
const python = join(venv, "bin", "python");

async function run(command: string, ...args: string[]): Promise<void> {
  const { success, code } = await new Deno.Command(command, { args, cwd: here }).spawn().status;
  if (!success) throw new Error(`${command} ${args.join(" ")} ended with ${code}`);
}

/** Makes the environment where it is not there, or was made from other requirements. */
async function setUp(): Promise<void> {
  const wanted = await Deno.readTextFile(join(here, "requirements.txt"));
  const stamp = join(venv, "requirements.txt");
  const made = await Deno.readTextFile(stamp).catch(() => "");
  if (made === wanted) return;
  console.log("setting up Keras and ONNX Runtime in tests/frameworks/.venv");
  await run("python3", "-m", "venv", "--clear", venv);
  await run(python, "-m", "pip", "install", "--quiet", "-r", "requirements.txt");
  await Deno.writeTextFile(stamp, wanted);
}

await setUp();
const folder = await Deno.makeTempDir();
try {
  const written = await writeModels(folder);
  const left = written.filter(({ noOnnx }) => noOnnx !== undefined);
  console.log(`${written.length} models as .keras, ${written.length - left.length} as .onnx`);
  for (const { name, noOnnx } of left) console.log(`no .onnx of ${name}: ${noOnnx}`);
  await run(python, "check.py", folder);
} finally {
  await Deno.remove(folder, { recursive: true });
}
