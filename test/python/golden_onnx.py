"""ONNX models with the outputs of onnxruntime, and of onnx's reference evaluator where that refuses.

Every optional input and attribute of LSTM, weights that reach it in roundabout ways, operators that
stand around an LSTM, and exports of torch.onnx. Each model is also evaluated in float64 with the
LSTM below. Nothing that an LSTM case sets may be ignored: without it, results must differ.

  python test/python/golden_onnx.py            write test/golden/onnx
  python test/python/golden_onnx.py --check    compare a fresh run with the files
"""

import copy
import itertools
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun
from torch import nn

import golden_cases

OPSETS = (7, 14, 17, 22)
# An IR version of the opset's time. Before 4, initializers had to be inputs of the graph too.
IR_VERSIONS = {7: 3, 9: 4, 11: 6, 12: 7, 13: 7, 14: 7, 16: 8, 17: 8, 18: 8, 20: 9, 22: 10}
HIDDEN_SIZES = (1, 3, 5, 8, 17)
DIRECTIONS = ("forward", "reverse", "bidirectional")
MATTERS = 1e-3
# What onnx's reference evaluator gets wrong or refuses.
NO_FLOAT64 = ("op-global-max-pool", "op-pad-negative", "op-softmax-opset11-flattens")
LARGEST_DISTANCE = 1e-5

ACTIVATIONS = {
    "Relu": lambda x, a, b: np.maximum(x, 0),
    "Tanh": lambda x, a, b: np.tanh(x),
    "Sigmoid": lambda x, a, b: 1 / (1 + np.exp(-x)),
    "Affine": lambda x, a, b: a * x + b,
    "LeakyRelu": lambda x, a, b: np.where(x < 0, a * x, x),
    "ThresholdedRelu": lambda x, a, b: np.where(x >= a, x, 0),
    "ScaledTanh": lambda x, a, b: a * np.tanh(b * x),
    "HardSigmoid": lambda x, a, b: np.clip(a * x + b, 0, 1),
    "Elu": lambda x, a, b: np.where(x < 0, a * (np.exp(x) - 1), x),
    "Softsign": lambda x, a, b: x / (1 + np.abs(x)),
    "Softplus": lambda x, a, b: np.log1p(np.exp(x)),
}
ALPHA = {"Affine": 1, "LeakyRelu": 0.01, "ThresholdedRelu": 1, "ScaledTanh": 1}
ALPHA |= {"HardSigmoid": 0.2, "Elu": 1}
BETA = {"Affine": 0, "ScaledTanh": 1, "HardSigmoid": 0.5}


def bound_activations(names, alphas, betas):
    """Functions of one argument. alphas and betas have one value for each name that takes one."""
    alphas, betas = list(alphas or []), list(betas or [])
    bound = []
    for name in names:
        alpha = alphas.pop(0) if alphas and name in ALPHA else ALPHA.get(name)
        beta = betas.pop(0) if betas and name in BETA else BETA.get(name)
        bound.append(lambda x, f=ACTIVATIONS[name], a=alpha, b=beta: f(x, a, b))
    return bound


class LSTM(OpRun):
    """The whole operator, in the type of its input: the one in onnx leaves most attributes out."""

    op_domain = ""

    def _run(
        self, x, w, r, b=None, sequence_lens=None, initial_h=None, initial_c=None, p=None, **options
    ):
        layout = options["layout"] or 0
        if layout:
            x, initial_h, initial_c = (
                part if part is None else np.swapaxes(part, 0, 1)
                for part in (x, initial_h, initial_c)
            )
        steps, batch, _ = x.shape
        directions, hidden = w.shape[0], r.shape[2]
        b = np.zeros((directions, 8 * hidden)) if b is None else b
        p = np.zeros((directions, 3 * hidden)) if p is None else p
        lens = [steps] * batch if sequence_lens is None else sequence_lens
        y = np.zeros((steps, directions, batch, hidden), x.dtype)
        y_h = np.zeros((directions, batch, hidden), x.dtype)
        y_c = np.zeros_like(y_h)
        functions = bound_activations(
            options["activations"] or ["Sigmoid", "Tanh", "Tanh"] * directions,
            options["activation_alpha"],
            options["activation_beta"],
        )
        clip = options["clip"] or np.inf

        for d, n in itertools.product(range(directions), range(batch)):
            f, g, h = functions[3 * d : 3 * d + 3]
            p_i, p_o, p_f = np.split(p[d], 3)
            hidden_state = np.zeros(hidden) if initial_h is None else initial_h[d, n]
            cell_state = np.zeros(hidden) if initial_c is None else initial_c[d, n]
            times = range(lens[n])
            for t in reversed(times) if options["direction"] == "reverse" or d else times:
                sums = w[d] @ x[t, n] + r[d] @ hidden_state + sum(np.split(b[d], 2))
                i, o, forget, candidate = np.split(sums, 4)
                i = f(np.clip(i + p_i * cell_state, -clip, clip))
                if options["input_forget"]:
                    forget = 1 - i
                else:
                    forget = f(np.clip(forget + p_f * cell_state, -clip, clip))
                candidate = g(np.clip(candidate, -clip, clip))
                cell_state = forget * cell_state + i * candidate
                o = f(np.clip(o + p_o * cell_state, -clip, clip))
                hidden_state = o * h(cell_state)
                y[t, d, n] = hidden_state
            # A sequence without a step has zeros here, whatever its initial state: as onnxruntime has it.
            if lens[n]:
                y_h[d, n], y_c[d, n] = hidden_state, cell_state
        if layout:
            y, y_h, y_c = y.transpose(2, 0, 1, 3), y_h.swapaxes(0, 1), y_c.swapaxes(0, 1)
        return (y, y_h, y_c)[: len(self.onnx_node.output)]


class Graph:
    """Builds a model. Constants are given as arrays, among the inputs of the node that has them."""

    def __init__(self, opset, constant_nodes=False):
        self.opset = opset
        self.constant_nodes = constant_nodes
        self.nodes, self.initializers, self.inputs, self.outputs = [], [], [], []
        self.feeds = {}
        self.count = itertools.count()

    def input(self, name, value, dims=None):
        """A graph input fed with `value`; `dims` are its shape in the file, names for free sizes."""
        value = np.asarray(value)
        kind = helper.np_dtype_to_tensor_dtype(value.dtype)
        self.inputs.append(helper.make_tensor_value_info(name, kind, dims or value.shape))
        self.feeds[name] = value
        return name

    def constant(self, value):
        name = f"constant_{next(self.count)}"
        tensor = numpy_helper.from_array(np.asarray(value), name)
        if self.constant_nodes:
            self.nodes.append(helper.make_node("Constant", [], [name], value=tensor))
        else:
            self.initializers.append(tensor)
        return name

    def node(self, operator, *inputs, outputs=1, **attributes):
        """Adds a node. `outputs` is how many, or their names. Gives the output or a list of them."""
        if isinstance(outputs, int):
            outputs = [f"{operator.lower()}_{next(self.count)}" for _ in range(outputs)]
        names = [part if isinstance(part, str) else self.constant(part) for part in inputs]
        label = f"node_{next(self.count)}"
        self.nodes.append(helper.make_node(operator, names, outputs, name=label, **attributes))
        return outputs if len(outputs) > 1 else outputs[0]

    def output(self, name, source=None, dtype=np.float32):
        """Makes the value `name` an output, copied from `source` if that is given."""
        if source is not None:
            self.nodes.append(helper.make_node("Identity", [source], [name]))
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        self.outputs.append(helper.make_tensor_value_info(name, kind, None))

    def model(self):
        inputs = list(self.inputs)
        if IR_VERSIONS[self.opset] < 4:
            inputs += [
                helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
                for tensor in self.initializers
            ]
        graph = helper.make_graph(self.nodes, "golden", inputs, self.outputs, self.initializers)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", self.opset)],
            ir_version=IR_VERSIONS[self.opset],
            producer_name="golden_onnx",
        )
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
        del model.graph.output[:]
        model.graph.output.extend(inferred.graph.output)
        onnx.checker.check_model(model)
        return model


def double_tensor(tensor):
    if tensor.data_type in (TensorProto.FLOAT, TensorProto.FLOAT16):
        values = numpy_helper.to_array(tensor).astype(np.float64)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


def double_graph(graph):
    for tensor in graph.initializer:
        double_tensor(tensor)
    for value in (*graph.input, *graph.output, *graph.value_info):
        if value.type.tensor_type.elem_type in (TensorProto.FLOAT, TensorProto.FLOAT16):
            value.type.tensor_type.elem_type = TensorProto.DOUBLE
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.i in (TensorProto.FLOAT, TensorProto.FLOAT16):
                attribute.i = TensorProto.DOUBLE
            double_tensor(attribute.t)
            double_graph(attribute.g)


def evaluate64(model, feeds):
    """The outputs by name, all floating point numbers in float64."""
    model = copy.deepcopy(model)
    double_graph(model.graph)
    feeds = {
        key: value.astype(np.float64) if value.dtype.kind == "f" else value
        for key, value in feeds.items()
    }
    results = ReferenceEvaluator(model, new_ops=[LSTM]).run(None, feeds)
    return {output.name: value for output, value in zip(model.graph.output, results)}


def evaluate(path, feeds, evaluator):
    names = [output.name for output in onnx.load(path).graph.output]
    if evaluator == "onnxruntime":
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return dict(zip(names, session.run(names, feeds)))
    return dict(zip(names, ReferenceEvaluator(onnx.load(path)).run(names, feeds)))


def farthest(left, right):
    return max(np.abs(left[key] - right[key]).max() for key in left if left[key].size)


def uniform(rng, shape, scale):
    return rng.uniform(-scale, scale, shape).astype(np.float32)


# The inputs and weights of one LSTM, by the settings of its case.

DEFAULTS = {
    "opset": 14,
    "inputSize": 3,
    "hiddenSize": 5,
    "batch": 2,
    "timesteps": 4,
    "direction": "forward",
    "layout": 0,
    "bias": True,
    "peepholes": False,
    "sequence_lens": None,
    "initial_h": False,
    "initial_c": False,
    "clip": None,
    "input_forget": 0,
    "activations": None,
    "activation_alpha": None,
    "activation_beta": None,
    "outputs": ("Y", "Y_h", "Y_c"),
    "weights": "initializer",
}
SIZES = ("opset", "inputSize", "hiddenSize", "batch", "timesteps", "outputs", "weights")
ATTRIBUTES = ("clip", "input_forget", "activations", "activation_alpha", "activation_beta")


def lstm_tensors(rng, settings):
    """Everything an LSTM of this size may read, drawn in one order whatever the other settings."""
    f, h = settings["inputSize"], settings["hiddenSize"]
    n, t = settings["batch"], settings["timesteps"]
    tensors = {
        "X": uniform(rng, (t, n, f), 2),
        "W": uniform(rng, (2, 4 * h, f), 1),
        "R": uniform(rng, (2, 4 * h, h), 1),
        "B": uniform(rng, (2, 8 * h), 0.5),
        "initial_h": uniform(rng, (2, n, h), 1),
        "initial_c": uniform(rng, (2, n, h), 1),
        "P": uniform(rng, (2, 3 * h), 1),
    }
    directions = 2 if settings["direction"] == "bidirectional" else 1
    tensors = {key: part if key == "X" else part[:directions] for key, part in tensors.items()}
    if settings["layout"]:
        for key in ("X", "initial_h", "initial_c"):
            tensors[key] = tensors[key].swapaxes(0, 1)
    return tensors


def arrive(graph, value, how):
    """A value of the graph that is the array `value` after going the way `how`."""
    if how in ("initializer", "constant"):
        return graph.constant(value)
    if how == "slice":
        wide = np.concatenate([np.full_like(value, 9), value, np.full_like(value, 9)], axis=-1)
        size = value.shape[-1]
        if graph.opset < 10:
            return graph.node("Slice", wide, axes=[-1], starts=[size], ends=[2 * size])
        return graph.node("Slice", wide, np.array([size]), np.array([2 * size]), np.array([-1]))
    if how == "concat":
        parts = np.split(value, 4 if value.shape[1] % 4 == 0 else 3, axis=1)
        return graph.node("Concat", *parts, axis=1)
    if how == "reorder":
        # Four gates in PyTorch's order i, f, g, o, put in order on the way, as torch.onnx does it.
        i, o, f, c = np.split(value, 4, axis=1)
        stored = graph.constant(np.concatenate([i, f, c, o], axis=1)[0])
        size = value.shape[1] // 4
        order = [(0, 1), (3, 4), (1, 3)]
        parts = [
            graph.node("Slice", stored, np.array([a * size]), np.array([b * size]), np.array([0]))
            for a, b in order
        ]
        # The last slice has f and g together: o stands before them.
        joined = graph.node("Concat", *parts, axis=0)
        return graph.node("Unsqueeze", joined, np.array([0]))
    if how == "transpose":
        axes = [*reversed(range(value.ndim))]
        return graph.node("Transpose", np.ascontiguousarray(value.transpose(axes)), perm=axes)
    if how == "unsqueeze":
        parts = []
        for part in value:
            if graph.opset < 13:
                parts.append(graph.node("Unsqueeze", part, axes=[0]))
            else:
                parts.append(graph.node("Unsqueeze", part, np.array([0])))
        return parts[0] if len(parts) == 1 else graph.node("Concat", *parts, axis=0)
    if how == "reshape":
        return graph.node("Reshape", value.ravel(), np.array([0 if value.ndim == 1 else -1, *value.shape[1:]]))
    if how == "float16":
        return graph.node("Cast", value.astype(np.float16), to=TensorProto.FLOAT)
    if how == "float64":
        return graph.node("Cast", value.astype(np.float64), to=TensorProto.FLOAT)
    raise ValueError(how)


def lstm_graph(settings, tensors):
    graph = Graph(settings["opset"], constant_nodes=settings["weights"] == "constant")
    leading = ["batch", "time"] if settings["layout"] else ["time", "batch"]
    how = settings["weights"]
    inputs = [graph.input("X", tensors["X"], [*leading, settings["inputSize"]])]
    inputs += [arrive(graph, tensors["W"], how), arrive(graph, tensors["R"], how)]
    plain = {"reorder": "initializer"}
    inputs.append(arrive(graph, tensors["B"], plain.get(how, how)) if settings["bias"] else "")
    lens = settings["sequence_lens"]
    inputs.append("" if lens is None else graph.input("sequence_lens", np.int32(lens), ["batch"]))
    for key in ("initial_h", "initial_c"):
        dims = list(tensors[key].shape)
        dims[0 if settings["layout"] else 1] = "batch"
        inputs.append(graph.input(key, tensors[key], dims) if settings[key] else "")
    inputs.append(arrive(graph, tensors["P"], plain.get(how, how)) if settings["peepholes"] else "")
    while inputs[-1] == "":
        inputs.pop()
    attributes = {key: settings[key] for key in ATTRIBUTES if settings[key] not in (None, 0)}
    if settings["layout"]:
        attributes["layout"] = 1
    outputs = [name if name in settings["outputs"] else "" for name in ("Y", "Y_h", "Y_c")]
    while outputs[-1] == "":
        outputs.pop()
    graph.node(
        "LSTM",
        *inputs,
        outputs=outputs,
        hidden_size=settings["hiddenSize"],
        direction=settings["direction"],
        **attributes,
    )
    for name in settings["outputs"]:
        graph.output(name)
    return graph


def lstm_rows(settings):
    rows = {2 if settings["layout"] else 3}
    rows |= {5} if "Y" in settings["outputs"] else set()
    rows |= {6} if {"Y_h", "Y_c"} & set(settings["outputs"]) else set()
    rows |= {7} if settings["initial_h"] or settings["initial_c"] else set()
    rows |= {10} if settings["direction"] == "reverse" else set()
    rows |= {11} if settings["direction"] == "bidirectional" else set()
    names = settings["activations"]
    rows |= {12} if names and len(names) == 6 and names[:3] != names[3:] else set()
    rows |= {17} if settings["peepholes"] else set()
    rows |= {18} if settings["clip"] else set()
    rows |= {19} if settings["input_forget"] else set()
    rows |= {23} if names else set()
    rows |= set() if settings["bias"] else {24}
    rows |= {26, 27} if settings["sequence_lens"] else set()
    rows |= {31} if settings["weights"] == "float16" else set()
    rows |= {1} if settings["timesteps"] == 1 else set()
    return rows


def removable(settings):
    """Settings each of which can be dropped alone, leaving a model with the same inputs."""
    for key, default in DEFAULTS.items():
        if key in SIZES or settings[key] == default or key == "layout":
            continue
        if key == "direction" and settings[key] == "bidirectional":
            continue
        if key == "activations":
            alone = {"activations": None, "activation_alpha": None, "activation_beta": None}
            yield key, settings | alone
        else:
            yield key, settings | {key: default}


def lstm_cases():
    """Names, and the settings that differ from DEFAULTS."""
    for number, (hidden, direction) in enumerate(itertools.product(HIDDEN_SIZES, DIRECTIONS)):
        sizes = {"inputSize": (1, 3, 5, 8, 4)[number % 5], "batch": (1, 2, 3, 5)[number % 4]}
        sizes |= {"timesteps": (2, 5, 3, 8, 4)[(number // 2) % 5], "opset": OPSETS[number % 4]}
        yield f"{direction}-h{hidden}", {"direction": direction, "hiddenSize": hidden} | sizes

    yield "no-bias", {"bias": False, "hiddenSize": 3}
    yield "no-bias-bidirectional", {"bias": False, "direction": "bidirectional", "opset": 7}
    yield "no-bias-initial", {"bias": False, "initial_h": True, "initial_c": True, "opset": 22}

    yield "peepholes", {"peepholes": True}
    yield "peepholes-h1", {"peepholes": True, "hiddenSize": 1, "opset": 7}
    yield "peepholes-h17-reverse", {"peepholes": True, "hiddenSize": 17, "direction": "reverse"}
    both = {"direction": "bidirectional"}
    yield "peepholes-bidirectional", both | {"peepholes": True, "initial_c": True, "opset": 22}
    yield "peepholes-no-bias", {"peepholes": True, "bias": False, "hiddenSize": 8, "opset": 17}

    lens = {"batch": 5, "timesteps": 5, "sequence_lens": [3, 5, 0, 1, 4]}
    initial = {"initial_h": True, "initial_c": True}
    for direction in DIRECTIONS:
        yield f"lens-{direction}", lens | {"direction": direction}
        yield f"lens-initial-{direction}", lens | initial | {"direction": direction, "opset": 22}
    yield "lens-all-full", {"batch": 3, "timesteps": 4, "sequence_lens": [4, 4, 4]}
    yield "lens-none-full", {"batch": 3, "timesteps": 7, "sequence_lens": [2, 4, 1], "opset": 7}
    yield "lens-last-states", lens | {"outputs": ("Y_h", "Y_c"), "hiddenSize": 8} | both
    yield "lens-peepholes-clip", lens | both | {"peepholes": True, "clip": 0.4, "opset": 17}

    yield "initial-h", {"initial_h": True}
    yield "initial-c", {"initial_c": True, "opset": 7}
    yield "initial-h-c", initial | {"hiddenSize": 17, "batch": 3, "opset": 22}
    yield "initial-reverse", initial | {"direction": "reverse", "hiddenSize": 8}
    yield "initial-bidirectional", initial | both | {"hiddenSize": 3, "opset": 17}
    yield "one-step", {"timesteps": 1, "batch": 1, "hiddenSize": 8}
    yield "initial-one-step", initial | {"timesteps": 1, "batch": 1}

    yield "clip", {"clip": 0.3}
    yield "clip-h8-bidirectional", {"clip": 0.5, "hiddenSize": 8, "opset": 7} | both
    # A cell state far beyond the limit: it is not clamped itself.
    yield "clip-initial", {"clip": 0.2, "hiddenSize": 3, "opset": 22} | initial
    yield "clip-peepholes", {"clip": 0.3, "peepholes": True, "initial_c": True}
    yield "clip-affine", {"clip": 0.5, "activations": ["Sigmoid", "Affine", "Affine"]} | {
        "activation_alpha": [0.9, 1.2], "activation_beta": [0.1, -0.2], "timesteps": 6
    }

    yield "input-forget", {"input_forget": 1}
    yield "input-forget-bidirectional", {"input_forget": 1, "hiddenSize": 8, "opset": 22} | both
    yield "input-forget-peepholes-clip", {
        "input_forget": 1, "peepholes": True, "clip": 0.4, "initial_c": True, "opset": 7
    }
    yield "input-forget-no-bias", {"input_forget": 1, "bias": False, "hiddenSize": 1}
    yield "input-forget-lens", {"input_forget": 1, "direction": "reverse"} | lens

    for number, name in enumerate(ACTIVATIONS):
        alpha = [0.4] if name in ALPHA else None
        beta = [0.3] if name in BETA else None
        sizes = {"hiddenSize": HIDDEN_SIZES[number % 5], "opset": OPSETS[number % 4]}
        sizes |= {"timesteps": 3, "batch": 5}
        for place, names in {
            "f": [name, "Tanh", "Tanh"],
            "g": ["Sigmoid", name, "Tanh"],
            "h": ["Sigmoid", "Tanh", name],
        }.items():
            if names == ["Sigmoid", "Tanh", "Tanh"]:
                continue
            # The defaults of alpha and beta, and values of their own, in turns.
            # Where onnxruntime's default is 0, and not that of ONNX, they are always given.
            given = place != "g" or name in ("Affine", "ScaledTanh", "ThresholdedRelu")
            yield f"{name}-{place}", sizes | {
                "activations": names,
                "activation_alpha": alpha if given else None,
                "activation_beta": beta if given else None,
            }
    yield "alpha-several", {
        "activations": ["HardSigmoid", "LeakyRelu", "ScaledTanh"],
        "activation_alpha": [0.25, 0.3, 1.5],
        "activation_beta": [0.6, 0.7],
        "opset": 22,
    }
    yield "alpha-skips-those-without", {
        "activations": ["Sigmoid", "Softsign", "Elu"], "activation_alpha": [0.3]
    }
    yield "hard-sigmoid-keras3", {
        "activations": ["HardSigmoid", "Tanh", "Tanh"],
        "activation_alpha": [1 / 6],
    }
    yield "activations-per-direction", both | {
        "activations": ["Sigmoid", "Tanh", "Tanh", "HardSigmoid", "Softsign", "Relu"]
    }
    yield "alpha-per-direction", both | {
        "activations": ["HardSigmoid", "Tanh", "Tanh", "HardSigmoid", "LeakyRelu", "Affine"],
        "activation_alpha": [0.3, 0.15, 0.2, 0.8],
        "activation_beta": [0.4, 0.55, 0.1],
        "hiddenSize": 3,
        "opset": 22,
    }
    yield "alpha-second-direction", both | {
        "activations": ["Sigmoid", "Tanh", "Tanh", "Sigmoid", "Elu", "ScaledTanh"],
        "activation_alpha": [0.5, 1.2],
        "activation_beta": [0.8],
        "opset": 17,
    }

    for direction in DIRECTIONS:
        yield f"layout1-{direction}", {"layout": 1, "direction": direction, "batch": 3}
    yield "layout1-initial", {"layout": 1, "batch": 3, "hiddenSize": 8, "opset": 22} | initial
    yield "layout1-initial-bidirectional", {"layout": 1, "batch": 3, "opset": 17} | initial | both
    yield "layout1-peepholes", {"layout": 1, "peepholes": True, "hiddenSize": 17}
    yield "layout1-no-bias", {"layout": 1, "bias": False, "hiddenSize": 1, "inputSize": 1}

    for outputs in (("Y",), ("Y_h",), ("Y_c",), ("Y_h", "Y_c"), ("Y", "Y_c")):
        yield f"only-{'-'.join(outputs)}", {"outputs": outputs, "direction": "bidirectional"}

    ways = ("constant", "slice", "concat", "reorder", "transpose", "unsqueeze", "reshape", "float64")
    for way in ways:
        yield f"weights-{way}", {"weights": way, "peepholes": True}
    yield "weights-slice-opset7", {"weights": "slice", "opset": 7}
    yield "weights-unsqueeze-opset7", {"weights": "unsqueeze", "opset": 7} | both
    yield "weights-transpose-bidirectional", {"weights": "transpose", "opset": 22} | both
    yield "weights-float16", {"weights": "float16", "opset": 17}
    yield "weights-float16-bidirectional", {"weights": "float16", "hiddenSize": 8, "opset": 22} | both


def add_lstm_cases(golden):
    for seed, (name, chosen) in enumerate(lstm_cases()):
        settings = DEFAULTS | chosen
        if settings["peepholes"] and settings["weights"] == "reorder":
            settings["peepholes"] = False
        tensors = lstm_tensors(np.random.default_rng(1000 + seed), settings)
        graph = lstm_graph(settings, tensors)
        model = graph.model()
        path = golden.directory / f"{name}.onnx"
        onnx.save(model, path)
        exact = evaluate64(model, graph.feeds)
        evaluator = "onnx.reference" if settings["layout"] else "onnxruntime"
        outputs = evaluate(path, graph.feeds, evaluator)
        assert farthest(outputs, exact) < LARGEST_DISTANCE, name

        for key, without in removable(settings):
            other = lstm_graph(without, tensors)
            changed = evaluate64(other.model(), {k: graph.feeds[k] for k in other.feeds})
            full = key == "sequence_lens" and min(settings[key]) == settings["timesteps"]
            assert full or farthest(exact, changed) > MATTERS, f"{name}: {key} does not matter"

        options = {key: value for key, value in settings.items() if value not in (None, False, 0)}
        golden.add(
            name,
            path.name,
            rows=lstm_rows(settings),
            options=options,
            calls=[(graph.feeds, outputs, exact)],
            framework=evaluator,
        )


# Models of more than one node.


def lstm_node(graph, rng, x, features, hidden, *, outputs=("Y", "", ""), states=(), **attributes):
    directions = 2 if attributes.get("direction") == "bidirectional" else 1
    weights = [
        uniform(rng, (directions, 4 * hidden, features), 0.8),
        uniform(rng, (directions, 4 * hidden, hidden), 0.8),
        uniform(rng, (directions, 8 * hidden), 0.5),
    ]
    names = [name and f"{name}_{next(graph.count)}" for name in outputs]
    while names[-1] == "":
        names.pop()
    optional = ["", *states] if states else []
    return graph.node(
        "LSTM", x, *weights, *optional, outputs=names, hidden_size=hidden, **attributes
    )


def squeeze(graph, x, axis):
    if graph.opset < 13:
        return graph.node("Squeeze", x, axes=[axis])
    return graph.node("Squeeze", x, np.array([axis]))


def chain(rng, opset, bidirectional=False):
    """Two batch-first LSTMs with transposes around them."""
    graph = Graph(opset)
    x = graph.input("x", uniform(rng, (3, 5, 3), 2), ["batch", "time", 3])
    x = graph.node("Transpose", x, perm=[1, 0, 2])
    features = 3
    for hidden in (5, 8):
        if bidirectional:
            y = lstm_node(graph, rng, x, features, hidden, direction="bidirectional")
            y = graph.node("Transpose", y, perm=[0, 2, 1, 3])
            x = graph.node("Reshape", y, np.array([0, 0, -1]))
        else:
            x = squeeze(graph, lstm_node(graph, rng, x, features, hidden), 1)
        features = 2 * hidden if bidirectional else hidden
    graph.output("y", graph.node("Transpose", x, perm=[1, 0, 2]))
    return graph


def encoder_decoder(rng):
    """The decoder starts from the encoder's last states."""
    graph = Graph(17)
    x = graph.input("x", uniform(rng, (5, 2, 3), 2), ["time", "batch", 3])
    target = graph.input("target", uniform(rng, (3, 2, 4), 2), ["steps", "batch", 4])
    _, h, c = lstm_node(graph, rng, x, 3, 5, outputs=("Y", "Y_h", "Y_c"))
    y, h, c = lstm_node(graph, rng, target, 4, 5, outputs=("Y", "Y_h", "Y_c"), states=(h, c))
    graph.output("y", squeeze(graph, y, 1))
    graph.output("h", h)
    graph.output("c", c)
    return graph


def classifier(rng, opset, last):
    """Tokens, embedding, LSTM, logits of every step or probabilities of the last."""
    graph = Graph(opset)
    tokens = rng.integers(0, 11, (2, 7)).astype(np.int64)
    tokens = graph.input("tokens", tokens, ["batch", "time"])
    x = graph.node("Gather", uniform(rng, (11, 3), 1), tokens)
    x = graph.node("Transpose", x, perm=[1, 0, 2])
    if last:
        _, h = lstm_node(graph, rng, x, 3, 8, outputs=("Y", "Y_h", ""))
        h = squeeze(graph, h, 0)
        logits = graph.node(
            "Gemm", h, uniform(rng, (5, 8), 1), uniform(rng, (5,), 1), alpha=0.5, beta=2.0, transB=1
        )
        axis = 1 if opset < 13 else -1
        graph.output("probabilities", graph.node("Softmax", logits, axis=axis))
        return graph
    y = squeeze(graph, lstm_node(graph, rng, x, 3, 8), 1)
    y = graph.node("Transpose", y, perm=[1, 0, 2])
    logits = graph.node("Add", graph.node("MatMul", y, uniform(rng, (8, 5), 1)), uniform(rng, (5,), 1))
    graph.output("logits", logits)
    return graph


def last_step(rng):
    """Only the output of the last step, taken with Gather at -1, as output[:, -1] is exported."""
    graph = Graph(14)
    x = graph.input("x", uniform(rng, (4, 3, 5), 2), ["time", "batch", 5])
    y = squeeze(graph, lstm_node(graph, rng, x, 5, 3), 1)
    y = graph.node("Gather", y, np.array(-1), axis=0)
    graph.output("y", graph.node("Sigmoid", graph.node("MatMul", y, uniform(rng, (3, 1), 1))))
    return graph


def decomposed(rng, opset):
    """Three steps of an LSTM cell in plain operators, gates in Keras's order i, f, c, o."""
    graph = Graph(opset)
    hidden = 5
    x = graph.input("x", uniform(rng, (2, 3, 4), 2), ["batch", 3, 4])
    h = graph.input("h", uniform(rng, (2, hidden), 1), ["batch", hidden])
    c = graph.input("c", uniform(rng, (2, hidden), 1), ["batch", hidden])
    kernel, recurrent, bias = (
        graph.constant(uniform(rng, shape, 0.8))
        for shape in ((4, 4 * hidden), (hidden, 4 * hidden), (4 * hidden,))
    )
    history = []
    for t in range(3):
        step = graph.node("Gather", x, np.array(t), axis=1)
        sums = graph.node(
            "Add", graph.node("MatMul", step, kernel), graph.node("MatMul", h, recurrent)
        )
        sums = graph.node("Add", sums, bias)
        if opset < 13:
            i, f, g, o = graph.node("Split", sums, outputs=4, axis=1, split=[hidden] * 4)
        else:
            i, f, g, o = graph.node("Split", sums, np.array([hidden] * 4), outputs=4, axis=1)
        i, f, o = (graph.node("Sigmoid", gate) for gate in (i, f, o))
        g = graph.node("Tanh", g)
        c = graph.node("Add", graph.node("Mul", f, c), graph.node("Mul", i, g))
        h = graph.node("Mul", o, graph.node("Tanh", c))
        if opset < 13:
            history.append(graph.node("Unsqueeze", h, axes=[1]))
        else:
            history.append(graph.node("Unsqueeze", h, np.array([1])))
    graph.output("y", graph.node("Concat", *history, axis=1))
    graph.output("h_n", h)
    graph.output("c_n", c)
    return graph


def branch(operator, constant):
    """A graph without inputs for If: an outer value and a constant through `operator`."""
    tensor = numpy_helper.from_array(constant, "branch_constant")
    nodes = [
        helper.make_node("Constant", [], ["branch_constant"], value=tensor),
        helper.make_node(operator, ["hidden", "branch_constant"], ["branch_y"]),
    ]
    output = helper.make_tensor_value_info("branch_y", TensorProto.FLOAT, None)
    return helper.make_graph(nodes, operator.lower(), [], [output])


def conditional(rng, how):
    """An If whose condition follows from constants; the branches read a value outside of them."""
    graph = Graph(17)
    x = graph.input("x", uniform(rng, (4, 2, 3), 2), ["time", "batch", 3])
    y = squeeze(graph, lstm_node(graph, rng, x, 3, 5), 1)
    graph.nodes.append(helper.make_node("Identity", [y], ["hidden"]))
    if how == "initializer":
        condition = graph.constant(np.array(True))
    elif how == "false":
        condition = graph.constant(np.array(False))
    elif how == "rank":
        # What torch.jit makes of `if x.dim() == 2`.
        rank = graph.node("Size", graph.node("Shape", "x"))
        condition = graph.node("Equal", rank, np.array(2))
    else:
        condition = graph.node("Not", graph.node("Less", np.array(16000), np.array(8000)))
    factor = uniform(rng, (5,), 2)
    y = graph.node(
        "If", condition, then_branch=branch("Mul", factor), else_branch=branch("Add", factor)
    )
    graph.output("y", y)
    return graph


def conditional_lstm(rng):
    """An If that has an LSTM, with its own initializers, in each branch."""
    graph = Graph(16)
    graph.input("x", uniform(rng, (4, 2, 3), 2), ["time", "batch", 3])
    branches = {}
    for name, hidden in (("then_branch", 5), ("else_branch", 3)):
        inner = Graph(16)
        inner.count = itertools.count(100 * hidden)
        y = lstm_node(inner, rng, "x", 3, hidden)
        inner.output(y)
        branches[name] = helper.make_graph(
            inner.nodes, name, [], inner.outputs, inner.initializers
        )
    graph.output("y", graph.node("If", np.array(True), **branches))
    return graph


def attention(rng):
    """Dot-product attention of every step of an LSTM over all its steps."""
    graph = Graph(17)
    x = graph.input("x", uniform(rng, (5, 2, 3), 2), ["time", "batch", 3])
    y = squeeze(graph, lstm_node(graph, rng, x, 3, 8), 1)
    y = graph.node("Transpose", y, perm=[1, 0, 2])
    scores = graph.node("MatMul", y, graph.node("Transpose", y, perm=[0, 2, 1]))
    scores = graph.node("Div", scores, np.sqrt(np.float32(8)))
    graph.output("y", graph.node("MatMul", graph.node("Softmax", scores, axis=-1), y))
    return graph


def residual(rng):
    """x + LSTM(x), then a layer norm in plain operators."""
    graph = Graph(11)
    x = graph.input("x", uniform(rng, (4, 2, 5), 2), ["time", "batch", 5])
    y = graph.node("Add", x, squeeze(graph, lstm_node(graph, rng, x, 5, 5), 1))
    centred = graph.node("Sub", y, graph.node("ReduceMean", y, axes=[-1]))
    square = graph.node("Pow", centred, np.float32(2))
    deviation = graph.node("ReduceMean", square, axes=[-1])
    deviation = graph.node("Sqrt", graph.node("Add", deviation, np.float32(1e-5)))
    scaled = graph.node("Mul", graph.node("Div", centred, deviation), uniform(rng, (5,), 1))
    graph.output("y", graph.node("Add", scaled, uniform(rng, (5,), 1)))
    return graph


def conv_lstm(rng):
    """Features from a strided convolution, then an LSTM, then a 1x1 convolution."""
    graph = Graph(14)
    x = graph.input("x", uniform(rng, (2, 3, 17), 1), ["batch", 3, "samples"])
    y = graph.node(
        "Conv", x, uniform(rng, (5, 3, 3), 1), uniform(rng, (5,), 1), strides=[2], pads=[1, 1]
    )
    y = graph.node("Transpose", graph.node("Relu", y), perm=[2, 0, 1])
    y = squeeze(graph, lstm_node(graph, rng, y, 5, 3), 1)
    y = graph.node("Transpose", y, perm=[1, 2, 0])
    graph.output("y", graph.node("Conv", y, uniform(rng, (2, 3, 1), 1), uniform(rng, (2,), 1)))
    return graph


def shape_chain(rng):
    """Zero states whose shape is computed from the input's, as exporters write it."""
    graph = Graph(17)
    x = graph.input("x", uniform(rng, (5, 3, 4), 2), ["time", "batch", 4])
    batch = graph.node("Gather", graph.node("Shape", x), np.array(1), axis=0)
    batch = graph.node("Unsqueeze", batch, np.array([0]))
    shape = graph.node("Concat", np.array([1]), batch, np.array([5]), axis=0)
    zero = numpy_helper.from_array(np.array([0.25], np.float32))
    h = graph.node("ConstantOfShape", shape, value=zero)
    c = graph.node("Expand", uniform(rng, (1, 1, 5), 1), shape)
    y, h, c = lstm_node(graph, rng, x, 4, 5, outputs=("Y", "Y_h", "Y_c"), states=(h, c))
    graph.output("y", y)
    graph.output("c", c)
    return graph


def structures():
    """name, rows, maker(rng)."""
    yield "chain", {2, 13}, lambda rng: chain(rng, 14)
    yield "chain-opset7", {2, 13}, lambda rng: chain(rng, 7)
    yield "chain-bidirectional", {2, 11, 13}, lambda rng: chain(rng, 17, bidirectional=True)
    yield "chain-bidirectional-opset9", {2, 11, 13}, lambda rng: chain(rng, 9, bidirectional=True)
    yield "encoder-decoder", {3, 6, 7, 13}, encoder_decoder
    yield "classifier-last", {5}, lambda rng: classifier(rng, 14, last=True)
    yield "classifier-last-opset7", {5}, lambda rng: classifier(rng, 7, last=True)
    yield "classifier-all", {5}, lambda rng: classifier(rng, 17, last=False)
    yield "last-step", {5}, last_step
    yield "decomposed-opset9", {1, 7}, lambda rng: decomposed(rng, 9)
    yield "decomposed", {1, 7}, lambda rng: decomposed(rng, 17)
    for how in ("initializer", "false", "not-less", "rank"):
        yield f"if-{how}", {3}, lambda rng, how=how: conditional(rng, how)
    yield "if-lstm-inside", {3}, conditional_lstm
    yield "attention", {3}, attention
    yield "residual-layer-norm", {20, 28}, residual
    yield "conv-lstm-conv", {3}, conv_lstm
    yield "shape-chain", {7}, shape_chain


def single(opset, shape, operator, constants=(), scale=2, dims=None, **attributes):
    """A maker of a model with one operator on one float32 input and constants of given shapes."""

    def make(rng):
        graph = Graph(opset)
        x = graph.input("x", uniform(rng, shape, scale), dims)
        values = [uniform(rng, part, 1) if isinstance(part, tuple) else part for part in constants]
        graph.output("y", graph.node(operator, x, *values, **attributes))
        return graph

    return make


def positive(opset, shape, operator):
    def make(rng):
        graph = Graph(opset)
        x = graph.input("x", np.abs(uniform(rng, shape, 3)) + np.float32(0.01))
        graph.output("y", graph.node(operator, x))
        return graph

    return make


def pair(opset, operator, left, right, dtype=np.float32):
    def make(rng):
        graph = Graph(opset)
        a = graph.input("a", uniform(rng, left, 2))
        b = graph.input("b", uniform(rng, right, 2) + np.float32(3))
        graph.output("y", graph.node(operator, a, b), dtype)
        return graph

    return make


def batch_norm(rng):
    graph = Graph(14)
    x = graph.input("x", uniform(rng, (2, 5, 7), 2))
    variance = np.abs(uniform(rng, (5,), 1)) + np.float32(0.1)
    scale, bias, mean = (uniform(rng, (5,), 1) for _ in range(3))
    y = graph.node("BatchNormalization", x, scale, bias, mean, variance, epsilon=1e-3)
    graph.output("y", y)
    return graph


def where(rng):
    graph = Graph(16)
    x = graph.input("x", uniform(rng, (3, 5), 2))
    y = graph.node("Where", graph.node("Greater", x, np.float32(0.1)), x, np.float32(-7))
    graph.output("y", y)
    return graph


def arg_max(opset, axis, keepdims):
    def make(rng):
        graph = Graph(opset)
        x = graph.input("x", uniform(rng, (3, 5, 7), 2))
        graph.output("y", graph.node("ArgMax", x, axis=axis, keepdims=keepdims), np.int64)
        return graph

    return make


def gelu(rng):
    """x * (erf(x / sqrt 2) + 1) / 2."""
    graph = Graph(14)
    x = graph.input("x", uniform(rng, (3, 8), 3))
    erf = graph.node("Erf", graph.node("Div", x, np.sqrt(np.float32(2))))
    half = graph.node("Mul", graph.node("Add", erf, np.float32(1)), np.float32(0.5))
    graph.output("y", graph.node("Mul", x, half))
    return graph


def hard_swish(rng):
    """x * relu6(x + 3) / 6, as it was written before opset 14."""
    graph = Graph(11)
    x = graph.input("x", uniform(rng, (3, 8), 5))
    y = graph.node("Clip", graph.node("Add", x, np.float32(3)), np.float32(0), np.float32(6))
    graph.output("y", graph.node("Div", graph.node("Mul", x, y), np.float32(6)))
    return graph


def log_softmax(opset, axis):
    return single(opset, (2, 3, 5), "LogSoftmax", axis=axis)


def split_uneven(rng):
    graph = Graph(18)
    x = graph.input("x", uniform(rng, (2, 7, 3), 1))
    for index, part in enumerate(graph.node("Split", x, outputs=3, axis=1, num_outputs=3)):
        graph.output(f"y{index}", part)
    return graph


def strided_slice(rng):
    """x[:, ::-1, 1::2]"""
    graph = Graph(13)
    x = graph.input("x", uniform(rng, (2, 5, 7), 1))
    low = -(2**63)
    starts, ends = np.array([-1, 1]), np.array([low, 2**63 - 1])
    graph.output("y", graph.node("Slice", x, starts, ends, np.array([1, 2]), np.array([-1, 2])))
    return graph


def gather_elements(rng):
    graph = Graph(13)
    x = graph.input("x", uniform(rng, (3, 5), 1))
    index = graph.input("index", rng.integers(-5, 5, (3, 2)).astype(np.int64))
    graph.output("y", graph.node("GatherElements", x, index, axis=1))
    return graph


def operators():
    """Operators around LSTMs: name, maker(rng)."""
    audio = (2, 3, 17)
    weight = [(5, 3, 3), (5,)]
    yield "conv", single(11, audio, "Conv", weight)
    yield "conv-no-bias", single(7, audio, "Conv", [(5, 3, 3)])
    yield "conv-stride-pad", single(11, audio, "Conv", weight, strides=[2], pads=[2, 1])
    yield "conv-dilation", single(14, audio, "Conv", weight, dilations=[3], pads=[3, 3])
    yield "conv-group", single(17, (2, 4, 9), "Conv", [(6, 2, 3), (6,)], group=2)
    yield "conv-depthwise", single(22, (1, 5, 8), "Conv", [(5, 1, 4), (5,)], group=5, strides=[3])
    yield "conv-same-upper", single(14, audio, "Conv", [(5, 3, 4)], auto_pad="SAME_UPPER", strides=[2])
    yield "conv-same-lower", single(14, audio, "Conv", [(5, 3, 4)], auto_pad="SAME_LOWER")
    pool = {"kernel_shape": [3], "strides": [2]}
    yield "max-pool", single(12, audio, "MaxPool", **pool)
    yield "max-pool-pad", single(12, audio, "MaxPool", pads=[1, 1], ceil_mode=1, **pool)
    yield "average-pool-pad", single(11, audio, "AveragePool", pads=[1, 1], **pool)
    count = {"count_include_pad": 1, "pads": [1, 1]}
    yield "average-pool-count-pad", single(11, audio, "AveragePool", **count, **pool)
    yield "global-average-pool", single(14, audio, "GlobalAveragePool")
    yield "global-max-pool", single(14, audio, "GlobalMaxPool")
    yield "batch-normalization", batch_norm
    norm = [(5,), (5,)]
    yield "layer-normalization", single(17, (2, 3, 5), "LayerNormalization", norm, epsilon=1e-3)
    yield "layer-normalization-axis", single(17, (2, 3, 5), "LayerNormalization", [(3, 5)], axis=1)
    pads = np.array([0, 2, 0, 3])
    yield "pad-constant", single(13, (3, 5), "Pad", [pads, np.float32(1.5)])
    yield "pad-reflect", single(13, (3, 5), "Pad", [pads], mode="reflect")
    yield "pad-edge", single(13, (3, 5), "Pad", [pads], mode="edge")
    yield "pad-negative", single(18, (3, 5), "Pad", [np.array([1, -2, 0, 3])])
    yield "pad-opset7", single(7, (3, 5), "Pad", pads=[0, 1, 2, 0], value=-0.5)
    yield "reduce-mean", single(13, (2, 3, 5), "ReduceMean", axes=[1], keepdims=0)
    yield "reduce-mean-opset18", single(18, (2, 3, 5), "ReduceMean", [np.array([-1])])
    yield "reduce-mean-all", single(18, (2, 3, 5), "ReduceMean", keepdims=0)
    yield "reduce-sum", single(13, (2, 3, 5), "ReduceSum", [np.array([0, 2])], keepdims=0)
    yield "reduce-max", single(13, (2, 3, 5), "ReduceMax", axes=[2])
    yield "reduce-l2", single(18, (2, 3, 5), "ReduceL2", [np.array([1])])
    yield "arg-max", arg_max(13, -1, 0)
    yield "arg-max-keepdims", arg_max(11, 1, 1)
    yield "where", where
    yield "clip", single(11, (3, 5), "Clip", [np.float32(-0.5), np.float32(0.75)])
    yield "clip-only-max", single(13, (3, 5), "Clip", ["", np.float32(0.75)])
    yield "clip-opset7", single(7, (3, 5), "Clip", min=-0.25, max=1.0)
    yield "pow", single(13, (3, 5), "Pow", [np.float32(3)])
    yield "div-broadcast", pair(14, "Div", (2, 1, 5), (3, 1))
    yield "sqrt", positive(13, (3, 5), "Sqrt")
    yield "log", positive(13, (3, 5), "Log")
    yield "exp", single(13, (3, 5), "Exp")
    yield "erf", single(13, (3, 5), "Erf")
    yield "gelu-erf", gelu
    yield "gelu-tanh", single(20, (3, 5), "Gelu", approximate="tanh")
    yield "hard-swish", single(14, (3, 8), "HardSwish", scale=5)
    yield "hard-swish-decomposed", hard_swish
    yield "hard-sigmoid", single(7, (3, 8), "HardSigmoid", alpha=0.3, beta=0.4)
    yield "leaky-relu", single(16, (3, 8), "LeakyRelu", alpha=0.2)
    yield "prelu", single(16, (2, 5, 7), "PRelu", [(5, 1)])
    yield "elu", single(22, (3, 8), "Elu", alpha=0.7)
    yield "selu", single(7, (3, 8), "Selu")
    yield "softplus", single(7, (3, 8), "Softplus")
    yield "softsign", single(22, (3, 8), "Softsign")
    yield "softmax-opset11-flattens", single(11, (2, 3, 5), "Softmax", axis=1)
    yield "softmax-axis", single(13, (2, 3, 5), "Softmax", axis=1)
    yield "log-softmax", log_softmax(13, -1)
    yield "split-uneven", split_uneven
    yield "slice-negative-step", strided_slice
    yield "gather-elements", gather_elements
    yield "min-broadcast", pair(13, "Min", (2, 3, 5), (5,))
    yield "sub-broadcast", pair(14, "Sub", (3, 1), (2, 1, 5))
    yield "matmul-batched", pair(13, "MatMul", (2, 1, 3, 5), (4, 5, 2))
    yield "flatten", single(13, (2, 3, 5), "Flatten", axis=2)
    yield "expand", single(13, (3, 1), "Expand", [np.array([2, 1, 5])])
    yield "tile", single(13, (2, 3), "Tile", [np.array([2, 3])])
    yield "reshape-zero-minus-one", single(14, (2, 3, 4), "Reshape", [np.array([0, -1, 2])])
    yield "cum-sum", single(14, (2, 5), "CumSum", [np.array(1)], exclusive=1, reverse=1)


def add_model_cases(golden):
    makers = [(name, rows, maker) for name, rows, maker in structures()]
    makers += [(f"op-{name}", set(), maker) for name, maker in operators()]
    for seed, (name, rows, maker) in enumerate(makers):
        graph = maker(np.random.default_rng(2000 + seed))
        add_model(golden, name, graph.model(), graph.feeds, rows)


def add_model(golden, name, model, feeds, rows):
    path = golden.directory / f"{name}.onnx"
    onnx.save(model, path)
    exact = None if name in NO_FLOAT64 else evaluate64(model, feeds)
    outputs = evaluate(path, feeds, "onnxruntime")
    if exact is not None:
        assert farthest(outputs, exact) < LARGEST_DISTANCE, name
    opset = model.opset_import[0].version
    calls = [(feeds, outputs, exact)]
    golden.add(name, path.name, rows=rows, options={"opset": opset}, calls=calls)


def add_external_data(golden):
    """Weights in a file beside the model."""
    graph = classifier(np.random.default_rng(3000), 17, last=True)
    model = graph.model()
    path = golden.directory / "external-data.onnx"
    exact = evaluate64(model, graph.feeds)
    onnx.save(
        model, path, save_as_external_data=True, location="external-data.bin", size_threshold=64
    )
    golden.add(
        "external-data",
        path.name,
        rows={5},
        options={"externalData": ["external-data.bin"]},
        calls=[(graph.feeds, evaluate(path, graph.feeds, "onnxruntime"), exact)],
        notes="weights are in external-data.bin beside the model",
    )


# Exports of torch.onnx.


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(11, 4)
        self.lstm = nn.LSTM(4, 5, num_layers=2, bidirectional=True, batch_first=True, dropout=0.2)
        self.fc = nn.Linear(10, 3)

    def forward(self, tokens):
        """tokens [batch, timesteps] -> probabilities [batch, timesteps, 3]."""
        return self.fc(self.lstm(self.embed(tokens))[0]).softmax(-1)


class LastStep(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 8, batch_first=True)
        self.norm = nn.LayerNorm(8)
        self.fc = nn.Linear(8, 2)

    def forward(self, x):
        """x [batch, timesteps, 3] -> logits [batch, 2]."""
        return self.fc(self.norm(self.lstm(x)[0][:, -1]))


class CellLoop(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(3, 5)

    def forward(self, x, h, c):
        """x [batch, 3, 3], states [batch, 5] -> [batch, 3, 5], the last states."""
        outputs = []
        for t in range(x.shape[1]):
            h, c = self.cell(x[:, t], (h, c))
            outputs.append(h)
        return torch.stack(outputs, 1), h, c


class Carried(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 5, num_layers=2)
        self.fc = nn.Linear(5, 1)

    def forward(self, x, h0, c0):
        """x [timesteps, batch, 3], states [2, batch, 5] -> [timesteps, batch, 1], the last states."""
        y, (h, c) = self.lstm(x, (h0, c0))
        return torch.sigmoid(self.fc(y)), h, c


class Packed(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 5, bidirectional=True, batch_first=True)

    def forward(self, x, lengths):
        """x [batch, timesteps, 3], lengths [batch] -> [batch, timesteps, 10], the last states."""
        packed = nn.utils.rnn.pack_padded_sequence(
            x, lengths, batch_first=True, enforce_sorted=False
        )
        y, (h, c) = self.lstm(packed)
        return nn.utils.rnn.pad_packed_sequence(y, batch_first=True)[0], h, c


class ConvLstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(2, 5, 3, stride=2, padding=1)
        self.bn = nn.BatchNorm1d(5)
        self.lstm = nn.LSTM(5, 3, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(6, 2)

    def forward(self, x):
        """x [batch, 2, samples] -> [batch, 2], the mean over time."""
        y = torch.relu(self.bn(self.conv(x))).transpose(1, 2)
        return self.fc(self.lstm(y)[0].mean(1))


def torch_exports():
    """name, rows, module, traced inputs, fed inputs, dynamic axes."""
    axes = {0: "batch", 1: "time"}
    tokens = torch.randint(11, (3, 6))
    yield "tagger", {2, 11, 13}, Tagger(), {"tokens": tokens[:1, :4]}, {"tokens": tokens}, axes
    x = torch.randn(3, 5, 3)
    yield "bidirectional-2-layer", {2, 6, 11, 13}, nn.LSTM(
        3, 5, 2, bidirectional=True, batch_first=True
    ), {"x": x[:1, :4]}, {"x": x}, axes
    yield "no-bias", {3, 24}, nn.LSTM(3, 4, bias=False), {"x": x[:2, :1]}, {"x": x}, axes
    yield "last-step", {2, 5, 20}, LastStep(), {"x": x[:1]}, {"x": x}, axes
    states = {"h": torch.randn(3, 5), "c": torch.randn(3, 5)}
    steps = {"x": torch.randn(3, 3, 3)} | states
    yield "cell-loop", {1, 7}, CellLoop(), steps, steps, {0: "batch"}
    carried = {"x": x, "h0": torch.randn(2, 5, 5), "c0": torch.randn(2, 5, 5)}
    yield "carried-state", {3, 6, 7, 13}, Carried(), carried, carried, {1: "batch"}
    packed = {"x": x, "lengths": torch.tensor([2, 5, 3])}
    yield "packed", {11, 26, 27}, Packed(), packed, packed, {0: "batch"}
    audio = {"x": torch.randn(2, 2, 17)}
    yield "conv-lstm", {11}, ConvLstm(), audio, audio, {0: "batch", 2: "samples"}


@torch.no_grad()
def add_torch_exports(golden):
    torch.manual_seed(4)
    warnings.filterwarnings("ignore")
    for number, (name, rows, module, traced, fed, axes) in enumerate(torch_exports()):
        module.eval()
        for buffer in ("running_mean", "running_var"):
            for key, value in module.named_buffers():
                if key.endswith(buffer):
                    value.uniform_(0.2, 1.5)
        path = golden.directory / f"torch-{name}.onnx"
        torch.onnx.export(
            module,
            tuple(traced.values()),
            path,
            dynamo=False,
            opset_version=(14, 17, 18)[number % 3],
            input_names=list(fed),
            dynamic_axes={
                key: {axis: dim for axis, dim in axes.items() if axis < value.dim()}
                for key, value in fed.items()
            },
        )
        feeds = {key: value.numpy() for key, value in fed.items()}
        model = onnx.load(path)
        exact = evaluate64(model, feeds)
        outputs = evaluate(path, feeds, "onnxruntime")
        parts = flat(module(*fed.values()))
        for output, expected in zip(outputs.values(), parts, strict=True):
            assert np.allclose(output, expected.numpy(), rtol=0, atol=LARGEST_DISTANCE), name
        golden.add(
            f"torch-{name}",
            path.name,
            rows=rows,
            options={"opset": model.opset_import[0].version, "exporter": "torch.onnx, dynamo=False"},
            calls=[(feeds, outputs, exact)],
        )


def flat(nested):
    """The tensors in nested tuples, in order."""
    return [nested] if isinstance(nested, torch.Tensor) else [t for part in nested for t in flat(part)]


def generate(directory):
    torch.set_num_threads(1)
    versions = {
        "onnx": onnx.__version__,
        "onnxruntime": onnxruntime.__version__,
        "torch": torch.__version__,
    }
    golden = golden_cases.Golden(directory, "onnxruntime", versions)
    add_lstm_cases(golden)
    add_model_cases(golden)
    add_external_data(golden)
    add_torch_exports(golden)
    return golden


if __name__ == "__main__":
    golden_cases.main(__doc__, "onnx", generate)
