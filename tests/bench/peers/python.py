"""PyTorch, Keras on JAX and NumPy by hand as peers; the same lines of JSON as peer.ts."""
import json
import os
import sys
import time

folder, library = sys.argv[1:3]
threads = int(sys.argv[3])
os.environ["KERAS_BACKEND"] = "jax"
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(threads)
if hasattr(os, "sched_setaffinity"):  # XLA has more threads than it is told; so many cores hold it
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
if threads == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np

CLASSES = 10


def read_arrays(shape):
    batch, timesteps, inputs, units = (shape[k] for k in ("batch", "timesteps", "inputSize", "units"))
    gru, filters = shape["cell"] == "gru", shape.get("filters", 0)
    width = (3 if gru else 4) * units
    sizes = {
        "convolution": (3 if filters else 0, inputs, filters), "convolutionBias": (filters,),
        "kernel": (filters or inputs, width), "recurrentKernel": (units, width),
        "bias": (2, width) if gru else (width,),
        "denseKernel": (units, CLASSES), "denseBias": (CLASSES,),
        "x": (batch, timesteps, inputs), "y": (batch, CLASSES),
    }
    data = np.fromfile(f"{folder}/{shape['name']}.bin", np.float32)
    arrays, at = {}, 0
    for name, size in sizes.items():
        length = int(np.prod(size))
        arrays[name] = data[at:at + length].reshape(size).copy()
        at += length
    return arrays


def is_plain_lstm(shape):
    return shape["cell"] == "lstm" and "filters" not in shape


def prepare_numpy(shape, a):
    if shape["trains"] or not is_plain_lstm(shape):
        return None
    units = shape["units"]
    sigmoid = lambda z: 1 / (1 + np.exp(-z))

    def run():
        x = a["x"]
        h = c = np.zeros((x.shape[0], units), np.float32)
        for t in range(x.shape[1]):
            z = x[:, t] @ a["kernel"] + h @ a["recurrentKernel"] + a["bias"]
            i, f, g, o = z[:, :units], z[:, units:2 * units], z[:, 2 * units:3 * units], z[:, 3 * units:]
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        logits = h @ a["denseKernel"] + a["denseBias"]
        e = np.exp(logits - logits.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)

    return run


def prepare_torch(shape, a):
    import torch
    if "filters" in shape:
        return None
    torch.set_num_threads(threads)
    gru, units = shape["cell"] == "gru", shape["units"]
    layer = torch.nn.GRU if gru else torch.nn.LSTM
    lstm = layer(shape["inputSize"], units, batch_first=True)
    dense = torch.nn.Linear(units, CLASSES)

    def turned(array):  # a GRU's blocks are r z n there
        blocks = np.split(array, 3, axis=-1) if gru else [array]
        ordered = [blocks[1], blocks[0], blocks[2]] if gru else blocks
        return torch.from_numpy(np.concatenate(ordered, axis=-1).T.copy())

    with torch.no_grad():
        lstm.weight_ih_l0.copy_(turned(a["kernel"]))
        lstm.weight_hh_l0.copy_(turned(a["recurrentKernel"]))
        lstm.bias_ih_l0.copy_(turned(a["bias"][0] if gru else a["bias"]))
        if gru:
            lstm.bias_hh_l0.copy_(turned(a["bias"][1]))
        else:
            lstm.bias_hh_l0.zero_()
        dense.weight.copy_(torch.from_numpy(a["denseKernel"].T.copy()))
        dense.bias.copy_(torch.from_numpy(a["denseBias"]))
    lstm.bias_hh_l0.requires_grad_(gru)
    x = torch.from_numpy(a["x"])
    if shape["trains"]:
        y = torch.from_numpy(a["y"].argmax(-1))
        trained = [p for p in (*lstm.parameters(), *dense.parameters()) if p.requires_grad]
        optimizer = torch.optim.Adam(trained, lr=0.001, eps=1e-7)

        def step():
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(dense(lstm(x)[0][:, -1]), y)
            loss.backward()
            optimizer.step()
            return loss.item()

        return step

    def run():
        with torch.inference_mode():
            return torch.softmax(dense(lstm(x)[0][:, -1]), -1).numpy()

    return run


def prepare_keras(shape, a):
    import keras
    if not is_plain_lstm(shape):
        return None
    model = keras.Sequential([
        keras.Input((shape["timesteps"], shape["inputSize"])),
        keras.layers.LSTM(shape["units"]),
        keras.layers.Dense(CLASSES, activation="softmax"),
    ])
    model.set_weights([a[k] for k in ("kernel", "recurrentKernel", "bias", "denseKernel", "denseBias")])
    if shape["trains"]:
        model.compile(optimizer=keras.optimizers.Adam(0.001), loss="categorical_crossentropy")

        def step():
            # Keras accumulates its metrics over batches
            model.reset_metrics()
            return float(np.asarray(model.train_on_batch(a["x"], a["y"])))

        return step
    if library == "keras-predict":
        return lambda: model.predict(a["x"], verbose=0)
    return lambda: np.asarray(model.predict_on_batch(a["x"]))


def sample(run, milliseconds):
    samples, repeats = [], 1
    end = time.perf_counter() + milliseconds / 1000
    while True:
        start = time.perf_counter()
        for _ in range(repeats):
            run()
        now = time.perf_counter()
        if now - start < 0.0002:
            repeats *= 2
        else:
            samples.append((now - start) / repeats * 1e6)
        if now >= end:
            return samples


prepare = {
    "numpy": prepare_numpy, "torch": prepare_torch,
    "keras": prepare_keras, "keras-predict": prepare_keras,
}[library]
shapes = {shape["name"]: shape for shape in json.load(open(f"{folder}/shapes.json"))}
runs = {}
for line in sys.stdin:
    question = json.loads(line)
    if question["do"] == "stop":
        break
    shape = shapes[question["shape"]]
    try:
        if question["do"] == "prepare":
            only_s0 = library == "keras-predict" and shape["name"] != "S0"
            run = None if only_s0 else prepare(shape, read_arrays(shape))
            said = {}
            if run is not None:
                runs[shape["name"]] = run
                results = [np.asarray(run()).ravel() for _ in range(3 if shape["trains"] else 1)]
                said = {"results": [float(v) for v in np.concatenate(results)]}
        else:
            said = {"samples": sample(runs[shape["name"]], question["milliseconds"])}
    except Exception as error:  # told, not thrown: the other shapes go on
        said = {"error": f"{type(error).__name__}: {error}"}
    print("@@" + json.dumps(said), flush=True)
