import { table } from "../display/table.ts";
import type { View } from "../display/view.ts";
import type { SavedC } from "./save_c.ts";

/** What a C file takes on a device. */
export function savedView(saved: SavedC): View {
  const { name, flashBytes, ramBytes, stackBytes, multiplyAdds, isStreaming, test } = saved;
  const rows = [
    { "": "flash", bytes: flashBytes, of: "weights and tables; the code comes on top" },
    { "": "RAM", bytes: ramBytes, of: isStreaming ? `${name}_state` : "nothing stays" },
    { "": "stack", bytes: stackBytes, of: "the arrays of the deepest call; frames come on top" },
  ];
  const proof = test === undefined
    ? "without a self-test"
    : `its self-test: cc -D${name.toUpperCase()}_TEST ${name}.c -lm`;
  return table(rows, {
    caption: `${name} in C99`,
    note: `${multiplyAdds} multiply-adds a ${isStreaming ? "timestep" : "call"}; ${proof}`,
    maxRows: Infinity,
  });
}
