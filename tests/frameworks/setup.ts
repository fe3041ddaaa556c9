// What test:frameworks needs besides Deno: Keras, ONNX Runtime and Ray in a virtual environment beside
// this file, and C compilers. Each is made when it is missing; run alone, this makes them all.

import { fromFileUrl, join } from "@std/path";
import { fromDebian } from "../setup/from_debian.ts";

/** This folder. */
export const HERE = fromFileUrl(new URL("./", import.meta.url));

const VENV = join(HERE, ".venv");

/** The virtual environment's Python. */
export const PYTHON = join(VENV, "bin", "python");

/** Runs a program in this folder; what it prints is seen. */
export async function run(command: string, ...args: string[]): Promise<void> {
  const { success, code } = await new Deno.Command(command, { args, cwd: HERE }).spawn().status;
  if (!success) throw new Error(`${command} ${args.join(" ")} ended with ${code}`);
}

/** Makes what is missing, and the environment too where it was made from other requirements. */
export async function setUp(): Promise<void> {
  await pythonPackages();
  if (!(await starts("gcc") && await starts("clang"))) {
    await fromDebian("gcc", "clang", "libc6-dev");
  }
}

async function pythonPackages(): Promise<void> {
  const wanted = await Deno.readTextFile(join(HERE, "requirements.txt"));
  const stamp = join(VENV, "requirements.txt");
  const made = await Deno.readTextFile(stamp).catch(() => "");
  if (made === wanted) return;
  console.log("setting up Keras and ONNX Runtime in tests/frameworks/.venv");
  await run("python3", "-m", "venv", "--clear", VENV);
  await run(PYTHON, "-m", "pip", "install", "--quiet", "-r", "requirements.txt");
  await Deno.writeTextFile(stamp, wanted);
}

async function starts(program: string): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: ["--version"] }).output()).success;
  } catch {
    return false;
  }
}

if (import.meta.main) await setUp();
