// Plotly itself: the pinned version, where a page gets it, and its text.

/** The version that deno.json pins. */
export const PLOTLY_VERSION = "4.1.1";
/** At Plotly's own CDN. */
export const PLOTLY_URL = `https://cdn.plot.ly/plotly-cartesian-${PLOTLY_VERSION}.min.js`;

/** SHA-384 of the pinned npm bundle, plotly-cartesian.min.js; a test compares them. */
export const PLOTLY_INTEGRITY =
  "sha384-zc4SwKObGL/W0M3RUI09UPWjlgIZHfbwMgcZO6713mRh78tfUmIQKhzCyE2LIiUg";

/** The text of the pinned bundle, read when it is first asked for. */
export async function plotlyBundle(): Promise<string> {
  const module = await import("plotly.js/plotly-cartesian.min.js", { with: { type: "text" } });
  return module.default;
}
