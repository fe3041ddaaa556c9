// Which activations are Keras's: by who made them, since a function of one's own may bear any name.

import { formatShape, sameShape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Activation, ActivationName } from "./activations.ts";

/** What `getActivation` made: a function of one's own may bear any name. */
const builtIns = new WeakSet<Activation>();

/** Whether `getActivation` made it: what is known of its names is true of it. */
export function isBuiltIn(activation: Activation): boolean {
  return builtIns.has(activation);
}

/** Whether it is Keras's function of one of these names, and not only called so. */
export function isNamed(activation: Activation, ...names: readonly ActivationName[]): boolean {
  return isBuiltIn(activation) && (names as readonly string[]).includes(activation.activationName);
}

/** Keeps in mind who made it; its name and options stay what they are. */
export function builtIn(activation: Activation): Activation {
  builtIns.add(activation);
  Object.freeze(activation.options);
  return Object.freeze(activation);
}

/**
 * A function of one's own does what an `Activation` does: it and its `backward` take a
 * tensor and give one of the same shape. What getActivation made does.
 *
 * @param action for the error: "make an LSTM"
 * @throws {TypeError} where it does not.
 */
export function checkOwn(activation: Activation, action: string): void {
  if (isBuiltIn(activation)) return;
  const { activationName, options, backward } = activation;
  const refuse = (rule: string, found: string) =>
    new TypeError(`Cannot ${action}: ${rule}, but ${found}`);
  if (typeof activationName !== "string" || activationName === "") {
    throw refuse(
      "an activation of your own has an activationName, a text",
      `it is ${String(activationName)}`,
    );
  }
  if (typeof options !== "object" || options === null) {
    throw refuse(
      `the activation ${activationName} has options, {} where there are none`,
      `they are ${String(options)}`,
    );
  }
  if (typeof backward !== "function") {
    throw refuse(
      `the activation ${activationName} has backward(x, gradient), its gradient with respect to x`,
      `it is ${typeof backward}`,
    );
  }
  const x = new Tensor(new Float64Array(4).fill(0.5), [2, 2]);
  const results = { "it": activation(x), "its backward": backward(x, x) };
  for (const [what, result] of Object.entries(results)) {
    if (result instanceof Tensor && sameShape(result.shape, x.shape)) continue;
    throw refuse(
      `the activation ${activationName} and its backward give a tensor of the shape they are given`,
      `of ${formatShape(x.shape)} ${what} gives ` +
        (result instanceof Tensor ? formatShape(result.shape) : `a ${typeof result}`),
    );
  }
}
