// The colour behind a number: see-through, so that the page's own text stays readable on it, be
// the page light or dark.

/** The ends of {@linkcode DIVERGING_COLORS}: blue below zero, red above. */
const NEGATIVE = "33,102,172";
const POSITIVE = "178,24,43";
/** Of {@linkcode SEQUENTIAL_COLORS}. */
const PART = "35,139,69";
/** At full strength: text of the usual themes keeps a contrast of 4.5 (a test works it out). */
export const STRONGEST = 0.46;
const FAINTEST = 0.01;

/** NaN and ±Infinity stand out from any number, without colour too. */
export const NOT_FINITE =
  ";background-color:rgba(128,128,128,0.3);font-weight:bold;text-decoration:underline";

/** A style that follows others: `;background-color:…`, or nothing near zero. */
export function cellColor(value: number, limit: number): string {
  return background(value < 0 ? NEGATIVE : POSITIVE, Math.abs(value) / limit);
}

/** The same for a part, 0 to 1, as a gate's: nothing at 0, the strongest at 1, in every table. */
export function partColor(value: number): string {
  return background(PART, value);
}

function background(color: string, share: number): string {
  const strength = Math.min(1, share) * STRONGEST;
  if (!(strength >= FAINTEST)) return "";
  return `;background-color:rgba(${color},${strength.toFixed(2)})`;
}
