// Files by torch.save (tests/fixtures/formats/torch_save.py), and pickles that no torch.save writes.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { loadModel, loadNpz, UnreadableFileError } from "@gatescope/lstm";
import { fromFileUrl } from "@std/path";
import { readTorch } from "../../lib/files/torch.ts";
import { KNOWN_GLOBALS } from "../../lib/files/torch_globals.ts";
import { unzip, zip } from "../../lib/files/zip.ts";
import { outcome } from "./arrays.ts";
import { mutated } from "./mutations.ts";

const pathOf = (name: string) =>
  fromFileUrl(import.meta.resolve(`../fixtures/formats/torch/${name}`));
const bytesOf = (name: string) => Deno.readFileSync(pathOf(name));
const latin1 = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

async function only(bytes: Uint8Array) {
  const dicts = await readTorch(bytes);
  assertEquals(dicts.size, 1);
  return [...dicts.values()][0]!();
}

for (const stem of ["kinds.pth", "kinds_legacy.pt", "half.pth", "bfloat16.pth", "double.pth"]) {
  Deno.test(`readTorch() reads each array of ${stem} as torch.load does, in the file's order`, async () => {
    const expected = await loadNpz(pathOf(stem.replace(/\..*/, ".npz")));
    const arrays = await only(bytesOf(stem));
    assertEquals([...arrays.keys()], [...expected.keys()]);
    for (const [name, { shape, data }] of expected) {
      const array = arrays.get(name)!;
      assertEquals(array.shape, shape, name);
      assertEquals(Array.from(array.data), Array.from(data), name);
    }
  });
}

Deno.test("readTorch() keeps float64, float32 and int32, and widens the others", async () => {
  const arrays = await only(bytesOf("kinds.pth"));
  const kindOf = (name: string) => arrays.get(name)!.data.constructor.name;
  assertEquals(
    ["float32", "float64", "float16", "bfloat16", "int64", "int32", "bool"].map(kindOf),
    [
      ...["Float32Array", "Float64Array", "Float32Array", "Float32Array"],
      ...["Float64Array", "Int32Array", "Int32Array"],
    ],
  );
});

Deno.test("readTorch() finds the state dicts of a checkpoint, and none in its optimizer", async () => {
  const keysOf = async (name: string) => [...(await readTorch(bytesOf(name))).keys()];
  assertEquals(await keysOf("plain.pth"), [""]);
  assertEquals(await keysOf("checkpoint.pth"), ["model_state_dict"]);
  assertEquals(await keysOf("several.pth"), ["model", "ema.model"]);
  assertEquals(await keysOf("several_legacy.pt"), ["0", "1"]);
});

Deno.test("readTorch() gives each array memory of its own", async () => {
  const arrays = await only(bytesOf("kinds.pth"));
  arrays.get("float32")!.data.fill(7);
  assert(arrays.get("rows")!.data.every((number) => number !== 7));
});

/** An archive as torch.save writes it, around a pickle of one's own. */
async function archive(pickle: string | Uint8Array, storage = 96): Promise<Uint8Array> {
  return await zip(
    new Map([
      ["m/data.pkl", typeof pickle === "string" ? latin1(pickle) : pickle],
      ["m/data/0", new Uint8Array(storage)],
    ]),
  );
}

/** `{ "w": ‹value› }`. */
const dictOf = (value: string) => `\x80\x02}X\x01\0\0\0w${value}s.`;

/** BININT. */
function integer(value: number): string {
  return `J${String.fromCharCode(...new Uint8Array(Int32Array.of(value).buffer))}`;
}

/** A tensor: its storage's kind and length, offset, shape, strides. */
function tensorOf(
  { kind = "FloatStorage", count = 24, offset = "K\0", shape = "K\x18\x85", strides = "K\x01\x85" },
): string {
  return "ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\n" +
    `${kind}\nX\x01\0\0\x000X\x03\0\0\0cpu${integer(count)}tQ` +
    `${offset}${shape}${strides}\x89NtR`;
}

async function refuses(
  pickle: string | Uint8Array,
  message: string,
  storage?: number,
): Promise<void> {
  const bytes = await archive(pickle, storage);
  const read = async () => [...(await readTorch(bytes)).values()].map((arrays) => arrays());
  await assertRejects(read, UnreadableFileError, message);
}

Deno.test("a pickle that this file's tests write is read", async () => {
  const arrays = await only(await archive(dictOf(tensorOf({}))));
  assertEquals(arrays.get("w")?.shape, [24]);
  const python2 = dictOf(tensorOf({})).replaceAll(/X(.)\0\0\0/gs, "U$1"); // its texts
  assertEquals((await only(await archive(python2))).get("w")?.shape, [24]);
});

// Lib/pickle.py; those of torch/_weights_only_unpickler.py, but for NEWOBJ, are read
const READ =
  "PROTO GLOBAL REDUCE BUILD BINPERSID MARK APPEND APPENDS SETITEM SETITEMS TUPLE TUPLE1 " +
  "TUPLE2 TUPLE3 NONE NEWTRUE NEWFALSE EMPTY_TUPLE EMPTY_LIST EMPTY_DICT EMPTY_SET BININT BININT1 " +
  "BININT2 LONG1 BINFLOAT BINUNICODE SHORT_BINSTRING BINPUT LONG_BINPUT BINGET LONG_BINGET STOP";
const OPCODES: Record<string, string> = {
  ...{ "(": "MARK", ".": "STOP", "0": "POP", "1": "POP_MARK", "2": "DUP", F: "FLOAT", I: "INT" },
  ...{ J: "BININT", K: "BININT1", L: "LONG", M: "BININT2", N: "NONE", P: "PERSID" },
  ...{ Q: "BINPERSID", R: "REDUCE", S: "STRING", T: "BINSTRING", U: "SHORT_BINSTRING" },
  ...{ V: "UNICODE", X: "BINUNICODE", a: "APPEND", b: "BUILD", c: "GLOBAL", d: "DICT" },
  ...{ "}": "EMPTY_DICT", e: "APPENDS", g: "GET", h: "BINGET", i: "INST", j: "LONG_BINGET" },
  ...{ l: "LIST", "]": "EMPTY_LIST", o: "OBJ", p: "PUT", q: "BINPUT", r: "LONG_BINPUT" },
  ...{ s: "SETITEM", t: "TUPLE", ")": "EMPTY_TUPLE", u: "SETITEMS", G: "BINFLOAT" },
  ...{ "\x80": "PROTO", "\x81": "NEWOBJ", "\x82": "EXT1", "\x83": "EXT2", "\x84": "EXT4" },
  ...{ "\x85": "TUPLE1", "\x86": "TUPLE2", "\x87": "TUPLE3", "\x88": "NEWTRUE" },
  ...{ "\x89": "NEWFALSE", "\x8a": "LONG1", "\x8b": "LONG4", B: "BINBYTES" },
  ...{ C: "SHORT_BINBYTES", "\x8c": "SHORT_BINUNICODE", "\x8d": "BINUNICODE8" },
  ...{ "\x8e": "BINBYTES8", "\x8f": "EMPTY_SET", "\x90": "ADDITEMS", "\x91": "FROZENSET" },
  ...{ "\x92": "NEWOBJ_EX", "\x93": "STACK_GLOBAL", "\x94": "MEMOIZE", "\x95": "FRAME" },
  ...{ "\x96": "BYTEARRAY8", "\x97": "NEXT_BUFFER", "\x98": "READONLY_BUFFER" },
};

Deno.test("every opcode of pickle that is not read is refused by its name, and every other byte", async () => {
  let refused = 0;
  for (let byte = 0; byte < 256; byte++) {
    const code = String.fromCharCode(byte);
    const name = OPCODES[code];
    if (name !== undefined && READ.split(" ").includes(name)) continue;
    refused += 1;
    await refuses(`\x80\x02${code}.`, `at byte 2 stands ${name ?? `the byte ${byte}`}`);
  }
  assertEquals(refused, 256 - READ.split(" ").length);
});

Deno.test("every name that is not known is refused by it, and nothing is run", async () => {
  const names = [
    ...["os.system", "posix.system", "builtins.eval", "builtins.exec", "builtins.getattr"],
    ...[
      "subprocess.Popen",
      "torch.load",
      "torch.hub.load",
      "torch.jit._script.load",
      "__main__.Net",
    ],
    ...["numpy.core.multiarray._reconstruct", "numpy._core.multiarray.scalar", "numpy.dtype"],
    ...[
      "collections.defaultdict",
      "argparse.Namespace",
      "pathlib.PosixPath",
      "copyreg._reconstructor",
    ],
    ...["torch._utils._rebuild_qtensor", "torch._utils._rebuild_sparse_tensor"],
    ...["torch.ComplexFloatStorage", "torch.QInt8Storage", "torch.FloatStorage.__class__"],
    ...["constructor.", "__proto__.", "torch.constructor", "torch.__proto__", "toString.", "."],
  ];
  for (const name of names) {
    const at = name.lastIndexOf(".");
    const asked = `c${name.slice(0, at)}\n${name.slice(at + 1)}\n`;
    const call = `${asked}X\x04\0\0\0true\x85R`;
    await refuses(`\x80\x02${call}.`, `the file names "${name}"`);
    await refuses(dictOf(call), `the file names "${name}"`);
  }
  for (const name of KNOWN_GLOBALS) { // what is known takes nothing odd either
    const at = name.lastIndexOf(".");
    const asked = `c${name.slice(0, at)}\n${name.slice(at + 1)}\n`;
    for (const args of [")", "K\x05\x85", "}\x85", "]\x85", `${asked}\x85`, "NNNt", "(NNNNNNNNt"]) {
      const bytes = await archive(`\x80\x02(${asked}${args}R.`);
      const result = await outcome(() => readTorch(bytes));
      assert(result instanceof UnreadableFileError, `${name} ${args}: ${result}`);
    }
  }
});

Deno.test("a tensor lies in its storage, and the storage in the file", async () => {
  const refusesTensor = (part: Parameters<typeof tensorOf>[0], message: string, storage?: number) =>
    refuses(dictOf(tensorOf(part)), message, storage);
  await refusesTensor({ shape: "K\x19\x85" }, "a tensor lies within the 24 of its storage");
  await refusesTensor({ offset: "K\x01" }, "a tensor lies within the 24 of its storage");
  await refusesTensor({ strides: "K\x02\x85" }, "a tensor lies within the 24 of its storage");
  await refusesTensor({ strides: "K\0\x85", shape: "J\0\0\0\x7f\x85" }, "a tensor lies within");
  await refusesTensor({ shape: "J\xff\xff\xff\xff\x85" }, "must be whole numbers from 0");
  await refusesTensor(
    { shape: "X\x01\0\0\x005\x85" },
    `must be whole numbers from 0, but one is the`,
  );
  await refusesTensor({ shape: "K\x04K\x06\x86" }, "a stride for each, but they are 2 and 1");
  const huge = "J\0\0\0\x7f";
  await refusesTensor({
    shape: `${huge}${huge}${huge}\x87`,
    strides: "K\0K\0K\0\x87",
  }, "its numbers must be countable");
  await refusesTensor({ count: 25 }, `storage "0" takes 100 bytes, but the file has 96`);
  await refusesTensor({}, `storage "0" takes 96 bytes, but the file has 95`, 95);
  await refusesTensor({ kind: "float32" }, "must be a storage: its kind, key, device and length");
  await refuses(dictOf("(X\x07\0\0\0storageNtQ"), "must be a storage");
  await refuses(dictOf(tensorOf({}).replace("0X\x03", "1X\x03")), "data/1 is not there");
});

Deno.test("tensors that share a storage take 2 GiB at most, and are copied when they are asked for", async () => {
  const count = 2 ** 24;
  const whole = { count, shape: `${integer(count)}\x85` };
  const shared = (times: number) =>
    `\x80\x02}${
      Array.from({ length: times }, (_, k) => `X\x01\0\0\0${String.fromCharCode(65 + k)}`)
        .map((key) => `${key}${tensorOf(whole)}s`).join("")
    }.`;
  await refuses(
    shared(33),
    "may take at most 2147483648 bytes, but they take 2214592512",
    4 * count,
  );
  const arrays = await only(await archive(shared(2), 4 * count));
  assertEquals(arrays.get("B")?.shape, [count]);
});

Deno.test("a pickle whose opcodes do not fit together is refused, and one that goes on for ever", async () => {
  await refuses("", "a pickle ends in STOP, but the file ends before");
  await refuses("\x80\x02", "a pickle ends in STOP");
  await refuses("\x80\x02.", "a value is missing");
  await refuses("\x80\x02t.", "a MARK is missing");
  await refuses("\x80\x02h\x05.", "a value remembered as 5 is missing");
  await refuses("\x80\x02q\x05.", "one is missing");
  await refuses("\x80\x04.", "of protocol 2, but the protocol is 4");
  await refuses("\x80\x02NNs.", "it stands behind nothing with 2 values");
  await refuses("\x80\x02NK\x01K\x02s.", "must find a dict and pairs, but it stands behind None");
  await refuses("\x80\x02NK\x01a.", "must find a list, but it stands behind None");
  await refuses("\x80\x02]Nb.", "BUILD gives an OrderedDict its attributes");
  await refuses(
    "\x80\x02K\x05)R.",
    "REDUCE must call what is known here, but it calls no function",
  );
  await refuses("\x80\x02ctorch\nFloatStorage\n)R.", `but it calls "torch.FloatStorage"`);
  await refuses("\x80\x02}]K\x01s.", "must not change, but one is a list of 0");
  await refuses("\x80\x02X\xff\xff\xff\xffw.", "a pickle ends in STOP");
  await refuses("\x80\x02X\x01\0\0\0\xff.", "must be UTF-8");
  await refuses("\x80\x02N.", "must hold a state_dict");
  const many = (code: string, count: number) => new Uint8Array(count).fill(code.charCodeAt(0));
  await refuses(many("(", 1_000_001), "a pickle has at most 1000000 parts");
  await refuses(many("}", 1_000_001), "a pickle has at most 1000000 parts");
  await refuses(many("N", 2 ** 24 + 1), "a pickle has at most 16777216 bytes");
  await refuses(dictOf(`${"]".repeat(200)}${"a".repeat(199)}`), "may be 100 levels deep");
  const deep = `${"}".repeat(1)}${"X\x01\0\0\0w}".repeat(200)}${"s".repeat(200)}`;
  await refuses(`\x80\x02${deep}.`, "a checkpoint may be 100 levels deep");
});

Deno.test("what holds itself, or much by reference, is walked once", async () => {
  const itself = `\x80\x02}q\0X\x01\0\0\0wh\0sX\x01\0\0\0v${tensorOf({})}s.`;
  assertEquals([...(await only(await archive(itself))).keys()], ["v"]);
  const twice = `\x80\x02}X\x01\0\0\0a}q\0X\x01\0\0\0w${tensorOf({})}ssX\x01\0\0\0bh\0s.`;
  assertEquals([...(await readTorch(await archive(twice))).keys()], ["a", "b"]);
  const text = "X\x01\0\0\x000";
  const alike = `\x80\x02}K\0}X\x01\0\0\0w${tensorOf({})}ss${text}}X\x01\0\0\0w${tensorOf({})}ss.`;
  await refuses(alike, `must tell its parts apart, but "0" stands for two`);
  let doubled = "]"; // 2^90 lists to one who follows each
  for (let k = 0; k < 90; k++) {
    doubled += `q${String.fromCharCode(k)}]h${String.fromCharCode(k)}ah${String.fromCharCode(k)}a`;
  }
  await refuses(`\x80\x02${doubled}.`, "must hold a state_dict");
  const odd = tensorOf({ shape: "h\xff\x85" });
  await refuses(`\x80\x02${doubled}q\xff}X\x01\0\0\0w${odd}s.`, "must be whole numbers from 0");
  const list = `](${"N".repeat(100_000)}e`;
  const calls = "q\0" + "cbuiltins\nset\nh\0\x85R".repeat(100);
  await refuses(`\x80\x02${list}${calls}.`, "a pickle has at most 1000000 parts");
});

Deno.test("the older format is refused where its parts do not fit, or something follows", async () => {
  const whole = bytesOf("plain_legacy.pt");
  const refusesBytes = (bytes: Uint8Array, message: string) =>
    assertRejects(() => readTorch(bytes), UnreadableFileError, message);
  await refusesBytes(new Uint8Array([...whole, 0]), "so it is followed by something else");
  await refusesBytes(whole.subarray(0, -1), "must be there, but the file ends before it does");
  const text = String.fromCharCode(...whole);
  const changed = (from: string, to: string) => latin1(text.replace(from, to));
  await refusesBytes(changed("\x80\x02M\xe9\x03", "\x80\x02M\xe8\x03"), "of protocol 1001");
  const count = text.lastIndexOf("\x14\0\0\0\0\0\0\0"); // bias: 20 numbers
  await refusesBytes(
    latin1(`${text.slice(0, count)}\x15${text.slice(count + 1)}`),
    "must be as long as it says",
  );
});

Deno.test("readTorch() refuses a byteorder that is none, and an archive without a pickle", async () => {
  const entries = await unzip(bytesOf("plain.pth"));
  const odd = await zip(new Map(entries).set("plain/byteorder", latin1("middle")));
  await assertRejects(() => readTorch(odd), UnreadableFileError, `the record is "middle"`);
  entries.delete("plain/data.pkl");
  const none = await zip(entries);
  await assertRejects(() => readTorch(none), UnreadableFileError, "has a data.pkl in its folder");
});

Deno.test("the record of zip64, which PyTorch always writes, must say what the end record says", async () => {
  const whole = bytesOf("plain.pth");
  const record = whole.length - 22 - 20 - 56;
  for (const at of [4, 16, 20, 24, 32, 40, 48, 56 + 4, 56 + 8]) {
    const bytes = whole.slice();
    bytes[record + at]! ^= 1;
    await assertRejects(() => readTorch(bytes), UnreadableFileError, "the sizes of zip64");
  }
});

// More of them, and each compared with torch.load: tests/fixtures/formats/README.md
const MUTATIONS = Number(Deno.env.get("GATESCOPE_TORCH_MUTATIONS") ?? 2_000);

Deno.test(`${MUTATIONS} mutations of a pickle give arrays or one clear error, in bounded time`, async () => {
  const entries = await unzip(bytesOf("checkpoint.pth"));
  const pickle = entries.get("checkpoint/data.pkl")!;
  const legacy = bytesOf("classifier_legacy.pt");
  let refused = 0;
  for (let seed = 0; seed < MUTATIONS; seed++) {
    const isLegacy = seed % 2 === 1;
    const bytes = isLegacy
      ? mutated(legacy, seed)
      : await zip(new Map(entries).set("checkpoint/data.pkl", mutated(pickle, seed)));
    const start = performance.now();
    const result = await outcome(() => loadModel(bytes));
    assert(performance.now() - start < 1_000, `seed ${seed} took long`);
    const read = await outcome(async () => {
      return [...(await readTorch(bytes)).values()].map((arrays) => arrays());
    });
    for (const error of [result, read]) {
      if (!(error instanceof Error)) continue;
      if (!(error instanceof UnreadableFileError)) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
      assert(error.message.startsWith("Cannot read "), `seed ${seed}: ${error.message}`);
    }
    if (read instanceof Error) refused += 1;
  }
  assert(refused > MUTATIONS / 2, `only ${refused} of ${MUTATIONS} refused`);
});
