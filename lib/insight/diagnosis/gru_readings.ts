import type { Cell } from "../../cells/cell.ts";
import { GRU_CELL, gruCellOf } from "../../cells/gru.ts";
import { gruOrders } from "../../cells/gru_gates.ts";
import { gru } from "../../layers/gru.ts";
import { zeros } from "../../layers/initializers.ts";
import { recurrentDefaults, recurrentLayer } from "../../layers/recurrent.ts";
import { getActivation } from "../../values/activations.ts";
import { ordersOf } from "./block_orders.ts";
import { type CellReadings, withBlock } from "./cell_readings.ts";
import { gruStep } from "./flat_steps.ts";

// Sources: those of `gruOrders`.
const blockNames = {
  letters: { update: "z", reset: "r", candidate: "h" },
  aliases: { n: "h", c: "h", g: "h", o: "h", i: "z", u: "z" },
  whose: { "z r h": "Keras, ONNX, TF.js, CoreML", "r z h": "PyTorch, cuDNN" },
  frameworks: gruOrders,
};

const UPDATE = GRU_CELL.gates.indexOf("update");

/** 6 orders, reset after the product or before it, z or 1 − z. */
export const GRU_READINGS: CellReadings = {
  name: "gru",
  owner: "a GRU",
  cell: GRU_CELL,
  blockNames,
  orders: ordersOf(blockNames),
  isGated: true,
  open: { reset: ["after", "before"], update: ["z", "1 − z"] },
  biases: ({ reset }) => gruCellOf(reset === "after").biases,
  step: gruStep,
  layer(options, { reset, update }) {
    const own = { ...options, resetAfter: reset === "after" };
    if (update === "z") return gru(own);
    return recurrentLayer({
      className: "GRU",
      cell: turned(gruCellOf(own.resetAfter)),
      owner: "a GRU",
      options: { ...recurrentDefaults, ...own, name: "gru" },
      functions: {
        φ: getActivation(options.activation),
        σ: getActivation(options.recurrentActivation),
      },
      config: {},
      startBias: zeros,
      make: gru,
    });
  },
  arrays: (arrays) => arrays,
  // 1 − σ(x) is σ(−x) of every σ that is asked about.
  inKeras({ kernel, recurrentKernel, bias }, choice) {
    const units = recurrentKernel.shape[0]!;
    const negated = (x: number) => choice.update === "z" ? x : -x;
    const [W, U, b] = [kernel, recurrentKernel, bias].map((array) =>
      withBlock(array, { block: UPDATE, units }, negated)
    ) as [typeof kernel, typeof kernel, typeof kernel];
    return {
      arrays: { kernel: W, recurrentKernel: U, bias: b },
      choice: { ...choice, update: "z" },
    };
  },
};

/** The cell with 1 − z in z's place, wherever z is used. */
function turned(cell: Cell): Cell {
  return {
    ...cell,
    step: (o, x, before, { at, ...own }) =>
      cell.step(o, x, before, {
        ...own,
        at: (site, value) =>
          site === "gates.update" ? o.oneMinus(at(site, value)) : at(site, value),
      }),
  };
}
