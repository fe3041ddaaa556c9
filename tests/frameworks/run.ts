// `deno task test:frameworks`: what saveKeras and saveOnnx write, opened by real Keras and by real
// ONNX Runtime, alone and on Ray; and what is read of damaged files, read by the formats' own readers.
// Needs Python 3.11 or newer; sets up its own environment in .venv beside this file.

import { fromFileUrl, join } from "@std/path";
import { checkC } from "./c.ts";
import { checkNumpy } from "./numpy.ts";
import { damage, FORMATS } from "./damage.ts";
import { writeModels } from "./write.ts";

const here = fromFileUrl(new URL("./", import.meta.url));
const venv = join(here, ".venv");
const MUTATIONS = 300; // of each format; 10,000 were compared once, see tests/fixtures/formats
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
  for (const [format, reason] of [[".keras", "noKeras"], [".onnx", "noOnnx"]] as const) {
    const left = written.filter((one) => one[reason] !== undefined);
    console.log(`${written.length - left.length} models as ${format}`);
    for (const one of left) {
      console.log(`no ${format} of ${one.name}: ${one[reason]!.split(", but the ").at(-1)}`);
    }
  }
  await run(python, "check.py", folder);
  await run(python, "on_ray.py", folder, "bidirectional_stacked");
  await checkC(folder);
  await checkNumpy(folder, (...args) => run(python, ...args));
  for (const format of Object.keys(FORMATS).filter((name) => FORMATS[name]!.needs === undefined)) {
    const { others } = await damage(format, MUTATIONS, folder);
    if (others.length > 0) throw new Error(`errors of other classes:\n${others.join("\n")}`);
    await run(python, "damage.py", folder, format);
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
