// Products with a matrix, as loops over its columns and rows.

import { lengthOf, type Operation, type Recorded, uniformOf } from "../recorded.ts";
import type { Access, Lines } from "./access.ts";
import { floatText } from "./literals.ts";

/** Σ x·W + b, row by row. */
export function affineLines(
  value: Recorded,
  op: Extract<Operation, { kind: "affine" }>,
  name: string,
  access: Access,
): Lines {
  let multiplyAdds = 0;
  const done = (...lines: readonly string[]) => ({ lines, multiplyAdds });
  const columns = value.shape.at(-1)!;
  const rows = lengthOf(value) / columns;
  const row = rows === 1 ? "" : "row * ";
  const at = (width: number, k: string) => row === "" ? k : `row * ${width} + ${k}`;
  const indent = rows === 1 ? "" : "  ";
  const lines: string[] = [];
  const only = op.terms.length === 1 && op.b === undefined ? op.terms[0] : undefined;
  const uniform = only && uniformOf(only[1]);
  if (only !== undefined && uniform !== undefined) { // each column is the same sum
    const width = only[1].shape[0]!;
    multiplyAdds += rows * width;
    const times = uniform === 1 ? "" : ` * ${floatText(uniform)}`;
    lines.push(
      `float sum = 0.0f;`,
      `for (int k = 0; k < ${width}; k++) sum += ${access.at(only[0], at(width, "k"))};`,
      columns === 1
        ? `${name}[${rows === 1 ? "0" : "row"}] = sum${times};`
        : `for (int j = 0; j < ${columns}; j++) ${name}[${at(columns, "j")}] = sum${times};`,
    );
    if (rows === 1) return done("{", ...lines.map((line) => `  ${line}`), "}");
  } else {
    lines.push(
      `for (int j = 0; j < ${columns}; j++) {`,
      `  float sum = ${op.b === undefined ? "0.0f" : access.at(op.b, "j")};`,
      ...op.terms.map(([x, W]) => {
        const width = W.shape[0]!;
        multiplyAdds += rows * width * columns;
        const matrix = columns === 1 ? "k" : `k * ${columns} + j`;
        return `  for (int k = 0; k < ${width}; k++) sum += ${access.at(x, at(width, "k"))} * ${
          access.at(W, matrix)
        };`;
      }),
      `  ${name}[${at(columns, "j")}] = sum;`,
      `}`,
    );
  }
  if (rows === 1) return done(...lines);
  return done(
    `for (int row = 0; row < ${rows}; row++) {`,
    ...lines.map((line) => `${indent}${line}`),
    `}`,
  );
}

/** Batches of matrices. */
export function matmulLines(
  value: Recorded,
  { a, b }: Extract<Operation, { kind: "matmul" }>,
  name: string,
  access: Access,
): Lines {
  const [m, inner] = a.shape.slice(-2) as [number, number];
  const n = b.shape.at(-1)!;
  const length = lengthOf(value);
  const [left, right] = [
    access.at(a, `row * ${inner} + k`),
    access.at(b, `(row / ${m} * ${inner} + k) * ${n} + j`),
  ];
  return {
    multiplyAdds: length * inner,
    lines: [
      `for (int row = 0; row < ${length / n}; row++) {`,
      `  for (int j = 0; j < ${n}; j++) {`,
      `    float sum = 0.0f;`,
      `    for (int k = 0; k < ${inner}; k++) sum += ${left} * ${right};`,
      `    ${name}[row * ${n} + j] = sum;`,
      `  }`,
      `}`,
    ],
  };
}
