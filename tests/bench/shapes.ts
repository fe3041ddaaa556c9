// What is timed: an LSTM and Dense(10) softmax over random weights, float32. facts: S0 to S3 predict,
// T0 is a training step (forward, cross-entropy, backward, Adam).

/** Sizes of a bench. */
export interface Shape {
  readonly name: string;
  readonly batch: number;
  readonly timesteps: number;
  readonly inputSize: number;
  readonly units: number;
  readonly trains: boolean;
}

export const classes = 10;

export const shapes: readonly Shape[] = [
  { name: "S0", batch: 1, timesteps: 3, inputSize: 2, units: 8, trains: false },
  { name: "S1", batch: 1, timesteps: 100, inputSize: 64, units: 256, trains: false },
  { name: "S2", batch: 64, timesteps: 100, inputSize: 128, units: 256, trains: false },
  { name: "S3", batch: 1, timesteps: 1000, inputSize: 32, units: 64, trains: false },
  { name: "T0", batch: 32, timesteps: 50, inputSize: 32, units: 128, trains: true },
];

/** Each array's shape, in the order of the file that the peers read. */
export function arrayShapes({ batch, timesteps, inputSize, units }: Shape) {
  return {
    kernel: [inputSize, 4 * units],
    recurrentKernel: [units, 4 * units],
    bias: [4 * units],
    denseKernel: [units, classes],
    denseBias: [classes],
    x: [batch, timesteps, inputSize],
    y: [batch, classes],
  };
}

export type Arrays = Record<keyof ReturnType<typeof arrayShapes>, Float32Array<ArrayBuffer>>;

/** Multiplications and additions of a prediction. */
export function flops({ batch, timesteps, inputSize, units, trains }: Shape): number {
  const forward = 2 * batch * (timesteps * (inputSize + units) * 4 * units + units * classes);
  if (!trains) return forward;
  // dh = dz·Uᵀ and dU cost what h·U does, dW what x·W does; dx is not needed.
  return 2 * forward + 2 * batch * timesteps * units * 4 * units;
}

/** Weights as Keras starts them, with random biases; inputs of about unit variance; one-hot targets. */
export function randomArrays(shape: Shape): Arrays {
  const { batch, inputSize, units } = shape;
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  const sizes = arrayShapes(shape);
  const fill = (name: keyof typeof sizes, limit: number) =>
    Float32Array.from({ length: sizes[name].reduce((a, b) => a * b) }, () => random() * limit);
  const y = new Float32Array(batch * classes);
  for (let n = 0; n < batch; n++) y[n * classes + n % classes] = 1;
  return {
    kernel: fill("kernel", Math.sqrt(6 / (inputSize + 4 * units))),
    recurrentKernel: fill("recurrentKernel", Math.sqrt(3 / units) / 2),
    bias: fill("bias", 0.3),
    denseKernel: fill("denseKernel", Math.sqrt(6 / (units + classes))),
    denseBias: fill("denseBias", 0.1),
    x: fill("x", 1.7),
    y,
  };
}

/** The arrays of a shape as the orchestrator wrote them for everybody. */
export function readArrays(folder: string, shape: Shape): Arrays {
  const bytes = Deno.readFileSync(`${folder}/${shape.name}.bin`);
  let at = 0;
  const entries = Object.entries(arrayShapes(shape)).map(([name, sizes]) => {
    const length = sizes.reduce((a, b) => a * b);
    const array = new Float32Array(bytes.buffer.slice(at, at + 4 * length));
    at += 4 * length;
    return [name, array];
  });
  return Object.fromEntries(entries);
}
