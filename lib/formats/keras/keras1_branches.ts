// Keras 1's Sequential may begin with a Merge of whole models: as a Functional model, all layers in
// one list, as Keras 1 lists their arrays too.

import { isRecord } from "../../files/json.ts";
import { UnreadableFileError } from "../../files/unreadable.ts";
import { isModel } from "./options.ts";

type Part = Readonly<Record<string, unknown>>;
type Result = readonly unknown[];

/** The layers so far, and where the model begins. */
interface Wiring {
  readonly layers: Part[];
  readonly inputs: Result[];
}

/** The model itself; where it begins with a Merge, the Functional model that is the same. */
export function asKeras1Branches(model: Part): Part {
  if (branchesOf(model.config) === undefined) return model;
  const wiring: Wiring = { layers: [], inputs: [] };
  const end = wired(model, wiring);
  const { layers, inputs } = wiring;
  return {
    ...model,
    class_name: "Model",
    config: { name: "model", layers, input_layers: inputs, output_layers: [end] },
  };
}

/** The models that a Sequential one begins with. */
function branchesOf(config: unknown): readonly unknown[] | undefined {
  const [first] = Array.isArray(config) ? config : [];
  if (!isRecord(first) || first.class_name !== "Merge" || !isRecord(first.config)) return undefined;
  return Array.isArray(first.config.layers) ? first.config.layers : undefined;
}

/** Lists a model's layers, each leading to the next. */
function wired(model: Part, wiring: Wiring): Result {
  const { class_name: className, config } = model;
  if (className !== "Sequential" && isRecord(config) && Array.isArray(config.layers)) {
    wiring.layers.push(...config.layers);
    wiring.inputs.push(...(Array.isArray(config.input_layers) ? config.input_layers : []));
    return one(config.output_layers);
  }
  const [first, ...others] = Array.isArray(config) ? config as Part[] : [];
  if (!isRecord(first)) refuse("there is none");
  const branches = branchesOf(config);
  let before = branches === undefined ? begin(first, wiring) : follow(
    {
      ...first,
      config: Object.fromEntries(
        Object.entries(first.config as Part).filter(([key]) => key !== "layers"),
      ),
    },
    branches.map((branch) => wired(checked(branch), wiring)),
    wiring,
  );
  for (const part of branches === undefined ? [first, ...others] : others) {
    before = follow(part, [before], wiring);
  }
  return before;
}

function begin({ config }: Part, { layers, inputs }: Wiring): Result {
  const { batch_input_shape: shape, name } = isRecord(config) ? config : {};
  const input = `${name}_input`;
  layers.push({
    class_name: "InputLayer",
    name: input,
    config: { name: input, batch_input_shape: shape },
    inbound_nodes: [],
  });
  inputs.push([input, 0, 0]);
  return [input, 0, 0];
}

function follow(part: Part, before: readonly Result[], { layers }: Wiring): Result {
  const { config } = part;
  const name = isRecord(config) && typeof config.name === "string"
    ? config.name
    : `${part.class_name}_${layers.length}`;
  layers.push({ ...part, name, inbound_nodes: [before] });
  return [name, isModel(part.class_name) ? 1 : 0, 0];
}

function checked(branch: unknown): Part {
  if (isRecord(branch) && isModel(branch.class_name)) return branch;
  return refuse(`one is ${JSON.stringify(branch)?.slice(0, 100)}`);
}

function one(results: unknown): Result {
  if (Array.isArray(results) && results.length === 1 && Array.isArray(results[0])) {
    return results[0];
  }
  return refuse(`the results of one are ${JSON.stringify(results)?.slice(0, 100)}`);
}

function refuse(state: string): never {
  const rule = "a Merge that a Sequential model begins with joins models of one result each";
  throw new UnreadableFileError(rule, state);
}
