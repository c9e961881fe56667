"""Writes the files of this folder with the reference implementations.

python3 weightfile/testdata/make.py        (needs h5py, numpy, safetensors, torch; made with 3.16.0, 2.4.6, 0.8, 2.15.0)

Every array of floats holds 0, 1/8, 2/8, ... in row-major order.
"""
import argparse
import collections
import json
import pathlib
import pickle
import zipfile

import h5py
import numpy as np
import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent


def values(*shape, dtype="<f4"):
    return np.asarray(np.arange(np.prod(shape, dtype=int)).reshape(shape) / 8, dtype)


def tensor(*shape, dtype=torch.float32):
    return torch.from_numpy(values(*shape)).to(dtype)


def numpy_files():
    arrays = {
        "half": values(2, 3, dtype="<f2"), "float": values(2, 3), "double": values(2, 3, dtype="<f8"),
        "big": values(2, 3, dtype=">f4"), "fortran": np.asfortranarray(values(2, 3, 4)),
        "fortran big": np.asfortranarray(values(2, 3, dtype=">f8")), "line": values(5), "scalar": values(),
        "empty": values(0, 3), "long": np.arange(3), "layer/kernel:0": values(1, 2), "words": np.array(["ab", "c"]),
    }
    np.savez(HERE / "plain.npz", **arrays)
    np.savez_compressed(HERE / "packed.npz", **arrays)
    with zipfile.ZipFile(HERE / "versions.npz", "w") as z:
        for v in (1, 2, 3):
            with z.open(f"v{v}.npy", "w") as f:
                np.lib.format.write_array(f, values(2, 3), version=(v, 0))
    np.savez(HERE / "objects.npz", a=np.array([{}, None]))
    np.savez(HERE / "records.npz", a=np.zeros(2, [("x", "f4")]))
    np.save(HERE / "single.npy", values(2))


def torch_files():
    shared = tensor(24).reshape(4, 6)
    state = collections.OrderedDict(
        weight=torch.nn.Parameter(tensor(2, 3)), transposed=tensor(2, 3).T.contiguous().T,
        permuted=tensor(2, 3, 4).permute(2, 0, 1).contiguous().permute(1, 2, 0), half=tensor(2, 3, dtype=torch.float16),
        bfloat=tensor(2, 3, dtype=torch.bfloat16), double=tensor(2, 3, dtype=torch.float64),
        scalar=tensor(), empty=tensor(0, 3), shared=shared, slice=shared[:1, :5])
    state["num_batches_tracked"] = torch.tensor(7)
    state._metadata = collections.OrderedDict({"": {"version": 1}})
    torch.save(state, HERE / "state.pt")
    torch.save(state, HERE / "protocol4.pt", pickle_protocol=4)
    few = {"a": tensor(2, 3), "b": tensor(2)}
    rest = {"epoch": 3, "lr": 0.1, "steps": -70000, "best": None, "big": 2**40, "optimizer": {"state": {0: {"momentum_buffer": tensor(2)}}, "param_groups": [{"lr": 0.1}]}}
    torch.save({**rest, "state_dict": few}, HERE / "checkpoint.pt")
    torch.save({"generator": few, "discriminator": few}, HERE / "two.pt")
    torch.save(few, HERE / "legacy.pt", _use_new_zipfile_serialization=False)
    torch.save(torch.nn.Linear(2, 2), HERE / "module.pt")
    torch.save({"model": few, "args": argparse.Namespace(lr=1)}, HERE / "namespace.pt")
    torch.save({"model": few, "best": np.float64(3)}, HERE / "scalar.pt")
    torch.save({"a": tensor(1).expand(1000000)}, HERE / "expanded.pt")
    torch.save([tensor(1)], HERE / "list.pt")
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(HERE / "script.pt"))
    (HERE / "bare.pkl").write_bytes(pickle.dumps(few["a"].tolist()))


def safetensors_files():
    save_file({"a": tensor(2, 3), "b": tensor(2, dtype=torch.bfloat16)}, HERE / "model-00001-of-00002.safetensors", {"format": "pt"})
    save_file({"c": tensor(2, 2, dtype=torch.float16), "d": torch.arange(3)}, HERE / "model-00002-of-00002.safetensors", {"format": "pt"})
    files = {"a": 1, "b": 1, "c": 2, "d": 2}
    index = {"metadata": {}, "weight_map": {k: f"model-0000{v}-of-00002.safetensors" for k, v in files.items()}}
    (HERE / "model.safetensors.index.json").write_text(json.dumps(index))


def keras_files():
    with h5py.File(HERE / "keras.h5", "w") as f:
        f.attrs["model_config"] = '{"class_name": "Functional"}'
        f.create_group("optimizer_weights")["m"] = values(2)
        w = f.create_group("model_weights")
        w.attrs["keras_version"], w.attrs["backend"] = b"2.15.0", b"tensorflow"
        w.attrs["layer_names0"], w.attrs["layer_names1"] = ["input_1", "z"], ["a"]  # as where the list is long
        w.create_group("input_1").attrs["weight_names"] = []
        for name in "za":
            g = w.create_group(name)
            g.attrs["weight_names"] = [f"{name}/kernel:0", f"{name}/bias:0"]
            g[f"{name}/kernel:0"], g[f"{name}/bias:0"] = values(2, 3), values(3)
        w["stray"] = values(1)
    with h5py.File(HERE / "keras3.weights.h5", "w") as f:
        for n in (0, 1, 2, 10):
            g = f.create_group(f"layers/conv2d{f'_{n}' if n else ''}/vars")
            g.attrs["name"] = f"block{n}"
            g["0"], g["1"] = values(2, 3), values(3)
        f["layers/dense/vars/0"] = values(2)
        f["optimizer/vars/0"] = values(1)
    with zipfile.ZipFile(HERE / "keras3.keras", "w") as z:
        z.writestr("metadata.json", "{}")
        z.writestr("config.json", '{"class_name": "Functional"}')
        z.write(HERE / "keras3.weights.h5", "model.weights.h5", zipfile.ZIP_DEFLATED)
    with h5py.File(HERE / "other.h5", "w") as f:
        f["x/y"] = values(2, 3)


for make in (numpy_files, torch_files, safetensors_files, keras_files):
    make()
