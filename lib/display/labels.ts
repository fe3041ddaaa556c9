// Labels of rows, columns and series: listed, made by a function, or counted after a prefix.

/**
 * Labels of an axis: one text for each index, a function from the index to its text, or a prefix
 * (`"i"` gives `i[0]`, `i[1]`, …).
 */
export type Labels = string | readonly string[] | ((index: number) => string);

/** A label as long as a chart has room for. */
export function shortened(label: string, most = 40): string {
  const characters = [...label];
  return characters.length <= most ? label : `${characters.slice(0, most - 1).join("")}…`;
}

/**
 * Makes a function from an index to its label.
 *
 * @param labels the labels; where there are none, the index itself is the label
 * @param length how many are needed
 * @param axis what they label, for the error: "rows"
 * @throws {TypeError} If labels are listed and there are more or fewer than needed.
 */
export function labeller(
  labels: Labels | undefined,
  length: number,
  axis: string,
): (index: number) => string {
  if (labels === undefined) return String;
  if (typeof labels === "string") return (index) => `${labels}[${index}]`;
  if (typeof labels === "function") return (index) => String(labels(index));
  if (!Array.isArray(labels)) {
    throw new TypeError(
      `Cannot label the ${axis}: labels must be a text, a list of texts or a function, ` +
        `but the labels are of type ${typeof labels}`,
    );
  }
  if (labels.length !== length) {
    throw new TypeError(
      `Cannot label the ${axis}: each needs one label, ` +
        `but the ${axis} are ${length} and labels ${labels.length}`,
    );
  }
  const texts = labels.map(String);
  return (index) => texts[index] ?? String(index);
}
