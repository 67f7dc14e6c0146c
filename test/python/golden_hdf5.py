"""HDF5 files in the oldest and the newest layout that h5py writes, for the reader of Keras's .h5 files.

Keras itself writes the oldest; files that other tools rewrote may be in any. Every dataset counts from
0 in float32 unless its name says otherwise.

  python test/python/golden_hdf5.py     write test/golden/hdf5
"""

from pathlib import Path

import h5py
import numpy as np


def counting(*shape, dtype="<f4"):
    return np.arange(np.prod(shape, dtype=int), dtype=dtype).reshape(shape)


def write(path, libver, bounds):
    with h5py.File(path, "w", libver=bounds) as file:
        file.attrs["short"] = "one text"
        # In the newest layout an attribute may be longer than an object header.
        file.attrs["long"] = "x" * (70_000 if libver == "newest" else 50_000)
        file.attrs.create("texts", ["a", "bb", "ccc"])
        file.attrs.create("fixed", np.array([b"a", b"bb"]))
        for number in range(12):
            file.attrs[f"attribute{number}"] = f"value {number}"
        group = file.create_group("many")
        for number in range(40):
            group[f"dataset{number}"] = counting(2, 3) + number
        file.create_group("empty group")
        file["a/b/c"] = counting(3)
        file["big-endian float64"] = counting(5, dtype=">f8")
        file["float16"] = counting(5, dtype="<f2")
        file["int64"] = counting(5, dtype="<i8")
        file["int32"] = counting(5, dtype="<i4")
        file["uint8"] = counting(5, dtype="u1")
        file["text"] = ["no numbers"]
        file["scalar"] = np.float32(3)
        file.create_dataset("never written", shape=(3,), dtype="<f4")
        file.create_dataset("no elements", shape=(0, 3), dtype="<f4")
        options = {"compression": "gzip", "shuffle": True, "fletcher32": True}
        if libver == "oldest":
            file.create_dataset("chunks", data=counting(19, 11), chunks=(8, 4), **options)
        else:
            file.create_dataset("chunk", data=counting(19, 11), chunks=(19, 11), **options)
            file.create_dataset("chunks", data=counting(19, 11), chunks=(8, 4), **options)


directory = Path("test/golden/hdf5")
directory.mkdir(parents=True, exist_ok=True)
write(directory / "oldest.h5", "oldest", "earliest")
write(directory / "newest.h5", "newest", ("v110", "v110"))
