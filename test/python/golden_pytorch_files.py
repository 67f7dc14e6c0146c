"""PyTorch checkpoints as torch.save and safetensors write them, with the outputs of the modules.

The options of a case say what a state dict cannot: the module and the arguments of nn.LSTM, nn.GRU
or nn.RNN. Inputs are x or tokens, lengths for packed sequences, h0 and c0; outputs are output, h_n
and c_n, or logits. Weights are evaluated in float32, after rounding to the type they are stored in.

  python test/python/golden_pytorch_files.py            write test/golden/pytorch
  python test/python/golden_pytorch_files.py --check    compare a fresh run with the files
"""

import collections
import copy

import golden_cases
import safetensors.torch
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

MATTERS = 1e-3
LARGEST_DISTANCE = 1e-5


class Lstm(nn.Module):
    """nn.LSTM under the name `name`, or on its own if that is empty."""

    def __init__(self, name="", **options):
        super().__init__()
        self.name, self.options = name, options
        self.lstm = nn.LSTM(**options)

    def state(self):
        prefix = f"{self.name}." if self.name else ""
        return {prefix + key: value for key, value in self.lstm.state_dict().items()}

    def forward(self, x, h0=None, c0=None, lengths=None):
        """The padded output and the last states."""
        initial = None if h0 is None else (h0, c0)
        if lengths is None:
            output, (h_n, c_n) = self.lstm(x, initial)
        else:
            batch_first = self.lstm.batch_first
            packed = pack_padded_sequence(x, lengths, batch_first=batch_first, enforce_sorted=False)
            packed, (h_n, c_n) = self.lstm(packed, initial)
            total = x.shape[1 if batch_first else 0]
            output, _ = pad_packed_sequence(packed, batch_first=batch_first, total_length=total)
        return {"output": output, "h_n": h_n, "c_n": c_n}


class Cell(nn.Module):
    """nn.LSTMCell, one step."""

    def __init__(self, **options):
        super().__init__()
        self.options = options
        self.cell = nn.LSTMCell(**options)

    def state(self):
        return self.cell.state_dict()

    def forward(self, x, h0=None, c0=None):
        h_n, c_n = self.cell(x, None if h0 is None else (h0, c0))
        return {"h_n": h_n, "c_n": c_n}


class Classifier(nn.Module):
    """Embedding, two LSTM layers, a linear layer over the outputs of every step."""

    def __init__(self, proj_size=0):
        super().__init__()
        self.options = {
            "modules": "embed, lstm (2 layers, batch_first), fc",
            "proj_size": proj_size,
        }
        self.embed = nn.Embedding(11, 3)
        self.lstm = nn.LSTM(3, 5, num_layers=2, batch_first=True, proj_size=proj_size)
        self.fc = nn.Linear(proj_size or 5, 4)

    def state(self):
        return self.state_dict()

    def forward(self, tokens):
        return {"logits": self.fc(self.lstm(self.embed(tokens))[0])}


class Tied(nn.Module):
    """The output layer shares its weight with the embedding."""

    def __init__(self):
        super().__init__()
        self.options = {"modules": "embed, lstm (batch_first), fc; fc.weight is embed.weight"}
        self.embed = nn.Embedding(11, 5)
        self.lstm = nn.LSTM(5, 5, batch_first=True)
        self.fc = nn.Linear(5, 11)
        self.fc.weight = self.embed.weight

    def state(self):
        return self.state_dict()

    def forward(self, tokens):
        return {"logits": self.fc(self.lstm(self.embed(tokens))[0])}


class Recurrent(nn.Module):
    """nn.GRU or nn.RNN under the name `name`, or on its own if that is empty."""

    def __init__(self, kind, name="", **options):
        super().__init__()
        self.name, self.options = name, {"module": kind.__name__} | options
        self.rnn = kind(**options)

    def state(self):
        prefix = f"{self.name}." if self.name else ""
        return {prefix + key: value for key, value in self.rnn.state_dict().items()}

    def forward(self, x, h0=None, lengths=None):
        """The padded output and the last state."""
        if lengths is None:
            output, h_n = self.rnn(x, h0)
        else:
            packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            packed, h_n = self.rnn(packed, h0)
            output, _ = pad_packed_sequence(packed, batch_first=True, total_length=x.shape[1])
        return {"output": output, "h_n": h_n}


class RecurrentCell(nn.Module):
    """nn.GRUCell or nn.RNNCell, one step."""

    def __init__(self, kind, **options):
        super().__init__()
        self.options = {"module": kind.__name__} | options
        self.cell = kind(**options)

    def state(self):
        return self.cell.state_dict()

    def forward(self, x, h0=None):
        return {"h_n": self.cell(x, h0)}


# What goes into a file, made of a state dict.


def plain(state):
    return state


def checkpoint(state):
    """As a training script saves it, with an optimizer and numbers around the state dict."""
    moments = {
        index: {"exp_avg": torch.randn_like(value)} for index, value in enumerate(state.values())
    }
    return {
        "model": collections.OrderedDict(state),
        "optimizer": {"state": moments, "param_groups": [{"lr": 1e-3, "betas": (0.9, 0.999)}]},
        "epoch": 3,
        "loss": 0.25,
        "name": "lstm",
        "best": None,
        "done": False,
    }


def lightning(state):
    """With a prefix before every name, as Lightning has it."""
    prefixed = {f"net.{key}": value for key, value in state.items()}
    return {"state_dict": prefixed, "pytorch-lightning_version": "2.5.0", "global_step": 2**40}


def data_parallel(state):
    return collections.OrderedDict((f"module.{key}", value) for key, value in state.items())


def transposed(state):
    """Matrices whose storage is transposed: their strides are not those of their shape."""
    return {
        key: value.t().contiguous().t() if value.dim() == 2 else value
        for key, value in state.items()
    }


def one_storage(state):
    """All tensors in one storage, each at its offset."""
    flat = torch.cat([torch.full((7,), 99.0), *(value.flatten() for value in state.values())])
    views, start = {}, 7
    for key, value in state.items():
        views[key] = flat[start : start + value.numel()].view(value.shape)
        start += value.numel()
    return views


def strided(state):
    """Every second element of a storage twice as long."""
    return {key: torch.stack([value, value + 9], dim=-1)[..., 0] for key, value in state.items()}


def parameters(state):
    """nn.Parameter instead of tensors."""
    return {key: nn.Parameter(value) for key, value in state.items()}


def with_integers(state):
    """Tensors of other types beside the weights."""
    extra = {
        "steps": torch.tensor(12345678901),
        "counts": torch.arange(5, dtype=torch.int32),
        "seen": torch.tensor([True, False, True]),
        "small": torch.tensor([-3, 4], dtype=torch.int8),
        "bytes": torch.tensor([3, 250], dtype=torch.uint8),
        "empty": torch.zeros(0, 3),
    }
    return state | extra


def save_zip(content, path):
    torch.save(content, path)


def save_legacy(content, path):
    torch.save(content, path, _use_new_zipfile_serialization=False)


def save_protocol_4(content, path):
    torch.save(content, path, pickle_protocol=4)


def save_safetensors(content, path):
    content = {key: value.contiguous() for key, value in content.items()}
    safetensors.torch.save_file(content, path, metadata={"format": "pt"})


def lstm_rows(options, inputs):
    rows = {2 if options.get("batch_first") else 3, 5, 6}
    rows |= {4} if inputs["x"].dim() == 2 else set()
    rows |= {7} if "h0" in inputs else set()
    rows |= {11} if options.get("bidirectional") else set()
    rows |= {13} if options.get("num_layers", 1) > 1 else set()
    rows |= {16} if options.get("proj_size") else set()
    rows |= {24} if options.get("bias") is False else set()
    return rows | ({26, 27} if "lengths" in inputs else set())


def lstm_inputs(options, batch=3, timesteps=5, initial=False, lengths=None, unbatched=False):
    leading = (batch, timesteps) if options.get("batch_first") else (timesteps, batch)
    inputs = {"x": torch.empty(*leading, options["input_size"]).uniform_(-2, 2)}
    if unbatched:
        inputs["x"] = inputs["x"].flatten(0, 1)[:timesteps]
    if initial:
        layers = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
        middle = () if unbatched else (batch,)
        h_size = options.get("proj_size") or options["hidden_size"]
        inputs["h0"] = torch.randn(layers, *middle, h_size)
        inputs["c0"] = torch.randn(layers, *middle, options["hidden_size"])
    if lengths:
        inputs["lengths"] = torch.tensor(lengths)
    return inputs


def run(module, inputs):
    return {key: value.detach().numpy() for key, value in module(**inputs).items()}


def farthest(left, right):
    return max(abs(left[key] - right[key]).max() for key in left)


class Cases:
    def __init__(self, golden):
        self.golden = golden

    def add(
        self,
        name,
        module,
        inputs,
        rows,
        *,
        save=save_zip,
        wrap=plain,
        dtype=torch.float32,
        notes="",
        check_states=True,
    ):
        for parameter in module.parameters():
            parameter.data.uniform_(-0.8, 0.8)
        module.to(dtype)
        path = (
            self.golden.directory / f"{name}.{'safetensors' if save is save_safetensors else 'pt'}"
        )
        save(wrap(module.state()), path)
        module.float()
        outputs = run(module, inputs)
        double = copy.deepcopy(module).double()
        wide = {k: v.double() if v.is_floating_point() else v for k, v in inputs.items()}
        exact = run(double, wide)
        assert farthest(outputs, exact) < LARGEST_DISTANCE, name
        for key in ("lengths", "h0"):
            if key in inputs and check_states:
                without = {
                    k: v for k, v in wide.items() if k not in (key, "c0" if key == "h0" else key)
                }
                assert farthest(exact, run(double, without)) > MATTERS, f"{name}: {key}"
        content = {"save": save.__name__, "content": wrap.__name__, "dtype": str(dtype)}
        self.golden.add(
            name,
            path.name,
            rows=rows | ({31} if dtype in (torch.float16, torch.bfloat16) else set()),
            options=module.options | content,
            calls=[({key: value.numpy() for key, value in inputs.items()}, outputs, exact)],
            notes=notes or (wrap.__doc__ or "").strip(),
        )

    def lstm(
        self, name, options, *, prefix="", save=save_zip, wrap=plain, dtype=torch.float32, **fed
    ):
        inputs = lstm_inputs(options, **fed)
        rows = lstm_rows(options, inputs)
        module = Lstm(prefix, **options)
        self.add(name, module, inputs, rows, save=save, wrap=wrap, dtype=dtype)


def add_lstms(cases):
    first = {"input_size": 3, "hidden_size": 5, "batch_first": True}
    both = first | {"bidirectional": True}
    projected = {"input_size": 3, "hidden_size": 8, "proj_size": 3, "batch_first": True}
    cases.lstm("lstm", first)
    cases.lstm(
        "lstm-17-time-major", {"input_size": 1, "hidden_size": 17}, initial=True, timesteps=8
    )
    cases.lstm("lstm-1", {"input_size": 8, "hidden_size": 1, "num_layers": 3}, batch=1)
    cases.lstm("no-bias", both | {"bias": False, "num_layers": 2})
    cases.lstm("unbatched", {"input_size": 3, "hidden_size": 5}, unbatched=True, initial=True)
    cases.lstm("unbatched-bidirectional", both, unbatched=True)

    cases.lstm("proj", projected)
    cases.lstm("proj-initial", projected, initial=True, save=save_safetensors)
    cases.lstm("proj-2-layers", projected | {"num_layers": 2}, initial=True)
    wide = projected | {"bidirectional": True, "num_layers": 2, "hidden_size": 5, "proj_size": 1}
    cases.lstm("proj-bidirectional", wide, initial=True)
    cases.lstm("proj-bidirectional-safetensors", wide, save=save_safetensors, prefix="encoder")
    cases.lstm(
        "proj-no-bias", projected | {"bias": False, "hidden_size": 17}, save=save_safetensors
    )
    cases.lstm("proj-time-major", {"input_size": 3, "hidden_size": 3, "proj_size": 2}, initial=True)

    lengths = [2, 5, 1]
    cases.lstm("packed", first, lengths=lengths)
    cases.lstm("packed-initial", first, lengths=lengths, initial=True)
    cases.lstm("packed-bidirectional", both, lengths=lengths, initial=True)
    two = both | {"num_layers": 2, "batch_first": False}
    cases.lstm("packed-bidirectional-2-layers", two, lengths=[4, 1, 3])
    cases.lstm("packed-proj", wide, lengths=lengths, save=save_safetensors)


def add_files(cases):
    options = {"input_size": 3, "hidden_size": 5, "batch_first": True}
    stacked = options | {"num_layers": 2, "bidirectional": True}
    cases.lstm("legacy", stacked, save=save_legacy)
    cases.lstm("legacy-one-storage", options, save=save_legacy, wrap=one_storage)
    cases.lstm("legacy-checkpoint", options, save=save_legacy, wrap=checkpoint, prefix="rnn")
    cases.lstm("protocol-4", options, save=save_protocol_4, wrap=checkpoint)
    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        name = str(dtype).removeprefix("torch.")
        cases.lstm(name, stacked, dtype=dtype)
        cases.lstm(f"{name}-legacy", options, dtype=dtype, save=save_legacy)
    cases.lstm("one-storage", stacked, wrap=one_storage)
    cases.lstm("transposed", options, wrap=transposed)
    cases.lstm("strided", options, wrap=strided)
    cases.lstm("parameters", options, wrap=parameters)
    cases.lstm("with-integers", options, wrap=with_integers)
    cases.lstm("checkpoint", options, wrap=checkpoint, prefix="rnn")
    cases.lstm("lightning", stacked, wrap=lightning, prefix="lstm")
    cases.lstm("data-parallel", options, wrap=data_parallel, prefix="lstm")


def add_modules(cases):
    cell = {"input_size": 3, "hidden_size": 5}
    x, h0, c0 = torch.randn(2, 3), torch.randn(2, 5), torch.randn(2, 5)
    cases.add("cell", Cell(**cell), {"x": x}, {1})
    cases.add("cell-initial", Cell(**cell), {"x": x, "h0": h0, "c0": c0}, {1, 6, 7})
    unbatched = {"x": x[0], "h0": h0[0], "c0": c0[0]}
    cases.add("cell-unbatched", Cell(**cell, bias=False), unbatched, {1, 4, 6, 7, 24})
    tokens = {"tokens": torch.randint(11, (2, 7))}
    cases.add("classifier", Classifier(), tokens, {2, 13})
    cases.add("classifier-legacy", Classifier(), tokens, {2, 13}, save=save_legacy, wrap=checkpoint)
    cases.add("classifier-proj", Classifier(proj_size=3), tokens, {2, 13, 16})
    cases.add("tied", Tied(), tokens, {2}, notes="two names of one tensor")


def add_grus(cases):
    first = {"input_size": 3, "hidden_size": 5, "batch_first": True}
    both = first | {"bidirectional": True}

    def recurrent(name, kind, options, *, prefix="", save=save_zip, wrap=plain, dtype=torch.float32, **fed):
        inputs = lstm_inputs(options, **fed)
        inputs.pop("c0", None)
        rows = lstm_rows(options, inputs) | ({35, 36} if kind is nn.GRU else {37})
        rows |= {23} if options.get("nonlinearity") == "relu" else set()
        module = Recurrent(kind, prefix, **options)
        cases.add(name, module, inputs, rows, save=save, wrap=wrap, dtype=dtype)

    for name, kind in (("gru", nn.GRU), ("rnn", nn.RNN)):
        recurrent(name, kind, first)
        recurrent(f"{name}-17-time-major", kind, {"input_size": 1, "hidden_size": 17}, initial=True, timesteps=7)
        recurrent(f"{name}-1", kind, {"input_size": 8, "hidden_size": 1, "num_layers": 3}, batch=1)
        recurrent(f"{name}-no-bias", kind, both | {"bias": False, "num_layers": 2})
        recurrent(f"{name}-unbatched", kind, {"input_size": 3, "hidden_size": 5}, unbatched=True, initial=True)
        recurrent(f"{name}-packed", kind, first, lengths=[2, 5, 1], initial=True)
        recurrent(f"{name}-packed-bidirectional", kind, both | {"num_layers": 2}, lengths=[4, 1, 5], initial=True)
        recurrent(f"{name}-safetensors", kind, both, save=save_safetensors, prefix="encoder")
        recurrent(f"{name}-legacy-checkpoint", kind, first | {"num_layers": 2}, save=save_legacy, wrap=checkpoint, prefix="rnn")
        recurrent(f"{name}-float16", kind, first, dtype=torch.float16)
    recurrent("rnn-relu", nn.RNN, both | {"num_layers": 2, "nonlinearity": "relu"}, initial=True)
    x, h0 = torch.randn(2, 3), torch.randn(2, 5)
    cell = {"input_size": 3, "hidden_size": 5}
    for name, kind, rows in (("gru", nn.GRUCell, {35, 36}), ("rnn", nn.RNNCell, {37})):
        cases.add(f"{name}-cell", RecurrentCell(kind, **cell), {"x": x}, {1} | rows)
        cases.add(f"{name}-cell-initial", RecurrentCell(kind, **cell, bias=False), {"x": x, "h0": h0}, {1, 6, 7, 24} | rows)
        cases.add(f"{name}-cell-unbatched", RecurrentCell(kind, **cell), {"x": x[0], "h0": h0[0]}, {1, 4, 6, 7} | rows)


class Layers(nn.Module):
    """Layers one after the other, as `options` says; sequences are [batch, timesteps, features] everywhere."""

    def __init__(self, layers, forward, **modules):
        super().__init__()
        self.options = {"layers": layers}
        self.run = forward
        for name, module in modules.items():
            self.add_module(name, module)
        for name, buffer in self.named_buffers():
            if name.endswith("running_mean"):
                buffer.uniform_(-1, 1)
            if name.endswith("running_var"):
                buffer.uniform_(0.3, 2)
        self.eval()

    def state(self):
        return self.state_dict()

    def forward(self, x, **states):
        return self.run(self, x, **states)


def over_time(module, x):
    """A module of [batch, features, timesteps]."""
    return module(x.transpose(1, 2)).transpose(1, 2)


def conv_norm_lstm(m, x):
    x = torch.relu(over_time(m.bn, over_time(m.conv, x)))
    return {"output": m.fc(m.ln(m.lstm(x)[0]))}


def causal(m, x):
    x = over_time(lambda x: m.conv(nn.functional.pad(x, (4, 0))), x)
    return {"output": over_time(m.mix, x)}


def strided_same(m, x):
    return {"output": over_time(m.norm, over_time(m.same, nn.functional.gelu(over_time(m.conv, x))))}


def last_step(m, x):
    return {"output": torch.log_softmax(m.fc(m.bn(m.lstm(x)[0][:, -1])), -1)}


def cells(m, x, h0, c0, g0, r0):
    h, c = m.lstm(x, (h0, c0))
    g = m.gru(h, g0)
    r = m.rnn(g, r0)
    return {"output": m.fc(r), "h": h, "c": c, "g": g, "r": r}


def add_layers(cases):
    x = torch.empty(2, 7, 3).uniform_(-2, 2)
    modules = {"conv": nn.Conv1d(3, 6, 3, padding=1), "bn": nn.BatchNorm1d(6, eps=1e-3), "lstm": nn.LSTM(6, 5, batch_first=True)}
    cases.add("layers-conv", Layers("conv", conv_norm_lstm, **modules, ln=nn.LayerNorm(5), fc=nn.Linear(5, 2)), {"x": x}, {2})
    modules = {"conv": nn.Conv1d(3, 6, 3, dilation=2, groups=3, bias=False), "mix": nn.Conv1d(6, 5, 1)}
    cases.add("layers-causal", Layers("causal", causal, **modules), {"x": x}, {2})
    modules = {"conv": nn.Conv1d(3, 4, 4, stride=2, padding=2), "same": nn.Conv1d(4, 5, 4, padding="same", dilation=2)}
    cases.add("layers-strided", Layers("strided", strided_same, **modules, norm=nn.BatchNorm1d(5, affine=False)), {"x": x}, {2})
    modules = {"lstm": nn.LSTM(3, 5, batch_first=True, bidirectional=True), "bn": nn.BatchNorm1d(10), "fc": nn.Linear(10, 4)}
    cases.add("layers-last-step", Layers("last-step", last_step, **modules), {"x": x}, {2})
    modules = {"lstm": nn.LSTMCell(3, 5), "gru": nn.GRUCell(5, 4), "rnn": nn.RNNCell(4, 6, bias=False, nonlinearity="relu"), "fc": nn.Linear(6, 2)}
    states = {name: torch.randn(2, size) for name, size in (("h0", 5), ("c0", 5), ("g0", 4), ("r0", 6))}
    step = {"x": x[:, 0], **states}
    module = Layers("cells", cells, **modules)
    cases.add("layers-cells", module, step, {1, 6, 7}, check_states=False)


@torch.no_grad()
def generate(directory):
    torch.set_num_threads(1)
    torch.manual_seed(5)
    golden = golden_cases.Golden(directory, "torch", {"torch": torch.__version__})
    cases = Cases(golden)
    add_lstms(cases)
    add_files(cases)
    add_modules(cases)
    add_grus(cases)
    add_layers(cases)
    return golden


if __name__ == "__main__":
    golden_cases.main(__doc__, "pytorch", generate)
