/** What somebody may call a layer who wants out of a C file, a CSV row or a Python file. */
export const HOSTILE_NAMES: readonly string[] = [
  '*/ #include "/etc/passwd" /*',
  "// one\n#error two",
  "quote \" and \\ and ' and %s %n",
  "trigraph ??/\n#error ??=define",
  "line\u2028separator\u0085and\u202ebidi",
  "for",
  "main",
  "s->x[0]); } int main(void) { return 1; }",
  '"""\nimport os\n"""',
  "größe, \u0000 and 😀 and \ud800",
  "a\\",
  "",
  "x",
  `${"long_".repeat(60)}1`,
];
