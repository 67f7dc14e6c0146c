"""Small plain PyTorch state dicts, with the outputs of the modules they come from.

Writes {name}.safetensors for each module of `make_modules` and expected.json, which has under each
file name what went in (`input`), what came out (`output`, `h_n`, `c_n`) and the shape of each.
Everything is batch first: x is [batch, timesteps, features], tokens are [batch, timesteps], output
is [batch, timesteps, ...], and h_n and c_n are [layers * directions, batch, hidden].
"""

import argparse
import copy
import json
import platform
from pathlib import Path

import numpy as np
import safetensors
import torch
from safetensors.torch import save_file
from torch import nn

BATCH, TIMESTEPS, FEATURES, HIDDEN, CLASSES, VOCABULARY = 2, 7, 3, 5, 4, 11


class Prefixed(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(FEATURES, HIDDEN, batch_first=True)

    def forward(self, x):
        """x [batch, timesteps, 3] -> [batch, timesteps, 5], state."""
        return self.rnn(x)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, FEATURES)
        self.lstm = nn.LSTM(FEATURES, HIDDEN, num_layers=2, batch_first=True)
        self.fc = nn.Linear(HIDDEN, CLASSES)

    def forward(self, tokens):
        """tokens [batch, timesteps] -> logits [batch, timesteps, 4], state."""
        hidden, state = self.lstm(self.embed(tokens))
        return self.fc(hidden), state


class TwoLstms(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.LSTM(FEATURES, HIDDEN, batch_first=True)
        self.decoder = nn.LSTM(HIDDEN, HIDDEN, batch_first=True)
        self.out = nn.Linear(HIDDEN, CLASSES)

    def forward(self, x):
        """x [batch, timesteps, 3] -> [batch, timesteps, 4], the decoder's state.

        The decoder reads the encoder's output and starts from its state.
        """
        encoded, state = self.encoder(x)
        decoded, state = self.decoder(encoded, state)
        return self.out(decoded), state


def make_modules():
    """Modules by file name, with parameters of the dtype they are stored in."""
    torch.manual_seed(1)
    classifier = Classifier()

    return {
        "lstm-1layer": nn.LSTM(FEATURES, HIDDEN, batch_first=True),
        "lstm-2layer-bidirectional": nn.LSTM(
            FEATURES, HIDDEN, num_layers=2, bidirectional=True, batch_first=True
        ),
        "lstm-nobias": nn.LSTM(FEATURES, HIDDEN, bias=False, batch_first=True),
        "lstm-prefixed": Prefixed(),
        "classifier": classifier,
        "classifier-f16": copy.deepcopy(classifier).half(),
        "classifier-bf16": copy.deepcopy(classifier).bfloat16(),
        "two-lstms": TwoLstms(),
        "lstm-f64": nn.LSTM(FEATURES, HIDDEN, batch_first=True, dtype=torch.float64),
    }


@torch.no_grad()
def run(module):
    """Runs a module in float32 on new random input; the tensors by name, as in expected.json."""
    module = module.float().eval()
    if isinstance(module, Classifier):
        data = torch.randint(VOCABULARY, (BATCH, TIMESTEPS))
    else:
        data = torch.randn(BATCH, TIMESTEPS, FEATURES)
    output, (h_n, c_n) = module(data)
    return {"input": data, "output": output, "h_n": h_n, "c_n": c_n}


def to_json(tensors):
    """Nested lists by name, with the shapes under "shape"; floats are the exact float32 values."""
    shapes = {key: list(tensor.shape) for key, tensor in tensors.items()}
    return {"shape": shapes} | {key: tensor.tolist() for key, tensor in tensors.items()}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--directory", type=Path, default=Path("test/golden/state-dicts"))
    directory = parser.parse_args().directory

    torch.set_num_threads(1)
    directory.mkdir(parents=True, exist_ok=True)
    expected = {
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "safetensors": safetensors.__version__,
        }
    }
    for name, module in make_modules().items():
        file = directory / f"{name}.safetensors"
        save_file(module.state_dict(), file, metadata={"format": "pt"})
        expected[file.name] = to_json(run(module))
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in expected.items()]
    (directory / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
