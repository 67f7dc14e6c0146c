"""Models that Keras 3 quantised, with its outputs for the file and for the float32 model it was made of.

  KERAS_BACKEND=torch python test/python/golden_keras_quantized.py            write test/golden/keras-quantized
"""

import json
import platform
import zipfile
from pathlib import Path

import keras
import numpy as np
from safetensors.numpy import save_file

FOLDER = Path(__file__).parent.parent / "golden" / "keras-quantized"


def model(seed, inputs, width):
    """An embedding, an LSTM and two dense layers, one of them without a bias; `inputs` is that of the first dense layer."""
    keras.utils.set_random_seed(seed)
    words = keras.Input((7,), dtype="int32", name="words")
    x = keras.layers.Embedding(11, width, name="table")(words)
    x = keras.layers.LSTM(inputs, return_sequences=True, name="lstm")(x)
    x = keras.layers.Dense(9, activation="relu", bias_initializer="uniform", name="hidden")(x)
    return keras.Model(words, keras.layers.Dense(3, use_bias=False, name="result")(x))


def einsums(seed):
    """EinsumDense to several axes and back, and attention of its result to the input."""
    keras.utils.set_random_seed(seed)
    words = keras.Input((7, 6), name="words")
    x = keras.layers.EinsumDense("abc,cde->abde", (None, 3, 4), bias_axes="de", activation="relu", name="heads", bias_initializer="uniform")(words)
    x = keras.layers.EinsumDense("abde,dec->abc", (None, 5), bias_axes="c", name="joined", bias_initializer="uniform")(x)
    x = keras.layers.EinsumDense("abx,xyz->azby", (3, None, 2), name="turned")(x)
    x = keras.layers.Reshape((7, 6))(keras.layers.Permute((2, 1, 3))(x))
    return keras.Model(words, keras.layers.MultiHeadAttention(2, 3, name="result", bias_initializer="uniform")(x, words))


def equations(seed):
    """EinsumDense as it is trained: ellipses on either side, several axes in and out, in another order, biases along some of them."""
    keras.utils.set_random_seed(seed)
    dense = lambda *args, **settings: keras.layers.EinsumDense(*args, bias_initializer="uniform", **settings)
    words = keras.Input((7, 6), name="words")
    heads = dense("btf,fhk->bhtk", (2, 7, 3), bias_axes="hk")(words)
    outputs = [
        heads,
        dense("bhtk,hkd->btd", (None, 4), bias_axes="d", activation="tanh")(heads),
        dense("bhtk,hkd->btd", (7, 4), bias_axes="t")(heads),
        dense("...f,fd->...d", 7, bias_axes="d")(words),
        dense("bt...,td->bd...", 3, bias_axes="d")(words),
        dense("btf,tfd->bd", 3)(words),
        dense("btf,dft->bd", 2, bias_axes="d")(words),
    ]
    joined = keras.layers.Concatenate(name="result")([keras.layers.Flatten()(output) for output in outputs])
    return keras.Model(words, joined)


def around_lstm(seed):
    keras.utils.set_random_seed(seed)
    words = keras.Input((None, 6), name="words")
    x = keras.layers.EinsumDense("abc,cd->abd", (None, 3), bias_axes="d", bias_initializer="uniform")(words)
    x = keras.layers.LSTM(4, return_sequences=True)(x)
    return keras.Model(words, keras.layers.EinsumDense("abc,cde->abde", (None, 2, 3), name="result")(x))


def heads(seed):
    """Attention of several heads between an LSTM and a dense layer: as .h5, which lists tensors by name, all biases first."""
    keras.utils.set_random_seed(seed)
    words = keras.Input((7, 6), name="words")
    x = keras.layers.LSTM(5, return_sequences=True)(words)
    x = keras.layers.MultiHeadAttention(2, 3, value_dim=4, bias_initializer="uniform")(x, x)
    return keras.Model(words, keras.layers.Dense(3, bias_initializer="uniform", name="result")(x))


def int4(block):
    return keras.quantizers.Int4QuantizationConfig(block_size=block)


def cases():
    yield "int8", model(1, 13, 6), {"mode": "int8"}
    yield "int4", model(2, 13, 5), {"mode": "int4"}
    yield "int4-per-channel", model(3, 12, 7), {"config": int4(None)}
    yield "int4-blocks", model(4, 21, 8), {"config": int4(4)}
    yield "int8-einsum", einsums(5), {"mode": "int8"}
    yield "einsum", equations(6), None
    yield "einsum-lstm", around_lstm(7), None
    yield "int8-heads", heads(9), {"mode": "int8"}


def main():
    FOLDER.mkdir(exist_ok=True)
    rng = np.random.default_rng(8)
    listed, tensors = [], {}
    for name, made, settings in cases():
        is_einsum = "einsum" in name or "heads" in name
        words = rng.uniform(-1, 1, (4, 7, 6)).astype(np.float32) if is_einsum else rng.integers(0, 11, (4, 7)).astype(np.int32)
        exact = made(words)
        if settings is not None:
            made.quantize(**settings)
        path = FOLDER / f"{name}.{'h5' if 'heads' in name else 'keras'}"
        made.save(path)
        outputs = made(words)
        tensors |= {f"{name}/in/words": words}
        for key, value in (("out", outputs), ("float", exact)):
            tensors[f"{name}/{key}/result"] = np.ascontiguousarray(keras.ops.convert_to_numpy(value))
        print(name, path.stat().st_size, np.sqrt(((tensors[f"{name}/out/result"] - tensors[f"{name}/float/result"]) ** 2).mean()))
        if path.suffix == ".keras":
            for layer in json.loads(zipfile.ZipFile(path).read("config.json"))["config"]["layers"]:
                print("  ", layer["config"]["name"], str(layer["config"]["dtype"])[:200])
        listed.append({"name": name, "file": path.name, "rows": [] if settings is None else [30]})
    narrow = heads(9)
    narrow.quantize("int4")
    narrow.save(FOLDER / "int4-heads.h5")  # refused
    versions = {"keras": keras.__version__, "backend": keras.backend.backend(), "numpy": np.__version__, "python": platform.python_version()}
    (FOLDER / "cases.json").write_text(json.dumps({"versions": versions, "cases": listed}, indent=1) + "\n")
    save_file(tensors, FOLDER / "cases.safetensors")


main()
