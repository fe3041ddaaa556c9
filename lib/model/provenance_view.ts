import { escapeHtml } from "../display/html.ts";
import { table } from "../display/table.ts";
import { JUPYTER_DISPLAY, View } from "../display/view.ts";
import { formatShape } from "../tensor/shape.ts";
import type { Provenance } from "./provenance.ts";

/** The conversion log: a row for each weight, and the notes below. */
export function provenanceView(provenance: Provenance): View {
  const { source, format, framework, version, gateOrder, arrays, notes } = provenance;
  const writer = [framework, version].filter((part) => part !== undefined).join(" ");
  const shown = table(
    arrays.map(({ weight, from, shapeInFile, shape, steps }) => ({
      weight,
      "in the file": from,
      "shape there": formatShape(shapeInFile),
      "shape here": formatShape(shape),
      "what was done": steps.join("; ") || "nothing",
    })),
    {
      caption: `From ${source} (${format}${writer && `, ${writer}`}), gates ${gateOrder}`,
      maxRows: Infinity,
    },
  );
  return new View([shown.text, ...notes.map((note) => ` ${note}`)].join("\n"), async () => {
    const media = await shown[JUPYTER_DISPLAY]();
    const below = notes.length === 0 ? "" : `\n<p>${notes.map(escapeHtml).join("<br>")}</p>`;
    return { "text/html": `${media["text/html"]}${below}` };
  });
}
