const readme = new URL("../../README.md", import.meta.url);

/** Replaces what stands between `<!-- name -->` and `<!-- /name -->`, where the README has both. */
export async function writeBetweenMarkers(name: string, text: string): Promise<void> {
  const old = await Deno.readTextFile(readme).catch(() => "");
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [old.indexOf(start), old.indexOf(end)];
  if (from < 0 || to < from) {
    console.error(`Bench: README.md has no ${start} … ${end} to write the table into`);
    return;
  }
  const before = old.slice(0, from + start.length);
  await Deno.writeTextFile(readme, `${before}\n\n${text}\n\n${old.slice(to)}`);
}
