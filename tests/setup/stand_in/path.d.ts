// Types of the stand-in for @std/path (see ../stand_in.ts): what the package's mod exports, and no
// more; `@std/path/posix` and `@std/path/windows` export the same names.

/** A path taken apart by {@linkcode parse}, put together by {@linkcode format}. */
export interface ParsedPath {
  root: string;
  dir: string;
  base: string;
  ext: string;
  name: string;
}
export interface GlobOptions {
  extended?: boolean;
  globstar?: boolean;
  caseInsensitive?: boolean;
}
export type GlobToRegExpOptions = GlobOptions;

export const DELIMITER: ":" | ";";
export const SEPARATOR: "/" | "\\";
export const SEPARATOR_PATTERN: RegExp;

export function basename(path: string | URL, suffix?: string): string;
export function common(paths: string[]): string;
export function dirname(path: string | URL): string;
export function extname(path: string | URL): string;
export function format(pathObject: Partial<ParsedPath>): string;
export function parse(path: string): ParsedPath;

export function fromFileUrl(url: string | URL): string;
export function toFileUrl(path: string): URL;

export function isAbsolute(path: string): boolean;
export function join(path: string | URL, ...paths: string[]): string;
export function normalize(path: string | URL): string;
export function relative(from: string, to: string): string;
export function resolve(...pathSegments: string[]): string;
export function toNamespacedPath(path: string): string;

export function globToRegExp(glob: string, options?: GlobToRegExpOptions): RegExp;
export function isGlob(str: string): boolean;
export function joinGlobs(globs: string[], options?: GlobOptions): string;
export function normalizeGlob(glob: string, options?: GlobOptions): string;
