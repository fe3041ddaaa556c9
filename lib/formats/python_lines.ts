// The line of Python that gives a layer its input in the framework that wrote the file.

/** A text of Python. */
function text(value: string): string {
  return JSON.stringify(value);
}

/**
 * A layer of the model itself: what it takes is known to Keras.
 *
 * @param gives one array; a list of all that goes in, or its first; or one, whose mask has to be
 * asked for
 */
export function topLine(name: string, gives: "one" | "list" | "first" | "mask"): string {
  if (gives === "mask") return nestedLine([name], true);
  const line = `keras.Model(model.inputs, model.get_layer(${text(name)}).input).predict(x)`;
  return gives === "first" ? `${line}[0]` : line;
}

/** A layer of a model within a model. */
export function nestedLine(names: readonly string[], areSeveral: boolean): string {
  return seen(`model${names.map((name) => `.get_layer(${text(name)})`).join("")}`, areSeveral);
}

/**
 * A layer inside of a class of the author's own, by its attributes.
 *
 * @param around the layers by their names, from the model on
 * @param path the attributes, from there on
 * @param isList whether the attribute up to there is a list of layers
 */
export function ownLine(
  around: readonly string[],
  path: readonly string[],
  isList: (count: number) => boolean,
): string {
  let code = `model${around.map((name) => `.get_layer(${text(name)})`).join("")}`;
  path.forEach((step, k) => {
    const [, stem, number = "0"] = /^(.*?)(?:_(\d+))?$/.exec(step)!;
    code = k > 0 && isList(k)
      ? `[one for one in ${code} if type(one).__name__.lower() == ${
        text(stem!.replaceAll("_", ""))
      }][${number}]`
      : `${code}.${step}`;
  });
  return seen(code, false);
}

/** What a layer is called with, as it runs. */
function seen(layer: string, areSeveral: boolean): string {
  const given = areSeveral ? "(x, more, named)" : "x";
  return `layer = ${layer}; call = layer.call; seen = []; ` +
    `layer.call = lambda x, *more, **named: seen.append(${given}) or call(x, *more, **named); ` +
    "model(x); seen[0]";
}

/** What a module of PyTorch is called with. */
export function inputOfModule(prefix: string): string {
  return `${hooked(prefix)}; seen[0]`;
}

/** What a cell is called with, step by step. */
export function inputOfCell(prefix: string): string {
  return `${hooked(prefix)}; torch.stack(seen, 1)`;
}

function hooked(prefix: string): string {
  const module = prefix === "" ? "model" : `model.get_submodule(${text(prefix)})`;
  return `seen = []; hook = ${module}.register_forward_pre_hook(` +
    "lambda module, given: seen.append(given[0])); model(x); hook.remove()";
}

/** What goes into a node of an ONNX graph: its tensors as outputs of the whole. */
export function inputOfNode(names: readonly string[], isBatchFirst: boolean): string {
  const given = names.map(text).join(", ");
  const turned = isBatchFirst ? "" : ".transpose(1, 0, 2)";
  return `model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in [${given}]); ` +
    "onnxruntime.InferenceSession(model.SerializeToString())" +
    `.run([${text(names[0]!)}], inputs)[0]${turned}`;
}
