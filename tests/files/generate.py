"""Writes every array of arrays/ with real NumPy, and reads saved.npz, which Gatescope wrote, back.

    python tests/files/generate.py        # NumPy 2.4.6, ml_dtypes 0.6.0 for bfloat16

The tests carry the expected values: most arrays are np.arange(24).reshape(4, 3, 2).
"""

import pathlib
import shutil
import tempfile

import ml_dtypes
import numpy as np

HERE = pathlib.Path(__file__).parent / "arrays"
X = np.arange(24).reshape(4, 3, 2)
KINDS = ["float64", "float32", "float16", "int8", "int16", "int32", "uint8", "uint16", "uint32", "uint64"]

arrays = {"int64": X} | {kind: X.astype(kind) for kind in KINDS}
arrays |= {
    # what the kinds hold at their ends
    "float16_ends": np.array([0, -0.0, 2**-24, 6e-5, 65504, np.inf, -np.inf, np.nan], "float16"),
    "int64_ends": np.array([2**53 - 1, -(2**53) + 1], "int64"),
    "int64_unsafe": np.array([[0, 1], [2**53 + 1, 3]], "int64"),
    "uint64_unsafe": np.array([2**64 - 1], "uint64"),
    "int_ends": np.array([-128, 127], "int8"),
    "uint32_ends": np.array([0, 2**32 - 1], "uint32"),
    "bool": X % 3 == 0,
    # order of the axes and of the bytes
    "fortran_2d": np.asfortranarray(np.arange(6, dtype="float32").reshape(3, 2)),
    "fortran_3d": np.asfortranarray(X.astype("float32")),
    "fortran_5d": np.asfortranarray(np.arange(120).reshape(2, 3, 1, 4, 5)),
    "fortran_bool": np.asfortranarray(X % 3 == 0),
    "fortran_empty": np.asfortranarray(np.zeros((3, 0, 2))),
    "big_endian_float64": X.astype(">f8"),
    "big_endian_float32_fortran": np.asfortranarray(X.astype(">f4")),
    "big_endian_float16": X.astype(">f2"),
    "big_endian_int64": X.astype(">i8"),
    "big_endian_int16": X.astype(">i2"),
    # shapes
    "scalar": np.float64(2.5),
    "scalar_int64": np.array(7),
    "one": np.array([2.5]),
    "empty": np.zeros(0),
    "empty_3d": np.zeros((2, 0, 3), "float32"),
    # what is no array of numbers
    "object": np.array([np.zeros(2), np.zeros(3)], dtype=object),
    "complex64": np.array([1 + 2j], "complex64"),
    "complex128": np.array([1 + 2j]),
    "text": np.array(["forget", "gate"]),
    "byte_text": np.array([b"forget"]),
    "date": np.array(["2026-11-23"], "datetime64[D]"),
    "structured": np.array([(1.0, 2)], dtype=[("a", "<f8"), ("b", "<i4")]),
    "nested": np.zeros(1, dtype=[("a", "<f8", (2,))]),
    "long_double": np.zeros(1, np.longdouble),
    "bfloat16": np.ones(2, ml_dtypes.bfloat16),
}


def main():
    saved = HERE / "saved.npz"  # kept: the tests compare it with what saveNpz() writes
    kept = saved.read_bytes() if saved.exists() else None
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir()
    for name, array in arrays.items():
        np.save(HERE / f"{name}.npy", array)
    for major in (2, 3):
        with open(HERE / f"version_{major}.npy", "wb") as file:
            np.lib.format.write_array(file, X.astype("float32"), version=(major, 0))
    with open(HERE / "two_arrays.npy", "wb") as file:
        np.save(file, X)
        np.save(file, X)

    small = [np.arange(4, dtype="float32").reshape(2, 2), np.array([0.5, -1.5])]
    np.savez(HERE / "small.npz", *small)
    np.savez_compressed(HERE / "small_compressed.npz", *small)
    np.savez(HERE / "named.npz", **{"z": X, "lstm/kernel:0": small[0], "Gewichtsänderung": small[1]})
    np.savez(HERE / "none.npz")
    np.savez_compressed(HERE / "zeros.npz", np.zeros(100_000))
    np.savez(HERE / "object.npz", arrays["object"])

    if kept is None:
        print("no saved.npz: let tests/files/npz_test.ts write it (see there), then run this again")
    else:
        saved.write_bytes(kept)
        read_back(saved)


def read_back(path):
    expected = {"kernel": X.astype("float64"), "bias": np.array([0.5, -1.5], "float32"),
                "count": np.array(7, "int32"), "none": np.zeros((2, 0)), "lstm/Gewichtsänderung": X.astype("int32")}
    with np.load(path) as found:
        assert list(found) == list(expected), list(found)
        for name, array in expected.items():
            assert found[name].dtype == array.dtype and found[name].shape == array.shape, name
            np.testing.assert_array_equal(found[name], array)
    print(f"NumPy {np.__version__} reads saved.npz right")


if __name__ == "__main__":
    main()
