// Opening the recurrent layers of a file, each alone.

import { openFile } from "../files/open.ts";
import type { Source } from "../files/source.ts";
import { UnreadableFileError } from "../files/unreadable.ts";
import type { Model } from "../model/model.ts";
import { modelsOf, type UntoldActivations } from "./recurrent_part.ts";
import { formatOf } from "./table.ts";

/** What `loadRecurrent` does once its options are known to be right. */
export function openRecurrent(
  source: Source,
  untold: UntoldActivations,
  key?: string,
): Promise<Map<string, Model>> {
  return openFile(source, async (file) => {
    const format = formatOf(file.bytes, key);
    const found = await format.recurrent(file, untold, key);
    if (found.parts.length === 0) {
      const state = found.unread.length === 0 ? "there is none" : found.unread.join("; ");
      throw new UnreadableFileError("it must have an LSTM, a GRU or a SimpleRNN", state);
    }
    return modelsOf(found, { source: file.name, format: format.name });
  });
}
