// Text that is safe where HTML, a script or Plotly would otherwise read it as their own language.

const HTML_ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Escapes text for HTML, between tags and inside quoted attributes.
 *
 * @param text any text
 * @returns the text with `& < > " '` as entities
 */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => HTML_ENTITIES[character] ?? character);
}

/**
 * Writes a value as JSON that can stand inside `<script>`: no `<` can close the element, and no
 * line separator can end a JavaScript string.
 *
 * @param value anything that `JSON.stringify` takes
 * @returns JSON, which is JavaScript too
 */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll("<", "\\u003c")
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
}

/**
 * Escapes a label for Plotly, which reads a little HTML (`<b>`, `<a href>`), TeX between dollar
 * signs, and `%{…}` in hover templates.
 *
 * @param label any text
 * @returns the label that Plotly shows as the text it is
 */
export function escapePlotly(label: string): string {
  return label
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("$", "&#36;")
    .replaceAll("%{", "&#37;{");
}
