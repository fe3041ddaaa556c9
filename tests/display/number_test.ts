import { assertEquals } from "@std/assert";
import {
  arePartsOfOne,
  formatCount,
  formatNumber,
  formatNumbers,
  formatPercent,
  inWords,
  roundTo,
} from "../../lib/display/number.ts";

Deno.test("formatNumbers() writes whole numbers whole", () => {
  assertEquals(formatNumbers([1, 20, -3]), ["1", "20", "-3"]);
});

Deno.test("formatNumbers() gives all the same decimals, no more than they need", () => {
  assertEquals(formatNumbers([0.5, 0.25, -3]), ["0.50", "0.25", "-3.00"]);
  assertEquals(formatNumbers([1 / 3, 1 / 8]), ["0.33333", "0.12500"]);
  assertEquals(formatNumbers([1988.3567, 0.5]), ["1988.4", "0.5"]);
  assertEquals(formatNumbers([1 / 3, 2], { digits: 3 }), ["0.33", "2.00"]);
});

Deno.test("formatNumbers() writes NaN, Infinity and -0", () => {
  assertEquals(formatNumbers([NaN, Infinity, -Infinity, -0, 0, 0.5]), [
    "NaN",
    "Infinity",
    "-Infinity",
    "-0.0",
    "0.0",
    "0.5",
  ]);
});

Deno.test("formatNumbers() never writes a number as zero that is not", () => {
  assertEquals(
    formatNumbers([1, 1e-9, -1e-9, 0]),
    ["1", "1e-9", "-1e-9", "0"].map(
      (text, index) => index === 0 || index === 3 ? `${text}.0000` : text,
    ),
  );
});

Deno.test("formatNumbers() writes small and large columns with exponents", () => {
  assertEquals(formatNumbers([4.5e-8, 5.8e-9, 0]), ["4.5e-8", "5.8e-9", "0"]);
  assertEquals(formatNumbers([1e12, 1.5e30]), ["1e12", "1.5e30"]);
});

Deno.test("formatNumbers() writes float32 without the digits of float64", () => {
  const values = [0.1, 0.7].map(Math.fround);
  assertEquals(formatNumbers(values, { digits: 17, float32: true }), ["0.1", "0.7"]);
  assertEquals(formatNumbers(values, { digits: 12 }), ["0.100000001490", "0.699999988079"]);
});

Deno.test("formatNumber() is short, and keeps whole numbers", () => {
  assertEquals([1 / 3, 123456, 1e-7, -0, NaN, -Infinity].map((value) => formatNumber(value)), [
    "0.33333",
    "123456",
    "1e-7",
    "-0",
    "NaN",
    "-Infinity",
  ]);
});

Deno.test("roundTo() rounds to significant digits and keeps what is not finite", () => {
  assertEquals([0.123456, 1234.56, NaN, Infinity].map((value) => roundTo(value, 3)), [
    0.123,
    1230,
    NaN,
    Infinity,
  ]);
});

Deno.test("inWords() says what is no number, and never -0", () => {
  assertEquals([0.25, -0, 3e-7, NaN, Infinity, -Infinity].map((value) => inWords(value)), [
    "0.25",
    "0",
    "3e-7",
    "not a number",
    "infinite",
    "infinite",
  ]);
});

Deno.test("formatPercent() says 0 % for none at all, and 100 % for all alone", () => {
  assertEquals([0, 1e-9, 0.025, 0.5, 0.999, 0.99999, 1].map(formatPercent), [
    "0 %",
    "1e-7 %",
    "2.5 %",
    "50 %",
    "99.9 %",
    "99.999 %",
    "100 %",
  ]);
});

Deno.test("formatCount() parts thousands", () => {
  assertEquals([7, 1112, 103680, 1234567].map(formatCount), ["7", "1,112", "103,680", "1,234,567"]);
});

Deno.test("parts of one are from 0 to 1; NaN says nothing, and infinity is none", () => {
  const all = [[0, 1], [0.5, NaN], [0, 0], [], [NaN], [0.5, -1e-9], [1 + 1e-9], [0.5, Infinity]];
  assertEquals(all.map(arePartsOfOne), [true, true, true, false, false, false, false, false]);
});

Deno.test("formatNumbers() writes no zeros in front of what is below a millionth: it has its own exponent", () => {
  const column = formatNumbers([0.99618638, -5.761e-8, 0.00012345678], { digits: 8 });
  assertEquals(column, ["0.99618638", "-5.76e-8", "0.00012346"]);
});
