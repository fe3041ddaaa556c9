"""Opens what write.ts wrote with real Keras and real ONNX Runtime; ends with a failure where a prediction is off.

    python check.py <folder>
"""

import json
import os
import pathlib
import sys

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"

import keras  # noqa: E402
import numpy as np  # noqa: E402
import onnx  # noqa: E402
import onnxruntime  # noqa: E402

TOLERANCE = 1e-6  # relative where above 1


def off(actual, expected):
    if actual.shape != expected.shape:
        return float("nan")
    return float((np.abs(actual - expected) / np.maximum(1, np.abs(expected))).max())


def farthest(actual, expected):
    actual = actual if isinstance(actual, list) else [actual]
    return max(off(np.asarray(a), e) for a, e in zip(actual, expected, strict=True))


def numbered(arrays, kind):
    return [arrays[key] for key in sorted(arrays) if key.startswith(f"{kind}_")]


def run(file, xs):
    """The predictions of ONNX Runtime, which takes the inputs in their order."""
    onnx.checker.check_model(onnx.load(file), full_check=True)
    session = onnxruntime.InferenceSession(file)
    kinds = {"tensor(int64)": "int64", "tensor(float)": "float32"}
    given = {i.name: x.astype(kinds[i.type]) for i, x in zip(session.get_inputs(), xs, strict=True)}
    return session.run(None, given)


def training(model, arrays):
    """The second epoch of the two that Keras went on; the first was Gatescope's."""
    history = model.fit(arrays["x"], arrays["y"], epochs=1, batch_size=4, shuffle=False, verbose=0)
    weights = max(off(w, arrays[f"weights_{k}"]) for k, w in enumerate(model.get_weights()))
    return max(off(np.array(history.history["loss"]), arrays["losses"][1:]), weights)


def main(folder):
    failures, worst, counts = [], {}, {}

    def note(kind, name, difference):
        counts[kind] = counts.get(kind, 0) + 1
        worst[kind] = max(worst.get(kind, (0.0, "")), (difference, name))
        if not difference <= TOLERANCE:
            failures.append(f"{name} in {kind} is off by {difference:.3g}")

    for entry in json.loads((folder / "models.json").read_text()):
        name = entry["name"]
        arrays = np.load(folder / f"{name}.npz")
        model = None if "noKeras" in entry else keras.models.load_model(folder / f"{name}.keras")
        if "losses" in arrays:
            note("Keras, an epoch after one of ours", name, training(model, arrays))
            continue
        xs, ys = numbered(arrays, "x"), numbered(arrays, "y")
        if model is not None:
            x = xs[0] if len(xs) == 1 else xs
            note("Keras", name, farthest(model.predict(x, batch_size=len(xs[0]), verbose=0), ys))
        if "noOnnx" not in entry:
            note("ONNX Runtime", name, farthest(run(folder / f"{name}.onnx", xs), ys))
    for kind, (difference, name) in worst.items():
        print(f"{kind}: {counts[kind]} models, largest difference {difference:.3g} ({name})")
    for failure in failures:
        print("FAILED", failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
