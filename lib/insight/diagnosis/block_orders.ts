// In which order a cell's blocks may lie side by side.

/** Positions of a cell's gates among the blocks of a fused array. */
export interface Order {
  /** As `i o f c (ONNX)`. */
  readonly label: string;
  /** Whether a framework has it. */
  readonly isFrameworks: boolean;
  /** Of each gate, in Keras's order: which block it is. */
  readonly blocks: readonly number[];
}

/** What the blocks of a cell are called. */
export interface BlockNames {
  /** The letter of each gate, in Keras's order. */
  readonly letters: Readonly<Record<string, string>>;
  /** Other letters for the same: PyTorch's g is c. */
  readonly aliases: Readonly<Record<string, string>>;
  /** Whose each order is that a framework has, Keras's first. */
  readonly whose: Readonly<Record<string, string>>;
  /** The frameworks' orders by name, as `splitGates` takes them. */
  readonly frameworks: Readonly<Record<string, readonly string[]>>;
}

/** All orders, Keras's first, then the other frameworks', then those of none. */
export function ordersOf({ letters, whose }: BlockNames): readonly Order[] {
  const own = Object.values(letters);
  const all = permutations(own).map((order) => order.join(" "));
  const known = Object.keys(whose);
  return [...known, ...all.filter((order) => !known.includes(order))].map((order) => ({
    label: whose[order] === undefined ? order : `${order} (${whose[order]})`,
    isFrameworks: whose[order] !== undefined,
    blocks: own.map((letter) => order.split(" ").indexOf(letter)),
  }));
}

/** One of them, by a framework's name or by letters; undefined where there is no such order. */
export function orderNamed(
  given: string,
  { letters, aliases, frameworks }: BlockNames,
  orders: readonly Order[],
): Order | undefined {
  const inLetters = Object.hasOwn(frameworks, given)
    ? frameworks[given]!.map((gate) => letters[gate]!)
    : String(given).split(/[\s,]+|(?=\w)/).filter((letter) => letter !== "")
      .map((letter) => aliases[letter] ?? letter);
  const wanted = inLetters.join(" ");
  return orders.find(({ label }) => label === wanted || label.startsWith(`${wanted} (`));
}

function permutations(items: readonly string[]): string[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest])
  );
}
