// The activations that take a whole row (the last axis) at a time: softmax and its kin.
// x is the row, y the result, dy the gradient of the loss with respect to y; each backward returns
// dx.

type Row = Float64Array;

/** A function of a row, and the gradient through it. */
export interface RowFunction {
  readonly f: (x: Row) => Row;
  readonly backward: (x: Row, dy: Row) => Row;
}

const sum = (row: Row) => row.reduce((total, x) => total + x, 0);
const dotRow = (a: Row, b: Row) => a.reduce((total, x, k) => total + x * b[k]!, 0);

/** Not by spreading: a row may be longer than a call has room for. */
const largest = (row: Row) => row.reduce((max, x) => Math.max(max, x), -Infinity);

/** e^(xₖ − max x) / Σ: the maximum changes nothing but keeps e^x from overflowing. */
function softmax(x: Row): Row {
  const max = largest(x);
  const exponentials = x.map((xk) => Math.exp(xk - max));
  const total = sum(exponentials);
  return exponentials.map((e) => e / total);
}

function logSoftmax(x: Row): Row {
  const max = largest(x);
  const logTotal = Math.log(sum(x.map((xk) => Math.exp(xk - max))));
  return x.map((xk) => xk - max - logTotal);
}

/**
 * The nearest point of the probability simplex (Martins and Astudillo 2016, algorithm 1). Keras
 * 3.15.1's own rows do not sum to 1.
 */
function sparsemax(x: Row): Row {
  const sorted = x.toSorted().reverse();
  let cumulative = 0;
  let tau = NaN;
  sorted.forEach((z, k) => {
    cumulative += z;
    if (1 + (k + 1) * z > cumulative) tau = (cumulative - 1) / (k + 1);
  });
  return x.map((xk) => Math.max(xk - tau, 0));
}

const halves = (x: Row) => [x.subarray(0, x.length / 2), x.subarray(x.length / 2)] as const;
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Keras's names of the activations of a whole row, the last axis. */
export type RowActivationName = "softmax" | "log_softmax" | "sparsemax" | "glu";

/** The functions by name. */
export const activationRows: Record<RowActivationName, RowFunction> = {
  softmax: {
    f: softmax,
    backward: (x, dy) => {
      const y = softmax(x);
      const shared = dotRow(y, dy);
      return y.map((yk, k) => yk * (dy[k]! - shared));
    },
  },
  log_softmax: {
    f: logSoftmax,
    backward: (x, dy) => {
      const total = sum(dy);
      return softmax(x).map((p, k) => dy[k]! - p * total);
    },
  },
  sparsemax: {
    f: sparsemax,
    backward: (x, dy) => {
      const y = sparsemax(x);
      const mean = sum(dy.filter((_, k) => y[k]! > 0)) / y.filter((yk) => yk > 0).length;
      return dy.map((d, k) => y[k]! > 0 ? d - mean : 0);
    },
  },
  /** a ⊙ σ(b) of the row's two halves: the result is half as long. */
  glu: {
    f: (x) => {
      const [a, b] = halves(x);
      return a.map((ak, k) => ak * sigmoid(b[k]!));
    },
    backward: (x, dy) => {
      const [a, b] = halves(x);
      const da = dy.map((d, k) => d * sigmoid(b[k]!));
      const db = dy.map((d, k) => d * a[k]! * sigmoid(b[k]!) * sigmoid(-b[k]!));
      const dx = new Float64Array(x.length);
      dx.set(da);
      dx.set(db, da.length);
      return dx;
    },
  },
};

/** What the functions above call, by its name there: with it, the source of each is whole. */
export const rowScope: Readonly<Record<string, unknown>> = {
  sum,
  dotRow,
  largest,
  softmax,
  logSoftmax,
  sparsemax,
  halves,
  sigmoid,
};
