// Where a cell's syntax is wrong: the Deno kernel only says that it is.

import { stripVTControlCharacters } from "node:util";

/**
 * The parser's message, with the place, or undefined where the syntax is right.
 *
 * For a syntax error the kernel's reply says "Execution failed" and no more; `deno fmt` reads the
 * text with the parser that the kernel uses.
 */
export async function findSyntaxError(code: string): Promise<string | undefined> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--no-config", "--ext", "ts", "-"],
    env: { RUST_BACKTRACE: "0" },
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(code));
  await writer.close();
  const { success, stderr } = await child.output();
  if (success) return undefined;
  const message = stripVTControlCharacters(new TextDecoder().decode(stderr));
  return message.replace(/^error: (SyntaxError: )?/, "").replace(/\n +at file:[^]*/, "").trim();
}
