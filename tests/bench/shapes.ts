// What is timed: a recurrent layer and Dense(10) softmax over random weights, float32. S0 to S3
// predict, T0 is a training step (forward, cross-entropy, backward, Adam); the same of a GRU; and an
// LSTM behind a convolution.

/** Sizes of a bench. */
export interface Shape {
  readonly name: string;
  /** A GRU is Keras's: reset after, two biases. */
  readonly cell: "lstm" | "gru";
  readonly batch: number;
  readonly timesteps: number;
  readonly inputSize: number;
  /** Of a convolution before the layer: KERNEL_SIZE steps wide, as long as the input, relu. */
  readonly filters?: number;
  readonly units: number;
  readonly trains: boolean;
}

export const classes = 10;
export const KERNEL_SIZE = 3;

const sizes: readonly Omit<Shape, "cell">[] = [
  { name: "S0", batch: 1, timesteps: 3, inputSize: 2, units: 8, trains: false },
  { name: "S1", batch: 1, timesteps: 100, inputSize: 64, units: 256, trains: false },
  { name: "S2", batch: 64, timesteps: 100, inputSize: 128, units: 256, trains: false },
  { name: "S3", batch: 1, timesteps: 1000, inputSize: 32, units: 64, trains: false },
  { name: "T0", batch: 32, timesteps: 50, inputSize: 32, units: 128, trains: true },
];
const convolved = { batch: 32, timesteps: 100, inputSize: 16, filters: 64, units: 64 };

export const shapes: readonly Shape[] = [
  ...sizes.map((shape) => ({ ...shape, cell: "lstm" } as const)),
  ...sizes.map((shape) => ({ ...shape, cell: "gru", name: `GRU ${shape.name}` } as const)),
  { name: "CNN", cell: "lstm", ...convolved, trains: false },
  { name: "CNN T", cell: "lstm", ...convolved, trains: true },
];

/** Whether it is an LSTM and nothing before it. */
export function isPlainLstm({ cell, filters }: Shape): boolean {
  return cell === "lstm" && filters === undefined;
}

/** How many blocks lie side by side in its arrays. */
export const blocksOf = ({ cell }: Pick<Shape, "cell">): number => cell === "gru" ? 3 : 4;

/** Each array's shape, in the order of the file that the peers read. */
export function arrayShapes(shape: Shape) {
  const { cell, batch, timesteps, inputSize, filters, units } = shape;
  const width = blocksOf(shape) * units;
  return {
    convolution: filters === undefined ? [0] : [KERNEL_SIZE, inputSize, filters],
    convolutionBias: [filters ?? 0],
    kernel: [filters ?? inputSize, width],
    recurrentKernel: [units, width],
    bias: cell === "gru" ? [2, width] : [width],
    denseKernel: [units, classes],
    denseBias: [classes],
    x: [batch, timesteps, inputSize],
    y: [batch, classes],
  };
}

export type Arrays = Record<keyof ReturnType<typeof arrayShapes>, Float32Array<ArrayBuffer>>;

/** Multiplications and additions of a prediction. */
export function flops(shape: Shape): number {
  const { batch, timesteps, inputSize, filters, units, trains } = shape;
  const width = blocksOf(shape) * units;
  const windows = filters === undefined ? 0 : KERNEL_SIZE * inputSize * filters;
  const steps = timesteps * (windows + ((filters ?? inputSize) + units) * width);
  const forward = 2 * batch * (steps + units * classes);
  if (!trains) return forward;
  // dh = dz·Uᵀ and dU cost what h·U does, dW what x·W does; dx is not needed, unless x was computed.
  const back = timesteps * ((filters ?? 0) + units) * width;
  return 2 * forward + 2 * batch * back;
}

/** Weights as Keras starts them, with random biases; inputs of about unit variance; one-hot targets. */
export function randomArrays(shape: Shape): Arrays {
  const { batch, inputSize, filters, units } = shape;
  const width = blocksOf(shape) * units;
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
  const window = KERNEL_SIZE * (inputSize + (filters ?? 0));
  return {
    convolution: fill("convolution", Math.sqrt(6 / window)),
    convolutionBias: fill("convolutionBias", 0.1),
    kernel: fill("kernel", Math.sqrt(6 / ((filters ?? inputSize) + width))),
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
