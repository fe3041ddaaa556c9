// Names of a program's values: whatever a layer is called, a name and nothing else.

/** A name of letters, digits and underscores, whatever it was; 40 characters at most. */
export function identifier(text: string, keywords: ReadonlySet<string>): string {
  const plain = text.normalize("NFD").replaceAll("\u0303", "_tilde").replaceAll(
    /[^A-Za-z0-9_]+/g,
    "_",
  ).slice(0, 40);
  const begun = /^[A-Za-z]/.test(plain) ? plain : `v${plain}`;
  return keywords.has(begun) ? `${begun}_` : begun;
}

/** Gives each a name of its own. */
export class Names {
  readonly #taken: Set<string>;

  /** @param keywords what is no name in the language */
  constructor(readonly keywords: ReadonlySet<string>, taken: readonly string[] = []) {
    this.#taken = new Set(taken);
  }

  /** The names that somebody has. */
  get taken(): readonly string[] {
    return [...this.#taken];
  }

  /** The name, or the first one after it that is free: `z`, `z_2`. */
  unique(text: string): string {
    const name = identifier(text, this.keywords);
    for (let k = 1;; k++) {
      const candidate = k === 1 ? name : `${name}_${k}`;
      if (this.#taken.has(candidate)) continue;
      this.#taken.add(candidate);
      return candidate;
    }
  }
}

/** A file's name, without the folders that it is in. */
export function fileOf(target: string | URL): string {
  const path = target instanceof URL ? target.pathname : String(target);
  return path.split(/[/\\]/).at(-1)!;
}
