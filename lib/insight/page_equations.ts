// What the page of the sliders computes with: these very equations, bundled by
// `deno task build:page` into page_bundle.ts.

export { CELLS } from "../cells/cell_of_trace.ts";
export { denseForward } from "../cells/dense.ts";
export { runCell } from "../cells/recurrence.ts";
export { formatNumber } from "../display/number.ts";
export { Tensor } from "../tensor/tensor.ts";
export { getActivation } from "../values/activations.ts";
export { numbers } from "../values/numbers.ts";
