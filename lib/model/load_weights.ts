// A file's arrays become a model's weights by what the frameworks are known to do, which is the
// knowledge of the formats room. This room may not import that one, so that one puts it in here.

import type { Source } from "../files/source.ts";
import type { Model } from "./model.ts";

/** Reads a file's arrays into a model, or throws and changes nothing. */
export type WeightLoader = (model: Model, source: Source) => Promise<void>;

let loader: WeightLoader | undefined;

/** Called once, by the formats room. */
export function provideWeightLoader(given: WeightLoader): void {
  loader = given;
}

/** What stands behind `model.loadWeights()`. */
export async function loadWeights(model: Model, source: Source): Promise<void> {
  if (loader === undefined) {
    throw new TypeError(
      "Cannot load weights: lib/formats knows the formats, but the program has not imported it (mod.ts does)",
    );
  }
  await loader(model, source);
}
