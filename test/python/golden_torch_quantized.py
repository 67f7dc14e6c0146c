"""State dicts of torch.ao.quantization.quantize_dynamic, with PyTorch's outputs of the quantised modules and of those they were made of.

  python test/python/golden_torch_quantized.py            write test/golden/torch-quantized
"""

import json
import platform
import warnings
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import nn

warnings.filterwarnings("ignore")
FOLDER = Path(__file__).parent.parent / "golden" / "torch-quantized"


class Classifier(nn.Module):
    def __init__(self, rnn, directions):
        super().__init__()
        self.rnn = rnn
        self.head = nn.Linear(rnn.hidden_size * directions, 3)

    def forward(self, x):
        return self.head(self.rnn(x)[0])


class Cell(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(6, 9)

    def forward(self, x):
        h = c = torch.zeros(x.shape[0], 9)
        steps = []
        for n in range(x.shape[1]):
            h, c = self.cell(x[:, n], (h, c))
            steps.append(h)
        return torch.stack(steps, 1)


class First(nn.Module):
    """The outputs of a recurrent module alone, whose state dict has no prefix."""

    def __init__(self, rnn):
        super().__init__()
        self.rnn = rnn

    def forward(self, x):
        return self.rnn(x)[0]


def per_channel():
    return torch.ao.quantization.per_channel_dynamic_qconfig


def cases():
    yield "lstm", First(nn.LSTM(13, 11, batch_first=True)), {}
    yield "lstm-bidirectional", First(nn.LSTM(7, 10, 2, batch_first=True, bidirectional=True)), {}
    yield "lstm-stacked", First(nn.LSTM(8, 8, 3, batch_first=True)), {}
    yield "gru", First(nn.GRU(9, 12, batch_first=True)), {}
    yield "classifier", Classifier(nn.LSTM(10, 12, batch_first=True), 1), {}
    yield "classifier-per-channel", Classifier(nn.GRU(7, 9, batch_first=True), 1), {"qconfig": {"head": per_channel()}}
    yield "cell", Cell(), {}
    yield "float16", Classifier(nn.LSTM(6, 7, batch_first=True), 1), {"dtype": torch.float16}


def main():
    FOLDER.mkdir(exist_ok=True)
    torch.manual_seed(8)
    listed, tensors = [], {}
    for name, module, settings in cases():
        module.eval()
        kinds = {nn.LSTM, nn.GRU, nn.Linear, nn.LSTMCell}
        made = torch.ao.quantization.quantize_dynamic(module, settings.get("qconfig", kinds), dtype=settings.get("dtype", torch.qint8))
        if "qconfig" in settings:
            made = torch.ao.quantization.quantize_dynamic(made, {nn.GRU}, dtype=torch.qint8)
        first = getattr(module, "rnn", None) or module.cell
        x = torch.rand(3, 7, first.input_size) * 2 - 1
        saved = made.rnn if isinstance(made, First) else made
        torch.save(saved.state_dict(), FOLDER / f"{name}.pt")
        with torch.no_grad():
            outputs, exact = made(x), module(x)
        for key, value in (("in", x), ("out", outputs), ("float", exact)):
            tensors[f"{name}/{key}"] = np.ascontiguousarray(value.numpy())
        print(name, (FOLDER / f"{name}.pt").stat().st_size, list(saved.state_dict()), float((outputs - exact).square().mean().sqrt()))
        listed.append({"name": name, "rows": [30]})
    # Files that are refused.
    quantised = torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Linear(3, 2)), {nn.Linear})
    torch.save(quantised, FOLDER / "refused-whole.pt")
    torch.jit.save(torch.jit.script(quantised), FOLDER / "refused-script.pt")
    torch.save(torch.ao.quantization.quantize_dynamic(First(nn.LSTM(4, 4, 2)), {nn.LSTM}).state_dict(), FOLDER / "refused-directions.pt")
    static = nn.Sequential(torch.ao.quantization.QuantStub(), nn.Linear(3, 2))
    static.qconfig = torch.ao.quantization.get_default_qconfig("fbgemm")
    prepared = torch.ao.quantization.prepare(static.eval())
    prepared(torch.rand(5, 3))
    torch.save(torch.ao.quantization.convert(prepared).state_dict(), FOLDER / "refused-static.pt")
    versions = {"torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()}
    (FOLDER / "cases.json").write_text(json.dumps({"versions": versions, "cases": listed}, indent=1) + "\n")
    save_file(tensors, FOLDER / "cases.safetensors")


main()
