// Writes lib/compute/assembly/activate_four.ts.

import { each } from "./write_loops.ts";

const HEAD = `\
// sigmoid and tanh of four vectors at once: half the work of one is to read the constants, and here
// each is read once for all four. The steps are those of exponential.ts, the polynomial from its
// highest term down: so each vector needs three registers, and the constants one or two.
// Written by \`deno task build:compute\` (tools/write_four.ts).

import { exponent, result } from "./activations";
import {
  constant, LN2_HIGH, LN2_LOW, LOG2_E, POLYNOMIAL, power2, ROUND,
} from "./exponential";
import { madd } from "./fma";

/** φ of the 16 numbers at \`from\`, to \`to\`: SIGMOID or TANH, of each vector its own. */
// @ts-ignore: decorator
@inline
export function activateFour(
  from: usize, to: usize, kind0: i32, kind1: i32, kind2: i32, kind3: i32,
): void {
`;

/** The text of activate_four.ts. */
export function activateFour(): string {
  const all = (statement: (v: number) => string) => each(4).map(statement);
  const horner = (term: number) => [
    `a = constant(POLYNOMIAL${term === 0 ? "" : ` + ${4 * term}`});`,
    ...all((v) => `p${v} = madd(p${v}, r${v}, a);`),
  ];
  const lines = [
    ...all((v) => `let r${v} = exponent(kind${v}, v128.load(from, ${16 * v}));`),
    "let a = constant(LOG2_E);",
    "const round = constant(ROUND);",
    ...all((v) => `const n${v} = madd(r${v}, a, round);`),
    "a = constant(LN2_HIGH);",
    "let b = constant(LN2_LOW);",
    ...all((v) =>
      `${
        v === 0 ? "let " : ""
      }n = f32x4.sub(n${v}, round);\n  r${v} = madd(n, b, madd(n, a, r${v}));`
    ),
    "a = constant(POLYNOMIAL + 16);",
    "b = constant(POLYNOMIAL + 12);",
    ...all((v) => `let p${v} = madd(a, r${v}, b);`),
    ...[2, 1, 0].flatMap(horner),
    ...all((v) => `p${v} = madd(p${v}, f32x4.mul(r${v}, r${v}), r${v});`),
    ...all((v) =>
      `v128.store(to, result(kind${v}, v128.load(from, ${16 * v}), p${v}, power2(n${v})), ${
        16 * v
      });`
    ),
  ];
  return `${HEAD}${lines.map((line) => `  ${line}\n`).join("")}}\n`;
}
