// Where in HTML a text ends, as browsers read it: in a text, in an attribute, or where no value may
// stand. Only what the template's author wrote is read here; escaped values change no place.
// Source: WHATWG HTML, 13.2.5 "Tokenization".

/** Where HTML has come to. */
export type Place =
  | { readonly in: "text" }
  | {
    readonly in: "attribute";
    readonly element: string;
    readonly attribute: string;
    readonly quote: string;
    /** The attribute's text so far, as it is written. */
    readonly before: string;
  }
  /** Nowhere that a value may stand. */
  | { readonly in: "other"; readonly where: string };

/** Where a template begins. */
export const TEXT: Place = { in: "text" };

/** What is in them is no HTML to a browser; of `<noscript>`, to some. */
const RAW = /^(?:script|style|textarea|title|iframe|xmp|noembed|noframes|noscript)$/;

// Where one is matched, it begins at the place reached. HTML's white space is less than \s.
const TAG = /<(\/?[a-z][^\t\n\f\r />]*)/iy;
const ATTRIBUTE = /[\t\n\f\r /]+(=?[^\t\n\f\r />=]+)(?:[\t\n\f\r ]*=[\t\n\f\r ]*)?/y;
const UNQUOTED = /[^\t\n\f\r >]*/y;
const TAG_END = /[\t\n\f\r /]*>/y;
const COMMENT = /<!--(?:-?>|[^]*?--!?>)/y;
const BOGUS_COMMENT = /<[!?/][^>]*>/y;

/** Where HTML is after this text, which begins in a text or an attribute. */
export function placeAfter(place: Place, text: string): Place {
  if (place.in === "other") return place;
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  if (place.in === "attribute") {
    const end = text.indexOf(place.quote);
    if (end === -1) return { ...place, before: place.before + text };
    at = end + 1;
    const next = inTag(place.element);
    if (next !== undefined) return next;
  }
  while ((at = text.indexOf("<", at)) !== -1) {
    if (text.startsWith("<![CDATA[", at)) return other("after <![CDATA[");
    if (text.startsWith("<!--", at)) {
      if (take(COMMENT) === null) return other("inside a comment");
      continue;
    }
    const tag = take(TAG)?.[1]?.toLowerCase();
    if (tag !== undefined) {
      const next = inTag(tag);
      if (next !== undefined) return next;
    } else if (at + 1 === text.length) return other("inside a tag");
    else if (/[!?/]/.test(text[at + 1]!)) {
      if (take(BOGUS_COMMENT) === null) return other("inside a tag");
    } else at++; // a < that opens nothing
  }
  return TEXT;

  /** From a tag's name or an attribute to behind the tag, and behind what it makes raw. */
  function inTag(element: string): Place | undefined {
    while (take(TAG_END) === null) {
      const found = take(ATTRIBUTE);
      if (found === null) {
        // Right behind the quotes a browser reads an attribute too.
        if (/["'][^\t\n\f\r />]/.test(text.slice(at - 1, at + 1))) {
          text = `${text.slice(0, at)} ${text.slice(at)}`;
          continue;
        }
        return other(`inside the tag <${element}> without quotes around it`);
      }
      if (!/=[\t\n\f\r ]*$/.test(found[0])) {
        if (at === text.length) {
          return other(`inside the tag <${element}> without quotes around it`);
        }
        continue;
      }
      const quote = text[at] ?? "";
      if (quote !== '"' && quote !== "'") {
        take(UNQUOTED);
        if (at === text.length) {
          return other(`inside the tag <${element}> without quotes around it`);
        }
        continue;
      }
      const end = text.indexOf(quote, at + 1);
      if (end === -1) {
        const attribute = found[1]!.toLowerCase();
        return { in: "attribute", element, attribute, quote, before: text.slice(at + 1) };
      }
      at = end + 1;
    }
    if (element === "plaintext") return other("after <plaintext>");
    return RAW.test(element) ? behindRaw(element) : undefined;
  }

  /** Whether a tag in it is one depends on what is around: no value may stand after it. */
  function behindRaw(element: string): Place | undefined {
    const close = new RegExp(`</${element}(?=[\\t\\n\\f\\r />])`, "ig");
    close.lastIndex = at;
    const end = close.exec(text);
    const inside = text.slice(at, end?.index);
    if (/<[a-z!?/]/i.test(inside)) {
      return other(`inside or after <${element}> with a "<" in front of a letter or sign`);
    }
    if (end === null) return other(`inside <${element}>`);
    at = end.index;
    return undefined;
  }
}

function other(where: string): Place {
  return { in: "other", where };
}
