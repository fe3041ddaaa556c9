// What shows itself: the two symbols that the Deno kernel and Deno's console ask for. A value says
// what it is; how that looks is attached from outside (lib/views/attach.ts).

/** The method that the Deno kernel calls for a cell's last value. */
export const JUPYTER_DISPLAY: unique symbol = Symbol.for("Jupyter.display");

/** The method that `console.log` and `Deno.inspect` call. */
export const DENO_INSPECT: unique symbol = Symbol.for("Deno.customInspect");

/** The method that gives the view itself, whatever asks for it. */
const VIEW: unique symbol = Symbol("view");

/** What shows itself. */
export interface Shown {
  [JUPYTER_DISPLAY](): Promise<MediaBundle>;
  [DENO_INSPECT](): string;
}

/** One output in several media types; a front end shows the richest one that it knows. */
export interface MediaBundle {
  /** Always there: what is shown where nothing else is. */
  readonly "text/plain": string;
  /** Any other media type: text, or an object for the JSON types. */
  readonly [mediaType: string]: string | object;
}

/** Makes the view of a value of a kind. */
type MakeView = (kind: string, value: object) => Shown;

let viewOf: MakeView | undefined;

/** Called once, by the room of the views. */
export function attachViews(make: MakeView): void {
  viewOf = make;
}

/**
 * Says what a value is, so that it shows itself in the Deno kernel and in the terminal, without
 * changing what is seen of it otherwise: its methods are not enumerable. To be called before
 * `Object.freeze`, and once on a class's prototype rather than on each of its objects.
 *
 * @param kind as the table of views has it
 * @param value a plain object, or a class's prototype
 * @returns the same value
 */
export function shownAs<T extends object>(kind: string, value: T): T {
  const define = (method: symbol, of: (this: T) => unknown) =>
    Object.defineProperty(value, method, { value: of, configurable: true });
  define(VIEW, function () {
    return viewOf?.(kind, this);
  });
  define(JUPYTER_DISPLAY, function () {
    return viewOfValue(this)?.[JUPYTER_DISPLAY]() ?? Promise.resolve({ "text/plain": kind });
  });
  define(DENO_INSPECT, function () {
    return viewOfValue(this)?.[DENO_INSPECT]() ?? kind;
  });
  return value;
}

/** How a value looks; undefined of one that {@linkcode shownAs} was not told of. */
export function viewOfValue(value: unknown): Shown | undefined {
  return (value as { readonly [VIEW]?: () => Shown | undefined } | null | undefined)?.[VIEW]?.();
}
