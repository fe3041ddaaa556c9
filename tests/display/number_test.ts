import { assertEquals } from "@std/assert";
import { formatNumber, formatNumbers, roundTo } from "../../lib/display/number.ts";

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
