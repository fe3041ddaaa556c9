"""Predicts a data set with a model that saveOnnx wrote, on a Ray cluster or on this machine alone.

    pip install "ray[data]" onnxruntime
    python predict_on_ray.py model.onnx inputs.npy predictions

`inputs.npy` holds all samples, `[samples, timesteps, inputSize]`, or is a folder of such files;
`predictions` becomes a folder of Parquet files, a row a sample, its input in `data`.
"""

import sys

import onnxruntime
import ray


class Predict:  # one a worker: each opens the model once
    def __init__(self, path):
        self.session = onnxruntime.InferenceSession(path)

    def __call__(self, batch):
        [given] = self.session.get_inputs()
        x = batch["data"].astype("int64" if given.type == "tensor(int64)" else "float32")
        return {**batch, "prediction": self.session.run(None, {given.name: x})[0]}


model, inputs, predictions = sys.argv[1:]
rows = ray.data.read_numpy(inputs)
rows = rows.map_batches(Predict, fn_constructor_args=[model], batch_size=256, concurrency=(1, 64))
rows.write_parquet(predictions)
