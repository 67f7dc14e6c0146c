"""What masks do in merges, attention, and as arguments, by the version of Keras 3: one model each.

Keras 3.0 to 3.3 lose masks in merges; from 3.4 on a merge has one, and Multiply, Maximum and Minimum
leave masked steps out; from 3.11 on a mask that is an argument is passed on. Run it once for each
version; the wheel of an older one, unpacked, comes first in PYTHONPATH:

  KERAS_BACKEND=torch PYTHONPATH=keras-3.3.3 python test/python/golden_keras_masks.py
  KERAS_BACKEND=torch PYTHONPATH=keras-3.3.3 python test/python/golden_keras_masks.py --check

The folder is test/golden/keras-masks/{version}.
"""

import zipfile

import golden_cases
import h5py
import keras
import numpy as np
import torch
from keras.layers import LSTM, Attention, Concatenate, Flatten, Input, Masking
from keras.layers import Add, Average, Maximum, Minimum, Multiply, Subtract
from keras_cases import Cases, uniform

MERGES = (Multiply, Maximum, Minimum, Add, Average, Subtract, Concatenate)
VERSION = tuple(int(part) for part in keras.__version__.split(".")[:2])


def pattern(*rows):
    return np.array([[character == "1" for character in row] for row in rows])


# Valid in one, in the other, in both, in none; all padding.
MASKS = pattern("10110", "01100", "00000"), pattern("01101", "11010", "11011")


def masks():
    """Outputs of merges as they are, and of an LSTM that reads them with their masks."""
    # Keras 3.4 to 3.10 with torch want to know the batch.
    x, z = (Input(batch_shape=(3, 5, 3), name=name) for name in ("x", "z"))
    mask = Input(batch_shape=(3, 5), dtype="bool", name="mask")

    def sequence(tensor):
        return LSTM(2, return_sequences=True)(tensor)

    a, b, plain = sequence(Masking()(x)), sequence(Masking()(z)), sequence(x)
    # One layer reads all: the file is small.
    narrow, wide = LSTM(1), LSTM(1)
    outputs = []
    for merge in MERGES:
        pairs = [(a, b), (a, plain), (plain, b)]
        if merge not in (Subtract, Concatenate):
            pairs += [(a, b, plain), (plain, a, b), (a, b, a)]
        for inputs in pairs:
            merged = merge()(list(inputs))
            outputs += [Flatten()(merged), (wide if merge is Concatenate else narrow)(merged)]
    outputs.append(narrow(Concatenate(axis=1)([a, b])))
    if VERSION >= (3, 4):
        outputs.append(narrow(Concatenate(axis=1)([plain, a])))
    if VERSION >= (3, 12):
        outputs.append(narrow(Attention()([a, b])))
    argued = LSTM(2, return_sequences=True)(x, mask=mask)
    outputs += [Flatten()(argued), narrow(argued)]
    return keras.Model([x, z, mask], outputs)


def fed(rng):
    x, z = (np.where(mask[..., np.newaxis], uniform(rng, (*mask.shape, 3), 2), 0) for mask in MASKS)
    return {"x": x.astype(np.float32), "z": z.astype(np.float32), "mask": MASKS[0] ^ MASKS[1]}


@torch.no_grad()
def generate(directory):
    torch.set_num_threads(1)
    versions = {"keras": keras.__version__, "torch": torch.__version__, "h5py": h5py.__version__}
    golden = golden_cases.Golden(directory, "keras, torch backend", versions)
    cases = Cases(golden, 7000, None, ("keras",))
    # As calls, because the file has its masks twice: from Masking, and as arguments with the value in them.
    cases.add("masks", masks, None, rows={25, 26, 27, 28}, calls=lambda rng: [(fed(rng), False)])
    deflate(directory / "masks.keras")
    return golden


def deflate(file):
    """Keras stores its archives; most of this one are the empty groups of layers without weights."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    golden_cases.main(__doc__, f"keras-masks/{keras.__version__}", generate)
