// Which activations the fast equations know. Their numbers are those of assembly/activations.ts.

/** An activation of the fast equations. */
export interface FastActivation {
  readonly kind: number;
  /** The slope of leaky_relu, the depth of elu; else 0. */
  readonly alpha: number;
}

const kinds = {
  linear: 0,
  sigmoid: 1,
  tanh: 2,
  relu: 3,
  hard_sigmoid: 4,
  hard_sigmoid_keras2: 5,
  relu6: 6,
  hard_tanh: 7,
  softsign: 8,
  leaky_relu: 9,
  elu: 10,
  selu: 11,
  exponential: 12,
  softmax: 13,
} as const;

/** Their names, as Keras serialises them. */
export const fastActivationNames: readonly string[] = Object.keys(kinds);

export const LINEAR: number = kinds.linear;
export const SOFTMAX: number = kinds.softmax;

const smooth: readonly number[] = [
  kinds.linear,
  kinds.sigmoid,
  kinds.tanh,
  kinds.softsign,
  kinds.softmax,
];

/** Whether its slope never changes by more than twice what its input does. */
export function isSmooth({ kind }: FastActivation): boolean {
  return smooth.includes(kind);
}

/**
 * The fast form of Keras's activation of that name; undefined where there is none, and the readable
 * equations must do.
 *
 * @param options Keras's arguments in camelCase, as `getActivation` takes them
 */
export function fastActivation(
  name: string,
  options: object = {},
): FastActivation | undefined {
  const given = Object.entries(options).filter(([, value]) =>
    value !== null && value !== undefined
  );
  const only = (key: string) => given.every(([name]) => name === key);
  const number = (key: string, otherwise: number) => {
    const value = new Map(given).get(key) ?? otherwise;
    return typeof value === "number" ? value : NaN;
  };
  if (name === "leaky_relu" || name === "relu" && given.length > 0) {
    // From y alone, a slope below 0 would hide which side x was on; 0 is relu's.
    const alpha = number("negativeSlope", name === "relu" ? 0 : 0.2);
    return only("negativeSlope") && alpha > 0 ? { kind: kinds.leaky_relu, alpha } : undefined;
  }
  if (name === "elu" || name === "celu" && number("alpha", 1) === 1) {
    const alpha = number("alpha", 1);
    return only("alpha") && alpha > 0 ? { kind: kinds.elu, alpha } : undefined;
  }
  if (given.length > 0 || !Object.hasOwn(kinds, name)) return undefined;
  return { kind: kinds[name as keyof typeof kinds], alpha: 0 };
}
