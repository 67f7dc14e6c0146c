"""Whole models as PyTorch saves them, with the outputs of the modules: torch.save(model), TorchScript by torch.jit.script and
torch.jit.trace, and torch.export.

Inputs and outputs are named by their order: in0, in1, out0, out1. Files are small, and hold the classes of this script by name only.

  python test/python/golden_torch_programs.py            write test/golden/torch-programs
  python test/python/golden_torch_programs.py --check    compare a fresh run with the files
"""

import copy
import warnings
from typing import Tuple

import golden_cases
import torch
from torch import nn

LARGEST_DISTANCE = 1e-5


class Classifier(nn.Module):
    """Token ids, a bidirectional stack, its last step."""

    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(11, 3)
        self.lstm = nn.LSTM(3, 5, 2, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(10, 4)

    def forward(self, x):
        y, _ = self.lstm(self.emb(x))
        return torch.softmax(self.fc(torch.relu(y[:, -1, :])), -1)


class Convolution(nn.Module):
    """Sequences that are turned before and after a convolution."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(3, 6, 3, stride=2, padding=2, dilation=2, groups=3)
        self.bn = nn.BatchNorm1d(6, eps=1e-3)
        self.act = nn.GELU()
        self.drop = nn.Dropout(0.3)
        self.gru = nn.GRU(6, 4, batch_first=True)
        self.norm = nn.LayerNorm(4)

    def forward(self, x):
        x = self.act(self.bn(self.conv(x.transpose(1, 2))))
        return self.norm(self.gru(self.drop(x.transpose(1, 2)))[0])


class Carried(nn.Module):
    """Scales that are buffers, states that go in and out, an axis that goes."""

    def __init__(self):
        super().__init__()
        self.register_buffer("in_scale", torch.tensor([[[0.5, 2.0]]]))
        self.register_buffer("out_scale", torch.tensor([3.0]))
        self.lstm = nn.LSTM(2, 5, 2, batch_first=True)
        self.linear = nn.Linear(5, 1)

    def forward(self, x, hc: Tuple[torch.Tensor, torch.Tensor]):
        y, hc = self.lstm(x * self.in_scale, hc)
        return self.out_scale * self.linear(y).squeeze(-1), hc


class TimeMajor(nn.Module):
    """A plain RNN over [timesteps, batch, features], and what goes past it."""

    def __init__(self):
        super().__init__()
        self.pre = nn.Sequential(nn.Linear(3, 8), nn.LeakyReLU(0.2))
        self.rnn = nn.RNN(8, 4, nonlinearity="relu", bidirectional=True, bias=False)
        self.out = nn.Linear(8, 2)

    def forward(self, x):
        x = self.pre(x)
        return self.out(torch.tanh(self.rnn(x)[0] + x) / 2 - 1)


class Summary(nn.Module):
    """What is left of a sequence: last states of both directions side by side, weighted and plain means, the largest."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 4, batch_first=True, bidirectional=True)
        self.score = nn.Linear(8, 1)
        self.fc = nn.Linear(24, 3)

    def forward(self, x):
        y, (h, _) = self.lstm(x)
        last = torch.cat((h[-2], h[-1]), dim=1)
        weights = torch.softmax(self.score(y), 1)
        attended = torch.bmm(weights.transpose(1, 2), y).squeeze(1)
        z = self.fc(torch.cat([last, attended, y.mean(1)], 1)).clamp(-0.5, 0.4)
        return z, z.argmax(1), (weights * y).sum(dim=1, keepdim=True), y.amax(1), y.clamp(min=0.1).mean(), torch.matmul(last, attended.transpose(0, 1))


class Steps(nn.Module):
    """One timestep: cells by themselves, states in and out, and others from zeros."""

    def __init__(self):
        super().__init__()
        self.lstm, self.gru, self.rnn = nn.LSTMCell(3, 5), nn.GRUCell(5, 4, bias=False), nn.RNNCell(4, 3, nonlinearity="relu")

    def forward(self, x, h: torch.Tensor, c: torch.Tensor):
        h, c = self.lstm(x, (h, c))
        return self.rnn(self.gru(h)), h, c


class Unrolled(nn.Module):
    """A cell over a few timesteps, with a head inside."""

    def __init__(self):
        super().__init__()
        self.cell, self.out = nn.GRUCell(3, 5), nn.Linear(5, 2)

    def forward(self, x):
        h, steps = torch.zeros(x.size(0), 5, dtype=x.dtype), []
        for t in range(x.size(1)):
            h = self.cell(x[:, t], h)
            steps.append(self.out(h))
        return torch.stack(steps, 1)


class Pooled(nn.Module):
    """Pads, groups of channels and pools before a layer, sizes after it."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.pool = nn.Conv1d(3, 6, 3), nn.GroupNorm(2, 6), nn.AvgPool1d(3, 2, 1, ceil_mode=True)
        self.lstm, self.fc = nn.LSTM(6, 4, batch_first=True, bidirectional=True), nn.Linear(4, 2)

    def forward(self, x):
        x = nn.functional.pad(x.transpose(1, 2), [2, 1], mode="replicate")
        y, _ = self.lstm(self.pool(torch.relu(self.norm(self.conv(x)))).transpose(1, 2))
        y = y.contiguous().view(y.size(0), y.size(1), 2, 4)
        return self.fc(y[:, :, 0] + y[:, :, 1])


class Parts(nn.Module):
    """First states that are repeated for each row, parts of its output, sizes taken apart, the largest, and how far apart they are."""

    def __init__(self):
        super().__init__()
        self.lstm, self.first, self.second = nn.LSTM(3, 6, batch_first=True), nn.Parameter(torch.zeros(1, 1, 6)), nn.Parameter(torch.zeros(1, 1, 6))

    def forward(self, x):
        y, _ = self.lstm(x, (self.first.expand(-1, x.size(0), -1).contiguous(), self.second.repeat(1, x.size(0), 1)))
        a, b = y.split([2, 4], dim=-1)
        c, d = y.split(4, dim=-1)
        e = nn.functional.softmax(y, dim=-1).unbind(-1)
        batch, steps, _ = y.size()
        most, where = y.max(dim=-1)
        pairs = y.reshape(batch, steps, 2, 3)
        return a * d, b + c, e[0] - e[4], most, where, y.min(dim=1)[0], y.topk(2, -1)[0], y.var(-1), y.std(-1, unbiased=False), pairs.amax(2), torch.max(a, d), y.min()


class Weighted(nn.Module):
    """Convolutions and a layer whose weights have their lengths apart, before and after they are parametrizations."""

    def __init__(self):
        super().__init__()
        self.a = nn.utils.parametrizations.weight_norm(nn.Conv1d(3, 4, 2))
        self.b = nn.utils.weight_norm(nn.Conv1d(4, 3, 2))
        self.lstm, self.fc = nn.LSTM(3, 4, batch_first=True), nn.utils.parametrizations.weight_norm(nn.Linear(4, 2), dim=None)

    def forward(self, x):
        x = self.b(torch.relu(self.a(x.transpose(1, 2))))
        return self.fc(self.lstm(x.transpose(1, 2))[0])


class Chosen(nn.Module):
    """States in one tensor, of which a cell takes one each, and the first step of a sequence."""

    def __init__(self):
        super().__init__()
        self.cell, self.out = nn.LSTMCell(3, 5), nn.Linear(5, 2)

    def forward(self, x, states):
        h, c = self.cell(x, (states[0], states[1]))
        return self.out(h), torch.stack([h, c])


class Functional(nn.Module):
    """Functions whose arguments stand in another order than the operator's."""

    def __init__(self):
        super().__init__()
        self.table, self.lstm = nn.Parameter(torch.zeros(11, 4)), nn.LSTM(4, 3, batch_first=True)
        self.weight, self.bias = nn.Parameter(torch.zeros(4)), nn.Parameter(torch.zeros(4))
        self.register_buffer("mean", torch.tensor([0.1, -0.3, 0.2, 0.5]))
        self.register_buffer("running_var", torch.ones(4))

    def forward(self, x):
        x = nn.functional.embedding(x, self.table)
        x = nn.functional.batch_norm(x.transpose(1, 2), self.mean, self.running_var, self.weight, self.bias, False, 0.1, 0.01)
        return nn.functional.elu(self.lstm(x.transpose(1, 2))[0], 0.7)


def padded():
    return nn.Sequential(nn.ConstantPad1d((2, 1), 0.25), nn.Conv1d(3, 4, 3), nn.GroupNorm(4, 4, affine=False), nn.MaxPool1d(3, 2, 1), nn.AvgPool1d(2, 1), nn.Conv1d(4, 2, 2))


def stack():
    return nn.Sequential(
        nn.Linear(3, 5), nn.Tanh(), nn.Dropout(0.1), nn.LayerNorm(5), nn.Sequential(nn.Linear(5, 4), nn.ELU(0.7)), nn.BatchNorm1d(4), nn.Linear(4, 3), nn.LogSoftmax(-1)
    )


def convolutions():
    return nn.Sequential(nn.Conv1d(3, 4, 3, padding="same"), nn.BatchNorm1d(4, affine=False), nn.Hardtanh(-0.7, 0.9), nn.Conv1d(4, 2, 2, bias=False), nn.Softplus())


def slopes():
    return nn.Sequential(nn.Conv1d(3, 4, 3), nn.PReLU(4), nn.Conv1d(4, 2, 2), nn.PReLU())


def flat(answer):
    return [part for each in answer for part in flat(each)] if isinstance(answer, tuple) else [answer]


def whole(module, inputs, path):
    torch.save(module, path)


def whole_legacy(module, inputs, path):
    torch.save(module, path, _use_new_zipfile_serialization=False)


def checkpoint(module, inputs, path):
    torch.save({"model": module, "epoch": 3, "optimizer": {"state": {}, "param_groups": []}}, path)


def script(module, inputs, path):
    torch.jit.save(torch.jit.script(module), path)


def trace(module, inputs, path):
    torch.jit.save(torch.jit.trace(module, inputs, check_trace=False), path)


def export(module, inputs, path):
    auto = torch.export.Dim.AUTO
    dynamic = tuple({0: auto} if isinstance(x, torch.Tensor) else tuple({1: auto} for _ in x) for x in inputs)
    torch.export.save(torch.export.export(module, inputs, dynamic_shapes=dynamic), path)


def add(golden, name, module, inputs, saves, rows):
    for key, value in module.state_dict().items():
        if key.endswith("running_var"):
            value.uniform_(0.3, 2)
        elif not key.endswith("num_batches_tracked") and not key.endswith("scale"):
            value.uniform_(-0.8, 0.8)
    module.eval()
    outputs = flat(module(*inputs))
    double = copy.deepcopy(module).double()
    wide = lambda x: tuple(map(wide, x)) if isinstance(x, tuple) else x.double() if x.is_floating_point() else x
    exact = flat(double(*wide(inputs)))
    assert max((a - b).abs().max() for a, b in zip(outputs, exact)) < LARGEST_DISTANCE, name
    named = lambda prefix, tensors: {f"{prefix}{n}": tensor.numpy() for n, tensor in enumerate(tensors)}
    for save in saves:
        file = f"{name}-{save.__name__.replace('_', '-')}.pt{'2' if save is export else ''}"
        save(module, inputs, golden.directory / file)
        golden.add(
            file, file, rows=rows, options={"module": name, "save": save.__name__}, calls=[(named("in", flat(inputs)), named("out", outputs), named("out", exact))]
        )


@torch.no_grad()
def generate(directory):
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    torch.manual_seed(7)
    golden = golden_cases.Golden(directory, "torch", {"torch": torch.__version__})
    random = lambda *shape: torch.empty(*shape).uniform_(-2, 2)
    add(golden, "stack", stack(), (random(4, 3),), (whole, whole_legacy, checkpoint, script, trace, export), {23})
    add(golden, "convolutions", convolutions(), (random(2, 3, 7),), (whole, script, trace, export), {23})
    add(golden, "classifier", Classifier(), (torch.randint(11, (2, 7)),), (script, trace, export), {2, 5, 11, 13})
    add(golden, "convolution", Convolution(), (random(2, 9, 3),), (script, trace, export), {2, 5, 35, 36})
    states = (torch.randn(2, 3, 5), torch.randn(2, 3, 5))
    add(golden, "carried", Carried(), (random(3, 6, 2), states), (script, trace, export), {2, 5, 6, 7, 13})
    add(golden, "time-major", TimeMajor(), (random(5, 2, 3),), (script, trace, export), {3, 5, 11, 23, 24, 37})
    add(golden, "slopes", slopes(), (random(2, 3, 7),), (whole, script, trace, export), {23})
    add(golden, "summary", Summary(), (random(2, 5, 3),), (script, trace, export), {2, 5, 6, 11})
    add(golden, "steps", Steps(), (random(2, 3), random(2, 5), random(2, 5)), (script, export), {1, 6, 7})
    add(golden, "unrolled", Unrolled(), (random(2, 4, 3),), (export,), {1, 2})
    add(golden, "pooled", Pooled(), (random(2, 9, 3),), (trace, export), {2, 5, 11})
    add(golden, "padded", padded(), (random(2, 3, 12),), (whole, script, trace, export), {23})
    add(golden, "parts", Parts(), (random(2, 5, 3),), (script, trace, export), {2, 5, 7})
    add(golden, "weighted", Weighted(), (random(2, 6, 3),), (trace, export), {2, 5})
    add(golden, "chosen", Chosen(), (random(2, 3), random(2, 2, 5)), (script, trace), {1, 6, 7})
    add(golden, "unrolled-trace", Unrolled(), (random(2, 4, 3),), (trace,), {1, 2})
    add(golden, "lone", nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True), (random(2, 5, 3),), (script,), {2, 5, 6, 11, 13})
    add(golden, "functional", Functional(), (torch.randint(11, (2, 6)),), (script, trace, export), {2, 5})
    return golden


if __name__ == "__main__":
    golden_cases.main(__doc__, "torch-programs", generate)
