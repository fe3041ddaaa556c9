// A picture drawn by Plotly itself without a browser.

import { contentKey } from "./content_key.ts";
import { figureText } from "./figure_text.ts";
import type { Stage } from "./picture_stage.ts";
import type { PlainFigure } from "./plain_figure.ts";
import { stillFigure } from "./still.ts";
import { textWidth } from "./text_width.ts";
import { fitTitle, TITLE_EDGE } from "./title_lines.ts";

/** The width of a picture in pixels, where its figure says none. */
export const PICTURE_WIDTH = 760;

let stage: Promise<Stage> | undefined;
/** Plotly draws one figure at a time. */
let last: Promise<unknown> = Promise.resolve();

/** Draws a figure whose parts are plain already. */
export function drawPicture(figure: PlainFigure): Promise<string> {
  const { data, layout } = stillFigure(figure);
  const drawn = last.then(async () => {
    stage ??= import("./picture_stage.ts").then(({ openStage }) => openStage());
    const plain = JSON.parse(JSON.stringify({ data, layout }));
    const { width = PICTURE_WIDTH, height } = plain.layout;
    const { title, margin } = fitTitle(plain.layout, width - 2 * TITLE_EDGE, textWidth);
    Object.assign(plain.layout, { title, margin });
    const name = figureText(data, layout).split("\n", 1)[0] ?? "";
    return (await stage)(plain, { width, height }, {
      name,
      key: contentKey(JSON.stringify(plain)),
    });
  });
  last = drawn.catch(() => {});
  return drawn;
}
