"""Attention, and what onnxruntime's optimisers write: operators of the domain com.microsoft.

Single nodes have float64 outputs of NumPy; a file that was optimised has those of the file before."""

import logging
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from onnx_composed import MICROSOFT, Plain
from onnx_graph import evaluate, evaluate64, farthest, uniform
from onnxruntime.transformers import optimizer
from onnxruntime.transformers.fusion_options import FusionOptions
from torch import nn


# Attention of the standard operators: float64 is that of onnx's reference.


def attention(opset, q, k, v=None, *, dims=None, mask=None, past=None, lengths=None, outputs=1, **attributes):
    """`mask`: a function of rng, or None; `past`: the shape of past keys and values; `dims` of q, k and v."""

    def make(rng):
        graph = Plain(opset)
        sizes = [q, k, v or k]
        names = [
            graph.input(name, uniform(rng, shape, 2), dims)
            for name, shape in zip("qkv", sizes, strict=True)
        ]
        names.append("" if mask is None else graph.input("mask", mask(rng)))
        names += ["", ""] if past is None else [graph.input(f"past_{n}", uniform(rng, past, 2)) for n in "kv"]
        if lengths is not None:
            names.append(graph.input("lengths", np.array(lengths)))
        while names[-1] == "":
            names.pop()
        made = graph.node("Attention", *names, outputs=outputs, **attributes)
        for n, name in enumerate([made] if outputs == 1 else made):
            if name != "":
                graph.output(f"y{n}", name)
        return graph

    return make


def flags(shape, empty=None):
    """Allowed or not; `empty` is a row of which nothing is."""

    def make(rng):
        mask = rng.integers(4, size=shape) > 0
        mask[..., 0] = True
        if empty is not None:
            mask[empty] = False
        return mask

    return make


def added(shape):
    return lambda rng: uniform(rng, shape, 3)


def attentions():
    q, k = (2, 4, 3, 5), (2, 2, 6, 5)
    yield "attention", attention(23, (2, 3, 4, 5), (2, 3, 6, 5), (2, 3, 6, 2))
    yield "attention-grouped", attention(23, q, k, scale=0.7)
    yield "attention-joined-heads", attention(23, (2, 3, 20), (2, 6, 10), (2, 6, 4), q_num_heads=4, kv_num_heads=2)
    yield "attention-causal", attention(23, (2, 2, 5, 3), (2, 2, 5, 3), is_causal=1, dims=["batch", 2, "time", 3])
    yield "attention-added-mask", attention(23, q, k, mask=added((3, 6)), softcap=1.5)
    yield "attention-flags", attention(23, q, k, mask=flags((2, 1, 3, 6), empty=(1, 0, 2)))
    yield "attention-causal-flags", attention(23, q, q, mask=flags((4, 3, 3)), is_causal=1)
    yield "attention-past", attention(23, q, (2, 2, 3, 5), past=(2, 2, 4, 5), is_causal=1, outputs=3)
    yield "attention-lengths", attention(24, q, k, lengths=[4, 6])
    for mode in range(4):
        names = ["out", "", "", "scores"]
        more = {"qk_matmul_output_mode": mode, "outputs": names, "softcap": 2.0 if mode else 0.0}
        yield f"attention-scores-{mode}", attention(23, q, k, mask=added((2, 1, 3, 6)), **more)
    more = {"left_window_size": 1, "right_window_size": 2}
    yield "attention-window", attention(25, (2, 2, 5, 3), (2, 2, 5, 3), **more)
    yield "attention-window-causal-past", attention(25, q, (2, 2, 3, 5), past=(2, 2, 4, 5), is_causal=1, left_window_size=2, outputs=3)
    yield "attention-short-mask", attention(24, q, k, lengths=[3, 4], mask=flags((3, 4)))


# Single nodes of com.microsoft.


def relu(x):
    return np.maximum(x, 0)


def phi(x):
    return torch.special.ndtr(torch.from_numpy(x)).numpy()


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def normalised(x, scale, bias=0, epsilon=1e-12, centred=True):
    x = x - x.mean(axis=-1, keepdims=True) if centred else x
    return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + epsilon) * scale + bias


def fused(operator, exact, shape, constants=(), scale=2, dims=None, outputs=1, domain=MICROSOFT, **attributes):
    """One node on an input and constants of given shapes; `exact` takes all of them in float64."""

    def make(rng):
        graph = Plain(17)
        x = graph.input("x", uniform(rng, shape, scale), dims)
        values = [uniform(rng, part, 1) if isinstance(part, tuple) else part for part in constants]
        made = graph.node(operator, x, *values, domain=domain, outputs=outputs, **attributes)
        names = [name for name in ([made] if outputs == 1 else made) if name != ""]
        for n, name in enumerate(names):
            graph.output(f"y{n}", name)
        given = [value.astype(np.float64) for value in values if not isinstance(value, str)]

        def outputs_of(x):
            results = exact(x, *given)
            return {f"y{n}": value for n, value in enumerate(results if isinstance(results, tuple) else (results,))}

        graph.exact = outputs_of
        return graph

    return make


def softmax(x):
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def heads(x, count):
    return x.reshape(*x.shape[:2], count, -1).transpose(0, 2, 1, 3)


def attended(q, k, v, bias=0, scale=None):
    """Queries, keys and values [batch, heads, steps, size]."""
    scale = 1 / np.sqrt(q.shape[-1]) if scale is None else scale
    y = softmax(q @ k.swapaxes(-1, -2) * scale + bias) @ v
    return y.transpose(0, 2, 1, 3).reshape(y.shape[0], y.shape[2], -1)


def multi_head(count, q, k, v, bias=False, mask=None, added=None, past=None, outputs=1, causal=False, **attributes):
    def make(rng):
        graph = Plain(17)
        names = [graph.input(name, uniform(rng, shape, 2)) for name, shape in zip("qkv", (q, k, v), strict=True)]
        biases = [uniform(rng, (shape[-1],), 1) for shape in (q, k, v)] if bias else [np.zeros(shape[-1], np.float32) for shape in (q, k, v)]
        names.append(graph.constant(np.concatenate(biases)) if bias else "")
        names.append("" if mask is None else graph.input("mask", np.array(mask, np.int32)))
        names.append("" if added is None else graph.input("added", uniform(rng, added, 2)))
        names += [] if past is None else [graph.input(f"past_{n}", uniform(rng, past, 2)) for n in "kv"]
        while names[-1] == "":
            names.pop()
        if causal:
            attributes["unidirectional"] = 1
        made = graph.node("MultiHeadAttention", *names, domain=MICROSOFT, outputs=outputs, num_heads=count, **attributes)
        for n, name in enumerate([made] if outputs == 1 else made):
            graph.output(f"y{n}", name)

        def exact(q, k, v, mask=None, added=0, past_k=None, past_v=None):
            q, k, v = (heads(x + b.astype(np.float64), count) for x, b in zip((q, k, v), biases, strict=True))
            before = 0 if past_k is None else past_k.shape[2]
            k, v = (now if then is None else np.concatenate([then, now], axis=2) for then, now in ((past_k, k), (past_v, v)))
            total = k.shape[2]
            bias = np.zeros((1, 1, q.shape[2], total)) + added
            if mask is not None and mask.ndim == 1:
                bias = bias + np.where(np.arange(total) < mask[:, None], 0, -10000)[:, None, None]
            elif mask is not None:
                bias = bias + np.where(mask > 0, 0, -10000)[:, None, None]
            if causal:
                i, j = np.ogrid[: q.shape[2], :total]
                bias = bias + np.where(j <= i + before, 0, -np.inf)
            return dict(zip(("y0", "y1", "y2"), (attended(q, k, v, bias, attributes.get("scale")), k, v)))

        graph.exact = exact
        return graph

    return make


def microsoft_attention(count, steps, mask=None, past=None, **attributes):
    size = 8

    def make(rng):
        graph = Plain(17)
        x = graph.input("x", uniform(rng, (2, steps, 6), 1))
        weights, bias = uniform(rng, (6, 3 * size), 1), uniform(rng, (3 * size,), 1)
        names = [x, graph.constant(weights), graph.constant(bias)]
        names.append("" if mask is None else graph.input("mask", np.array(mask, np.int32)))
        names.append("" if past is None else graph.input("past", uniform(rng, (2, 2, count, past, size // count), 1)))
        while names[-1] == "":
            names.pop()
        y, present = graph.node("Attention", *names, domain=MICROSOFT, outputs=2, num_heads=count, **attributes)
        graph.output("y0", y)
        if past is not None:
            graph.output("y1", present)
        else:
            graph.nodes[-2].output.pop()

        def exact(x, mask=None, past=None):
            q, k, v = (heads(part, count) for part in np.split(x @ weights.astype(np.float64) + bias, 3, axis=-1))
            before = 0 if past is None else past.shape[3]
            if past is not None:
                k, v = np.concatenate([past[0], k], axis=2), np.concatenate([past[1], v], axis=2)
            bias_of_mask = 0 if mask is None else np.where(mask > 0, 0, -10000)[:, None, None]
            i, j = np.ogrid[: q.shape[2], : k.shape[2]]
            causal = np.where(j <= i + before, 0, -np.inf) if attributes.get("unidirectional") else 0
            return {"y0": attended(q, k, v, bias_of_mask + causal), "y1": np.stack([k, v])}

        graph.exact = exact
        return graph

    return make


def rotated(x, cosines, sines):
    """x [batch, heads, steps, size], the others [..., steps, size / 2]."""
    a, b = np.split(x, 2, axis=-1)
    return np.concatenate([a * cosines - b * sines, b * cosines + a * sines], axis=-1)


def group_query(count, fewer, steps, size, packed=False, rotary=False, positions=None, added=None, window=None, softcap=0.0, outputs=1, **attributes):
    """Of whole sequences: nothing is past."""

    def make(rng):
        graph = Plain(17)
        widths = [count * size, fewer * size, fewer * size]
        parts = [uniform(rng, (2, steps, width), 2) for width in widths]
        if packed:
            names = [graph.input("qkv", np.concatenate(parts, axis=-1)), "", ""]
        else:
            names = [graph.input(name, part) for name, part in zip("qkv", parts, strict=True)]
        names += ["", "", graph.constant(np.full(2, steps - 1, np.int32)), graph.constant(np.array(steps, np.int32))]
        angles = np.arange(steps + 3)[:, None] * 0.7 ** np.arange(size // 2)
        tables = [np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)]
        names += [graph.constant(table) for table in tables] if rotary else ["", ""]
        names.append("" if positions is None else graph.input("positions", np.array(positions, np.int64)))
        names.append("" if added is None else graph.input("added", uniform(rng, added, 2)))
        while names[-1] == "":
            names.pop()
        if rotary:
            attributes["do_rotary"] = 1
        if window is not None:
            attributes["local_window_size"] = window
        made = graph.node("GroupQueryAttention", *names, domain=MICROSOFT, outputs=3, num_heads=count, kv_num_heads=fewer, softcap=softcap, **attributes)
        for n, name in enumerate(made[:outputs]):
            graph.output(f"y{n}", name)

        def exact(positions=None, added=0, **given):
            q, k, v = np.split(given["qkv"], np.cumsum(widths)[:2], axis=-1) if packed else (given[name] for name in "qkv")
            q, k, v = heads(q, count), heads(k, fewer), heads(v, fewer)
            if rotary:
                rows = np.arange(steps) if positions is None else positions
                turns = [table.astype(np.float64)[rows] for table in tables]
                turns = turns if positions is None else [turn[:, None] for turn in turns]
                q, k = rotated(q, *turns), rotated(k, *turns)
            scores = q @ np.repeat(k, count // fewer, axis=1).swapaxes(-1, -2) * attributes.get("scale", size**-0.5)
            scores = softcap * np.tanh(scores / softcap) if softcap else scores
            i, j = np.ogrid[:steps, :steps]
            seen = (j <= i) & (j > i - (window or steps))
            y = softmax(np.where(seen, scores + added, -np.inf)) @ np.repeat(v, count // fewer, axis=1)
            return dict(zip(("y0", "y1", "y2"), (y.transpose(0, 2, 1, 3).reshape(2, steps, -1), k, v)))

        graph.exact = exact
        return graph

    return make


def single_nodes():
    yield "fused-gemm", fused("FusedGemm", lambda x, w, b: relu(x @ w.T + b), (3, 5), [(4, 5), (4,)], transB=1, activation="Relu")
    more = {"activation": "LeakyRelu", "activation_alpha": 0.2, "alpha": 0.5, "beta": 2.0}
    leaky = lambda x: np.where(x < 0, np.float32(0.2) * x, x)
    yield "fused-gemm-alpha", fused("FusedGemm", lambda x, w, b: leaky(0.5 * x @ w + 2 * b), (3, 5), [(5, 4), (4,)], **more)
    trans = lambda x: x.swapaxes(-1, -2)
    yield "fused-matmul", fused("FusedMatMul", lambda a, b: 0.25 * trans(a) @ trans(b), (2, 3, 5, 4), [(2, 3, 6, 5)], transA=1, transB=1, alpha=0.25)
    inside = lambda x: x.transpose(1, 2, 0, 3)
    yield "fused-matmul-batch", fused("FusedMatMul", lambda a, b: inside(a) @ trans(inside(b)), (4, 2, 3, 5), [(6, 2, 3, 5)], transBatchA=1, transBatchB=1, transB=1)
    yield "microsoft-gelu", fused("Gelu", lambda x: x * phi(x), (3, 5))
    yield "bias-gelu", fused("BiasGelu", lambda x, b: (x + b) * phi(x + b), (2, 3, 5), [(5,)])
    yield "fast-gelu", fused("FastGelu", lambda x, b: gelu_tanh(x + b), (2, 3, 5), [(5,)])
    yield "fast-gelu-plain", fused("FastGelu", gelu_tanh, (3, 5))
    yield "quick-gelu", fused("QuickGelu", lambda x: x * sigmoid(np.float32(1.702) * x), (3, 5))
    yield "quick-gelu-silu", fused("QuickGelu", lambda x: x * sigmoid(x), (3, 5), alpha=1.0)
    skip = [(2, 3, 5), (5,), (5,), (5,)]
    names = ["out", "", "", "sum"]
    yield "skip-layer-normalization", fused("SkipLayerNormalization", lambda x, s, g, b, a: (normalised(x + s + a, g, b, 1e-3), x + s + a), (2, 3, 5), skip, outputs=names, epsilon=1e-3)
    yield "skip-layer-normalization-plain", fused("SkipLayerNormalization", lambda x, s, g: normalised(x + s, g), (2, 3, 5), skip[:2])
    rms = lambda x, s, g, a: (normalised(x + s + a, g, 0, 1e-3, False), x + s + a)
    yield "skip-simplified-layer-normalization", fused("SkipSimplifiedLayerNormalization", rms, (2, 3, 5), skip[:3], outputs=names, epsilon=1e-3)
    rms = lambda x, g: normalised(x, g, 0, 1e-3, False)
    yield "simplified-layer-normalization", fused("SimplifiedLayerNormalization", rms, (2, 3, 5), [(5,)], domain="", epsilon=1e-3)
    yield "multi-head-attention", multi_head(2, (2, 3, 8), (2, 5, 8), (2, 5, 8), bias=True, added=(1, 2, 3, 5))
    yield "multi-head-attention-mask", multi_head(2, (2, 3, 8), (2, 4, 8), (2, 4, 8), mask=[[1, 1, 0, 1], [0, 1, 1, 1]], scale=0.3)
    yield "multi-head-attention-lengths", multi_head(4, (2, 4, 8), (2, 4, 8), (2, 4, 8), mask=[3, 2])
    yield "multi-head-attention-past", multi_head(2, (2, 3, 8), (2, 3, 8), (2, 3, 8), past=(2, 2, 4, 4), causal=True, outputs=3)
    yield "microsoft-attention-mask", microsoft_attention(2, 4, mask=[[1, 1, 0, 1], [1, 1, 1, 1]])
    yield "microsoft-attention-past", microsoft_attention(2, 3, past=2, unidirectional=1)
    yield "group-query-attention", group_query(4, 2, 5, 16, outputs=3)
    yield "group-query-attention-packed", group_query(4, 1, 6, 16, packed=True, rotary=True, scale=0.5, outputs=3)
    yield "group-query-attention-window", group_query(2, 2, 7, 16, rotary=True, positions=[range(7), range(2, 9)], window=3)
    yield "group-query-attention-added", group_query(2, 1, 5, 16, added=(1, 2, 5, 5), softcap=1.5)


# Whole files.


class Block(nn.Module):
    """Self-attention as people write it, after an LSTM or an embedding."""

    def __init__(self, words):
        super().__init__()
        if words:
            self.words, self.places, self.first = nn.Embedding(11, 16), nn.Embedding(9, 16), nn.LayerNorm(16)
        else:
            self.lstm = nn.LSTM(3, 16, batch_first=True)
        self.q, self.k, self.v, self.out = (nn.Linear(16, 16) for _ in range(4))
        self.norm, self.last = nn.LayerNorm(16), nn.LayerNorm(16)
        self.up, self.down = nn.Linear(16, 24), nn.Linear(24, 16)

    def forward(self, x):
        if hasattr(self, "words"):
            x = self.first(self.words(x) + self.places(torch.arange(x.shape[1]))[None])
        else:
            x = self.lstm(x)[0]
        q, k, v = (layer(x).view(x.shape[0], x.shape[1], 4, 4).transpose(1, 2) for layer in (self.q, self.k, self.v))
        y = torch.softmax(q @ k.transpose(-1, -2) / 2, -1) @ v
        x = self.norm(x + self.out(y.transpose(1, 2).reshape(x.shape)))
        return self.last(x + self.down(nn.functional.gelu(self.up(x))))


class Convolved(nn.Module):
    """Convolutions with activations, an LSTM, and layers after its last step."""

    def __init__(self):
        super().__init__()
        self.conv, self.deep = nn.Conv1d(3, 6, 3, padding=1), nn.Conv1d(6, 6, 3, padding=1)
        self.lstm, self.a, self.b = nn.LSTM(6, 5, batch_first=True), nn.Linear(5, 7), nn.Linear(7, 2)

    def forward(self, x):
        y = torch.relu(self.conv(x))
        y = nn.functional.leaky_relu(self.deep(y), 0.2)
        h = self.lstm(y.transpose(1, 2))[0][:, -1]
        h = torch.nn.functional.silu(self.a(h))
        return torch.sigmoid(self.b(h))


class Image(nn.Module):
    """A convolution over two axes with its activation, as in text recognition, then an LSTM."""

    def __init__(self):
        super().__init__()
        self.conv, self.lstm = nn.Conv2d(1, 3, 3, padding=1), nn.LSTM(12, 4, batch_first=True)

    def forward(self, x):
        y = nn.functional.max_pool2d(torch.relu(self.conv(x)), 2)
        return self.lstm(y.permute(0, 3, 1, 2).flatten(2))[0]


class Gates(nn.Module):
    """Activations by halves, and dot products of all steps."""

    def __init__(self):
        super().__init__()
        self.gru, self.up = nn.GRU(3, 8, batch_first=True), nn.Linear(8, 8)

    def forward(self, x):
        y = self.gru(x)[0]
        y = torch.softmax(y @ y.transpose(1, 2) / 8**0.5, -1) @ y
        y = self.up(y)
        y = y * torch.sigmoid(1.702 * y)
        return nn.functional.gelu(self.up(y), approximate="tanh")


def by_runtime(level):
    def optimise(path, target):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = level
        options.log_severity_level = 3
        options.optimized_model_filepath = str(target)
        onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    return optimise


def by_transformers(multi_head_attention):
    def optimise(path, target):
        logging.disable(logging.WARNING)
        options = FusionOptions("bert")
        options.use_multi_head_attention = multi_head_attention
        made = optimizer.optimize_model(str(path), model_type="bert", num_heads=4, hidden_size=16, opt_level=0, optimization_options=options)
        onnx.save(made.model, target)

    return optimise


def files():
    """name, module, its input, how it is optimised, operators that must be there then."""
    extended = by_runtime(onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED)
    x = torch.randn(2, 5, 3)
    words = torch.randint(11, (2, 6))
    yield "optimised-block", Block(False), x, extended, {"FusedMatMul", "BiasGelu"}
    yield "optimised-convolved", Convolved(), torch.randn(2, 3, 9), extended, {"FusedConv", "FusedGemm", "QuickGelu"}
    yield "optimised-gates", Gates(), x, extended, {"FusedMatMul", "QuickGelu"}
    yield "optimised-attention", Block(False), x, by_transformers(False), {"Attention", "SkipLayerNormalization", "BiasGelu"}
    yield "optimised-multi-head-attention", Block(True), words, by_transformers(True), {"MultiHeadAttention", "SkipLayerNormalization"}
    yield "optimised-image", Image(), torch.randn(2, 1, 8, 10), extended, {"FusedConv"}


def run(path, feeds):
    """Of onnxruntime, or of onnx's reference where that has no such operator."""
    try:
        return evaluate(path, feeds, "onnxruntime"), "onnxruntime"
    except onnxruntime.capi.onnxruntime_pybind11_state.Fail:
        return evaluate(path, feeds, "onnx.reference"), "onnx.reference"


@torch.no_grad()
def add_optimised_cases(golden, largest_distance):
    warnings.filterwarnings("ignore")
    nodes = [*attentions(), *single_nodes()]
    for seed, (name, maker) in enumerate(nodes):
        graph = maker(np.random.default_rng(7000 + seed))
        model = graph.model()
        path = golden.directory / f"op-{name}.onnx"
        onnx.save(model, path)
        outputs, framework = run(path, graph.feeds)
        if graph.exact is None:
            exact = evaluate64(model, graph.feeds)
        else:
            wide = {key: value.astype(np.float64) if value.dtype.kind == "f" else value for key, value in graph.feeds.items()}
            exact = graph.exact(**wide)
        assert farthest(outputs, exact) < largest_distance, f"{name}: {farthest(outputs, exact)}"
        golden.add(f"op-{name}", path.name, options={"opset": graph.opset}, calls=[(graph.feeds, outputs, exact)], framework=framework)
    torch.manual_seed(6)
    for name, module, x, optimise, wanted in files():
        module.eval()
        plain = golden.directory / "plain.onnx"
        axes = {0: "batch", 1: "time"} if x.shape[1] > 3 else {0: "batch"}
        torch.onnx.export(module, (x,), plain, dynamo=False, opset_version=17, input_names=["x"], output_names=["y"], dynamic_axes={"x": axes})
        path = golden.directory / f"{name}.onnx"
        optimise(plain, path)
        found = {node.op_type for node in onnx.load(path).graph.node if node.domain == MICROSOFT}
        assert wanted <= found, f"{name}: {found}"
        feeds = {"x": x.numpy()}
        exact = evaluate64(onnx.load(plain), feeds)
        plain.unlink()
        outputs = evaluate(path, feeds, "onnxruntime")
        assert farthest(outputs, exact) < largest_distance, name
        golden.add(name, path.name, options={"operators": sorted(found)}, calls=[(feeds, outputs, exact)])
