"""Golden outputs of torch.nn.LSTM for a spread of configurations.

Neither weights nor inputs are stored: both sides derive them from the hash in `pseudo_random`.
The file holds, for each case, 1-D float32 samples of

  {name}/output  of [batch, timesteps, directions * hidden] (the first two swapped if time major)
  {name}/h_n     of [layers * directions, batch, hidden]
  {name}/c_n     of [layers * directions, batch, hidden]

and, under the metadata key "lstm-golden", JSON with the cases and the versions that made them.

  python test/python/golden_lstm.py            write the file
  python test/python/golden_lstm.py --check    compare a fresh run with the file
"""

import argparse
import itertools
import json
import math
import platform
import random
import sys
from pathlib import Path

import numpy as np
import safetensors
import torch
from safetensors.numpy import save_file

METADATA_KEY = "lstm-golden"
SAMPLES = 1500
MAX_MULTIPLY_ADDS = 120_000_000
TOLERANCE = 1e-6

LAYERS = (1, 2, 3)
HIDDEN_SIZES = (1, 3, 5, 8, 17, 32, 64, 100, 128, 257)
CHOICES = {
    "layers": LAYERS,
    "bidirectional": (False, True),
    "bias": (False, True),
    "hiddenSize": HIDDEN_SIZES,
    "inputSize": (1, 3, 4, 5, 8, 17, 28, 33, 64, 128, 257),
    "batch": (1, 2, 3, 5, 17, 32),
    "timesteps": (1, 2, 3, 5, 17, 28, 100),
    "batchFirst": (False, True),
    "initialState": (False, True),
}


def mix32(z):
    """The lowbias32 hash of each element of a uint32 array (any shape)."""
    z = z ^ (z >> 16)
    z = z * np.uint32(0x21F0AAAD)
    z = z ^ (z >> 15)
    z = z * np.uint32(0x735A2D97)
    return z ^ (z >> 15)


def pseudo_random(seed, shape, scale):
    """A float32 tensor of `shape` in [-scale, scale), the same in every implementation of the hash."""
    start = mix32(np.array([seed], dtype=np.uint32))
    k = mix32(start + np.arange(math.prod(shape), dtype=np.uint32)) >> 8
    unit = (k.astype(np.float32) - np.float32(2**23)) / np.float32(2**23)
    return torch.from_numpy((unit * np.float32(scale)).reshape(shape))


def directions(case):
    return 2 if case["bidirectional"] else 1


def state_shape(case):
    return (case["layers"] * directions(case), case["batch"], case["hiddenSize"])


def stride_for(length):
    """The smallest odd stride that leaves at most SAMPLES of `length` elements."""
    return math.ceil(length / SAMPLES) | 1


def describe(case):
    """Adds to a configuration its name and the lengths and strides of its samples."""
    output_length = case["batch"] * case["timesteps"] * directions(case) * case["hiddenSize"]
    name = "L{layers} {0} H{hiddenSize} F{inputSize} B{batch} T{timesteps} {1} {2} {3}".format(
        "bi" if case["bidirectional"] else "uni",
        "bias" if case["bias"] else "nobias",
        "init" if case["initialState"] else "zero",
        "batch-first" if case["batchFirst"] else "time-major",
        **case,
    )
    return {
        "name": name,
        **case,
        "outputLength": output_length,
        "outputStride": stride_for(output_length),
        "stateStride": stride_for(math.prod(state_shape(case))),
    }


def multiply_adds(case):
    hidden, width = case["hiddenSize"], directions(case) * case["hiddenSize"]
    inputs = case["inputSize"] + (case["layers"] - 1) * width
    per_step = 4 * width * (inputs + case["layers"] * hidden)
    return per_step * case["batch"] * case["timesteps"]


def is_acceptable(case):
    """Cheap enough for a plain reference, and no stride that would always hit the same units."""
    strides = case["outputStride"] * case["stateStride"]
    return multiply_adds(case) <= MAX_MULTIPLY_ADDS and math.gcd(strides, case["hiddenSize"]) == 1


def draw_case(rng, seed, fixed):
    """A random acceptable configuration with the `fixed` settings."""
    while True:
        drawn = {key: rng.choice(values) for key, values in CHOICES.items()}
        case = describe({"seed": seed, **drawn, **fixed})
        if is_acceptable(case):
            return case


def make_cases():
    """Every hidden size with every depth and direction and with long sequences; the rest random."""
    fixed = [
        {"hiddenSize": hidden, "layers": layers, "bidirectional": bidirectional}
        for hidden, layers, bidirectional in itertools.product(HIDDEN_SIZES, LAYERS, (False, True))
    ]
    fixed += [
        {"hiddenSize": hidden, "batch": batch, "timesteps": 100}
        for hidden, batch in itertools.product(HIDDEN_SIZES, (1, 3))
    ]
    fixed += [
        {"hiddenSize": 128, "inputSize": 128, "batch": batch, "timesteps": 100}
        | {"layers": 1, "bidirectional": False, "bias": True}
        for batch in (1, 5)
    ]
    # This seed gives every hidden size a bidirectional case whose other sizes are all odd.
    rng = random.Random(70)
    return [draw_case(rng, seed, settings) for seed, settings in enumerate(fixed, start=1)]


def make_inputs(case):
    """The case's LSTM, x [batch, timesteps, features] or time major, and None or (h0, c0)."""
    hidden = case["hiddenSize"]
    seeds = itertools.count(case["seed"] * 1000)
    lstm = torch.nn.LSTM(
        case["inputSize"],
        hidden,
        case["layers"],
        bias=case["bias"],
        batch_first=case["batchFirst"],
        bidirectional=case["bidirectional"],
    )
    # parameters() goes by layer, then direction: weight_ih, weight_hh, bias_ih, bias_hh.
    for parameter in lstm.parameters():
        parameter.copy_(pseudo_random(next(seeds), parameter.shape, 1 / math.sqrt(hidden)))
    leading = (case["batch"], case["timesteps"])
    if not case["batchFirst"]:
        leading = leading[::-1]
    x = pseudo_random(next(seeds), (*leading, case["inputSize"]), 2.0)
    if not case["initialState"]:
        return lstm, x, None
    h0 = pseudo_random(next(seeds), state_shape(case), 1.0)
    c0 = pseudo_random(next(seeds), state_shape(case), 1.0)
    return lstm, x, (h0, c0)


def run(lstm, x, state):
    """The full output, h_n and c_n (shapes as in the module's docstring, before sampling)."""
    output, (h_n, c_n) = lstm(x, state)
    return {"output": output, "h_n": h_n, "c_n": c_n}


@torch.no_grad()
def evaluate(case):
    """Float32 samples by name, and each result's largest distance from the float64 run."""
    lstm, x, state = make_inputs(case)
    single = run(lstm, x, state)
    double = run(lstm.double(), x.double(), state and tuple(part.double() for part in state))
    strides = {
        "output": case["outputStride"],
        "h_n": case["stateStride"],
        "c_n": case["stateStride"],
    }
    samples = {
        f"{case['name']}/{key}": value.flatten()[:: strides[key]].numpy().copy()
        for key, value in single.items()
    }
    distance = {key: (value - double[key]).abs().max().item() for key, value in single.items()}
    return samples, distance


def generate():
    """All samples by tensor name, and the content of the metadata."""
    tensors, cases = {}, []
    for case in make_cases():
        samples, distance = evaluate(case)
        tensors |= samples
        cases.append(case | {"torchDistance": distance})
    versions = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "safetensors": safetensors.__version__,
    }
    return tensors, {"versions": versions, "cases": cases}


def without_distances(cases):
    return [{key: case[key] for key in case if key != "torchDistance"} for case in cases]


def differences(path, tensors, golden):
    """A line for everything in which a fresh run differs from the file at `path`."""
    with safetensors.safe_open(path, framework="numpy") as file:
        stored = {name: file.get_tensor(name) for name in file.keys()}
        stored_cases = json.loads(file.metadata()[METADATA_KEY])["cases"]
    if without_distances(stored_cases) != without_distances(golden["cases"]):
        yield "the cases differ"
    for name in sorted(tensors.keys() | stored.keys()):
        if name not in tensors or name not in stored:
            yield f"{name}: only on one side"
        elif tensors[name].shape != stored[name].shape:
            yield f"{name}: {stored[name].shape} in the file, now {tensors[name].shape}"
        elif not np.allclose(tensors[name], stored[name], rtol=0, atol=TOLERANCE):
            yield f"{name}: differs by {np.abs(tensors[name] - stored[name]).max():.3g}"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--file", type=Path, default=Path("test/golden/lstm-pytorch.safetensors"))
    parser.add_argument("--check", action="store_true", help="compare with the file; 1 if different")
    args = parser.parse_args()

    torch.set_num_threads(1)
    tensors, golden = generate()
    if args.check:
        found = list(differences(args.file, tensors, golden))
        print("\n".join(found) or f"{len(golden['cases'])} cases agree within {TOLERANCE}")
        sys.exit(1 if found else 0)
    args.file.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, args.file, metadata={METADATA_KEY: json.dumps(golden)})
    largest = max(max(case["torchDistance"].values()) for case in golden["cases"])
    print(f"{len(golden['cases'])} cases, {args.file.stat().st_size} bytes")
    print(f"largest distance of float32 from float64: {largest:.3g}")


if __name__ == "__main__":
    main()
