"""What PyTorch's optimisers make of parameters in float64, from gradients that the tests draw again.

  python test/python/golden_optimizers.py           write test/golden/training/optimizers.json
"""

import json
from pathlib import Path

import numpy as np
import torch

FILE = Path(__file__).parent.parent / "golden" / "training" / "optimizers.json"
SHAPES = [5, 17, 9]  # no multiples of a vector
STEPS = 100
KEPT = [1, 10, 100]
CASES = {
    "sgd": ("SGD", {"lr": 0.01}),
    "sgd-decay": ("SGD", {"lr": 0.01, "weight_decay": 0.02}),
    "sgd-momentum": ("SGD", {"lr": 0.01, "momentum": 0.9}),
    "sgd-dampening": ("SGD", {"lr": 0.01, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01}),
    "sgd-nesterov": ("SGD", {"lr": 0.01, "momentum": 0.85, "nesterov": True, "weight_decay": 0.01}),
    "adam": ("Adam", {"lr": 0.001}),
    "adam-decay": ("Adam", {"lr": 0.003, "weight_decay": 0.05, "betas": (0.8, 0.99), "eps": 1e-6}),
    "adamw": ("AdamW", {"lr": 0.002}),
    "adamw-decay": ("AdamW", {"lr": 0.002, "weight_decay": 0.3, "betas": (0.85, 0.995)}),
    "rmsprop": ("RMSprop", {"lr": 0.002}),
    "rmsprop-momentum": ("RMSprop", {"lr": 0.002, "alpha": 0.9, "momentum": 0.7, "weight_decay": 0.03}),
    "rmsprop-centered": ("RMSprop", {"lr": 0.002, "centered": True, "eps": 1e-3}),
    "rmsprop-all": ("RMSprop", {"lr": 0.002, "alpha": 0.95, "momentum": 0.6, "centered": True, "eps": 1e-3, "weight_decay": 0.01}),
}
CLIPS = {
    "clip-value": lambda parameters: torch.nn.utils.clip_grad_value_(parameters, 0.4),
    "clip-norm": lambda parameters: [torch.nn.utils.clip_grad_norm_([p], 1.5) for p in parameters],
    "clip-global-norm": lambda parameters: torch.nn.utils.clip_grad_norm_(parameters, 3.0),
}


def mix32(value):
    z = value ^ (value >> 16)
    z = (z * 0x21F0AAAD) & 0xFFFFFFFF
    z ^= z >> 15
    z = (z * 0x735A2D97) & 0xFFFFFFFF
    return z ^ (z >> 15)


def pseudo_random(seed, length, scale):
    """As in test/random.ts, bit for bit."""
    start = mix32(seed)
    k = np.array([(mix32((start + n) & 0xFFFFFFFF) >> 8) - 2**23 for n in range(length)], np.float64)
    return ((k / 2**23) * np.float64(np.float32(scale))).astype(np.float32).astype(np.float64)


def run(name, options, clip=None):
    parameters = [torch.nn.Parameter(torch.tensor(pseudo_random(1 + n, length, 1))) for n, length in enumerate(SHAPES)]
    optimizer = getattr(torch.optim, name)(parameters, foreach=False, **options)
    kept = {}
    for step in range(1, STEPS + 1):
        for n, parameter in enumerate(parameters):
            # Of very different sizes: gradients shrink from tensor to tensor.
            parameter.grad = torch.tensor(pseudo_random(1000 * step + n, SHAPES[n], 1) * 0.25**n)
        if clip is not None:
            clip(parameters)
        optimizer.step()
        if step in KEPT:
            kept[step] = [parameter.detach().tolist() for parameter in parameters]
    return kept


def main():
    cases = {case: {"optimizer": name, "options": options, "parameters": run(name, options)} for case, (name, options) in CASES.items()}
    for case, clip in CLIPS.items():
        cases[case] = {"optimizer": "SGD", "options": {"lr": 0.02}, "parameters": run("SGD", {"lr": 0.02}, clip)}
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(json.dumps({"torch": torch.__version__, "lengths": SHAPES, "cases": cases}) + "\n")
    print(f"{FILE}: {FILE.stat().st_size} bytes")


main()
