// One library in one process: it answers lines of JSON, so that all can take turns.

import { type Arrays, readArrays, type Shape, shapes } from "./shapes.ts";

/** A prediction, or one training step whose result is its loss. */
export type Run = () => Float32Array | number | Promise<Float32Array | number>;

/** Makes a shape ready; undefined where the library has no such thing. */
export type Prepare = (shape: Shape, arrays: Arrays) => Promise<Run | undefined> | Run | undefined;

/** What is said on a line. */
export interface Question {
  readonly do: "prepare" | "time" | "stop";
  readonly shape: string;
  readonly milliseconds?: number;
}

/** No sample is shorter than this many milliseconds: the clock would tell more than the library. */
const SAMPLE = 0.2;

/** Samples for that long, microseconds a run. */
export async function time(run: Run, milliseconds: number): Promise<number[]> {
  const samples: number[] = [];
  let repeats = 1;
  const end = performance.now() + milliseconds;
  do {
    const start = performance.now();
    for (let k = 0; k < repeats; k++) {
      const result = run();
      if (result instanceof Promise) await result;
    }
    const spent = performance.now() - start;
    if (spent < SAMPLE) repeats *= 2;
    else samples.push(spent / repeats * 1000);
  } while (performance.now() < end);
  return samples;
}

/** Answers until told to stop. */
export async function servePeer(prepare: Prepare): Promise<void> {
  const folder = Deno.args[0]!;
  const runs = new Map<string, Run>();
  const answer = async ({ do: what, shape: name, milliseconds = 0 }: Question) => {
    const shape = shapes.find((shape) => shape.name === name)!;
    if (what === "prepare") {
      const run = await prepare(shape, readArrays(folder, shape));
      if (run === undefined) return {};
      runs.set(name, run);
      const results = [];
      for (let k = 0; k < (shape.trains ? 3 : 1); k++) {
        const result = await run();
        results.push(...(typeof result === "number" ? [result] : result));
      }
      return { results };
    }
    return { samples: await time(runs.get(name)!, milliseconds) };
  };
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
  let rest = "";
  for await (const text of lines) {
    rest += text;
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      const question: Question = JSON.parse(rest.slice(0, end));
      rest = rest.slice(end + 1);
      if (question.do === "stop") Deno.exit(0);
      const said = await answer(question).catch((error) => ({ error: String(error) }));
      // Libraries print what they like; this line is ours.
      console.log(`@@${JSON.stringify(said)}`);
    }
  }
}
