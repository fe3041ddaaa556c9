import { escapeHtml } from "../display/html.ts";
import { table } from "../display/table.ts";
import { JUPYTER_DISPLAY, View } from "../display/view.ts";
import { formatShape } from "../tensor/shape.ts";
import type { Provenance } from "../model/provenance.ts";

// A file's own texts may be of any length: names of arrays, metadata, who wrote it.
const MAX_LETTERS = 200;
const MAX_NOTES = 12;
const MAX_CODE = 800;

function clipped(text: string, most = MAX_LETTERS): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

/** The conversion log: a row for each weight, and the notes below. */
export function provenanceView(provenance: Provenance): View {
  const { source, format, framework, version, gateOrder, arrays, input } = provenance;
  const writer = clipped([framework, version].filter((part) => part !== undefined).join(" "));
  const more = provenance.notes.length - MAX_NOTES;
  const notes = (input === undefined ? [] : [`Its input: ${clipped(input, MAX_CODE)}`])
    .concat(provenance.notes.slice(0, MAX_NOTES).map((note) => clipped(note)))
    .concat(more > 0 ? [`… and ${more} more notes`] : []);
  const shown = table(
    arrays.map(({ weight, from, shapeInFile, shape, steps }) => ({
      weight,
      "in the file": clipped(from),
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
