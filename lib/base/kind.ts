// What a value is, in the words of an error.

/** `an array of 5`, `a Tensor [4, 3, 2]`, `an object { layers, names }`, `the text "x.npy"`. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "function") return "a function";
  if (typeof value === "string") return `the text ${JSON.stringify(value.slice(0, 40))}`;
  if (typeof value === "number" || typeof value === "boolean") {
    return `the ${typeof value} ${value}`;
  }
  if (typeof value !== "object") return `a ${typeof value}`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (ArrayBuffer.isView(value) && "length" in value) return `an array of ${value.length}`;
  const { shape, constructor } = value as { shape?: unknown; constructor?: { name?: unknown } };
  const name = typeof constructor?.name === "string" ? constructor.name : "";
  const article = /^[AEIOU]/.test(name) ? "an" : "a";
  if (Array.isArray(shape)) return `${article} ${name} [${shape.join(", ")}]`;
  if (name !== "" && name !== "Object") return `${article} ${name}`;
  const keys = Object.keys(value);
  if (keys.length === 0) return "an empty object";
  return `an object { ${keys.slice(0, 6).join(", ")}${keys.length > 6 ? ", …" : ""} }`;
}
