import type { Layer } from "./layer.ts";

/**
 * A name for each layer of a model, as Keras gives them in a new session: the class in snake case,
 * then `_1`, `_2`, …; a layer inside Bidirectional or TimeDistributed is counted before it.
 *
 * @throws {TypeError} where two layers ask for one name.
 */
export function nameLayers(layers: readonly Layer[]): string[] {
  const taken = new Set<string>();
  for (const { name } of layers) {
    if (name === undefined) continue;
    if (taken.has(name)) {
      throw new TypeError(
        `Cannot build a model: its layers need different names, but the name ` +
          `${JSON.stringify(name)} is there twice`,
      );
    }
    taken.add(name);
  }
  const counts = new Map<string, number>();
  const nameOf = ({ name, className, wrapped }: Layer): string => {
    if (wrapped !== undefined) nameOf(wrapped);
    if (name !== undefined) return name;
    const stem = snakeCase(className);
    for (;;) {
      const count = counts.get(stem) ?? 0;
      counts.set(stem, count + 1);
      const candidate = count === 0 ? stem : `${stem}_${count}`;
      if (!taken.has(candidate)) return candidate;
    }
  };
  return layers.map(nameOf);
}

/**
 * `TimeDistributed` is `time_distributed`, `LSTM` is `lstm`, `Conv1D` is `conv1d`.
 * Source: to_snake_case in keras/src/utils/naming.py (Keras 3.15.1).
 */
export function snakeCase(className: string): string {
  return className.replaceAll(/(.)([A-Z][a-z]+)/g, "$1_$2").replaceAll(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
}
