// All readings against the expected numbers: first a quick look at each, then a proof of those that
// come near.

import { equalPart, part, type Work } from "../../base/work.ts";
import type { Model } from "../../model/model.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { ExpectedTrace } from "../proof/expected.ts";
import { type Proof, proofWork } from "../proof/proof.ts";
import { modelOfReading } from "./reading_model.ts";
import { type Choice, choicesOf, countChoices, type Questions } from "./readings.ts";
import { Screen } from "./screen.ts";
import type { Wanted } from "./wanted.ts";

/** What is to be explained, and of what. */
export interface Case {
  readonly questions: Questions;
  readonly x: Tensor;
  readonly wanted: Wanted;
  /** The same as `prove` takes it. */
  readonly expected: ExpectedTrace;
}

/** A reading, and how it compares. */
export interface Candidate {
  readonly given: Case;
  readonly choice: Choice;
  readonly departures: number;
  /** The largest difference, relative above 1. */
  readonly difference: number;
  /** What rounding explains: of the prediction, or where it is not enough. */
  readonly bound: number;
}

/** What came of all readings. */
export interface Findings {
  readonly explaining: readonly Candidate[];
  /** The nearest ones that don't. */
  readonly others: readonly Candidate[];
  /** Whether the numbers are explained by a network that hands on nothing but 0. */
  readonly dead: boolean;
  readonly tried: number;
  /** Of how many departures from what is usual at once; infinity where all were tried. */
  readonly mostDepartures: number;
}

/** What is nearer than this is looked at closely: the fixtures' predictions are within 2e-7. */
const NEAR = 1e-3;
/** How many of those that explain nothing are told. */
const OTHERS = 5;
/** How many different results are proved, the nearest ones. */
const MOST_PROOFS = 300;
/** Multiplications that a search may cost, about: some seconds. */
const BUDGET = 4e9;

/** Readings that have the same results here: whatever explains one of them explains all. */
interface Group {
  readonly difference: number;
  readonly members: { readonly choice: Choice; readonly departures: number }[];
}

interface ProvedGroup {
  readonly group: Group;
  readonly proof: Proof;
}

/** Tries all readings of all cells that the arrays can be of. */
export function* search(cases: readonly Case[]): Work<Findings> {
  const found: Findings[] = [];
  for (const [k, one] of cases.entries()) {
    found.push(yield* equalPart(searchOne(one), k, cases.length));
  }
  const nearer = (a: Candidate, b: Candidate) => a.difference - b.difference;
  return {
    explaining: found.flatMap(({ explaining }) => explaining)
      .sort((a, b) => a.departures - b.departures || nearer(a, b)),
    others: cases.length === 1
      ? found[0]!.others
      : found.flatMap(({ others }) => others).sort(nearer).slice(0, OTHERS),
    dead: found.some(({ dead }) => dead),
    tried: found.reduce((sum, { tried }) => sum + tried, 0),
    mostDepartures: Math.min(...found.map(({ mostDepartures }) => mostDepartures)),
  };
}

/** What is done, about, when all readings have been looked at. */
const SCREENED = 0.5;

function* searchOne(given: Case): Work<Findings> {
  const { questions, x, wanted } = given;
  const screen = new Screen(questions, x, wanted);
  const mostDepartures =
    [Infinity, 4, 3, 2].find((most) => countChoices(questions, most) * screen.cost <= BUDGET) ?? 1;
  const groups = new Map<number, Group>();
  const others: (Group & { readonly fingerprint: number })[] = [];
  const count = countChoices(questions, mostDepartures);
  let tried = 0;
  for (const [choice, departures] of choicesOf(questions, mostDepartures)) {
    const most = Math.max(NEAR, others[OTHERS - 1]?.difference ?? Infinity);
    const before = tried++ / count * SCREENED;
    const run = part(screen.run(choice, most), before, before + SCREENED / count);
    const { difference, fingerprint } = yield* run;
    if (!(difference <= most)) continue;
    const member = { choice: { ...choice }, departures };
    if (difference > NEAR) {
      keepNearest(others, { difference, members: [member], fingerprint });
      continue;
    }
    const rounded = Number(fingerprint.toPrecision(11));
    const group = groups.get(rounded);
    if (group === undefined) groups.set(rounded, { difference, members: [member] });
    else group.members.push(member);
  }
  const judging = judge(given, [...groups.values()], others);
  return { ...(yield* part(judging, SCREENED, 1)), tried, mostDepartures };
}

function keepNearest<G extends Group & { readonly fingerprint: number }>(
  kept: G[],
  group: G,
): void {
  const twin = kept.find(({ fingerprint }) => fingerprint === group.fingerprint);
  if (twin !== undefined) { // the same results: the simpler reading stands for both
    if (group.members[0]!.departures < twin.members[0]!.departures) {
      kept[kept.indexOf(twin)] = group;
    }
    return;
  }
  kept.push(group);
  kept.sort((a, b) => a.difference - b.difference);
  kept.length = Math.min(kept.length, OTHERS);
}

function* judge(
  given: Case,
  groups: readonly Group[],
  others: readonly Group[],
): Work<Pick<Findings, "explaining" | "others" | "dead">> {
  const simplest = ({ members }: Group) =>
    members.reduce((a, b) => b.departures < a.departures ? b : a);
  const proofs = function* (groups: readonly Group[]): Work<ProvedGroup[]> {
    const proved: ProvedGroup[] = [];
    for (const [k, group] of groups.entries()) {
      const proof = yield* equalPart(proofOf(given, simplest(group).choice), k, groups.length);
      proved.push({ group, proof });
    }
    return proved;
  };
  const nearest = groups.toSorted((a, b) => a.difference - b.difference).slice(0, MOST_PROOFS);
  const share = nearest.length / (nearest.length + OTHERS);
  const near = yield* part(proofs(nearest), 0, share);
  const right = near.filter(({ proof }) => proof.verdict !== "mismatch");
  const wrong = near.filter(({ proof }) => proof.verdict === "mismatch");
  const candidate = (
    { choice, departures }: Group["members"][number],
    { maxAbsDiff, bound, rows }: Proof,
  ): Candidate => {
    const beyond = rows.filter((row) => row.beyond > 0).map(({ largest }) => largest.bound);
    return { given, choice, departures, difference: maxAbsDiff, bound: beyond.at(-1) ?? bound };
  };
  const explaining = right.flatMap(({ group, proof }) =>
    group.members.map((member) => candidate(member, proof))
  );
  const rest = proofs(others.slice(0, Math.max(0, OTHERS - wrong.length)));
  const farther = yield* part(rest, share, 1);
  return {
    explaining: explaining.sort((a, b) =>
      a.departures - b.departures || a.difference - b.difference
    ),
    others: [...wrong.slice(0, OTHERS), ...farther]
      .map(({ group, proof }) => candidate(simplest(group), proof)),
    dead: right.some(({ proof }) => proof.dead.length > 0),
  };
}

function proofOf(given: Case, choice: Choice): Work<Proof> {
  return proofWork(modelOf(given, choice, "as computed"), given.x, { expected: given.expected });
}

/** The model that a reading means. */
export function modelOf(
  { questions, x, wanted: { prediction } }: Case,
  choice: Choice,
  form: "Keras's" | "as computed",
): Model {
  return modelOfReading(questions, choice, {
    timesteps: x.shape[1]!,
    returnSequences: prediction?.shape.length === 3,
  }, form);
}
