// These very equations as a script for a page without Deno: the functions write out their own source.
// There is no second cell; what the page computes is what stands in this folder.

import * as arithmetic from "../tensor/arithmetic.ts";
import * as shape from "../tensor/shape.ts";
import * as tensor from "../tensor/tensor.ts";
import { activationCurves, curveScope } from "./activation_curves.ts";
import { activationRows, rowScope } from "./activation_rows.ts";
import { type Activation, elementwise, rowwise } from "./activations.ts";
import * as cell from "./cell.ts";
import * as dense from "./dense.ts";
import * as gates from "./gates.ts";
import * as normal from "./normal_distribution.ts";
import * as product from "./product.ts";
import * as sequence from "./sequence.ts";
import * as sites from "./sites.ts";

/**
 * What the page has no use for: how values show themselves in Deno, and what was computed from what.
 */
const STAND_INS = {
  gatesOf: "(gates) => gates",
  layerTraceOf: "(trace) => trace",
  lstmActivation: "(activation) => activation",
  denseActivation: '(activation) => activation === "linear" ? (z) => z : activation',
  amongNames: "(name) => name",
  checkOptions: "() => {}",
  checkParts: "() => {}",
  refuseOptions: "() => {}",
  kindOf: "(value) => typeof value",
};

/**
 * The source of `lstmForward`, `denseForward` and all that they call, as the body of a function that
 * returns `{ Tensor, lstmForward, denseForward, activations }`. In the page, an activation is given as
 * a function, not by its name.
 *
 * @param activations that the page needs
 */
export function pageSource(activations: readonly Activation[]): string {
  const modules = [shape, tensor, arithmetic, gates, product, cell, sites, sequence, dense];
  const parts: [name: string, source: string][] = [];
  for (const module of [...modules, { elementwise, rowwise }]) {
    for (const [name, value] of Object.entries(module)) {
      if (!Object.hasOwn(STAND_INS, name)) parts.push([name, sourceOf(value)]);
    }
  }
  return [
    '"use strict";',
    ...[...parts, ...Object.entries(STAND_INS)].map(([name, source]) =>
      `const ${name} = ${source};`
    ),
    `return { Tensor, lstmForward, denseForward, activations: [`,
    ...activations.map((activation) => `${activationSource(activation)},`),
    "] };",
  ].join("\n");
}

/** An expression that makes the activation, complete with all that its formula calls. */
function activationSource({ activationName: name, options }: Activation): string {
  if (Object.hasOwn(activationRows, name)) {
    const { f } = activationRows[name as keyof typeof activationRows];
    return `rowwise(${JSON.stringify(name)}, ${withScope(rowScope, `{ f: ${f} }`)})`;
  }
  const { defaults, make, fixed } = activationCurves[name as keyof typeof activationCurves];
  const given = Object.entries(options).filter(([, value]) => value !== null);
  const chosen = { ...defaults, ...Object.fromEntries(given) };
  const curve = fixed === undefined
    ? `(${make})(${sourceOf(chosen)})`
    : `{ f: ${fixed.f}, derivative: ${fixed.derivative} }`;
  const scope = { ...curveScope, ...normal };
  return `elementwise(${JSON.stringify(name)}, {}, ${withScope(scope, curve)})`;
}

function withScope(scope: Readonly<Record<string, unknown>>, expression: string): string {
  const lines = Object.entries(scope).map(([name, value]) => `const ${name} = ${sourceOf(value)};`);
  return `(() => { ${lines.join("\n")}\nreturn ${expression}; })()`;
}

/** A value as source: functions and classes as they are written, numbers with ±Infinity and NaN. */
function sourceOf(value: unknown): string {
  if (typeof value === "function") return String(value);
  if (Array.isArray(value)) return `[${value.map(sourceOf).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, item]) =>
      `${JSON.stringify(key)}: ${sourceOf(item)}`
    );
    return `{ ${entries.join(", ")} }`;
  }
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
