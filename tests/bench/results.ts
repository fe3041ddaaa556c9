// Where the measurements stand: the tables in RESULTS.md, a line for each shape in the README.

const RESULTS = new URL("RESULTS.md", import.meta.url);
const README = new URL("../../README.md", import.meta.url);

const SHAPES: Readonly<Record<string, string>> = {
  S0: "LSTM(8), 3 timesteps, 1 sample",
  S1: "LSTM(256), 100 timesteps, 1 sample",
  S2: "LSTM(256), 100 timesteps, 64 samples",
  S3: "LSTM(64), 1000 timesteps, 1 sample",
  T0: "a training step of LSTM(128), 50 timesteps, 32 samples",
};
const PEERS: Readonly<Record<string, RegExp>> = {
  "onnxruntime-node": /^onnxruntime-node/,
  "TF.js (WASM)": /^TF\.js .* wasm$/,
  PyTorch: /^PyTorch/,
};

/** Writes the tables, and what the README says of them. */
export async function writeResults(tables: string): Promise<void> {
  await writeBetweenMarkers(RESULTS, "bench", tables);
  await writeBetweenMarkers(README, "speed", speedLines(tables));
}

/** The README's lines: Gatescope's median, and how many times as long each of the others takes. */
export function speedLines(tables: string): string {
  const [header = [], , ...rows] = tables.trim().split("\n\n")[0]!.split("\n")
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  return Object.entries(SHAPES).map(([shape, what]) => {
    const column = header.findIndex((name) => name.startsWith(`${shape} `));
    const unit = header[column]!.slice(shape.length + 1);
    const own = rows[0]![column]!.split(" / ")[1]!;
    const others = Object.entries(PEERS).flatMap(([name, row]) => {
      const cell = rows.find(([peer]) => row.test(peer!))?.[column] ?? "";
      const [, ratio] = /\(([\d.]+×)\)/.exec(cell) ?? [];
      return ratio === undefined ? [] : [`${name} ${ratio}`];
    });
    return `- ${what}: ${own} ${unit}; ${others.join(", ")}`;
  }).join("\n");
}

/** What stands between `<!-- name -->` and `<!-- /name -->`, replaced. */
async function writeBetweenMarkers(file: URL, name: string, text: string): Promise<void> {
  const old = await Deno.readTextFile(file);
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [old.indexOf(start), old.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} has no ${start} … ${end} to write into`);
  const before = old.slice(0, from + start.length);
  await Deno.writeTextFile(file, `${before}\n\n${text}\n\n${old.slice(to)}`);
}
