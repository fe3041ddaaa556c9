// Cells of one's own, each as its paper has it.

import { defineCell } from "@gatescope/lstm";

/** Gers and Schmidhuber 2000, "Recurrent nets that time and count": the gates see the cell state. */
export const peepholeLstm = defineCell({
  kind: "PeepholeLSTM",
  gates: ["input", "forget", "candidate", "output"],
  states: ["cellState", "hiddenState"],
  weights: { p_i: ["units"], p_f: ["units"], p_o: ["units"] },
  start: { forget: 1 },
  step(o, { x, cellState: c, hiddenState: h }, { W, U, b, p_i, p_f, p_o }, at) {
    const i = at(
      "gates.input",
      o.sigmoid(o.add(o.affine([[x, W.input], [h, U.input]], b.input), o.multiply(c, p_i))),
    );
    const f = at(
      "gates.forget",
      o.sigmoid(o.add(o.affine([[x, W.forget], [h, U.forget]], b.forget), o.multiply(c, p_f))),
    );
    const z = o.affine([[x, W.candidate], [h, U.candidate]], b.candidate);
    const next = at("cellState", o.sumOfProducts([f, c], [i, at("gates.candidate", o.tanh(z))]));
    const z_o = o.affine([[x, W.output], [h, U.output]], b.output);
    const out = at("gates.output", o.sigmoid(o.add(z_o, o.multiply(next, p_o))));
    at("hiddenState", o.multiply(out, o.tanh(next)));
  },
});

/** Feng et al. 2024, "Were RNNs All We Needed?", section 3.1.3: neither U nor tanh. */
export const minGru = defineCell({
  kind: "MinGRU",
  gates: ["update", "candidate"],
  states: ["hiddenState"],
  step(o, { x, hiddenState: h }, { W, b }, at) {
    const z = at("gates.update", o.sigmoid(o.affine([[x, W.update]], b.update)));
    const h̃ = at("gates.candidate", o.affine([[x, W.candidate]], b.candidate));
    at("hiddenState", o.sumOfProducts([o.oneMinus(z), h], [z, h̃]));
  },
});

/**
 * Beck et al. 2024, "xLSTM", equations 8 to 17: an exponential input gate, a normalizer n, and a
 * stabilizer m that keeps both within what a number can hold.
 */
export const sLstm = defineCell({
  kind: "SLSTM",
  gates: ["input", "forget", "candidate", "output"],
  states: ["cellState", "normalizer", "stabilizer", "hiddenState"],
  step(o, { x, cellState: c, normalizer: n, stabilizer: m, hiddenState: h }, { W, U, b }, at) {
    const z = (gate: "input" | "forget" | "candidate" | "output") =>
      o.affine([[x, W[gate]], [h, U[gate]]], b[gate]);
    const [ĩ, logF] = [z("input"), o.apply("log_sigmoid", z("forget"))];
    const most = at("stabilizer", o.max(o.add(logF, m), ĩ));
    const i = at("gates.input", o.exp(o.subtract(ĩ, most)));
    const f = at("gates.forget", o.exp(o.subtract(o.add(logF, m), most)));
    const c̃ = at("gates.candidate", o.tanh(z("candidate")));
    const cNext = at("cellState", o.sumOfProducts([f, c], [i, c̃]));
    const nNext = at("normalizer", o.add(o.multiply(f, n), i));
    const out = at("gates.output", o.sigmoid(z("output")));
    at("hiddenState", o.multiply(out, o.divide(cNext, nNext)));
  },
});

/** All of them, by the names of their fixtures. */
export const ownCells = { peephole: peepholeLstm, min_gru: minGru, slstm: sLstm };
