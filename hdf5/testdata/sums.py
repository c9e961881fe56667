"""Prints what h5py reads from the files of ../shared/keras, as a checksum of each.

python3 hdf5/testdata/sums.py >hdf5/testdata/sums.txt        (needs h5py)

The sum is CRC-32 of path, shape and float32 values of all datasets of numbers in order of their paths.
"""
import gzip
import io
import pathlib
import zlib

import h5py
import numpy as np

for p in sorted((pathlib.Path(__file__).parents[3] / "shared/keras").glob("*.h5*")):
    b = p.read_bytes()
    data, crc, n = {}, 0, 0
    with h5py.File(io.BytesIO(gzip.decompress(b) if p.suffix == ".gz" else b)) as f:
        f.visititems(lambda path, o: data.update({path: o[()]}) if isinstance(o, h5py.Dataset) and o.dtype.kind == "f" else None)
    for path in sorted(data, key=str.encode):
        x = data[path].astype("<f4")
        crc = zlib.crc32(f"{path} {list(x.shape)}".replace(",", "").encode() + x.tobytes(), crc)
        n += 1
    print(p.name, n, f"{crc:08x}")
