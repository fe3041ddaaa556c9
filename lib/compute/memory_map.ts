// What lies in WASM's memory below what the arena hands out; `deno task build:compute` builds it in.

/** How many threads have a place each for what the wide tiles keep at fixed addresses. */
export const MOST_THREADS = 16;
/** How large such a place is. */
export const SCRATCH_BYTES = 8192;
/** Another such place, of zeros: what tiles are timed on. */
export const ZEROS: number = MOST_THREADS * SCRATCH_BYTES;
/** Where the constants begin, which end before the initial pages do. */
export const CONSTANTS: number = ZEROS + SCRATCH_BYTES;
/** How many pages of 64 KiB the memory begins with. */
export const INITIAL_PAGES = 3;
