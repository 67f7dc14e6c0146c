"""ONNX models with the outputs of onnxruntime, or of onnx's reference evaluator if that refuses.

Every optional input and attribute of LSTM, GRU and RNN, weights that reach it in roundabout ways, operators
that stand around an LSTM, and exports of torch.onnx. Each model is also evaluated in float64 with the
operators of onnx_graph.py and onnx_gru.py. Nothing that a case of theirs sets may be ignored: without it, results must differ.

  python test/python/golden_onnx.py            write test/golden/onnx
  python test/python/golden_onnx.py --check    compare a fresh run with the files
"""

import itertools
import warnings

import golden_cases
import numpy as np
import onnx
import onnxruntime
import onnx_lists
import onnx_windows
import torch
from onnx import TensorProto
from onnx_composed import composed_operators
from onnx_gru import GRU, RNN, add_gru_cases
from onnx_graph import ACTIVATIONS, ALPHA, BETA, Graph, evaluate, evaluate64, farthest, uniform
from onnx_optimised import add_optimised_cases
from onnx_models import classifier, operators, structures
from torch import nn

OPSETS = (7, 14, 17, 22)
HIDDEN_SIZES = (1, 3, 5, 8, 17)
DIRECTIONS = ("forward", "reverse", "bidirectional")
MATTERS = 1e-3
# What onnx's reference evaluator gets wrong or refuses: the float64 outputs from those of float32 and the inputs.
# Most of these only move or choose elements.
OWN_FLOAT64 = {
    "op-global-max-pool": lambda outputs, x: outputs,
    "op-pad-negative": lambda outputs, x: outputs,
    "op-hardmax-opset11": lambda outputs, x: outputs,
    "op-lp-normalization-l1": lambda outputs, x: x / np.abs(x).sum(axis=1, keepdims=True),
    "op-softmax-opset11-flattens": lambda outputs, x: flattened_softmax(x, 1),
}
LARGEST_DISTANCE = 1e-5


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
        return graph.node(
            "Reshape", value.ravel(), np.array([0 if value.ndim == 1 else -1, *value.shape[1:]])
        )
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
    yield (
        "clip-affine",
        {"clip": 0.5, "activations": ["Sigmoid", "Affine", "Affine"]}
        | {"activation_alpha": [0.9, 1.2], "activation_beta": [0.1, -0.2], "timesteps": 6},
    )

    yield "input-forget", {"input_forget": 1}
    yield "input-forget-bidirectional", {"input_forget": 1, "hiddenSize": 8, "opset": 22} | both
    yield (
        "input-forget-peepholes-clip",
        {"input_forget": 1, "peepholes": True, "clip": 0.4, "initial_c": True, "opset": 7},
    )
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
            yield (
                f"{name}-{place}",
                sizes
                | {
                    "activations": names,
                    "activation_alpha": alpha if given else None,
                    "activation_beta": beta if given else None,
                },
            )
    yield (
        "alpha-several",
        {
            "activations": ["HardSigmoid", "LeakyRelu", "ScaledTanh"],
            "activation_alpha": [0.25, 0.3, 1.5],
            "activation_beta": [0.6, 0.7],
            "opset": 22,
        },
    )
    yield (
        "alpha-skips-those-without",
        {"activations": ["Sigmoid", "Softsign", "Elu"], "activation_alpha": [0.3]},
    )
    yield (
        "hard-sigmoid-keras3",
        {
            "activations": ["HardSigmoid", "Tanh", "Tanh"],
            "activation_alpha": [1 / 6],
        },
    )
    yield (
        "activations-per-direction",
        both | {"activations": ["Sigmoid", "Tanh", "Tanh", "HardSigmoid", "Softsign", "Relu"]},
    )
    yield (
        "alpha-per-direction",
        both
        | {
            "activations": ["HardSigmoid", "Tanh", "Tanh", "HardSigmoid", "LeakyRelu", "Affine"],
            "activation_alpha": [0.3, 0.15, 0.2, 0.8],
            "activation_beta": [0.4, 0.55, 0.1],
            "hiddenSize": 3,
            "opset": 22,
        },
    )
    yield (
        "alpha-second-direction",
        both
        | {
            "activations": ["Sigmoid", "Tanh", "Tanh", "Sigmoid", "Elu", "ScaledTanh"],
            "activation_alpha": [0.5, 1.2],
            "activation_beta": [0.8],
            "opset": 17,
        },
    )

    for direction in DIRECTIONS:
        yield f"layout1-{direction}", {"layout": 1, "direction": direction, "batch": 3}
    yield "layout1-initial", {"layout": 1, "batch": 3, "hiddenSize": 8, "opset": 22} | initial
    yield "layout1-initial-bidirectional", {"layout": 1, "batch": 3, "opset": 17} | initial | both
    yield "layout1-peepholes", {"layout": 1, "peepholes": True, "hiddenSize": 17}
    yield "layout1-no-bias", {"layout": 1, "bias": False, "hiddenSize": 1, "inputSize": 1}

    for outputs in (("Y",), ("Y_h",), ("Y_c",), ("Y_h", "Y_c"), ("Y", "Y_c")):
        yield f"only-{'-'.join(outputs)}", {"outputs": outputs, "direction": "bidirectional"}

    ways = (
        "constant",
        "slice",
        "concat",
        "reorder",
        "transpose",
        "unsqueeze",
        "reshape",
        "float64",
    )
    for way in ways:
        yield f"weights-{way}", {"weights": way, "peepholes": True}
    yield "weights-slice-opset7", {"weights": "slice", "opset": 7}
    yield "weights-unsqueeze-opset7", {"weights": "unsqueeze", "opset": 7} | both
    yield "weights-transpose-bidirectional", {"weights": "transpose", "opset": 22} | both
    yield "weights-float16", {"weights": "float16", "opset": 17}
    yield (
        "weights-float16-bidirectional",
        {"weights": "float16", "hiddenSize": 8, "opset": 22} | both,
    )


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


def add_model_cases(golden):
    makers = [(name, rows, maker) for name, rows, maker in structures()]
    makers += [(f"op-{name}", set(), maker) for name, maker in operators()]
    for seed, (name, rows, maker) in enumerate(makers):
        graph = maker(np.random.default_rng(2000 + seed))
        add_model(golden, name, graph.model(), graph.feeds, rows)


def add_composed_cases(golden, first, cases):
    for seed, (name, maker) in enumerate(cases, start=first):
        graph = maker(np.random.default_rng(seed))
        add_model(golden, f"op-{name}", graph.model(), graph.feeds, set(), getattr(graph, "exact", None))


def flattened_softmax(x, axis):
    rows = x.reshape(int(np.prod(x.shape[:axis])), -1)
    powers = np.exp(rows - rows.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).reshape(x.shape)


def add_model(golden, name, model, feeds, rows, own_exact=None, own_operators=()):
    path = golden.directory / f"{name}.onnx"
    onnx.save(model, path)
    outputs = evaluate(path, feeds, "onnxruntime")
    if own_exact is not None:
        exact = own_exact(**{key: value.astype(np.float64) for key, value in feeds.items()})
    elif name in OWN_FLOAT64:
        [(key, value)] = outputs.items()
        [x] = feeds.values()
        exact = {key: OWN_FLOAT64[name](value.astype(np.float64), x.astype(np.float64))}
    else:
        exact = evaluate64(model, feeds, own_operators)
    assert farthest(outputs, exact) < LARGEST_DISTANCE, name
    opset = model.opset_import[0].version
    calls = [(feeds, outputs, exact)]
    golden.add(name, path.name, rows=rows, options={"opset": opset}, calls=calls)


def add_window_cases(golden, first, cases):
    own = [onnx_windows.ConvTranspose, onnx_windows.GlobalMaxPool]
    for seed, (name, maker) in enumerate(cases, start=first):
        graph = maker(np.random.default_rng(seed))
        add_model(golden, f"op-{name}", graph.model(), graph.feeds, set(), None, own)


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
        """x [timesteps, batch, 3], states [2, batch, 5] -> [timesteps, batch, 1], last states."""
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
    yield (
        "bidirectional-2-layer",
        {2, 6, 11, 13},
        nn.LSTM(3, 5, 2, bidirectional=True, batch_first=True),
        {"x": x[:1, :4]},
        {"x": x},
        axes,
    )
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


class GruTagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(11, 4)
        self.gru = nn.GRU(4, 5, num_layers=2, bidirectional=True, batch_first=True, dropout=0.2)
        self.fc = nn.Linear(10, 3)

    def forward(self, tokens):
        """tokens [batch, timesteps] -> logits [batch, timesteps, 3]."""
        return self.fc(self.gru(self.embed(tokens))[0])


class GruCellLoop(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(3, 5)

    def forward(self, x, h):
        """x [batch, 3, 3], state [batch, 5] -> [batch, 3, 5], the last state."""
        outputs = []
        for t in range(x.shape[1]):
            h = self.cell(x[:, t], h)
            outputs.append(h)
        return torch.stack(outputs, 1), h


class GruCarried(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(3, 5, num_layers=2)
        self.fc = nn.Linear(5, 1)

    def forward(self, x, h0):
        """x [timesteps, batch, 3], state [2, batch, 5] -> [timesteps, batch, 1], the last state."""
        y, h = self.gru(x, h0)
        return torch.sigmoid(self.fc(y)), h


class GruPacked(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(3, 5, bidirectional=True, batch_first=True)

    def forward(self, x, lengths):
        """x [batch, timesteps, 3], lengths [batch] -> [batch, timesteps, 10], the last state."""
        packed = nn.utils.rnn.pack_padded_sequence(
            x, lengths, batch_first=True, enforce_sorted=False
        )
        y, h = self.gru(packed)
        return nn.utils.rnn.pad_packed_sequence(y, batch_first=True)[0], h


def torch_gru_exports():
    """The same of GRUs and plain RNNs."""
    axes = {0: "batch", 1: "time"}
    tokens = torch.randint(11, (3, 6))
    yield "gru-tagger", {2, 11, 13, 35, 36}, GruTagger(), {"tokens": tokens[:1, :4]}, {"tokens": tokens}, axes
    x = torch.randn(3, 5, 3)
    yield "gru-no-bias", {3, 24, 35, 36}, nn.GRU(3, 4, bias=False), {"x": x[:2, :1]}, {"x": x}, axes
    steps = {"x": torch.randn(3, 3, 3), "h": torch.randn(3, 5)}
    yield "gru-cell-loop", {1, 7, 35, 36}, GruCellLoop(), steps, steps, {0: "batch"}
    carried = {"x": x, "h0": torch.randn(2, 5, 5)}
    yield "gru-carried-state", {3, 6, 7, 13, 35, 36}, GruCarried(), carried, carried, {1: "batch"}
    packed = {"x": x, "lengths": torch.tensor([2, 5, 3])}
    yield "gru-packed", {11, 26, 27, 35, 36}, GruPacked(), packed, packed, {0: "batch"}
    for nonlinearity in ("tanh", "relu"):
        rnn = nn.RNN(3, 5, 2, nonlinearity=nonlinearity, bidirectional=True, batch_first=True)
        yield f"rnn-{nonlinearity}", {2, 6, 11, 13, 37}, rnn, {"x": x[:1, :4]}, {"x": x}, axes


@torch.no_grad()
def add_torch_exports(golden, seed, exports, prepare=lambda module: module):
    torch.manual_seed(seed)
    warnings.filterwarnings("ignore")
    for number, (name, rows, module, traced, fed, axes) in enumerate(exports()):
        module.eval()
        for buffer in ("running_mean", "running_var"):
            for key, value in module.named_buffers():
                if key.endswith(buffer):
                    value.uniform_(0.2, 1.5)
        path = golden.directory / f"torch-{name}.onnx"
        torch.onnx.export(
            prepare(module),
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
        exact = evaluate64(model, feeds, [GRU, RNN])
        outputs = evaluate(path, feeds, "onnxruntime")
        parts = flat(module(*fed.values()))
        for output, expected in zip(outputs.values(), parts, strict=True):
            assert np.allclose(output, expected.numpy(), rtol=0, atol=LARGEST_DISTANCE), name
        if any(outputs[key].shape != exact[key].shape for key in outputs) or farthest(outputs, exact) > LARGEST_DISTANCE:
            # onnx's reference evaluator resizes, and splits, otherwise: the module itself, in float64.
            parts = flat(module.double()(*[value.double() for value in fed.values()]))
            exact = {key: part.numpy() for key, part in zip(outputs, parts, strict=True)}
        golden.add(
            f"torch-{name}",
            path.name,
            rows=rows,
            options={
                "opset": model.opset_import[0].version,
                "exporter": "torch.onnx, dynamo=False",
            },
            calls=[(feeds, outputs, exact)],
        )


def flat(nested):
    """The tensors in nested tuples, in order."""
    return (
        [nested] if isinstance(nested, torch.Tensor) else [t for part in nested for t in flat(part)]
    )


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
    add_torch_exports(golden, 4, torch_exports)
    add_gru_cases(golden)
    add_torch_exports(golden, 5, torch_gru_exports)
    add_composed_cases(golden, 6000, composed_operators())
    add_window_cases(golden, 8000, onnx_windows.operators())
    add_torch_exports(golden, 6, onnx_windows.torch_exports)
    add_optimised_cases(golden, LARGEST_DISTANCE)
    add_window_cases(golden, 8500, onnx_windows.resizes())
    add_torch_exports(golden, 7, onnx_windows.torch_resizes)
    add_composed_cases(golden, 9000, onnx_lists.list_operators())
    add_torch_exports(golden, 8, onnx_lists.torch_lists, torch.jit.script)
    return golden


if __name__ == "__main__":
    golden_cases.main(__doc__, "onnx", generate)
