// One worker: it has an instance over the memory that all threads share, and makes one call at a time.
// Who waits for whom is a single number, STATE.

import type { Engine } from "./engine.ts";

/** What threads do at the same time: each writes where no other one reads or writes. */
export interface Call {
  readonly name: "forward" | "gatedBackward" | "denseBackward";
  /** A plan's address, and how many follow. */
  readonly plan: number;
  readonly count: number;
}

/** Makes a call in this thread. */
export function make({ name, plan, count }: Call, engine: Engine): void {
  if (name === "forward") engine.forward(plan, count);
  else engine[name](plan);
}

const STATE = 0;
/** How often the worker woke. */
const WAKES = 1;
const NAME = 2;
const PLAN = 3;
const COUNT = 4;
/** Whether it uses its wide tiles. */
const WIDE = 5;

const STARTING = 0;
const IDLE = 1;
/** A call waits for the worker, which may still be taken back. */
const POSTED = 2;
const RUNNING = 3;
const FAILED = 4;
const ENDED = 5;

const NAMES = ["forward", "gatedBackward", "denseBackward"] as const;

/** The worker's whole program: as text, since a file or an address would need permission to be read. */
const PROGRAM = `
onerror = (event) => event.preventDefault();
onmessage = ({ data: { module, wide, memory, control } }) => {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const tiles = wide ? Object.values(new WebAssembly.Instance(wide, { env: { memory } }).exports) : [];
  const slot = exports.table.grow(tiles.length);
  tiles.forEach((tile, k) => exports.table.set(slot + k, tile));
  const turn = (from, to) => {
    Atomics.compareExchange(control, ${STATE}, from, to); // unless it was ended
    Atomics.notify(control, ${STATE});
  };
  turn(${STARTING}, ${IDLE});
  for (;;) {
    const state = Atomics.compareExchange(control, ${STATE}, ${POSTED}, ${RUNNING});
    if (state === ${ENDED}) return close();
    if (state === ${POSTED}) {
      try {
        exports.wide.value = control[${WIDE}] ? slot : 0;
        const name = ${JSON.stringify(NAMES)}[control[${NAME}]];
        exports[name](control[${PLAN}], control[${COUNT}]);
        turn(${RUNNING}, ${IDLE});
      } catch {
        turn(${RUNNING}, ${FAILED});
        return close();
      }
    } else {
      Atomics.wait(control, ${STATE}, state);
      Atomics.add(control, ${WAKES}, 1);
    }
  }
};
`;

/** A worker that sleeps through so many milliseconds of calls is dead: a busy machine wakes it sooner. */
const SLEEP_MS = 1000;

/** What a worker instantiates. */
interface Instances {
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
  /** The wide tiles at this thread's own addresses, where there are some. */
  readonly wide: WebAssembly.Module | undefined;
}

/** A worker as the main thread sees it. */
export class Thread {
  readonly #worker: Worker;
  readonly #control = new Int32Array(new SharedArrayBuffer(64));
  /** When a call was taken back first, and how often the worker had woken until then. */
  #missed: { readonly at: number; readonly wakes: number } | undefined;

  /** @throws {Error} where no worker can be started. */
  constructor(instances: Instances) {
    const address = `data:text/javascript,${encodeURIComponent(PROGRAM)}`;
    this.#worker = new Worker(address, { type: "module", name: "@gatescope/lstm" });
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#turn(FAILED);
    };
    this.#worker.postMessage({ ...instances, control: this.#control });
  }

  /** Waits until it can take calls; whether it can. */
  waitForStart(milliseconds: number): boolean {
    Atomics.wait(this.#control, STATE, STARTING, milliseconds);
    return this.#state === IDLE;
  }

  /** Whether it will never take a call again. */
  get isLost(): boolean {
    if (this.#state === FAILED) return true;
    const missed = this.#missed;
    return missed !== undefined && performance.now() - missed.at > SLEEP_MS &&
      missed.wakes === Atomics.load(this.#control, WAKES);
  }

  /** Asks for a call; false where it is not ready for one. */
  post({ name, plan, count }: Call, wide: boolean): boolean {
    if (this.#state !== IDLE) return false;
    const control = this.#control;
    [control[NAME], control[PLAN], control[COUNT]] = [NAMES.indexOf(name), plan, count];
    control[WIDE] = Number(wide);
    this.#turn(POSTED);
    return true;
  }

  /** Takes a call back; whether the worker had not begun it. */
  takeBack(): boolean {
    const state = Atomics.compareExchange(this.#control, STATE, POSTED, IDLE);
    if (state !== POSTED) {
      this.#missed = undefined;
      return false;
    }
    const wakes = Atomics.load(this.#control, WAKES);
    if (this.#missed?.wakes !== wakes) this.#missed = { at: performance.now(), wakes };
    return true;
  }

  /**
   * Waits until it computes nothing; whether that came in time. Where its last caller was cut off (the
   * Deno kernel's Stop), it may still compute.
   */
  isQuiet(milliseconds: number): boolean {
    Atomics.compareExchange(this.#control, STATE, POSTED, IDLE);
    return this.finished(milliseconds) || this.#state !== RUNNING;
  }

  /** Waits until its call is made; whether it was, in that time. */
  finished(milliseconds: number): boolean {
    const end = performance.now() + milliseconds;
    for (let left = milliseconds; this.#state === RUNNING && left > 0;) {
      Atomics.wait(this.#control, STATE, RUNNING, left);
      left = end - performance.now();
    }
    return this.#state === IDLE;
  }

  /** Ends the worker. */
  end(): void {
    this.#turn(ENDED);
    this.#worker.terminate();
  }

  get #state(): number {
    return Atomics.load(this.#control, STATE);
  }

  #turn(state: number): void {
    Atomics.store(this.#control, STATE, state);
    Atomics.notify(this.#control, STATE);
  }
}
