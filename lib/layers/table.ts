// The table of layers. Another kind is a file that exports it, and a line here.

import { ACTIVATION } from "./activation.ts";
import { BIDIRECTIONAL } from "./bidirectional.ts";
import { CONCATENATE } from "./concatenate.ts";
import { DENSE } from "./dense.ts";
import { DROPOUT } from "./dropout.ts";
import { EMBEDDING } from "./embedding.ts";
import type { LayerKind } from "./kind.ts";
import { LSTM } from "./lstm.ts";
import { MASKING } from "./masking.ts";
import { TIME_DISTRIBUTED } from "./time_distributed.ts";

/** The kinds of layers that are read from files and written to them. */
export const LAYER_KINDS: readonly LayerKind[] = [
  LSTM,
  BIDIRECTIONAL,
  TIME_DISTRIBUTED,
  DENSE,
  EMBEDDING,
  MASKING,
  CONCATENATE,
  DROPOUT,
  ACTIVATION,
];

/** The kind of that class. */
export function kindOfLayer(className: string): LayerKind | undefined {
  return LAYER_KINDS.find((kind) => kind.className === className);
}
