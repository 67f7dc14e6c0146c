"""Variables of TensorFlow 1 RNN cells in three kinds of files, with the outputs of the cells.

{name}.index and {name}.data-00000-of-00001 are a checkpoint of tf.compat.v1.train.Saver, {name}.npz
has the variables by name, and the folder {name} a manifest.json and one raw file of little-endian
float32 for each variable. None of them says what made the variables: that is in a case's options.

  cells     one for each layer, the class and its arguments; num_units is the size of c, or of a GRU's h
  wrapper   MultiRNNCell or ResidualWrapper, if any
  scope     what the variables' names begin with; with "bidirectional" that of both directions

Inputs are x [batch, time, features] ([time, batch, features] if time_major), sequence_length, and
c_0, h_0, c_1, h_1... (initial states by layer, forward before backward). Outputs are output (of the
forward layers) or output_fw and output_bw, and the last states as c_0, h_0, c_1, h_1...

LayerNormBasicLSTMCell, CoupledInputForgetGateLSTMCell, GRUBlockCell and CudnnCompatibleGRUCell were in
tf.contrib, which is gone. Their outputs are those of the plain numpy below: the framework of such a case is "numpy transcription".

  python test/python/golden_tf1.py            write test/golden/tf1
  python test/python/golden_tf1.py --check    compare a fresh run with the files
"""

import json
import logging
import os
import warnings

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import golden_cases
import numpy as np
import tensorflow as tf
from tensorflow.python.keras.layers.legacy_rnn import rnn_cell_impl

MATTERS = 1e-3
LARGEST_DISTANCE = 1e-5
KINDS = ("checkpoint", "npz", "manifest")
LENGTHS = np.array([3, 5, 0, 1, 4], np.int32)

DEFAULTS = {
    "features": 3,
    "batch": 2,
    "time": 4,
    "cells": ({"class": "BasicLSTMCell", "num_units": 5},),
    "wrapper": None,
    "bidirectional": False,
    "time_major": False,
    "sequence_length": False,
    "initial_state": False,
}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


# Functions by the name they have in a case: of TensorFlow and of numpy.
ACTIVATIONS = {
    "tanh": (tf.tanh, np.tanh),
    "relu": (tf.nn.relu, lambda x: np.maximum(x, 0)),
    "softsign": (tf.nn.softsign, lambda x: x / (1 + np.abs(x))),
    "sigmoid": (tf.sigmoid, sigmoid),
    "elu": (tf.nn.elu, lambda x: np.where(x < 0, np.expm1(x), x)),
}


class LayerNormBasicLSTMCell:
    """The cell of tf.contrib.rnn in plain numpy. No dropout."""

    scope = "layer_norm_basic_lstm_cell"

    def __init__(self, num_units, forget_bias=1.0, activation="tanh", layer_norm=True):
        self.num_units = self.output_size = num_units
        self.forget_bias = forget_bias
        self.activation = ACTIVATIONS[activation][1]
        self.layer_norm = layer_norm

    def shapes(self, features):
        shapes = {"kernel": (features + self.num_units, 4 * self.num_units)}
        if not self.layer_norm:
            return shapes | {"bias": (4 * self.num_units,)}
        for part in ("input", "transform", "forget", "output", "state"):
            shapes |= {f"{part}/gamma": (self.num_units,), f"{part}/beta": (self.num_units,)}
        return shapes

    def norm(self, x, part, variables):
        if not self.layer_norm:
            return x
        centred = x - x.mean(axis=1, keepdims=True)
        variance = (centred * centred).mean(axis=1, keepdims=True)
        normed = centred / np.sqrt(variance + x.dtype.type(1e-12))
        return normed * variables[f"{part}/gamma"] + variables[f"{part}/beta"]

    def step(self, x, c, h, variables):
        sums = np.concatenate([x, h], axis=1) @ variables["kernel"]
        if not self.layer_norm:
            sums = sums + variables["bias"]
        i, j, f, o = np.split(sums, 4, axis=1)
        i = self.norm(i, "input", variables)
        j = self.norm(j, "transform", variables)
        f = self.norm(f, "forget", variables)
        o = self.norm(o, "output", variables)
        c = c * sigmoid(f + self.forget_bias) + sigmoid(i) * self.activation(j)
        c = self.norm(c, "state", variables)
        return c, self.activation(c) * sigmoid(o)


class CoupledInputForgetGateLSTMCell:
    """The cell of tf.contrib.rnn in plain numpy: gates j, f, o, and 1 - f for the input gate."""

    scope = "coupled_input_forget_gate_lstm_cell"

    def __init__(
        self,
        num_units,
        use_peepholes=False,
        num_proj=None,
        proj_clip=None,
        forget_bias=1.0,
        activation="tanh",
    ):
        self.num_units = num_units
        self.output_size = num_proj or num_units
        self.use_peepholes = use_peepholes
        self.num_proj, self.proj_clip = num_proj, proj_clip
        self.forget_bias = forget_bias
        self.activation = ACTIVATIONS[activation][1]

    def shapes(self, features):
        shapes = {"W_0": (features + self.output_size, 3 * self.num_units)}
        shapes |= {"B": (3 * self.num_units,)}
        if self.use_peepholes:
            shapes |= {"W_F_diag": (self.num_units,), "W_O_diag": (self.num_units,)}
        if self.num_proj:
            shapes |= {"W_P_0": (self.num_units, self.num_proj)}
        return shapes

    def step(self, x, c, h, variables):
        sums = np.concatenate([x, h], axis=1) @ variables["W_0"] + variables["B"]
        j, f, o = np.split(sums, 3, axis=1)
        if self.use_peepholes:
            f = f + variables["W_F_diag"] * c
        f = sigmoid(f + self.forget_bias)
        c = f * c + (1 - f) * self.activation(j)
        if self.use_peepholes:
            o = o + variables["W_O_diag"] * c
        h = sigmoid(o) * self.activation(c)
        if self.num_proj:
            h = h @ variables["W_P_0"]
            if self.proj_clip:
                h = np.clip(h, -self.proj_clip, self.proj_clip)
        return c, h


class GRUBlockCell:
    """The cell of tf.contrib.rnn in plain numpy: a GRUCell whose variables have other names."""

    scope = "gru_cell"

    def __init__(self, num_units):
        self.num_units = self.output_size = num_units

    def shapes(self, features):
        rows, units = features + self.num_units, self.num_units
        return {"w_ru": (rows, 2 * units), "b_ru": (2 * units,), "w_c": (rows, units), "b_c": (units,)}

    def step(self, x, c, h, variables):
        gates = sigmoid(np.concatenate([x, h], axis=1) @ variables["w_ru"] + variables["b_ru"])
        r, u = np.split(gates, 2, axis=1)
        candidate = np.concatenate([x, r * h], axis=1) @ variables["w_c"] + variables["b_c"]
        return c, u * h + (1 - u) * np.tanh(candidate)


class CudnnCompatibleGRUCell:
    """The cell of tf.contrib.cudnn_rnn in plain numpy: r comes after the recurrent product."""

    scope = "cudnn_compatible_gru_cell"

    def __init__(self, num_units):
        self.num_units = self.output_size = num_units

    def shapes(self, features):
        units = self.num_units
        shapes = {"gates/kernel": (features + units, 2 * units), "gates/bias": (2 * units,)}
        for part, rows in (("input_projection", features), ("hidden_projection", units)):
            shapes |= {f"candidate/{part}/kernel": (rows, units), f"candidate/{part}/bias": (units,)}
        return shapes

    def step(self, x, c, h, variables):
        gates = np.concatenate([x, h], axis=1) @ variables["gates/kernel"] + variables["gates/bias"]
        r, u = np.split(sigmoid(gates), 2, axis=1)

        def project(value, part):
            part = f"candidate/{part}_projection"
            return value @ variables[f"{part}/kernel"] + variables[f"{part}/bias"]

        return c, u * h + (1 - u) * np.tanh(project(x, "input") + r * project(h, "hidden"))


CONTRIB = {
    cell.__name__: cell
    for cell in (
        LayerNormBasicLSTMCell,
        CoupledInputForgetGateLSTMCell,
        GRUBlockCell,
        CudnnCompatibleGRUCell,
    )
}
TENSORFLOW = {
    name: getattr(rnn_cell_impl, name)
    for name in ("BasicLSTMCell", "LSTMCell", "GRUCell", "BasicRNNCell")
}


def has_c(cell):
    return "LSTM" in cell["class"]


def sizes(case):
    """(num_units, size of h) of every layer, forward before backward."""
    layers = [
        (cell["num_units"], cell.get("num_proj") or cell["num_units"]) for cell in case["cells"]
    ]
    return layers * (2 if case["bidirectional"] else 1)


def make_inputs(case, rng):
    """Everything that a model of this size may read, drawn in one order."""

    def uniform(shape, scale):
        return rng.uniform(-scale, scale, shape).astype(np.float32)

    x = uniform((case["batch"], case["time"], case["features"]), 2)
    inputs = {"x": x.swapaxes(0, 1) if case["time_major"] else x}
    if case["sequence_length"]:
        inputs["sequence_length"] = LENGTHS[: case["batch"]]
    for index, (c_size, h_size) in enumerate(sizes(case)):
        states = {
            "c": uniform((case["batch"], c_size), 1),
            "h": uniform((case["batch"], h_size), 1),
        }
        cell = case["cells"][index % len(case["cells"])]
        if case["initial_state"]:
            inputs |= {f"{key}_{index}": states[key] for key in states if key == "h" or has_c(cell)}
    return inputs


def is_multiple(case):
    return case["wrapper"] == "MultiRNNCell" or len(case["cells"]) > 1


def make_cell(case):
    """The TensorFlow cell of one direction."""
    cells = []
    for options in case["cells"]:
        options = dict(options)
        kind = TENSORFLOW[options.pop("class")]
        if "activation" in options:
            options["activation"] = ACTIVATIONS[options["activation"]][0]
        cells.append(kind(**options))
    if case["wrapper"] == "ResidualWrapper":
        cells = [rnn_cell_impl.ResidualWrapper(cell) for cell in cells]
    return rnn_cell_impl.MultiRNNCell(cells) if is_multiple(case) else cells[0]


def run_tensorflow(case, inputs, variables, dtype, checkpoint=None):
    """The outputs in `dtype`, and the variables.

    `variables` makes the value of each from its name and shape. They are saved to `checkpoint`.
    """
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        values = {
            key: tf.constant(value if value.dtype.kind == "i" else value.astype(dtype))
            for key, value in inputs.items()
        }
        states = [
            rnn_cell_impl.LSTMStateTuple(values[f"c_{n}"], values[f"h_{n}"])
            if f"c_{n}" in values
            else values[f"h_{n}"]
            for n in range(len(sizes(case)))
            if case["initial_state"]
        ]
        layers = len(case["cells"])
        settings = {
            "sequence_length": values.get("sequence_length"),
            "time_major": case["time_major"],
            "dtype": dtype,
        }

        def state_of(part):
            if not part:
                return None
            return tuple(part) if is_multiple(case) else part[0]

        if case["bidirectional"]:
            outputs, last = v1.nn.bidirectional_dynamic_rnn(
                make_cell(case),
                make_cell(case),
                values["x"],
                initial_state_fw=state_of(states[:layers]),
                initial_state_bw=state_of(states[layers:]),
                **settings,
            )
            found = dict(zip(("output_fw", "output_bw"), outputs))
        else:
            output, last = v1.nn.dynamic_rnn(
                make_cell(case), values["x"], initial_state=state_of(states), **settings
            )
            found = {"output": output}
        flat = tf.nest.flatten(last)
        for index in range(len(sizes(case))):
            if has_c(case["cells"][index % layers]):
                found[f"c_{index}"] = flat.pop(0)
            found[f"h_{index}"] = flat.pop(0)

        stored = {}
        for variable in v1.global_variables():
            name = variable.name.removesuffix(":0")
            stored[name] = variables(name, tuple(variable.shape))
            variable.load(stored[name].astype(dtype), session)
        if checkpoint:
            save_checkpoint(session, checkpoint)
        return session.run(found), stored


def run_contrib(case, inputs, variables, dtype):
    """The same as run_tensorflow, for one cell of CONTRIB."""
    options = dict(case["cells"][0])
    cell = CONTRIB[options.pop("class")](**options)
    prefix = f"rnn/{cell.scope}"
    stored = {
        f"{prefix}/{name}": variables(f"{prefix}/{name}", shape)
        for name, shape in cell.shapes(case["features"]).items()
    }
    own = {name.removeprefix(prefix + "/"): value.astype(dtype) for name, value in stored.items()}
    x = inputs["x"].astype(dtype)
    x = x.swapaxes(0, 1) if case["time_major"] else x
    batch, time, _ = x.shape
    c = inputs.get("c_0", np.zeros((batch, cell.num_units))).astype(dtype)
    h = inputs.get("h_0", np.zeros((batch, cell.output_size))).astype(dtype)
    lengths = inputs.get("sequence_length", np.full(batch, time))
    outputs = []
    for t in range(time):
        valid = (t < lengths)[:, np.newaxis]
        c_next, h_next = cell.step(x[:, t], c, h, own)
        c, h = np.where(valid, c_next, c), np.where(valid, h_next, h)
        outputs.append(np.where(valid, h_next, dtype(0)))
    output = np.stack(outputs, axis=0 if case["time_major"] else 1)
    found = {"output": output} | ({"c_0": c} if has_c(case["cells"][0]) else {}) | {"h_0": h}
    return found, stored


def save_checkpoint(session, path):
    saver = tf.compat.v1.train.Saver()
    saver.save(session, str(path), write_meta_graph=False, write_state=False)


def save_variables(stored, path):
    """A checkpoint of numpy arrays."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        for name, value in stored.items():
            variable = tf.compat.v1.get_variable(name, value.shape)
            variable.load(value, session)
        save_checkpoint(session, path)


def save_manifest(stored, directory):
    directory.mkdir()
    manifest = {}
    for name, value in stored.items():
        filename = name.replace("/", "_")
        (directory / filename).write_bytes(value.astype("<f4").tobytes())
        manifest[name] = {"filename": filename, "shape": list(value.shape)}
    (directory / "manifest.json").write_text(json.dumps(manifest, indent=2))


def make_variables(seed):
    """Values by name, whatever the order they are asked for in."""

    def value(name, shape):
        # Sums of few terms stay where activations bend.
        rng = np.random.default_rng([seed, *name.encode()])
        gamma = 1 if name.endswith("gamma") else 0
        return (gamma + rng.uniform(-0.8, 0.8, shape)).astype(np.float32)

    return value


def without_each_option(case):
    """(option, the case without it) for options of cells and of the model."""
    for index, cell in enumerate(case["cells"]):
        for key in ("cell_clip", "proj_clip", "forget_bias", "activation"):
            if key in cell:
                cells = [dict(other) for other in case["cells"]]
                del cells[index][key]
                yield f"{key} of layer {index}", case | {"cells": cells}
    if case["wrapper"] == "ResidualWrapper":
        yield "wrapper", case | {"wrapper": None}
    for key in ("sequence_length", "initial_state"):
        if case[key]:
            yield key, case | {key: False}


def basic(units, **options):
    return {"class": "BasicLSTMCell", "num_units": units} | options


def lstm(units, **options):
    return {"class": "LSTMCell", "num_units": units} | options


def coupled(units, **options):
    return {"class": "CoupledInputForgetGateLSTMCell", "num_units": units} | options


def layer_norm(units, **options):
    return {"class": "LayerNormBasicLSTMCell", "num_units": units} | options


def gru(units, **options):
    return {"class": "GRUCell", "num_units": units} | options


def rnn(units, **options):
    return {"class": "BasicRNNCell", "num_units": units} | options


def make_cases():
    """Name, rows, the settings that differ from DEFAULTS."""
    for units in (1, 3, 5, 8, 17):
        yield f"basic-{units}", {2}, {"cells": [basic(units)], "time": units % 7 + 2}
    yield "basic-one-step", {1}, {"time": 1, "initial_state": True}
    yield "basic-time-major", {3}, {"time_major": True, "batch": 3}
    yield "basic-forget-bias", {2, 21}, {"cells": [basic(5, forget_bias=0.25)]}
    yield "basic-forget-bias-0", {2, 21}, {"cells": [basic(8, forget_bias=0.0)]}
    yield "basic-activation", {2, 23}, {"cells": [basic(5, activation="relu")]}
    yield "basic-initial-state", {2, 7, 6}, {"initial_state": True}
    lengths = {"sequence_length": True, "batch": 5, "time": 5}
    yield "basic-lengths", {2, 26, 27}, lengths
    yield "basic-lengths-initial", {2, 7, 26, 27}, lengths | {"initial_state": True}
    yield "basic-lengths-time-major", {3, 26, 27}, lengths | {"time_major": True}

    yield "lstm", {2}, {"cells": [lstm(5)]}
    yield "lstm-activation", {2, 23}, {"cells": [lstm(3, activation="softsign")]}
    yield "peepholes", {2, 17}, {"cells": [lstm(5, use_peepholes=True)]}
    yield (
        "peepholes-forget-bias",
        {2, 17, 21},
        {"cells": [lstm(8, use_peepholes=True, forget_bias=0.0)], "initial_state": True},
    )
    yield "projection", {2, 16}, {"cells": [lstm(5, num_proj=3)], "initial_state": True}
    yield "projection-wider", {2, 16}, {"cells": [lstm(3, num_proj=8)]}
    yield "cell-clip", {2, 18}, {"cells": [lstm(5, cell_clip=0.3)]}
    yield (
        "cell-clip-peepholes",
        {2, 17, 18},
        {"cells": [lstm(5, cell_clip=0.2, use_peepholes=True)]},
    )
    yield "proj-clip", {2, 16, 18}, {"cells": [lstm(8, num_proj=5, proj_clip=0.15)]}
    everything = {"use_peepholes": True, "num_proj": 3, "cell_clip": 0.4, "proj_clip": 0.2}
    yield (
        "everything",
        {2, 7, 16, 17, 18, 21, 23, 26, 27},
        lengths
        | {
            "cells": [lstm(17, forget_bias=0.5, activation="elu", **everything)],
            "initial_state": True,
        },
    )

    yield "multi", {2, 13}, {"cells": [basic(5), basic(3)]}
    yield "multi-one", {2, 13}, {"cells": [basic(5)], "wrapper": "MultiRNNCell"}
    yield (
        "multi-initial-lengths",
        {2, 6, 7, 13, 26, 27},
        lengths | {"cells": [basic(3), basic(8, forget_bias=0.5)], "initial_state": True},
    )
    yield (
        "multi-mixed",
        {2, 13, 16, 17, 18},
        {"cells": [lstm(5, num_proj=3, proj_clip=0.1), basic(8), lstm(3, use_peepholes=True)]},
    )
    residual = {"wrapper": "ResidualWrapper", "features": 5}
    yield "residual", {2, 28}, residual
    yield (
        "residual-multi",
        {2, 13, 28},
        residual | {"cells": [basic(5), lstm(5, use_peepholes=True)]},
    )
    yield "residual-lengths", {2, 26, 27, 28}, residual | lengths

    both = {"bidirectional": True}
    yield "bidirectional", {2, 11}, both
    yield "bidirectional-lengths", {2, 7, 11, 26, 27}, both | lengths | {"initial_state": True}
    yield (
        "bidirectional-time-major",
        {3, 11, 16},
        both | lengths | {"cells": [lstm(8, num_proj=3)], "time_major": True},
    )
    yield (
        "bidirectional-multi",
        {2, 7, 11, 13},
        both | {"cells": [basic(5), basic(3)], "initial_state": True},
    )

    yield "coupled", {2, 19}, {"cells": [coupled(5)]}
    yield "coupled-forget-bias", {2, 19, 21}, {"cells": [coupled(3, forget_bias=0.0)]}
    yield "coupled-peepholes", {2, 17, 19}, {"cells": [coupled(8, use_peepholes=True)]}
    yield (
        "coupled-projection",
        {2, 16, 18, 19},
        {
            "cells": [coupled(5, num_proj=3, proj_clip=0.2, use_peepholes=True)],
            "initial_state": True,
        },
    )
    yield "coupled-lengths", {3, 19, 26, 27}, lengths | {"cells": [coupled(17)], "time_major": True}

    yield "layer-norm", {2, 20}, {"cells": [layer_norm(5)]}
    yield "layer-norm-17", {2, 7, 20}, {"cells": [layer_norm(17)], "initial_state": True}
    yield "layer-norm-forget-bias", {2, 20, 21}, {"cells": [layer_norm(8, forget_bias=0.0)]}
    yield "layer-norm-activation", {2, 20, 23}, {"cells": [layer_norm(5, activation="relu")]}
    yield (
        "layer-norm-lengths",
        {3, 20, 26, 27},
        lengths | {"cells": [layer_norm(3)], "time_major": True},
    )
    yield "layer-norm-off", {2, 20}, {"cells": [layer_norm(5, layer_norm=False)]}

    for name, cell, rows in (("gru", gru, {35}), ("rnn", rnn, {37})):
        for units in (1, 3, 5, 8, 17):
            yield f"{name}-{units}", {2} | rows, {"cells": [cell(units)], "time": units % 7 + 2}
        one = {"cells": [cell(5)]}
        yield f"{name}-one-step", {1, 7} | rows, one | {"time": 1, "initial_state": True}
        yield f"{name}-time-major", {3} | rows, one | {"time_major": True, "batch": 3}
        yield f"{name}-activation", {2, 23} | rows, {"cells": [cell(5, activation="softsign")]}
        yield f"{name}-lengths", {2, 26, 27} | rows, lengths | one
        initial = {"initial_state": True}
        yield f"{name}-lengths-initial", {2, 6, 7, 26, 27} | rows, lengths | one | initial
        yield f"{name}-multi", {2, 6, 7, 13} | rows, {"cells": [cell(5), cell(3)]} | initial
        yield f"{name}-residual-lengths", {2, 26, 27, 28} | rows, residual | lengths | one
        yield f"{name}-bidirectional", {2, 7, 11, 26, 27} | rows, both | lengths | one | initial
    yield "gru-multi-mixed", {2, 6, 13, 35, 37}, {"cells": [gru(5), basic(3), rnn(8), gru(2)]}
    yield (
        "gru-bidirectional-multi",
        {3, 11, 13, 35},
        both | {"cells": [gru(5), gru(3)], "time_major": True},
    )
    block = {"cells": [{"class": "GRUBlockCell", "num_units": 5}]}
    yield "gru-block", {2, 7, 35}, block | {"initial_state": True}
    compatible = {"cells": [{"class": "CudnnCompatibleGRUCell", "num_units": 5}]}
    yield "gru-cudnn-compatible", {2, 7, 35, 36}, compatible | {"initial_state": True}
    yield "gru-cudnn-compatible-lengths", {3, 26, 27, 35, 36}, lengths | compatible | {"time_major": True}


def describe(case, kind):
    """The options of a case; of what is not set, only what a reader would have to guess."""
    options = {
        key: value for key, value in case.items() if value != DEFAULTS[key] or key == "cells"
    }
    scope = "bidirectional_rnn/fw and bidirectional_rnn/bw" if case["bidirectional"] else "rnn"
    for key in ("features", "batch", "time"):
        options.pop(key, None)
    options["cells"] = [
        ({"forget_bias": 1.0} if has_c(cell) else {}) | {"activation": "tanh"} | cell
        for cell in case["cells"]
    ]
    return options | {"scope": scope, "kind": kind}


def farthest(left, right):
    return max(np.abs(left[key] - right[key]).max() for key in left)


def add_case(golden, seed, name, rows, case, kind):
    contrib = case["cells"][0]["class"] in CONTRIB
    run = run_contrib if contrib else run_tensorflow
    variables = make_variables(seed)
    inputs = make_inputs(case, np.random.default_rng(seed))
    path = golden.directory / name
    outputs, stored = run(case, inputs, variables, np.float32)
    exact, _ = run(case, inputs, variables, np.float64)
    assert farthest(outputs, exact) < LARGEST_DISTANCE, name
    for option, without in without_each_option(case):
        changed, _ = run(
            without, make_inputs(without, np.random.default_rng(seed)), variables, np.float64
        )
        assert farthest(exact, changed) > MATTERS, f"{name}: {option} does not matter"

    if kind == "checkpoint":
        file = f"{name}.index"
        if contrib:
            save_variables(stored, path)
        else:
            run(case, inputs, variables, np.float32, checkpoint=path)
    elif kind == "npz":
        file = f"{name}.npz"
        np.savez(golden.directory / file, **stored)
    else:
        file = f"{name}/manifest.json"
        save_manifest(stored, path)
    golden.add(
        name,
        file,
        rows=rows,
        options=describe(case, kind),
        calls=[(inputs, outputs, exact)],
        framework="numpy transcription" if contrib else None,
    )


def generate(directory):
    warnings.filterwarnings("ignore")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    tf.compat.v1.disable_eager_execution()
    golden = golden_cases.Golden(directory, "tensorflow", {"tensorflow": tf.__version__})
    for seed, (name, rows, settings) in enumerate(make_cases(), start=1):
        add_case(golden, seed, name, rows, DEFAULTS | settings, KINDS[seed % 3])
    return golden


if __name__ == "__main__":
    golden_cases.main(__doc__, "tf1", generate)
