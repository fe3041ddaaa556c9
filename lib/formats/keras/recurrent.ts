// The recurrent layers of Keras's files alone: those that the configuration tells of, whatever stands
// around them, and those inside of classes of the author's own, by the names and shapes of their
// arrays.

import { isRecord } from "../../files/json.ts";
import type { Hdf5File } from "../../files/hdf5.ts";
import { UnreadableFileError } from "../../files/unreadable.ts";
import { namesOf } from "../../layers/kind.ts";
import type { OpenShape } from "../../layers/layer.ts";
import { kindOfLayer } from "../../layers/table.ts";
import type { LayerArrays } from "../build_model.ts";
import { precisionOf } from "./config.ts";
import { kerasLayer, placeOf } from "./layers.ts";
import { kerasProvenance } from "./model.ts";
import { leavesOf } from "./node.ts";
import { checkLayerRecord } from "./options.ts";
import { firstCall, maskOf, type ToldLayer, toldLayers, unknownBefore } from "./told.ts";
import type { KerasWriter } from "./version.ts";
import { groupsOf, kerasWeights } from "./weights.ts";
import { nestedLine, ownLine, topLine } from "../python_lines.ts";
import type { RecurrentPart, RecurrentParts, UntoldActivations } from "../recurrent_part.ts";
import { untoldIn } from "../untold_recurrent.ts";

/** The recurrent layers that a configuration tells of, and the leaves that it lists. */
export function toldRecurrent(
  config: unknown,
  writer: KerasWriter,
  arrays: (listed: readonly ToldLayer[]) => LayerArrays["of"],
): { parts: RecurrentPart[]; unread: string[]; listed: readonly ToldLayer[] } {
  const listed = toldLayers(config);
  const of = arrays(listed);
  const parts: RecurrentPart[] = [];
  const unread: string[] = [];
  for (const told of leavesOf(listed)) {
    const { layer: held } = told.config;
    const isHeld = told.className === "TimeDistributed" && isRecord(held) &&
      isRecurrentClass(String(held.class_name));
    if (!isRecurrentClass(told.className) && !isHeld) continue;
    try {
      parts.push(isHeld ? distributedPart(told, writer, of) : partOf(told, writer, of));
    } catch (error) {
      if (!(error instanceof UnreadableFileError)) throw error;
      const where = `Cannot read ${error.source || "the file"}: `;
      const place = placeOf({ ...told, name: told.name });
      unread.push(`${place}: ${error.message.replace(where, "")}`);
    }
  }
  return { parts, unread, listed };
}

/** Whether layers of a class are recurrent: they and Bidirectional have options of their own. */
function isRecurrentClass(className: string): boolean {
  const options = kindOfLayer(className)?.options ?? [];
  return options.includes("return_sequences") || options.includes("backward_layer");
}

function partOf(told: ToldLayer, writer: KerasWriter, of: LayerArrays["of"]): RecurrentPart {
  const { record, className, ownName, name, config } = told;
  const place = placeOf({ name, className });
  checkLayerRecord(record, place);
  const call = firstCall(told);
  const node = { className, name: ownName, config };
  const layer = kerasLayer(node, writer, call?.values ?? {});
  const { notes } = precisionOf([{ ...node, ...NOWHERE }], writer.generation);
  const weights = of({ name, layer, weights: namesOf(layer) }, 0);
  const inputSize = weights[0]?.tensor.shape[0] ?? null;
  const built = builtShape(told);
  const opened = unknownBefore(told);
  const mask = maskOf(told) ?? (opened === undefined ? undefined : "input");
  const takesStates = (call?.inputs.length ?? 0) > 1;
  const isMasked = (call?.mask.length ?? 0) > 0; // Keras 3 gives the mask beside x then, in one list
  const given = takesStates || isMasked && mask === "input"
    ? "list"
    : isMasked
    ? "first"
    : mask === "input"
    ? "mask"
    : "one";
  return {
    name,
    layer,
    weights,
    inputShape: [(built?.[1] ?? null) as number | null, inputSize],
    ...(config.stateful === true && typeof built?.[0] === "number" && { batchSize: built[0] }),
    input: lineOf(told, given),
    takesStates,
    mask,
    notes: [
      ...notes,
      ...(takesStates ? ["Its first states are inputs of its own, after x."] : []),
      ...(mask === "input" ? ["Which steps count is an input of its own, the mask."] : []),
      ...(opened !== undefined
        ? [
          `Whether ${
            placeOf(opened)
          } hands a mask on does not stand in the file: 1 for each step where not.`,
        ]
        : []),
    ],
  };
}

/** The layer inside of a TimeDistributed, for which each step of the outer axis is a sample. */
function distributedPart(
  told: ToldLayer,
  writer: KerasWriter,
  of: LayerArrays["of"],
): RecurrentPart {
  const { record, className, ownName, name, config, around } = told;
  checkLayerRecord(record, placeOf({ name, className }));
  const whole = kerasLayer({ className, name: ownName, config }, writer);
  const layer = whole.wrapped!;
  const weights = of({ name, layer: whole, weights: namesOf(whole) }, 0);
  const names = [...around === undefined ? [] : namesAround(around), ownName];
  return {
    name: `${name}/${layer.name}`,
    layer,
    weights,
    inputShape: [null, weights[0]?.tensor.shape[0] ?? null],
    input: around === undefined ? topLine(ownName, "one") : nestedLine(names, false),
    notes: [
      "Each step of TimeDistributed's own axis is a sample here: x.reshape(-1, *x.shape[2:]).",
    ],
  };
}

/** Where the input of a layer is seen. */
function lineOf(told: ToldLayer, given: Parameters<typeof topLine>[1]): string {
  const { around, ownName, cellName, siblings } = told;
  if (around === undefined) return topLine(ownName, given);
  if (cellName === undefined) {
    return nestedLine([...namesAround(around), ownName], given === "list" || given === "mask");
  }
  const at = siblings.indexOf(told);
  if (at > 0) return `what ${siblings[at - 1]!.name} gives (a model of its own here)`;
  return lineOf(around, given);
}

const NOWHERE = { inbound: [], ownName: "", around: [], distributed: 0 };

function namesAround(told: ToldLayer): string[] {
  return [...told.around === undefined ? [] : namesAround(told.around), told.ownName];
}

/** The shape that a layer was built for, the batch first, as far as the file tells. */
function builtShape({ record, config, siblings, inbound }: ToldLayer): OpenShape | undefined {
  const { build_config: build } = record;
  const [first] = siblings;
  const isFirst = inbound === undefined &&
    (first?.record === record ||
      first?.className === "InputLayer" && siblings[1]?.record === record);
  const start = isFirst ? first!.config : config;
  const shapes = [
    isRecord(build) ? build.input_shape : undefined,
    config.batch_shape,
    config.batch_input_shape,
    start.batch_shape,
    start.batch_input_shape,
  ];
  const isLength = (x: unknown) => x === null || Number.isSafeInteger(x) && (x as number) > 0;
  return shapes.find((shape): shape is OpenShape =>
    Array.isArray(shape) && shape.length === 3 && shape.every(isLength)
  );
}

/** The recurrent layers of a .keras file. */
export function archiveRecurrent(
  config: unknown,
  file: Hdf5File,
  writer: KerasWriter,
  untold: UntoldActivations,
): RecurrentParts {
  const told = toldRecurrent(config, writer, (listed) => {
    return kerasWeights(file, { listed, areNamed: true }).of;
  });
  const groups = groupsOf(file, { listed: told.listed, areNamed: true });
  const owners = leavesOf(told.listed).map((one) => ({
    ...one,
    group: `${groups.get(one.name)}/`,
  }));
  const inside = untoldIn(file.arrays, untold).flatMap((one) => {
    const owner = owners.find(({ group }) => `${one.group}/`.startsWith(group));
    if (owner !== undefined && kindOfLayer(owner.className) !== undefined) return []; // told above
    const path = owner === undefined ? one.group : one.group.slice(owner.group.length);
    const steps = path.split("/");
    const around = owner === undefined ? [] : [...namesAround(owner)];
    return {
      ...one,
      name: [...owner === undefined ? [] : [owner.name], path].join("/"),
      input: ownLine(around, steps, (k) => isContainer(file, one.group, steps.length - k)),
    };
  });
  return {
    ...told,
    parts: [...told.parts, ...inside],
    provenance: kerasProvenance(writer.version),
  };
}

/** Whether a group is a list of layers: each layer has a group of its own arrays. */
function isContainer({ attributes }: Hdf5File, group: string, levels: number): boolean {
  const path = group.split("/").slice(0, levels === 0 ? undefined : -levels).join("/");
  return !attributes.has(`${path}/vars`);
}
