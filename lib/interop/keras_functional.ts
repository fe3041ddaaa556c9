// A Functional model's graph, followed from its output back to its input.

import { isRecord } from "../files/json.ts";
import { UnreadableFileError } from "../files/unreadable.ts";
import type { KerasNode } from "./keras_config.ts";

/** Keras 3 keeps how a mask was computed as layers of their own, beside the one that makes it. */
const MASK_OPERATIONS = ["NotEqual", "Any"];

/** What one call of a layer was given. */
interface Call {
  /** The layers whose results it takes; the mask apart. */
  readonly inputs: readonly Result[];
  /** The plain values among its arguments. */
  readonly values: readonly unknown[];
  readonly mask: Result | undefined;
  readonly training: unknown;
}

/** One result of a layer: its name, the number of the call, and of the result. */
type Result = readonly [layer: string, call: number, index: number];

/**
 * The layers from the input to the output, where they lie in a row.
 *
 * @throws {UnreadableFileError} where they do not: a layer with several inputs or calls, a mask from
 * elsewhere, or a layer beside the row, named with its class.
 */
export function straightLine(
  listed: readonly KerasNode[],
  { input_layers: inputs, output_layers: outputs }: Record<string, unknown>,
): KerasNode[] {
  const refuse = (state: string): never => {
    const rule = "the layers of a Functional model must lie in a row, from one input to one output";
    throw new UnreadableFileError(rule, state);
  };
  const nodes = new Map(listed.map((node) => [node.name, node]));
  if (nodes.size !== listed.length) refuse("the layers have one name twice");
  const end = onlyResult(outputs) ??
    refuse(`the outputs are ${JSON.stringify(outputs)?.slice(0, 200)}`);
  const start = onlyResult(inputs) ??
    refuse(`the inputs are ${JSON.stringify(inputs)?.slice(0, 200)}`);

  const line: KerasNode[] = [];
  const masks: { readonly node: KerasNode; readonly mask: Result }[] = [];
  for (let at = end;;) {
    const node = nodes.get(at[0]) ?? refuse(`the layer ${JSON.stringify(at[0])} is not there`);
    const shown = `the layer ${JSON.stringify(node.name)} is a ${node.className}`;
    if (line.includes(node)) refuse(`${shown} that leads to itself`);
    line.unshift(node);
    if (node.className === "InputLayer") break;
    if (at[2] !== 0) refuse(`${shown} of which result ${at[2]} is used`);
    if (node.inbound.length !== 1) refuse(`${shown} that is called ${node.inbound.length} times`);
    const call = callOf(node.inbound[0]);
    if (call.inputs.length !== 1) refuse(`${shown} of ${call.inputs.length} inputs`);
    if (call.training === true) refuse(`${shown} that always trains`);
    if (call.mask !== undefined) masks.push({ node, mask: call.mask });
    at = call.inputs[0]!;
  }
  if (line[0]!.name !== start[0]) refuse(`the input ${JSON.stringify(start[0])} does not lead on`);
  for (const { node, mask } of masks) {
    if (!isOwnMask(mask, node, line, nodes)) {
      refuse(
        `the layer ${JSON.stringify(node.name)} is a ${node.className} with a mask from elsewhere`,
      );
    }
  }
  const stray = listed.find((node) =>
    !line.includes(node) && !MASK_OPERATIONS.includes(node.className)
  );
  if (stray) {
    refuse(`the layer ${JSON.stringify(stray.name)} is a ${stray.className} beside the row`);
  }
  return line;
}

/** Whether a mask is the one that the row's last Masking or Embedding before the layer makes. */
function isOwnMask(
  mask: Result,
  node: KerasNode,
  line: readonly KerasNode[],
  nodes: ReadonlyMap<string, KerasNode>,
): boolean {
  const before = line.slice(0, line.indexOf(node));
  const maker = before.findLast(({ className, config }) =>
    className === "Masking" || className === "Embedding" && config.mask_zero === true
  );
  let operation = nodes.get(mask[0]);
  if (maker?.className === "Masking") {
    if (operation?.className !== "Any" || operation.config.axis !== -1) return false;
    operation = nodes.get(callOf(operation.inbound[0]).inputs[0]?.[0] ?? "");
  }
  if (maker === undefined || operation?.className !== "NotEqual") return false;
  const { inputs, values } = callOf(operation.inbound[0]);
  const [own] = callOf(maker.inbound[0]).inputs;
  const value = maker.className === "Masking" ? maker.config.mask_value : 0;
  return inputs.length === 1 && inputs[0]![0] === own?.[0] && values[0] === value;
}

/** Keras 3: `{args, kwargs}` with tensors that know their history. Keras 2: `[[name, 0, 0, {}], …]`. */
function callOf(inbound: unknown): Call {
  if (isRecord(inbound)) {
    const { args, kwargs } = inbound;
    const given = Array.isArray(args) ? args : [];
    const named = isRecord(kwargs) ? kwargs : {};
    const { mask, training, ...others } = named;
    const all = [...given, ...Object.values(others)];
    return {
      inputs: all.flatMap(resultsIn),
      values: all.filter((value) => resultsIn(value).length === 0),
      mask: resultsIn(mask)[0],
      training,
    };
  }
  const entries: unknown[] = Array.isArray(inbound) ? inbound : [];
  const flat = typeof entries[0] === "string" ? [entries] : entries; // one alone may stand bare
  const results = flat.map(asResult);
  const named: Record<string, unknown>[] = flat.map((entry) =>
    Array.isArray(entry) && isRecord(entry[3]) ? entry[3] : {}
  );
  const more = named.flatMap(({ training: _, ...others }) =>
    Object.values(others).filter((value) => value !== null).map(() => undefined)
  );
  return {
    inputs: [...results, ...more].map((result) => result ?? ["an argument", 0, 0]),
    values: [],
    mask: undefined,
    training: named[0]?.training,
  };
}

/** The results of layers among an argument, lists included. */
function resultsIn(value: unknown): Result[] {
  if (Array.isArray(value)) return value.flatMap(resultsIn);
  if (!isRecord(value) || value.class_name !== "__keras_tensor__" || !isRecord(value.config)) {
    return [];
  }
  const result = asResult(value.config.keras_history);
  return result === undefined ? [] : [result];
}

function asResult(value: unknown): Result | undefined {
  if (!Array.isArray(value) || typeof value[0] !== "string") return undefined;
  return [value[0], Number(value[1] ?? 0), Number(value[2] ?? 0)];
}

/** `["lstm", 0, 0]`, or a list of one such; anything else is several. */
function onlyResult(value: unknown): Result | undefined {
  const found = asResult(value);
  if (found !== undefined) return found;
  return Array.isArray(value) && value.length === 1 ? asResult(value[0]) : undefined;
}
