"""Programs of torch.export as PyTorch 2.1 to 2.7 saves them, with the outputs of the modules.

  pip install torch==2.6.0 numpy safetensors
  python test/python/golden_torch_exported.py            write test/golden/torch-exported
  python test/python/golden_torch_exported.py --check    compare a fresh run with the files

`decomposed.pt2` in test/golden/foreign is what PyTorch 2.3 makes of an LSTM: a call of every matrix product, step by step.

  pip install torch==2.3.1 numpy==1.26.4 safetensors
  python test/python/golden_torch_exported.py --decomposed
"""

import sys
import warnings
from pathlib import Path

import golden_cases
import torch
from golden_torch_programs import Carried, Classifier, Convolution, TimeMajor, add, export, stack
from torch import nn


class Constant(nn.Module):
    """A tensor that is neither a parameter nor a buffer, one that is not saved, and two names of one weight."""

    def __init__(self):
        super().__init__()
        self.input, self.output = nn.Linear(3, 4), nn.Linear(4, 3)
        self.again = self.output
        self.constant = torch.tensor([0.5, -1.5, 2.5])
        self.register_buffer("hidden", torch.tensor([1.5, 2.5, -0.5]), persistent=False)

    def double(self):
        self.constant = self.constant.double()
        return super().double()

    def forward(self, x):
        return (self.again(torch.tanh(self.input(self.output(torch.relu(self.input(x)))))) + self.constant) * self.hidden


@torch.no_grad()
def generate(directory):
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    torch.manual_seed(11)
    golden = golden_cases.Golden(directory, "torch", {"torch": torch.__version__})
    random = lambda *shape: torch.empty(*shape).uniform_(-2, 2)
    add(golden, "stack", stack(), (random(4, 3),), (export,), {23})
    add(golden, "constant", Constant(), (random(4, 3),), (export,), {23})
    add(golden, "classifier", Classifier(), (torch.randint(11, (2, 7)),), (export,), {2, 5, 11, 13})
    add(golden, "convolution", Convolution(), (random(2, 9, 3),), (export,), {2, 5, 35, 36})
    states = (torch.randn(2, 3, 5), torch.randn(2, 3, 5))
    add(golden, "carried", Carried(), (random(3, 6, 2), states), (export,), {2, 5, 6, 7, 13})
    add(golden, "time-major", TimeMajor(), (random(5, 2, 3),), (export,), {3, 5, 11, 23, 24, 37})
    return golden


if __name__ == "__main__":
    if "--decomposed" in sys.argv:
        torch.manual_seed(3)
        module = nn.LSTM(3, 2, batch_first=True).eval()
        torch.export.save(torch.export.export(module, (torch.randn(1, 2, 3),)), Path("test/golden/foreign/decomposed.pt2"))
    else:
        golden_cases.main(__doc__, "torch-exported", generate)
