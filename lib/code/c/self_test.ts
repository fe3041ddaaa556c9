// The proof that goes along with a C file: inputs, what each value inside should be, and how far
// rounding may move it. `-DNAME_TEST` compares, `-DNAME_TRACE` prints what this machine computes.

import { printedName } from "../../insight/proof/expected.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ExpectedSite } from "../expected_run.ts";
import type { Program } from "../program.ts";
import { TRACE_COLUMNS } from "../trace_columns.ts";
import type { CTest } from "./file.ts";
import { doubleText, floatText, listText } from "./literals.ts";
import { stringText } from "./names.ts";
import type { CFileParts } from "./parts.ts";

/** The test of a program. */
export function selfTestOf(
  program: Program,
  x: Tensor,
  sites: readonly ExpectedSite[],
): CTest {
  const siteAt = (layer: string, site: string) =>
    sites.find((one) => one.layer === layer && one.site === site);
  return {
    isPoint: (layer, site) => siteAt(layer, site) !== undefined,
    before: ({ prefix, points }) => before(prefix, points.map(({ name }) => name)),
    after: (parts) =>
      after(parts, program, x, parts.points.map(({ layer, site }) => siteAt(layer, site)!)),
  };
}

function before(prefix: string, points: readonly string[]): string {
  const upper = prefix.toUpperCase();
  return [
    `/* Where the self-test looks: cc -D${upper}_TEST compares, cc -D${upper}_TRACE prints. */`,
    `#if defined(${upper}_TEST) || defined(${upper}_TRACE)`,
    `#include <stdio.h>`,
    `enum {\n${points.map((name) => `  ${name},`).join("\n")}\n};`,
    `static int ${prefix}_time;`,
    `static void ${prefix}_at(int point, const float *values);`,
    `#define ${upper}_AT(point, values) ${prefix}_at(point, values)`,
    `#define ${upper}_TIME(t) ${prefix}_time = (t)`,
    `#else`,
    `#define ${upper}_AT(point, values) ((void)0)`,
    `#define ${upper}_TIME(t) ((void)0)`,
    `#endif`,
  ].join("\n");
}

function after(
  { prefix: P }: CFileParts,
  program: Program,
  x: Tensor,
  sites: readonly ExpectedSite[],
): string {
  const upper = P.toUpperCase();
  const [samples, timesteps] = x.shape as [number, number];
  const each = x.data.length / samples;
  const calls = program.along.values.flatMap(({ op, site }) =>
    op.kind === "call" && site !== undefined ? [site.layer] : []
  );
  /** Whether it is looked at once a sample, not once a timestep. */
  const isWhole = ({ layer, site, timesteps }: ExpectedSite) =>
    timesteps === 0 ||
    (site === "prediction"
      ? !program.isSequence
      : site === "output" && !(program.goesAlong && calls.includes(layer)));
  const judged = sites.map((site) => judgedOf(site, samples));
  let first = 0;
  const rows = sites.map((site, k) => {
    const { start, stop } = judged[k]!;
    const row = `  { ${stringText(csvText(site.layer))}, ${stringText(csvText(site.site))}, ` +
      `${site.timesteps}, ${site.units}, ${isWhole(site) ? 1 : 0}, ${start}, ${stop}, ${first} },`;
    first += samples * (stop - start);
    return row;
  });
  /** The numbers that are judged, sample by sample. */
  const all = (of: (site: ExpectedSite) => Float64Array, text: (x: number) => string) =>
    first === 0 ? "  0" : listText(sites.flatMap((site, k) => {
      const { start, stop } = judged[k]!;
      const each = site.values.length / samples;
      return Array.from(
        { length: samples },
        (_, n) => [...of(site).subarray(n * each + start, n * each + stop)].map(text),
      ).flat();
    }));
  const element = program.takesWords ? "int" : "float";
  const inputs = program.takesWords ? [...x.data].map(String) : [...x.data].map(floatText);
  const outputs = program.outputSize * (program.isSequence ? timesteps : 1);
  const predict = `${P}_predict(${
    program.goesAlong && program.timesteps === null ? `${timesteps}, ` : ""
  }x, y);`;
  return `#if defined(${upper}_TEST) || defined(${upper}_TRACE)
/* What is looked at: so many numbers at so many timesteps (0: no sequence), at once or one by one. */
static const struct {
  const char *layer;
  const char *site;
  int timesteps;
  int units;
  int is_whole;
  int start; /* of a sample's numbers, those from here */
  int stop;  /* to here are compared */
  int first; /* with those from here */
} ${P}_points[${sites.length}] = {
${rows.join("\n")}
};

static const ${element} ${P}_inputs[${inputs.length}] = {
${listText(inputs)}
};

static int ${P}_sample;
static int ${P}_is_quiet; /* while the same values are computed again */

#ifdef ${upper}_TRACE

static void ${P}_at(int point, const float *values) {
  const int units = ${P}_points[point].units, timesteps = ${P}_points[point].timesteps;
  const int count = ${P}_points[point].is_whole && timesteps > 0 ? timesteps * units : units;
  for (int k = 0; k < count && !${P}_is_quiet; k++) {
    printf("%d,%s,%s,", ${P}_sample, ${P}_points[point].layer, ${P}_points[point].site);
    if (timesteps > 0) printf("%d", ${P}_points[point].is_whole ? k / units : ${P}_time);
    printf(",%d,%.9g\\n", k % units, (double)values[k]);
  }
}

#else

/* By the equations in float64. */
static const double ${P}_expected[${Math.max(1, first)}] = {
${all(({ values }) => values, doubleText)}
};

/* How far rounding in float may move each; below 0: so far that nothing can be told. */
static const float ${P}_bounds[${Math.max(1, first)}] = {
${all(({ bounds }) => bounds, boundText)}
};

static int ${P}_compared, ${P}_rounded, ${P}_beyond, ${P}_left;
static double ${P}_largest;

static void ${P}_at(int point, const float *values) {
  const int units = ${P}_points[point].units, timesteps = ${P}_points[point].timesteps;
  const int is_whole = ${P}_points[point].is_whole;
  const int count = is_whole && timesteps > 0 ? timesteps * units : units;
  const int before = is_whole ? 0 : ${P}_time * units; /* of its sample's numbers */
  const int start = ${P}_points[point].start, stop = ${P}_points[point].stop;
  for (int k = 0; k < count && !${P}_is_quiet; k++) {
    const int at = ${P}_points[point].first + ${P}_sample * (stop - start) + before + k - start;
    const int is_judged = before + k >= start && before + k < stop && ${P}_bounds[at] >= 0.0f;
    const double expected = is_judged ? ${P}_expected[at] : 0.0;
    const double bound = is_judged ? (double)${P}_bounds[at] : 0.0;
    const double difference = fabs((double)values[k] - expected);
    if (!is_judged) {
      ${P}_left++;
      continue;
    }
    ${P}_compared++;
    if (difference <= bound) {
      if (difference > ${P}_largest) ${P}_largest = difference;
      if (values[k] < (float)expected || values[k] > (float)expected) ${P}_rounded++;
      continue;
    }
    if (${P}_beyond++ > 0) continue;
    printf("broken: %s, %s", ${P}_points[point].layer, ${P}_points[point].site);
    if (timesteps > 0) printf(", timestep %d", is_whole ? k / units : ${P}_time);
    printf(", unit %d of sample %d is %.9g, but %.9g is expected: rounding explains %.3g\\n",
      k % units, ${P}_sample, (double)values[k], expected, bound);
  }
}

#endif

int main(void) {
  static float y[${outputs}];
#ifdef ${upper}_TRACE
  printf("${TRACE_COLUMNS}\\n");
#else
  int parted = 0;
#endif
  for (int n = 0; n < ${samples}; n++) {
    const ${element} *x = ${P}_inputs + n * ${each};
    ${P}_sample = n;
    ${predict}
${program.goesAlong ? streaming(P, program, timesteps, element) : ""}  }
#ifdef ${upper}_TRACE
  return 0;
#else
  if (${P}_beyond > 0) {
    printf("broken: %d of %d numbers are beyond rounding\\n", ${P}_beyond, ${P}_compared);
  } else if (parted > 0) {
    printf("broken: step by step, %d outputs are others than of the whole sequence\\n", parted);
  } else {
    printf("%s: %d numbers, the largest difference is %.3g",
      ${P}_rounded > 0 ? "rounding" : "equal", ${P}_compared, ${P}_largest);
    if (${P}_left > 0) printf("; %d are left out, rounding may move them far", ${P}_left);
    printf("\\n");
  }
  return ${P}_beyond > 0 || parted > 0;
#endif
}
#endif
`;
}

/** Step by step, the outputs are the same to the bit. */
function streaming(P: string, program: Program, timesteps: number, element: string): string {
  const upper = P.toUpperCase();
  const { inputSize, outputSize, isSequence, states } = program;
  const hasState = states.length > 0;
  return `#ifndef ${upper}_TRACE
    {
${hasState ? `      ${P}_state s;\n` : ""}      float z[${outputSize}];
      const ${element} *one = x;
      ${P}_is_quiet = 1;
${
    hasState
      ? `      ${P}_init(&s);\n`
      : ""
  }      for (int t = 0; t < ${timesteps}; t++, one += ${inputSize}) {
        const unsigned char *a = (const unsigned char *)z;
        const unsigned char *b = (const unsigned char *)(y${
    isSequence ? ` + t * ${outputSize}` : ""
  });
        ${P}_step(${hasState ? "&s, " : ""}one, z);
        for (int k = 0; k < ${4 * outputSize}${
    isSequence ? "" : ` && t == ${timesteps - 1}`
  }; k++) parted += a[k] != b[k];
      }
      ${P}_is_quiet = 0;
    }
#endif
`;
}

/** A name as a field of a CSV row (RFC 4180). */
function csvText(text: string): string {
  const whole = printedName(text);
  return /[",\r\n]/.test(whole) ? `"${whole.replaceAll('"', '""')}"` : whole;
}

/** Of a sample's numbers, those from the first to the last that rounding does not move too far. */
function judgedOf({ bounds }: ExpectedSite, samples: number) {
  const each = bounds.length / samples;
  let [start, stop] = [each, 0];
  bounds.forEach((bound, k) => {
    if (bound < 0) return;
    start = Math.min(start, k % each);
    stop = Math.max(stop, k % each + 1);
  });
  return { start: Math.min(start, stop), stop };
}

/** Never below the bound. */
function boundText(bound: number): string {
  if (bound < 0) return "-1.0f";
  const above = Number((bound * (1 + 2 ** -10)).toPrecision(4));
  return floatText(above > bound ? above : bound * (1 + 2 ** -20));
}
