// Writing at the named sites: gates and states held, scaled, frozen or taken out.

import { amongNames, either } from "../base/names.ts";
import { kindOf } from "../base/kind.ts";
import { unknownKey } from "../base/options.ts";
import { chooseLstm, type LstmChoice } from "../cells/choose_lstm.ts";
import type { SiteListener, SiteName, SiteVisit } from "../cells/sites.ts";
import type { SiteListeners } from "../layers/layer.ts";
import { indexAt, indices } from "../tensor/indices.ts";
import { formatShape, sameShape } from "../tensor/shape.ts";
import { asFloat64, Tensor, type TensorLike } from "../tensor/tensor.ts";
import type { LstmPlace } from "./places.ts";

/** Where an intervention writes; -1 is the last one, as in `at(-1)`. Default: everywhere. */
export interface InterventionPlace {
  /** Which recurrent layer, by its place in `trace.layers` or its name; to be said where there are several. */
  readonly layer?: LstmChoice | undefined;
  /** Which unit, or units. */
  readonly unit?: number | readonly number[] | undefined;
  /** Which timestep of the input, or timesteps. */
  readonly timestep?: number | readonly number[] | undefined;
  /**
   * Which sample, or samples. Inside of TimeDistributed, as in the trace: a layer there gets each
   * outer timestep s of sample n as its sample n·steps + s.
   */
  readonly sample?: number | readonly number[] | undefined;
}

/**
 * One change inside a run: a verb with the value it is done to, and where.
 *
 * - `{ ablate: "gates.forget", unit: 5 }`: it is 0
 * - `{ set: "gates.forget", to: 1 }`: it is that number, or the element of a tensor whose shape is
 *   the tail of `[batch, timesteps, units]`: another run's `gates.forget`, for example
 * - `{ scale: "cellState", by: 0.5 }`: it is multiplied by that
 * - `{ freeze: "gates.input", timestep: [3, 4] }`: it stays as it was in the step before;
 *   `{ freeze: "gates.input", at: 2 }`: as in timestep 2, in all steps computed after it
 */
export type Intervention =
  & InterventionPlace
  & (
    | { readonly ablate: SiteName }
    | { readonly set: SiteName; readonly to: TensorLike }
    | { readonly scale: SiteName; readonly by: TensorLike }
    | { readonly freeze: SiteName; readonly at?: number }
  );

/** An intervention with its places looked up. */
interface Prepared {
  readonly place: LstmPlace;
  readonly site: SiteName;
  readonly units: readonly number[];
  readonly samples: readonly number[];
  readonly timesteps: ReadonlySet<number>;
  /** The new value of one element. */
  readonly replace: (visit: SiteVisit) => (value: number, sample: number, unit: number) => number;
}

/** The verbs, and the option that each takes besides its place. */
const verbs = { ablate: undefined, set: "to", scale: "by", freeze: "at" } as const;
type Verb = keyof typeof verbs;

/**
 * The listeners that carry out interventions, by the names of the recurrent layers.
 *
 * @param interventions in order: one at the same place goes on from what the one before left
 * @throws {RangeError} where a unit, timestep, sample, layer or site is not there.
 * @throws {TypeError} where an intervention has no verb or a value's shape does not fit.
 */
export function interventionListeners(
  interventions: readonly Intervention[],
  places: readonly LstmPlace[],
): SiteListeners {
  if (!Array.isArray(interventions)) {
    throw new TypeError(
      `Cannot intervene: interventions must be a list, but ${kindOf(interventions)} was given`,
    );
  }
  const prepared = interventions.map((intervention) => prepare(intervention, places));
  const listeners = new Map<string, SiteListener>();
  for (const place of places) {
    const own = prepared.filter((one) => one.place === place);
    if (own.length === 0) continue;
    listeners.set(
      place.name,
      (value, visit) => own.reduce((changed, one) => carryOut(one, changed, visit), value),
    );
  }
  return listeners;
}

function carryOut(one: Prepared, value: Tensor, visit: SiteVisit): Tensor {
  if (one.site !== visit.site || !one.timesteps.has(visit.timestep)) return value;
  const data = Float64Array.from(value.data);
  const units = value.shape[1]!;
  const replace = one.replace(visit);
  for (const sample of one.samples) {
    for (const unit of one.units) {
      const k = sample * units + unit;
      data[k] = replace(data[k]!, sample, unit);
    }
  }
  return new Tensor(data, value.shape);
}

function prepare(intervention: Intervention, places: readonly LstmPlace[]): Prepared {
  const { verb, site } = checkVerb(intervention);
  const place = chooseLstm(places, intervention.layer, verb);
  if (!place.sites.includes(site)) {
    throw new RangeError(
      `Cannot ${verb}: the site must be one of ${place.name}, ${amongNames(site, place.sites)}`,
    );
  }
  const { unit, timestep, sample } = intervention;
  const found = {
    place,
    site,
    units: indices(unit, place.units, { action: verb, owner: place.name, name: "unit" }),
    samples: indices(sample, place.samples, { action: verb, owner: place.name, name: "sample" }),
    timesteps: new Set(
      indices(timestep, place.timesteps, { action: verb, owner: place.name, name: "timestep" }),
    ),
  };
  if ("freeze" in intervention) return { ...found, replace: freeze(intervention, place) };
  if ("ablate" in intervention) return { ...found, replace: () => () => 0 };
  const value = "set" in intervention
    ? valueOf(intervention.to, "to", "set", place)
    : valueOf(intervention.by, "by", "scale", place);
  const replace = "set" in intervention
    ? ({ timestep: t }: SiteVisit) => (_: number, n: number, u: number) => value(n, t, u)
    : ({ timestep: t }: SiteVisit) => (x: number, n: number, u: number) => x * value(n, t, u);
  return { ...found, replace };
}

function freeze(
  { at, timestep }: Intervention & { readonly at?: number },
  { name: owner, timesteps: length, units }: LstmPlace,
): Prepared["replace"] {
  const held = at === undefined
    ? undefined
    : indexAt(at, length, { action: "freeze", owner, name: "timestep", option: "at" });
  return ({ site, timestep: t, before, after }: SiteVisit) => {
    const source = held === undefined ? before : after(held);
    if (source === undefined) {
      // Of all timesteps, those that nothing comes before are left as they are.
      if (timestep === undefined) return (value: number) => value;
      throw new RangeError(
        `Cannot freeze ${site} of timestep ${t}: ` +
          (held === undefined
            ? `a step must come before it, but this one is computed first`
            : `it must be computed after the one that holds it, but at is ${held}`),
      );
    }
    return (_: number, n: number, u: number) => source.data[n * units + u]!;
  };
}

/** The number for a sample, timestep and unit. */
function valueOf(
  value: TensorLike,
  name: string,
  verb: string,
  { samples, timesteps, units }: LstmPlace,
): (sample: number, timestep: number, unit: number) => number {
  if (value === undefined) {
    throw new TypeError(`Cannot ${verb}: \`${name}\` must say to what, but it is undefined`);
  }
  const { data, shape } = asFloat64(value);
  const whole = [samples, timesteps, units];
  if (!sameShape(shape, whole.slice(3 - shape.length)) || shape.length > 3) {
    throw new TypeError(
      `Cannot ${verb}: \`${name}\` must be a number or the tail of [batch, timesteps, units], ` +
        `${formatShape(whole)} here, but the shape is ${formatShape(shape)}`,
    );
  }
  return (n, t, u) => data[((n * timesteps + t) * units + u) % data.length]!;
}

function checkVerb(intervention: Intervention): { verb: Verb; site: SiteName } {
  const given = typeof intervention === "object" && intervention !== null
    ? Object.keys(intervention)
    : [];
  const found = given.filter((key) => Object.hasOwn(verbs, key)) as Verb[];
  const verb = found[0];
  if (verb === undefined || found.length > 1) {
    throw new TypeError(
      `Cannot intervene: each intervention has one verb, ${either(Object.keys(verbs))}, ` +
        `but ${given.length === 0 ? kindOf(intervention) : `{ ${given.join(", ")} }`} was given`,
    );
  }
  const known = [verb, "layer", "unit", "timestep", "sample", ...[verbs[verb] ?? []].flat()];
  const unknown = given.find((key) => !known.includes(key));
  if (unknown !== undefined) throw unknownKey(verb, "an intervention's keys", unknown, known);
  return { verb, site: (intervention as { readonly [key in Verb]?: SiteName })[verb]! };
}
