// jax-js has no scan: x·W + b of all steps in one jit, then a jit for each step; a training step is
// one jit of everything, unrolled. Each array is used once, or through `.ref` (its own rule).

import { jit, nn, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { servePeer } from "../peer.ts";
import { arrayShapes, isPlainLstm } from "../shapes.ts";

type Weights = { W: np.Array; U: np.Array; b: np.Array; V: np.Array; d: np.Array };

const sigmoid = nn.sigmoid;

const project = jit((x: np.Array, W: np.Array, b: np.Array) => np.dot(x, W).add(b));

/** [h, c] of the next step. */
function cell(z: np.Array, h: np.Array, c: np.Array, U: np.Array): [np.Array, np.Array] {
  const [i, f, g, o] = np.split(z.add(np.dot(h, U)), 4, -1) as [
    np.Array,
    np.Array,
    np.Array,
    np.Array,
  ];
  const next = sigmoid(f).mul(c).add(sigmoid(i).mul(np.tanh(g)));
  return [sigmoid(o).mul(np.tanh(next.ref)), next];
}

const step = jit(cell);
const head = jit((h: np.Array, V: np.Array, d: np.Array) => nn.softmax(np.dot(h, V).add(d)));

await servePeer((shape, arrays) => {
  if (!isPlainLstm(shape)) return undefined;
  const { batch, timesteps, units, trains } = shape;
  const sizes = arrayShapes(shape);
  const array = (name: keyof typeof sizes) => np.array(arrays[name]).reshape(sizes[name]);
  const x = array("x");
  const weights: Weights = {
    W: array("kernel"),
    U: array("recurrentKernel"),
    b: array("bias"),
    V: array("denseKernel"),
    d: array("denseBias"),
  };
  const zeros = () => np.zeros([batch, units]);
  if (!trains) {
    return () => {
      const { W, U, b, V, d } = weights;
      const z = project(x.ref, W.ref, b.ref);
      let [h, c] = [zeros(), zeros()];
      for (let t = 0; t < timesteps; t++) [h, c] = step(z.ref.slice([], t), h, c, U.ref);
      z.dispose();
      c.dispose();
      return head(h, V.ref, d.ref).dataSync() as Float32Array;
    };
  }

  const y = array("y");
  const lossOf = ({ W, U, b, V, d }: Weights, x: np.Array, y: np.Array): np.Array => {
    const z = np.dot(x, W).add(b);
    let [h, c] = [zeros(), zeros()];
    for (let t = 0; t < timesteps; t++) {
      [h, c] = cell(z.ref.slice([], t), h, c, U.ref);
    }
    z.dispose();
    U.dispose();
    c.dispose();
    return nn.logSoftmax(np.dot(h, V).add(d)).mul(y).sum().mul(-1 / batch);
  };
  const lossAndGradients = jit(valueAndGrad(lossOf));
  const adam = jit((w: np.Array, g: np.Array, m: np.Array, v: np.Array, alpha: np.Array) => {
    const mean = m.ref.add(g.ref.sub(m).mul(0.1));
    const square = v.ref.add(np.square(g).sub(v).mul(0.001));
    const moved = w.sub(alpha.mul(mean.ref).div(np.sqrt(square.ref).add(1e-7)));
    return [moved, mean, square] as [np.Array, np.Array, np.Array];
  });
  const names = ["W", "U", "b", "V", "d"] as const;
  const zerosLike = () =>
    Object.fromEntries(names.map((name) => [name, np.zeros(weights[name].shape)])) as Weights;
  const [means, squares] = [zerosLike(), zerosLike()];
  let t = 0;
  return () => {
    const [loss, gradients] = lossAndGradients(tree.ref(weights), x.ref, y.ref) as [
      np.Array,
      Weights,
    ];
    t++;
    const alpha = 0.001 * Math.sqrt(1 - 0.999 ** t) / (1 - 0.9 ** t);
    for (const name of names) {
      [weights[name], means[name], squares[name]] = adam(
        weights[name],
        gradients[name],
        means[name],
        squares[name],
        np.array(alpha),
      );
    }
    return loss.dataSync()[0]!;
  };
});
