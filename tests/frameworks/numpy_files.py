"""Runs the files that saveNumpy wrote, on the inputs beside them: their traces go to CSV files.

    python numpy_files.py <folder>
"""

import importlib
import json
import pathlib
import sys

import numpy as np


def main(folder):
    sys.path.insert(0, str(folder))
    different = []
    for name in json.loads((folder / "numpy_files.json").read_text()):
        x = np.load(folder / f"{name}.npy")
        traced, plain = (importlib.import_module(one) for one in (f"{name}_traced", name))
        (folder / f"{name}.csv").write_text(traced.trace(x))
        if plain.predict(x).tobytes() != traced.predict(x).tobytes():
            different.append(name)
    for name in different:
        print(f"FAILED {name}: it predicts otherwise where it is traced")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
