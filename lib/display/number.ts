// Numbers as people read them: no digits that mean nothing, and none lost. The minus is the hyphen that
// every language reads back; Plotly writes its own on its axes.

/** How numbers are written. */
export interface NumberStyle {
  /** Significant digits of the largest number. Default: 5. */
  readonly digits?: number;
  /** Whether the numbers are float32, whose digits beyond 9 mean nothing. */
  readonly float32?: boolean;
}

const DIGITS = 5;

// Below and above, a column of zeros before or after the digits says less than an exponent.
const SMALLEST_FIXED = 1e-4;
const LARGEST_FIXED = 1e9;
/** Beside larger numbers in a column, what is below has an exponent of its own: no 0.0000003. */
const SMALLEST_IN_COLUMN = 1e-6;

/**
 * Writes numbers that stand together (a column, a matrix) with the same number of decimals, as
 * many as the largest of them needs for `digits` significant digits and none that are zero in
 * all. A number that would then read as zero without being zero keeps its own exponent, and so does
 * one below a millionth.
 *
 * @param values the numbers
 * @param style the digits, and whether the numbers are float32
 * @returns one text a number; `NaN`, `Infinity`, `-Infinity` and `-0` are written as such
 */
export function formatNumbers(values: readonly number[], style: NumberStyle = {}): string[] {
  const { digits = DIGITS, float32 = false } = style;
  let largest = 0;
  for (const value of values) {
    if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  }
  if (largest !== 0 && (largest < SMALLEST_FIXED || largest >= LARGEST_FIXED)) {
    return values.map((value) => formatNumber(value, style));
  }
  const most = decimalsFor(largest, digits);
  let decimals = 0;
  for (const value of values) {
    if (decimals === most) break;
    decimals = Math.max(decimals, Math.min(most, decimalsOf(value, float32)));
  }
  return values.map((value) => {
    if (!Number.isFinite(value)) return String(value);
    const text = Math.abs(value).toFixed(decimals);
    const isTiny = Number(text) === 0 || Math.abs(value) < SMALLEST_IN_COLUMN;
    if (value !== 0 && isTiny) return formatNumber(value, { ...style, digits: 3 });
    return (value < 0 || Object.is(value, -0) ? "-" : "") + text;
  });
}

/**
 * Writes one number as short as `digits` significant digits allow.
 *
 * @param value the number
 * @param style the digits, and whether the number is float32
 * @returns the number's text; `NaN`, `Infinity`, `-Infinity` and `-0` are written as such
 */
export function formatNumber(value: number, style: NumberStyle = {}): string {
  if (Object.is(value, -0)) return "-0";
  if (!Number.isFinite(value) || value === 0) return String(value);
  if (Number.isInteger(value) && Math.abs(value) < LARGEST_FIXED) return String(value);
  const rounded = roundTo(style.float32 ? shortestFloat32(value) : value, style.digits ?? DIGITS);
  const magnitude = Math.abs(rounded);
  return magnitude < SMALLEST_FIXED || magnitude >= LARGEST_FIXED
    ? rounded.toExponential().replace("e+", "e")
    : String(rounded);
}

/** A number in a sentence: `0.31`; where it is none, `infinite` or `not a number`. */
export function inWords(value: number, style: NumberStyle = {}): string {
  if (Number.isNaN(value)) return "not a number";
  return Number.isFinite(value) ? formatNumber(value + 0, style) : "infinite";
}

/** A part in a hundred: `12 %`; `0 %` for none at all and `100 %` for all of it only. */
export function formatPercent(part: number): string {
  for (let digits = 2;; digits++) {
    const text = formatNumber(100 * part, { digits });
    if (text !== "100" || part === 1 || digits === 15) return `${text} %`;
  }
}

/** How many: `1,112`. */
export function formatCount(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

/** Whether all are parts of one, 0 to 1, as a gate's are; NaN says nothing. */
export function arePartsOfOne(values: ArrayLike<number>): boolean {
  let parts = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < 0 || value > 1) return false;
    if (!Number.isNaN(value)) parts++;
  }
  return parts > 0;
}

/** Rounds to significant digits. */
export function roundTo(value: number, digits: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(digits)) : value;
}

/** The float64 that reads shortest among those that are this float32: 0.1, not 0.10000000149. */
function shortestFloat32(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return Number(value.toPrecision(9)); // nine digits identify any float32
}

/** The decimals that give `largest` so many significant digits; none is lost before the point. */
function decimalsFor(largest: number, digits: number): number {
  if (largest === 0) return 0;
  const integerDigits = Math.floor(Math.log10(largest)) + 1; // 0.5 has 0, 0.05 has -1
  return Math.min(100, Math.max(0, digits - integerDigits));
}

/** The decimals that the number has when written out; 100 at most. */
function decimalsOf(value: number, float32: boolean): number {
  if (!Number.isFinite(value)) return 0;
  const [mantissa = "", exponent = "0"] = (float32 ? shortestFloat32(value) : value)
    .toExponential().split("e");
  const fraction = mantissa.split(".")[1] ?? "";
  return Math.min(100, Math.max(0, fraction.length - Number(exponent)));
}
