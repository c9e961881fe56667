"""Writes the files of this folder with the reference implementation.

python3 hdf5/testdata/make.py        (needs h5py; made with h5py 3.16.0, HDF5 2.0.0)

Every dataset of numbers holds 0, 1/8, 2/8, ... in row-major order.
"""
import gzip
import io
import pathlib

import h5py
import numpy as np

HERE = pathlib.Path(__file__).parent


def values(*shape, dtype="<f4"):
    return (np.arange(np.prod(shape, dtype=int)).reshape(shape) / 8).astype(dtype)


def write(name, fill, **kw):
    b = io.BytesIO()
    with h5py.File(b, "w", **kw) as f:
        fill(f)
    (HERE / (name + ".h5.gz")).write_bytes(gzip.compress(b.getvalue(), 9, mtime=0))


def low(f, name, x, layout=None, alloc=None, chunks=None):
    """A dataset with settings that h5py's own interface lacks."""
    p = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    if layout is not None:
        p.set_layout(layout)
    if chunks:
        p.set_chunk(chunks)
    if alloc is not None:
        p.set_alloc_time(alloc)
    d = h5py.h5d.create(f.id, name.encode(), h5py.h5t.py_create(x.dtype), h5py.h5s.create_simple(x.shape), p)
    d.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ascontiguousarray(x))


def plain(f):
    g = f.create_group("numbers/deep er")
    for t in ("<f2", ">f2", "<f4", ">f4", "<f8", ">f8"):
        g[t.replace("<", "little-").replace(">", "big-")] = values(3, 5, dtype=t)
    f["scalar"] = np.float32(0)
    f["empty"] = np.zeros((0, 4), "f4")
    f["null"] = h5py.Empty("f4")
    f["long"] = np.array([-1, 2**40])
    f["strings"] = ["not", "numbers"]
    f["flags"] = np.array([True, False])
    f["records"] = np.zeros(2, [("a", "f4"), ("b", "i4")])
    f["again"] = f["numbers/deep er/little-f4"]
    f["soft"] = h5py.SoftLink("/scalar")
    f["type"] = np.dtype("f4")
    f.create_dataset("unwritten", (4,), "f4")
    low(f, "compact", values(2, 3), h5py.h5d.COMPACT)
    attributes(f)


def attributes(f):
    f.attrs["one"] = "a single string"
    f.attrs["several"] = ["block1_conv1", "", "é"]
    f.attrs["fixed"] = np.array([b"conv2d", b"bn", b""], "S8")
    f.attrs["none"] = []
    f.attrs["number"] = 3.5
    space = h5py.h5t.C_S1.copy()
    space.set_size(6)
    space.set_strpad(h5py.h5t.STR_SPACEPAD)
    a = h5py.h5a.create(f.id, b"spaces", space, h5py.h5s.create_simple((2,)))
    a.write(np.array([b"ab    ", b"abcdef"], "S6"), mtype=space)


def chunked(f):
    x = values(7, 5, 3)
    f.create_dataset("plain", data=x, chunks=(2, 3, 2))
    f.create_dataset("gzip", data=x, chunks=(2, 3, 2), compression="gzip")
    f.create_dataset("shuffled", data=x, chunks=(2, 3, 2), compression="gzip", shuffle=True)
    f.create_dataset("checked", data=x, chunks=(4, 5, 3), compression="gzip", shuffle=True, fletcher32=True)
    f.create_dataset("odd", data=values(7, dtype="u1") * 0, chunks=(7,), fletcher32=True)
    f.create_dataset("swapped", data=values(7, 5, 3, dtype=">f2"), chunks=(2, 3, 2), compression="gzip", shuffle=True)
    f.create_dataset("many", data=values(90, 3), chunks=(1, 2), maxshape=(None, None))  # a tree of two levels
    f.create_dataset("large chunk", data=values(3), chunks=(8,), maxshape=(None,))
    f.create_dataset("lzf", data=x, chunks=(2, 3, 2), compression="lzf")
    d = f.create_dataset("partly", (8,), "f4", chunks=(4,))
    d[:4] = 1


def new(f):
    attributes(f)
    for i in range(12):
        f.attrs[f"more{i}"] = str(i)  # kept in a heap
    chunked(f)
    del f["many"], f["large chunk"]
    f["contiguous"] = values(3, 5)
    low(f, "compact", values(2, 3), h5py.h5d.COMPACT)
    low(f, "in order", values(5, 5), h5py.h5d.CHUNKED, h5py.h5d.ALLOC_TIME_EARLY, (2, 3))
    f.create_dataset("single", data=values(5, 5), chunks=(5, 5), compression="gzip")
    f.create_dataset("single plain", data=values(5, 5), chunks=(5, 5))
    f.create_dataset("pages", data=values(2100, dtype="f8"), chunks=(2,))
    f.create_dataset("growing", data=values(5, 5), chunks=(2, 2), maxshape=(None, 5))
    f.create_dataset("growing twice", data=values(5, 5), chunks=(2, 2), maxshape=(None, None))


def wide(f):
    for i in range(600):
        f.create_group(f"a group with a rather long name {i:03}", track_order=None)
    f["a group with a rather long name 077/x"] = values(3)


def loop(f):
    b = f.create_group("a/b")
    b["back"] = f["a"]


def external(f):
    f["other"] = h5py.ExternalLink("other.h5", "/x")


write("plain", plain)
write("chunked", chunked)
write("userblock", plain, userblock_size=1024)
write("wide", wide)
write("loop", loop)
write("new", new, libver=("v110", "v110"))
write("new108", plain, libver=("v108", "v108"))
write("new_wide", wide, libver=("v110", "v110"))
write("external", external)
