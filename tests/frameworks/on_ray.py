"""Runs tools/predict_on_ray.py on a Ray of this machine; ends with a failure where a prediction is not ONNX Runtime's.

    python on_ray.py <folder> <model>
"""

import os
import pathlib
import subprocess
import sys

import numpy as np
import onnxruntime
import pyarrow.parquet

SCRIPT = pathlib.Path(__file__).parents[2] / "tools" / "predict_on_ray.py"
SAMPLES = 1000
TOLERANCE = 1e-6
ALONE = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ADDRESS": "local"}


def main(folder, name):
    model, inputs, predictions = folder / f"{name}.onnx", folder / "ray.npy", folder / "ray"
    x = np.load(folder / f"{name}.npz")["x_0"]
    x = np.random.default_rng(1).uniform(-1, 1, [SAMPLES, *x.shape[1:]]).astype("float32")
    np.save(inputs, x)
    command = [sys.executable, SCRIPT, model, inputs, predictions]
    done = subprocess.run(command, env={**os.environ, **ALONE}, capture_output=True, text=True, timeout=240)
    if done.returncode != 0:
        print("FAILED on Ray", done.stderr[-3000:])
        return 1
    rows = pyarrow.parquet.read_table(predictions).to_pylist()  # in any order: known by their input
    found = {np.asarray(row["data"], "float32").tobytes(): row["prediction"] for row in rows}
    actual = np.array([found[one.tobytes()] for one in x], "float32")
    session = onnxruntime.InferenceSession(model)
    expected = session.run(None, {session.get_inputs()[0].name: x})[0]
    difference = float(np.abs(actual.reshape(expected.shape) - expected).max())
    print(f"Ray: {len(rows)} samples of {name}, largest difference from ONNX Runtime {difference:.3g}")
    return 0 if len(rows) == SAMPLES and difference <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2]))
