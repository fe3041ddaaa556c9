// Every model of the fixtures that Keras 3 saved, and one by Keras 2 that it has not, with its inputs
// and Keras's predictions.

import { loadNpz, type Tensor } from "@gatescope/lstm";
import { formatFile } from "./loaded.ts";

/** A model of the fixtures, its inputs and Keras's predictions. */
export interface KerasFixture {
  readonly name: string;
  /** Below tests/fixtures/formats. */
  readonly file: string;
  readonly xs: readonly Tensor[];
  readonly ys: readonly Tensor[];
  /** Of a model that trains: its targets and what came of it. */
  readonly training?: ReadonlyMap<string, Tensor>;
}

/** All of them. */
export async function* kerasFixtures(): AsyncGenerator<KerasFixture> {
  for await (const { name: file } of Deno.readDir(formatFile("keras/"))) {
    if (!file.endsWith(".keras") || /^refused|_none/.test(file)) continue;
    const name = file.slice(0, -".keras".length);
    const arrays = await arraysOf(name);
    const [xs, ys] = [[arrays.get("x")!], arrays.has("losses") ? [] : [arrays.get("prediction")!]];
    yield {
      name,
      file: `keras/${file}`,
      xs,
      ys,
      ...(arrays.has("losses") && { training: arrays }),
    };
  }
  for (const formats of ["keras_layers", "keras_masks", "keras_attention", "keras_recurrent"]) {
    const arrays = await loadNpz(formatFile(`${formats}/values.npz`));
    for (const key of arrays.keys()) {
      const name = key.slice("y_".length);
      const x = arrays.get(`x_${name}`);
      if (!key.startsWith("y_") || x === undefined) continue;
      const second = arrays.get(`x_${name}_1`);
      yield {
        name: `${formats}_${name}`,
        file: `${formats}/${name}.keras`,
        xs: second === undefined ? [x] : [x, second],
        ys: [arrays.get(key)!],
      };
    }
  }
  for await (const { name: file } of Deno.readDir(formatFile("keras_graphs/"))) {
    if (!/\.keras$|_2\.h5$/.test(file)) continue;
    const name = file.replace(/\.\w+$/, "");
    const arrays = await loadNpz(formatFile(`keras_graphs/${name}.npz`));
    const all = (kind: string) =>
      [...arrays.keys()].filter((key) => new RegExp(`^${kind}_\\d+$`).test(key))
        .map((_, k) => arrays.get(`${kind}_${k}`)!);
    yield { name: `graph_${name}`, file: `keras_graphs/${file}`, xs: all("x"), ys: all("y") };
  }
  const nested = await loadNpz(formatFile("keras_nested/values.npz"));
  for (const name of ["row", "shared", "distributed"]) {
    yield {
      name: `nested_${name}`,
      file: `keras_nested/${name}.keras`,
      xs: ["x0", "x1"].flatMap((x) => nested.get(`${name}_${x}`) ?? []),
      ys: [nested.get(`${name}_y`)!],
    };
  }
}

async function arraysOf(name: string): Promise<Map<string, Tensor>> {
  for (const folder of ["keras", "../layers"]) {
    try {
      return await loadNpz(formatFile(`${folder}/${name}.npz`));
    } catch {
      continue;
    }
  }
  throw new Error(`no arrays for ${name}`);
}
