// A model as a Python file; loaded when one is written.

import { writeFile } from "../files/source.ts";
import type { Network } from "../model/network.ts";
import { programOf } from "./program.ts";
import { pythonText } from "./python/file.ts";
import { moduleOf } from "./python/names.ts";

/** What `saveNumpy` does. */
export async function writePython(
  target: string | URL,
  network: Network,
  isTraced: boolean,
): Promise<string> {
  const module = moduleOf(target);
  const text = pythonText(programOf(network), {
    title: `${module}: ${network.layers.map(({ layer }) => layer.className).join(", ")}`,
    module,
    inputShape: network.inputs[0]!.shape,
    outputShape: network.outputShapes[0]!,
    isTraced,
  });
  await writeFile(target, new TextEncoder().encode(text));
  return text;
}
