"""ONNX models with more than an LSTM, and of single operators that stand around LSTMs."""

import itertools

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx_graph import Graph, uniform


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
    logits = graph.node(
        "Add", graph.node("MatMul", y, uniform(rng, (8, 5), 1)), uniform(rng, (5,), 1)
    )
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
        branches[name] = helper.make_graph(inner.nodes, name, [], inner.outputs, inner.initializers)
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
    yield (
        "conv-same-upper",
        single(14, audio, "Conv", [(5, 3, 4)], auto_pad="SAME_UPPER", strides=[2]),
    )
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
    yield "sin", single(13, (3, 5), "Sin")
    yield "cos", single(7, (3, 5), "Cos")
    yield "atan", single(22, (3, 5), "Atan")
    yield "trilu", single(14, (2, 4, 5), "Trilu")
    yield "trilu-lower", single(14, (3, 5), "Trilu", [np.array(-1)], upper=0)
    yield "trilu-upper-above", single(14, (4, 3), "Trilu", [np.array(1)])
    yield "reduce-l1", single(18, (2, 3, 5), "ReduceL1", [np.array([-1])])
    yield "reduce-l1-opset13", single(13, (2, 3, 5), "ReduceL1", axes=[0, 2], keepdims=0)
    yield "reduce-log-sum", positive(18, (2, 3, 5), "ReduceLogSum")
    yield "reduce-log-sum-exp", single(18, (2, 3, 5), "ReduceLogSumExp", [np.array([0, 2])], keepdims=0)
    yield "reduce-log-sum-exp-opset11", single(11, (2, 3, 5), "ReduceLogSumExp", axes=[1])
