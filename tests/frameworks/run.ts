// `deno task test:frameworks`: what saveKeras and saveOnnx write, opened by real Keras and by real
// ONNX Runtime, alone and on Ray; and what is read of damaged files, read by the formats' own readers.
// Needs Python 3.11 or newer; setup.ts makes what else it needs.

import { checkC } from "./c.ts";
import { checkNumpy } from "./numpy.ts";
import { damage, FORMATS } from "./damage.ts";
import { PYTHON, run, setUp } from "./setup.ts";
import { writeModels } from "./write.ts";

const MUTATIONS = 300; // of each format; 10,000 were compared once, see tests/fixtures/formats

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
  await run(PYTHON, "check.py", folder);
  await run(PYTHON, "on_ray.py", folder, "bidirectional_stacked");
  await checkC(folder);
  await checkNumpy(folder, (...args) => run(PYTHON, ...args));
  for (const format of Object.keys(FORMATS).filter((name) => FORMATS[name]!.needs === undefined)) {
    const { others } = await damage(format, MUTATIONS, folder);
    if (others.length > 0) throw new Error(`errors of other classes:\n${others.join("\n")}`);
    await run(PYTHON, "damage.py", folder, format);
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
