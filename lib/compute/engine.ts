// The WASM module: compiled synchronously when first used, in the fastest form that this machine
// accepts. Its memory, which the arena hands out, is shared: every thread has an instance of its own.

import { INITIAL_PAGES } from "./memory_map.ts";
import { relaxedSimdBytes, simdBytes } from "./wasm_bytes.ts";

/** What WASM can address, in pages of 64 KiB. */
const PAGES = 65536;

/** The forms the fast equations come in: one rounding per multiply-and-add, or two. */
export type Build = "relaxed-simd" | "simd";

/** A function of so many numbers. */
type Numeric<Count extends number, Given extends number[] = []> = Given["length"] extends Count
  ? (...given: Given) => void
  : Numeric<Count, [...Given, number]>;

/** What assembly/index.ts exports. Addresses are bytes in `memory`. */
export interface Engine {
  readonly memory: WebAssembly.Memory;
  readonly table: WebAssembly.Table;
  readonly PLAN_BYTES: { readonly value: number };
  readonly FREE_FROM: { readonly value: number };
  readonly forward: (firstPlan: number, count: number) => void;
  readonly gatedBackward: (plan: number) => void;
  readonly denseBackward: (plan: number) => void;
  readonly pool: (plan: number) => void;
  readonly poolBackward: (plan: number) => void;
  readonly adamStep: Numeric<9>;
  readonly addArray: Numeric<3>;
  readonly activateArray: Numeric<5>;
  readonly slopeArray: Numeric<5>;
  readonly packPanels: Numeric<7>;
  readonly packPanelsTransposed: Numeric<6>;
  readonly unpackPanels: Numeric<6>;
  readonly peak: (rounds: number) => number;
  /** Where the table has the wide tiles that products use, 0: none (wide.ts). */
  readonly wide: { value: number };
  readonly trial: (products: number, zeros: number) => void;
}

/**
 * The form that runs here; undefined where the machine has no SIMD, and the readable equations
 * must do.
 */
export function availableBuild(): Build | undefined {
  available ??= validates(relaxedSimdBytes)
    ? "relaxed-simd"
    : validates(simdBytes)
    ? "simd"
    : "none";
  return available === "none" ? undefined : available;
}
let available: Build | "none" | undefined;

function validates(base64: string): boolean {
  return WebAssembly.validate(bytesOf(base64));
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  // Node has the first one since 25, Chrome since 140.
  return typeof Uint8Array.fromBase64 === "function"
    ? Uint8Array.fromBase64(base64)
    : Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/** The module of that form; each thread instantiates it over the same memory. */
export function moduleOf(build: Build): WebAssembly.Module {
  return new WebAssembly.Module(bytesOf(build === "simd" ? simdBytes : relaxedSimdBytes));
}

/** A new instance, with a memory of its own. */
export function instantiate(build: Build): Engine {
  const memory = sharedMemory();
  const { exports } = new WebAssembly.Instance(moduleOf(build), { env: { memory } });
  return { ...exports, memory } as unknown as Engine;
}

/** The first pages, which may grow as far as this machine lets it: its addresses are reserved at once. */
function sharedMemory(): WebAssembly.Memory {
  for (let maximum = PAGES;; maximum /= 2) {
    try {
      return new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum, shared: true });
    } catch (error) {
      if (maximum <= INITIAL_PAGES) throw error;
    }
  }
}
