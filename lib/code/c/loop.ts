// A recurrent layer in a model that needs the whole sequence: one step after the other.

import { lengthOf, type Loop, placeOf, type Recorded } from "../recorded.ts";
import type { Access, Lines } from "./access.ts";

/**
 * A cell over all timesteps, from zeros.
 *
 * @param arrayOf makes an array of a state's size: its name
 */
export function loopLines(
  value: Recorded,
  op: Loop,
  name: string,
  access: Access,
  arrayOf: (state: Recorded) => string,
): Lines {
  const [batch, timesteps, size] = op.x.shape as [number, number, number];
  const units = value.shape.at(-1)!;
  const states = op.step.states.map((state) => ({
    own: arrayOf(state),
    length: lengthOf(state),
  }));
  const shown = op.step.after.indexOf(placeOf(op.step.output!).root);
  const { own } = states[shown]!;
  const start = (first: string, stride: number, index: string) =>
    batch === 1
      ? `${first} + ${index} * ${stride}`
      : `${first} + (n * ${timesteps} + ${index}) * ${stride}`;
  const x = start(access.base(op.x), size, "t");
  const given = states.map(({ own }) => own).join(", ");
  const loop = [
    ...states.map(({ own, length }) => `for (int k = 0; k < ${length}; k++) ${own}[k] = 0.0f;`),
    `for (int j = 0; j < ${timesteps}; j++) {`,
    `  const int t = ${op.backwards ? `${timesteps - 1} - j` : "j"};`,
    ...access.parts.time("t").map((line) => `  ${line}`),
    `  ${access.parts.nameOf(op.step)}(${x}, ${given});`,
    ...(op.sequence
      ? [
        `  for (int k = 0; k < ${units}; k++) ${name}[${
          batch === 1 ? "j" : `(n * ${timesteps} + j)`
        } * ${units} + k] = ${own}[k];`,
      ]
      : []),
    `}`,
    ...(op.sequence ? [] : [
      `for (int k = 0; k < ${units}; k++) ${name}[${
        batch === 1 ? "k" : `n * ${units} + k`
      }] = ${own}[k];`,
    ]),
  ];
  return {
    multiplyAdds: batch * timesteps * access.parts.multiplyAddsOf(op.step),
    lines: batch === 1
      ? loop
      : [`for (int n = 0; n < ${batch}; n++) {`, ...loop.map((line) => `  ${line}`), `}`],
  };
}
