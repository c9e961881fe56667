"""Writes python.safetensors with the reference implementation.

python3 modelfile/testdata/make.py        (needs numpy and safetensors)
python3 modelfile/testdata/make.py FILE   checks a FILE that Go wrote of the same content
"""
import pathlib
import sys

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

halves = np.array([0x0000, 0x8000, 0x0001, 0x03FF, 0x0400, 0x3C00, 0xBC00, 0x7BFF, 0x7C00, 0xFC00, 0x7E00],
                  dtype=np.uint16).view(np.float16)
tensors = {
    "a.float": np.arange(6, dtype=np.float32).reshape(2, 3) / 4,
    "b.half": halves,
    "c.double": np.array([1.5, -2.25]),
    "d.bytes": np.array([[1], [2], [255]], dtype=np.uint8),
    "e.long": np.array([-1, 2**40], dtype=np.int64),
    "f.int": np.array([-7], dtype=np.int32),
    "g.int8": np.array([-128, 127], dtype=np.int8),
    "h.scalar": np.array(3.5, dtype=np.float32),
    "i.empty": np.zeros((0, 4), dtype=np.float32),
    "ü \"quoted\" <&>": np.array([1, 2, 3], dtype=np.uint8),
}
meta = {"format": "np", "json": '{"words": ["a", "<b>", "\\u00fc"]}', "ü": "line\nline\u2028"}

if len(sys.argv) == 1:
    save_file(tensors, pathlib.Path(__file__).parent / "python.safetensors", meta)
else:
    got = load_file(sys.argv[1])
    assert got.keys() == tensors.keys(), got.keys()
    for name, want in tensors.items():
        assert got[name].dtype == want.dtype and got[name].shape == want.shape, name
        assert got[name].tobytes() == want.tobytes(), name
    with safe_open(sys.argv[1], "np") as f:
        assert f.metadata() == meta, f.metadata()
    print("same")
