"""ONNX models with lists of tensors (Sequence...), and pools of powers."""

from typing import List

import numpy as np
import torch
from onnx_composed import Plain
from onnx_graph import Graph, uniform
from torch import nn


def pairs(rng):
    """A list that is made, changed and joined."""
    graph = Graph(17)
    a, b = graph.input("a", uniform(rng, (2, 3), 1)), graph.input("b", uniform(rng, (2, 3), 1))
    made = graph.node("SequenceConstruct", a, b, graph.node("Neg", a))
    longer = graph.node("SequenceInsert", made, graph.node("Exp", b), np.array(1))
    shorter = graph.node("SequenceErase", longer, np.array(-1))
    more = graph.node("SequenceInsert", shorter, graph.node("Tanh", a))
    graph.output("joined", graph.node("ConcatFromSequence", more, axis=-1))
    graph.output("stacked", graph.node("ConcatFromSequence", more, axis=1, new_axis=1))
    graph.output("second", graph.node("SequenceAt", more, np.array(-3)))
    graph.output("length", graph.node("SequenceLength", more), np.int64)
    return graph


def chosen(rng):
    """An item that an input chooses."""
    graph = Graph(17)
    x = graph.input("x", uniform(rng, (4, 2, 3), 1), ["time", 2, 3])
    index = graph.input("index", np.array(2))
    parts = graph.node("SplitToSequence", x, axis=0, keepdims=0)
    graph.output("slice", graph.node("SequenceAt", parts, index))
    made = graph.node("SequenceConstruct", *[graph.node("SequenceAt", parts, np.array(n)) for n in (3, 0, 1)])
    graph.output("item", graph.node("SequenceAt", made, index))
    graph.output("length", graph.node("SequenceLength", parts), np.int64)
    graph.output("stacked", graph.node("ConcatFromSequence", parts, axis=2, new_axis=1))
    graph.output("joined", graph.node("ConcatFromSequence", parts, axis=1))
    return graph


def split(rng):
    """Parts of one element that keep their axis, of several, and of these sizes."""
    graph = Graph(13)
    x = graph.input("x", uniform(rng, (2, 7, 3), 1), ["batch", 7, 3])
    ones = graph.node("SplitToSequence", x, axis=1)
    graph.output("whole", graph.node("ConcatFromSequence", ones, axis=1))
    graph.output("wide", graph.node("ConcatFromSequence", ones, axis=2))
    threes = graph.node("SplitToSequence", x, np.array(3), axis=1)
    graph.output("last", graph.node("SequenceAt", threes, np.array(2)))
    sizes = graph.node("SplitToSequence", x, np.array([4, 1, 2]), axis=-2)
    graph.output("some", graph.node("SequenceAt", sizes, np.array(0)))
    return graph


def lp_pool(opset, shape, p, pads=(0, 0, 0, 0), strides=(1, 1), ceil=0, **attributes):
    """Sums of powers over windows of 3 (x 2)."""
    axes = len(shape) - 2
    window, strides = [3, 2][:axes], list(strides)[:axes]

    def exact(x):
        before, after = np.array(pads[:axes]), np.array(pads[axes : 2 * axes])
        sizes = np.array(shape[2:]) + before + after - window
        counts = [int(-(-n // s) if ceil else n // s) + 1 for n, s in zip(sizes, strides)]
        # A window that would begin behind the end is none.
        counts = [n - ((n - 1) * s >= size + b) for n, s, size, b in zip(counts, strides, shape[2:], before)]
        y = np.zeros((*shape[:2], *counts))
        for place in np.ndindex(*counts):
            begin = np.array(place) * strides - before
            cut = [slice(max(0, b), max(0, b + w)) for b, w in zip(begin, window)]
            part = np.abs(x[(slice(None), slice(None), *cut)]) ** p
            y[(slice(None), slice(None), *place)] = part.sum(axis=tuple(range(2, 2 + axes))) ** (1 / p)
        return {"y": y}

    def make(rng):
        graph = Plain(opset)
        x = graph.input("x", uniform(rng, shape, 2))
        options = {"kernel_shape": window, "strides": strides, "p": p} | attributes
        if any(pads):
            options["pads"] = list(pads[: 2 * axes])
        if ceil:
            options["ceil_mode"] = 1
        graph.output("y", graph.node("LpPool", x, **options))
        graph.exact = exact
        return graph

    return make


def global_lp_pool(p):
    def make(rng):
        graph = Plain(16)
        x = graph.input("x", uniform(rng, (2, 3, 4, 5), 2))
        graph.output("y", graph.node("GlobalLpPool", x, p=p))
        graph.exact = lambda x: {"y": (np.abs(x) ** p).sum(axis=(2, 3), keepdims=True) ** (1 / p)}
        return graph

    return make


def list_operators():
    yield "sequence", pairs
    yield "sequence-chosen", chosen
    yield "sequence-split", split
    yield "lp-pool", lp_pool(11, (2, 3, 9), 2)
    yield "lp-pool-1", lp_pool(17, (1, 2, 8), 1, strides=(2,))
    yield "lp-pool-2d-pad", lp_pool(18, (2, 3, 7, 5), 3, pads=(1, 0, 2, 1), strides=(2, 1))
    yield "lp-pool-2d-ceil", lp_pool(22, (1, 2, 8, 6), 2, strides=(2, 3), ceil=1)
    yield "global-lp-pool", global_lp_pool(2)
    yield "global-lp-pool-3", global_lp_pool(3)


# Lists of Python, as torch.jit.script and torch.onnx write them.


class Unbound(nn.Module):
    """A plain RNN over what unbind gives, appended and stacked."""

    def __init__(self):
        super().__init__()
        self.input, self.recurrent = nn.Linear(3, 5), nn.Linear(5, 5, bias=False)

    def forward(self, x):
        h = x.new_zeros(x.size(0), 5)
        outputs: List[torch.Tensor] = []
        for x_t in x.unbind(1):
            h = torch.tanh(self.input(x_t) + self.recurrent(h))
            outputs.append(h)
        return torch.stack(outputs, 1), h


class Appended(nn.Module):
    """An LSTMCell by the number of the step, its outputs joined along the time."""

    def __init__(self):
        super().__init__()
        self.cell, self.dense = nn.LSTMCell(3, 5), nn.Linear(5, 2)

    def forward(self, x):
        h, c = x.new_zeros(x.size(0), 5), x.new_zeros(x.size(0), 5)
        outputs: List[torch.Tensor] = []
        for t in range(x.size(1)):
            h, c = self.cell(x[:, t], (h, c))
            outputs.append(h.unsqueeze(1))
        return self.dense(torch.cat(outputs, 1))


class Parts(nn.Module):
    """An LSTM over parts of a sequence in another order."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 5, batch_first=True)

    def forward(self, x):
        parts = x.split([2, 1, 4], 1)
        return self.lstm(torch.cat([parts[2], parts[0]], 1))[0]


class Described(nn.Module):
    """Two LSTMCells above each other, with layers before and after them that each step runs by itself."""

    def __init__(self):
        super().__init__()
        self.up, self.norm, self.out = nn.Linear(3, 4), nn.LayerNorm(5), nn.Linear(5, 2)
        self.below, self.above = nn.LSTMCell(4, 6), nn.LSTMCell(6, 5)

    def forward(self, x):
        h, c = x.new_zeros(x.size(0), 6), x.new_zeros(x.size(0), 6)
        g, d = x.new_zeros(x.size(0), 5), x.new_zeros(x.size(0), 5)
        outputs: List[torch.Tensor] = []
        for t in range(x.size(1)):
            h, c = self.below(torch.tanh(self.up(x[:, t])), (h, c))
            g, d = self.above(h, (g, d))
            outputs.append(torch.softmax(self.out(self.norm(g)) * 2 + 1, -1).unsqueeze(1))
        return torch.cat(outputs, 1), g, c


class Gates(nn.Module):
    """An LSTM whose gates are one product with the input and the state side by side, and a GRU above it, by their equations."""

    def __init__(self):
        super().__init__()
        self.gates, self.out = nn.Linear(3 + 4, 16), nn.Linear(3, 2)
        self.of_input, self.of_state = nn.ModuleList(nn.Linear(4, 3) for _ in range(3)), nn.ModuleList(nn.Linear(3, 3) for _ in range(3))

    def forward(self, x):
        h, c, g = x.new_zeros(x.size(0), 4), x.new_zeros(x.size(0), 4), x.new_zeros(x.size(0), 3)
        outputs: List[torch.Tensor] = []
        for t in range(x.size(1)):
            i, f, n, o = self.gates(torch.cat([x[:, t], h], 1)).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(n)
            h = torch.sigmoid(o) * torch.tanh(c)
            z = torch.sigmoid(self.of_input[0](h) + self.of_state[0](g))
            r = torch.sigmoid(self.of_input[1](h) + self.of_state[1](g))
            g = (1 - z) * torch.tanh(self.of_input[2](h) + r * self.of_state[2](g)) + z * g
            outputs.append(torch.relu(self.out(g)))
        return torch.stack(outputs, 1), g, c


def torch_lists():
    """As golden_onnx.py's other exports."""
    axes = {0: "batch", 1: "time"}
    x = torch.randn(3, 7, 3)
    yield "list-unbind", {2, 6, 37}, Unbound(), {"x": x[:1, :4]}, {"x": x}, axes
    yield "list-append", {2}, Appended(), {"x": x[:1, :4]}, {"x": x}, axes
    yield "list-parts", {2}, Parts(), {"x": x[:1]}, {"x": x}, {0: "batch"}
    yield "list-described", {1, 2, 6, 13}, Described(), {"x": x[:1, :4]}, {"x": x}, axes
    yield "list-gates", {2, 6, 13, 35, 36}, Gates(), {"x": x[:1, :4]}, {"x": x}, axes
