// Something to look at.

import { isDeno } from "../base/deno.ts";
import { DENO_INSPECT, JUPYTER_DISPLAY, type MediaBundle } from "../base/shown.ts";
import { visible } from "../base/visible.ts";

export { DENO_INSPECT, JUPYTER_DISPLAY } from "../base/shown.ts";
export type { MediaBundle } from "../base/shown.ts";

/** The media types besides `text/plain`. */
export type Media = Readonly<Record<string, string | object>>;

/** Something to look at: rich in a notebook, text in a terminal. */
export class View {
  /** What `text/plain` and the terminal show. */
  readonly text: string;
  readonly #media: () => Media | Promise<Media>;

  /**
   * Makes a view of its text and of what is richer.
   *
   * @param text what `text/plain` and the terminal show; control characters in it are written out
   * @param media the richer media types, made when they are asked for
   */
  constructor(text: string, media: () => Media | Promise<Media> = () => ({})) {
    this.text = visible(text);
    this.#media = media;
  }

  /** The view for the Deno kernel; where the media cannot be made, the text says why. */
  async [JUPYTER_DISPLAY](): Promise<MediaBundle> {
    try {
      const media = await this.#media();
      JSON.stringify(media); // the kernel's next step, which must not fail there
      return { ...media, "text/plain": this.text };
    } catch (error) {
      return { "text/plain": visible(`${this.text}\n(shown as text: ${reason(error)})`) };
    }
  }

  /** The view for the terminal. */
  [DENO_INSPECT](): string {
    return this.text;
  }

  /** The text of the view. */
  toString(): string {
    return this.text;
  }
}

/** The view of a value; where it cannot be made, the value as text, which says why. */
export function viewOr<T extends object>(value: T, view: (value: T) => View): View {
  try {
    return view(value);
  } catch (error) {
    return new View(`${plainText(value)}\n(shown as text: ${reason(error)})`);
  }
}

function reason(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return "unknown reason";
  }
}

/** The value as the console would show it without a hook. */
function plainText(value: object): string {
  try {
    const properties = { ...value };
    return isDeno()
      ? Deno.inspect(properties, { depth: 3, iterableLimit: 24 })
      : JSON.stringify(properties);
  } catch {
    return "a value that cannot be read";
  }
}
