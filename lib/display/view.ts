// What shows itself: the two symbols that the Deno kernel and Deno's console ask for.

import { visible } from "../base/visible.ts";

/** The method that the Deno kernel calls for a cell's last value. */
export const JUPYTER_DISPLAY: unique symbol = Symbol.for("Jupyter.display");

/** The method that `console.log` and `Deno.inspect` call. */
export const DENO_INSPECT: unique symbol = Symbol.for("Deno.customInspect");

/** One output in several media types; a front end shows the richest one that it knows. */
export interface MediaBundle {
  /** Always there: what is shown where nothing else is. */
  readonly "text/plain": string;
  /** Any other media type: text, or an object for the JSON types. */
  readonly [mediaType: string]: string | object;
}

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

/**
 * Lets a value show itself in the Deno kernel and in the terminal, without changing what is seen
 * of it otherwise: the two methods are not enumerable. To be called before `Object.freeze`, and
 * once on a class's prototype rather than on each of its objects.
 *
 * @param value a plain object, or a class's prototype
 * @param view makes the view of the value, each time it is shown; where it throws, the value is shown as
 * text, which says why
 * @returns the same value
 */
export function showAs<T extends object>(value: T, view: (value: T) => View): T {
  const viewOf = (shown: T): View => {
    try {
      return view(shown);
    } catch (error) {
      return new View(`${plainText(shown)}\n(shown as text: ${reason(error)})`);
    }
  };
  Object.defineProperty(value, JUPYTER_DISPLAY, {
    value(this: T): Promise<MediaBundle> {
      return viewOf(this)[JUPYTER_DISPLAY]();
    },
    configurable: true,
  });
  Object.defineProperty(value, DENO_INSPECT, {
    value(this: T): string {
      return viewOf(this).text;
    },
    configurable: true,
  });
  return value;
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
    return typeof Deno === "undefined"
      ? JSON.stringify(properties)
      : Deno.inspect(properties, { depth: 3, iterableLimit: 24 });
  } catch {
    return "a value that cannot be read";
  }
}
