// A model's graph as a picture.

import { checkOptions } from "../base/options.ts";
import { LINE_COLORS } from "../display/chart_template.ts";
import { type ChartLook, LOOK } from "../display/chart_look.ts";
import { type Chart, chartOf } from "../display/figure.ts";
import { formatCount } from "../display/number.ts";
import type { Figure } from "../display/plain_figure.ts";
import { escapePlotly } from "../display/html.ts";
import { textWidth } from "../display/text_width.ts";
import { formatOpenShape, type Layer } from "../layers/layer.ts";
import { cellOfLayer } from "../layers/recurrent.ts";
import { type Model, networkOf } from "../model/model.ts";
import type { Graph, Place } from "../model/graph.ts";
import { parametersOf } from "../model/summary.ts";
import { layoutGraph } from "./graph_layout.ts";

const SIZE = 13;
const LINE_HEIGHT = 18;
const PADDING = 10;
const BOX_HEIGHT = 2 * LINE_HEIGHT + PADDING;
const BETWEEN_LEVELS = 34;
const STEP = BOX_HEIGHT + BETWEEN_LEVELS;
const GAP = 28;
/** Around all, for the edges of boxes. */
const EDGE = 4;
const MARGIN = { l: 16, r: 16, t: 72, b: 16 };
const LEAST_WIDTH = 360;
const [RECURRENT, STATE] = LINE_COLORS as [string, string];
const PLAIN = "#808080";

/** Where a box's values come from, and which states these are, where they are states. */
interface Above {
  readonly box: number;
  readonly states: string | undefined;
}

/** A box: an input, or one use of a layer. */
interface Box {
  readonly name: string;
  readonly lines: readonly [title: string, more: string];
  readonly above: readonly Above[];
  readonly color: string;
  readonly isOutput: boolean;
}

/**
 * A model's graph as a picture: a box for each input and each use of a layer, with its shape and its
 * parameters, and a line for each value that goes from one to another; states are dashed, outputs
 * have a thick edge. Sequential models and models of any shape.
 *
 * Its size is its own, and it is a chart like any other: {@linkcode savePicture} writes it.
 *
 * @param model what `sequential`, `functional` or `loadModel` gave
 * @param look its colours, and a size larger than its own
 * @returns the picture; in a terminal the list of its layers
 * @throws {TypeError} where it is no model.
 * @throws {RangeError} where its boxes have no room in the size.
 *
 * @example Two inputs
 * ```ts
 * import { concatenate, dense, functional, input, lstm, plotModel } from "@gatescope/lstm";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const [words, numbers] = [input([8, 2]), input([3])];
 * const joined = concatenate().apply([lstm({ units: 4 }).apply(words), numbers]);
 * const model = functional([words, numbers], dense({ units: 1 }).apply(joined));
 * assertStringIncludes(String(plotModel(model)), "lstm");
 * ```
 */
export function plotModel(model: Model, look: ChartLook = {}): Chart {
  const action = "plot a model";
  checkOptions(action, look, LOOK);
  const network = networkOf(model, action);
  const boxes = boxesOf(network);
  const widths = boxes.map(({ lines: [title, more] }) =>
    Math.max(textWidth(title, SIZE, true), textWidth(more, SIZE)) + 2 * PADDING
  );
  const { boxes: places, lines, width, levels } = layoutGraph(
    boxes.map(({ above }, k) => ({ width: widths[k]!, above: above.map(({ box }) => box) })),
    GAP,
  );
  const height = levels * STEP - BETWEEN_LEVELS;
  const size = {
    width: room("width", Math.max(LEAST_WIDTH, width + 2 * EDGE), look, MARGIN.l + MARGIN.r),
    height: room("height", height + 2 * EDGE, look, MARGIN.t + MARGIN.b),
  };
  const left = (size.width - width) / 2;
  const top = (level: number) => level * STEP + (size.height - height) / 2;
  const ways = boxes.flatMap(({ above }, k) =>
    above.map(({ states }, n) => {
      const last = places[k]!.level;
      const xs = lines[k]![n]!.map((x) => x + left);
      const points = xs.flatMap((x, i) => {
        const y = top(last - xs.length + 1 + i);
        return [[x, y], [x, y + BOX_HEIGHT]] as const;
      });
      return { states, points: points.slice(1, -1) };
    })
  );
  const figure: Figure = {
    data: [
      ...[false, true].map((areStates) => ({
        name: areStates ? "states" : "values",
        mode: "lines",
        line: { color: areStates ? STATE : PLAIN, width: 1.5, dash: areStates ? "dash" : "solid" },
        hoverinfo: "skip",
        ...pathsOf(ways.filter(({ states }) => (states !== undefined) === areStates)),
      })).filter(({ x }) => x.length > 0),
      {
        name: "layers",
        mode: "markers",
        x: places.map(({ x }) => x + left),
        y: places.map(({ level }) => top(level) + BOX_HEIGHT / 2),
        text: boxes.map(({ lines }) => lines.map(escapePlotly).join("<br>")),
        hoverinfo: "text",
        marker: { opacity: 0, size: BOX_HEIGHT },
      },
    ],
    layout: {
      title: {
        text: title(network.isRow),
        subtitle: {
          text: [
            "Thick edge: output",
            ...(boxes.some(({ color }) => color === RECURRENT) ? ["blue: recurrent"] : []),
            ...(ways.some(({ states }) => states !== undefined) ? ["dashed: states"] : []),
          ].join("; "),
        },
      },
      width: size.width + MARGIN.l + MARGIN.r,
      height: size.height + MARGIN.t + MARGIN.b,
      margin: MARGIN,
      showlegend: false,
      xaxis: { visible: false, range: [0, size.width], fixedrange: true, automargin: false },
      yaxis: { visible: false, range: [size.height, 0], fixedrange: true, automargin: false },
      shapes: places.map(({ x, level }, k) => ({
        type: "rect",
        layer: "above",
        x0: x + left - widths[k]! / 2,
        x1: x + left + widths[k]! / 2,
        y0: top(level),
        y1: top(level) + BOX_HEIGHT,
        fillcolor: "#ffffff",
        line: { color: boxes[k]!.color, width: boxes[k]!.isOutput ? 3 : 1.25 },
      })),
      annotations: [
        ...places.map(({ x, level }, k) => ({
          x: x + left,
          y: top(level) + BOX_HEIGHT / 2,
          text: boxText(boxes[k]!),
          showarrow: false,
          font: { size: SIZE, color: "#222222" },
        })),
        ...ways.flatMap(({ states, points: [from, to] }) =>
          states === undefined ? [] : [{
            x: (from![0] + to![0]) / 2,
            y: (from![1] + to![1]) / 2,
            text: escapePlotly(states),
            showarrow: false,
            xanchor: "left",
            xshift: 8,
            font: { size: SIZE - 2, color: STATE },
          }]
        ),
      ],
    },
  };
  return chartOf(figure, look, action, textOf(network.isRow, boxes));
}

/** The boxes keep their size: a larger picture has more around them. */
function room(side: "width" | "height", least: number, look: ChartLook, margins: number): number {
  const asked = look[side] ?? least + margins;
  if (!(asked >= least + margins)) {
    throw new RangeError(
      `Cannot plot a model: ${side} must be a whole number of pixels from ${
        Math.ceil(least + margins)
      } on, where its boxes have their room, but it is ${asked}`,
    );
  }
  return asked - margins;
}

/** A line for each box: what it is, and what goes into it. */
function textOf(isRow: boolean, boxes: readonly Box[]): string {
  const named = ({ box, states }: Above) => boxes[box]!.name + (states ? ` (${states})` : "");
  return [
    title(isRow),
    ...boxes.map(({ lines, above, isOutput }) =>
      `- ${lines.join(" ")}` + (above.length === 0 ? "" : ` ← ${above.map(named).join(", ")}`) +
      (isOutput ? "; output" : "")
    ),
  ].join("\n");
}

function title(isRow: boolean): string {
  return `Model: ${isRow ? "sequential" : "functional"}`;
}

function boxText({ lines: [title, more] }: Box): string {
  return `<b>${escapePlotly(title)}</b><br>${escapePlotly(more)}`;
}

/** Lines as one trace, with gaps between them. */
function pathsOf(ways: readonly { readonly points: readonly (readonly [number, number])[] }[]) {
  const along = (axis: 0 | 1) =>
    ways.flatMap(({ points }) => [...points.map((p) => p[axis]), null]);
  return { x: along(0), y: along(1) };
}

/** The inputs, then the nodes in the order of computation. */
function boxesOf(graph: Graph): Box[] {
  const { inputs, nodes, layers, outputs } = graph;
  const boxOf = ([node, result]: Place) => node === -1 ? result : inputs.length + node;
  const isOutput = (node: number, result?: number) =>
    outputs.some(([n, r]) => n === node && (result === undefined || r === result));
  return [
    ...inputs.map(({ name, shape }, k): Box => ({
      name,
      lines: [name, formatOpenShape(shape)],
      above: [],
      color: PLAIN,
      isOutput: isOutput(-1, k),
    })),
    ...nodes.map((node, k): Box => {
      const { layer, weights } = layers[node.layer]!;
      const parameters = parametersOf(weights);
      const isFirst = nodes.findIndex((one) => one.layer === node.layer) === k;
      const counted = parameters === 0
        ? ""
        : isFirst
        ? ` · ${formatCount(parameters)} parameters`
        : " · the same weights";
      return {
        name: node.name,
        lines: [`${node.name} (${classOf(layer)})`, formatOpenShape(node.shapes[0]!) + counted],
        above: merged(node.inputs.map((place, n) => ({
          box: boxOf(place),
          states: stateOf(graph, place) ?? (n > 0 && layer.cells !== undefined ? "" : undefined),
        }))),
        color: layer.cells === undefined ? PLAIN : RECURRENT,
        isOutput: isOutput(k),
      };
    }),
  ];
}

/** One line from each box: its values, its states. */
function merged(above: readonly Above[]): Above[] {
  const lines: Above[] = [];
  for (const { box, states } of above) {
    const same = lines.findIndex((one) =>
      one.box === box && (one.states === undefined) === (states === undefined)
    );
    if (same < 0) lines.push({ box, states });
    else if (states) lines[same] = { box, states: `${lines[same]!.states}, ${states}` };
  }
  return lines;
}

/** `Bidirectional of LSTM`. */
function classOf({ className, wrapped }: Layer): string {
  return wrapped === undefined ? className : `${className} of ${classOf(wrapped)}`;
}

/** Which state it is; undefined of what is none. */
function stateOf({ nodes, layers }: Graph, [node, result]: Place): string | undefined {
  if (node === -1 || result === 0) return undefined;
  const { layer } = layers[nodes[node]!.layer]!;
  if (layer.cells === undefined) return undefined; // it has several results, and none is a state
  const states = cellOfLayer(layer).states.toReversed(); // Keras hands on h first
  const state = states[(result - 1) % states.length]!;
  if (layer.cells.length === 1) return state;
  return `${result <= states.length ? "forward" : "backward"} ${state}`;
}
