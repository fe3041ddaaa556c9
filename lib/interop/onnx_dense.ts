// Dense layers as a graph has them: a product, the bias behind it, the activation behind that.

import { type Activation, getActivation } from "../values/activations.ts";
import type { Layer } from "../layers/layer.ts";
import { activation as activationLayer } from "../layers/activation.ts";
import { dense } from "../layers/dense.ts";
import type { LoadedLayer } from "./build_model.ts";
import { type Converted, taken, transposed } from "./conversion.ts";
import { floatOf, intOf } from "./onnx_attributes.ts";
import { type Constant, constantOf, type Flow, type GraphNode, UnreadNode } from "./onnx_values.ts";

/** `MatMul`: a dense layer without a bias. */
export function matMul(flow: Flow, node: GraphNode): Flow {
  if (node.inputs[0] !== flow) throw new UnreadNode("it multiplies a constant by a layer's result");
  const kernel = constantOf(node, 1, "its second factor");
  return withDense(flow, taken(kernel.name, kernel.tensor), undefined);
}

/** `Gemm`: a dense layer. */
export function gemm(flow: Flow, node: GraphNode): Flow {
  const factor = (name: string) => floatOf(node, name) ?? 1;
  if (
    node.inputs[0] !== flow || intOf(node, "transA", 0) !== 0 || factor("alpha") !== 1 ||
    factor("beta") !== 1
  ) throw new UnreadNode("it scales, or multiplies otherwise than a dense layer");
  const given = constantOf(node, 1, "its second factor");
  const kernel = taken(given.name, given.tensor);
  const bias = node.inputs[2] === undefined ? undefined : constantOf(node, 2, "its bias");
  return withDense(flow, intOf(node, "transB", 0) === 1 ? transposed(kernel) : kernel, bias);
}

function withDense(flow: Flow, kernel: Converted, bias: Constant | undefined): Flow {
  if (flow.axes.at(-1) !== "feature" || flow.axes.includes("direction")) {
    throw new UnreadNode(`its input must end in the features: it is [${flow.axes}]`);
  }
  if (kernel.tensor.shape.length !== 2) throw new UnreadNode("its second factor must be a matrix");
  const units = kernel.tensor.shape[1]!;
  const layer = dense({ units, useBias: bias !== undefined });
  const weights = [kernel, ...(bias ? [biasOf(bias, units)] : [])];
  return { ...flow, layers: [...flow.layers, { layer, weights }] };
}

/** An Add behind a MatMul is the dense layer's bias. */
export function addBias(flow: Flow, node: GraphNode): Flow {
  const last = flow.layers.at(-1);
  const { units, use_bias: useBias, activation } = last?.layer.config ?? {};
  if (last?.layer.className !== "Dense" || useBias !== false || activation !== "linear") {
    throw new UnreadNode("it adds to what is no MatMul");
  }
  const bias = constantOf(node, node.inputs[0] === flow ? 1 : 0, "its other term");
  const layer = dense({ units: units as number });
  return replaceLast(flow, layer, [...last.weights, biasOf(bias, units as number)]);
}

function biasOf({ name, tensor }: Constant, units: number): Converted {
  if (tensor.data.length !== units || (tensor.shape.at(-1) ?? 1) !== units) {
    throw new UnreadNode(`its bias must be [${units}]: it is [${tensor.shape}]`);
  }
  return taken(name, tensor.shape.length === 1 ? tensor : tensor.reshape([units]));
}

/** An activation behind a dense layer is the layer's own. */
export function activated(flow: Flow, chosen: Activation): Flow {
  const last = flow.layers.at(-1);
  const { units, use_bias: useBias, activation } = last?.layer.config ?? {};
  if (last?.layer.className === "Dense" && activation === "linear") {
    const options = { units: units as number, useBias: useBias as boolean, activation: chosen };
    return replaceLast(flow, dense(options), last.weights);
  }
  if (flow.isInput) throw new UnreadNode("it changes the model's input before its first layer");
  return { ...flow, layers: [...flow.layers, { layer: activationLayer(chosen), weights: [] }] };
}

/** `x·σ(x)`: how exporters write silu. */
export function gated(flows: readonly Flow[], { operator }: GraphNode): Flow {
  const [x, gate] = flows.toSorted((a, b) => activationOf(a).localeCompare(activationOf(b)));
  if (operator === "Mul" && flows.length === 2) {
    const sigmoid = activated(x!, getActivation("sigmoid"));
    const shown = ({ layers }: Flow) =>
      JSON.stringify(layers.map(({ layer: { className, config }, weights }) => {
        return [className, config, weights.map(({ from }) => from)];
      }));
    if (shown(sigmoid) === shown(gate!)) return activated(x!, getActivation("silu"));
  }
  throw new UnreadNode("it takes several results of layers");
}

function activationOf({ layers }: Flow): string {
  const { activation } = layers.at(-1)?.layer.config ?? {};
  return activation === "sigmoid" ? "sigmoid" : "";
}

function replaceLast(flow: Flow, layer: Layer, weights: LoadedLayer["weights"]): Flow {
  return { ...flow, layers: [...flow.layers.slice(0, -1), { layer, weights }] };
}
