"""Reads what damage.ts could read with the formats' own readers: the same arrays, or a failure.

    python damage.py <folder> <format>

What the format's own reader refuses is counted and told: it may look at parts that are not read here.
"""

import hashlib
import io
import json
import math
import os
import pathlib
import sys
import zipfile

import h5py
import numpy as np
import onnx
import safetensors.numpy
from onnx import numpy_helper


def digest(arrays):
    """As damage.ts spells it."""
    found = hashlib.sha256()
    for name in sorted(arrays, key=lambda text: text.encode("utf-16-be")):
        array = np.asarray(arrays[name])
        found.update(f"{name}[{','.join(map(str, array.shape))}]".encode())
        with np.errstate(invalid="ignore"):  # NaN of any kind
            numbers = np.ascontiguousarray(array, dtype="<f8")
        found.update(np.where(np.isnan(numbers), np.nan, numbers).astype("<f8").tobytes())
    return found.hexdigest()


def hdf5(raw):
    arrays = {}
    with h5py.File(io.BytesIO(raw), "r") as file:
        file.visititems(lambda name, item: arrays.update({name: item[()]})
                        if isinstance(item, h5py.Dataset) and item.dtype.kind in "iuf" else None)
        config = file.attrs.get("model_config", "")
    return arrays, config.decode() if isinstance(config, bytes) else config


def read_h5(raw, folder):
    return hdf5(raw)


def read_keras(raw, folder):
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return hdf5(archive.read("model.weights.h5"))[0], json.loads(archive.read("config.json"))


def read_npy(raw, folder):
    return {"": np.load(io.BytesIO(raw), allow_pickle=False)}, None


def read_npz(raw, folder):
    with np.load(io.BytesIO(raw), allow_pickle=False) as file:
        return dict(file), None


def read_safetensors(raw, folder):
    return safetensors.numpy.load(raw), None


def read_onnx(raw, folder):
    graph = onnx.load_from_string(raw).graph
    nodes = [[node.op_type, list(node.input), list(node.output)] for node in graph.node]
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}, nodes


def read_tfjs(raw, folder):
    """TF.js itself: names, shapes and dtypes by the manifest, the shards one after the other."""
    arrays = {}
    for group in json.loads(raw)["weightsManifest"]:
        data, at = b"".join((folder / path).read_bytes() for path in group["paths"]), 0
        for weight in group["weights"]:
            kind, count = np.dtype(weight["dtype"]), math.prod(weight["shape"])
            numbers = np.frombuffer(data, kind, count, at)
            arrays[weight["name"]] = numbers.reshape(weight["shape"])
            at += numbers.nbytes
    return arrays, None


def read_pth(raw, folder):
    """The tensors of each state_dict, with the key of that before their names."""
    import torch

    arrays, seen = {}, []

    def visit(value, path):
        if any(value is other for other in seen) or isinstance(value, dict) and "param_groups" in value:
            return False
        if not isinstance(value, (dict, list, tuple)):
            return False
        seen.append(value)
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        inner = [visit(part, [*path, str(key)]) for key, part in parts if type(key) in (str, int, float)]
        if any(inner):
            return True
        found = [(key, part) for key, part in parts if type(key) is str and isinstance(part, torch.Tensor)] \
            if isinstance(value, dict) else []
        arrays.update({f"{'.'.join(path)}/{key}": part.detach().to(torch.float64).numpy() for key, part in found})
        return bool(found)

    visit(torch.load(io.BytesIO(raw), weights_only=True), [])
    return arrays, None


read_pt = read_pth


def main(folder, kind):
    read = globals()[f"read_{kind}"]
    equal, wrong, refused = 0, [], []
    for seed, expected, rest in json.loads((folder / f"{kind}.found.json").read_text()):
        try:
            arrays, own_rest = read((folder / f"{seed}.{kind}").read_bytes(), folder)
            found = digest(arrays)
        except Exception as error:  # whatever the reader throws
            refused.append(f"{seed}: {type(error).__name__} {str(error)[:90]}")
            continue
        if found == expected and own_rest == rest:
            equal += 1
        else:
            wrong.append(seed)
    print(f"{kind}: {equal} as the format's own reader reads them, {len(refused)} refused there, {len(wrong)} otherwise")
    for line in refused[:3]:
        print(f"  refused there: {line}")
    for seed in wrong:
        print(f"FAILED {kind} {seed} holds something else")
    sys.stdout.flush()
    os._exit(1 if wrong else 0)  # a damaged HDF5 file may crash h5py on its way out


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2])
