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


def int4(block):
    return keras.quantizers.Int4QuantizationConfig(block_size=block)


def cases():
    yield "int8", model(1, 13, 6), {"mode": "int8"}
    yield "int4", model(2, 13, 5), {"mode": "int4"}
    yield "int4-per-channel", model(3, 12, 7), {"config": int4(None)}
    yield "int4-blocks", model(4, 21, 8), {"config": int4(4)}


def main():
    FOLDER.mkdir(exist_ok=True)
    rng = np.random.default_rng(8)
    listed, tensors = [], {}
    for name, made, settings in cases():
        words = rng.integers(0, 11, (4, 7)).astype(np.int32)
        exact = made(words)
        made.quantize(**settings)
        path = FOLDER / f"{name}.keras"
        made.save(path)
        outputs = made(words)
        tensors |= {f"{name}/in/words": words}
        for key, value in (("out", outputs), ("float", exact)):
            tensors[f"{name}/{key}/result"] = np.ascontiguousarray(keras.ops.convert_to_numpy(value))
        print(name, path.stat().st_size, np.sqrt(((tensors[f"{name}/out/result"] - tensors[f"{name}/float/result"]) ** 2).mean()))
        for layer in json.loads(zipfile.ZipFile(path).read("config.json"))["config"]["layers"]:
            print("  ", layer["config"]["name"], str(layer["config"]["dtype"])[:200])
        listed.append({"name": name, "rows": [30]})
    versions = {"keras": keras.__version__, "backend": keras.backend.backend(), "numpy": np.__version__, "python": platform.python_version()}
    (FOLDER / "cases.json").write_text(json.dumps({"versions": versions, "cases": listed}, indent=1) + "\n")
    save_file(tensors, FOLDER / "cases.safetensors")


main()
