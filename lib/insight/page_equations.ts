// What the page of the sliders computes with: these very equations, bundled by
// `deno task build:page` into page_bundle.ts.

export { denseForward } from "../cells/dense.ts";
export { lstmForward } from "../cells/lstm_forward.ts";
export { Tensor } from "../tensor/tensor.ts";
export { getActivation } from "../values/activations.ts";
