"""Trains an LSTM 1 -> 40 -> 1 to sound like the valve amplifier of valve_stage.py, at 48 kHz.

output = linear(lstm(input)) + input, trained on seeded guitar and test tones by truncated backpropagation through time;
the loss is the error-to-signal ratio after pre-emphasis (A. Wright et al., "Real-time guitar amplifier emulation with deep learning", 2020).

Writes amp.json, the model in AIDA-X's form of RTNeural's JSON (`node examples/amp/convert.mjs` makes the file that the example
loads), and audio.safetensors with

  dry     float32 [n], guitar that was not trained on
  wet     float32 [n], what the PyTorch model makes of it
  target  float32 [n], what the amplifier makes of it
"""

import argparse
import json
import platform
import time
from pathlib import Path

import numpy as np
import safetensors
import torch
from safetensors.torch import save_file
from torch import nn
from valve_stage import SAMPLE_RATE, riff, test_tones, valve_stage

UNITS = 40
GUITAR_SECONDS = 64
TONES_SECONDS = 16
HELD_OUT_SECONDS = 20
BATCH_SIZE = 64
TIMESTEPS = 512
WARM_UP = 1024
LEARNING_RATE = 8e-3
GRADIENT_NORM = 1.0
PRE_EMPHASIS = 0.85
STORED_SAMPLES = 12_000


class Amplifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, UNITS)
        self.fc = nn.Linear(UNITS, 1)

    def forward(self, audio, state=None):
        """audio [timesteps, batch, 1] -> audio [timesteps, batch, 1] and the state."""
        hidden, state = self.lstm(audio, state)
        return self.fc(hidden) + audio, state


def signals(seconds_of_guitar, seconds_of_tones, seed):
    """Dry and wet audio, float32 [n]: from the same seed, the same."""
    random = np.random.default_rng(seed)
    parts = [riff(random, seconds_of_guitar)]
    if seconds_of_tones > 0:
        parts.append(test_tones(random, seconds_of_tones))
    dry = np.concatenate(parts)
    return tuple(torch.from_numpy(signal.astype(np.float32)) for signal in (dry, valve_stage(dry)))


def error_to_signal(output, target):
    """The energy of the difference over that of the target; both may be filtered before."""
    return (target - output).square().sum() / target.square().sum()


def emphasised(audio):
    return audio[1:] - PRE_EMPHASIS * audio[:-1]


def train(model, dry, wet, epochs):
    # BATCH_SIZE places in the signal are played on in parallel, each with a state of its own.
    length = len(dry) // BATCH_SIZE
    dry, wet = (audio[: length * BATCH_SIZE].view(BATCH_SIZE, length).T.unsqueeze(2).contiguous() for audio in (dry, wet))
    firsts = range(WARM_UP, length - TIMESTEPS, TIMESTEPS)
    optimizer = torch.optim.Adam(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, epochs * len(firsts), pct_start=0.1
    )
    for epoch in range(epochs):
        start, losses = time.monotonic(), []
        # Each epoch begins elsewhere in the parts, and with a state that has heard something.
        offset = int(torch.randint(length, ()))
        shifted = [torch.roll(audio, offset, 0) for audio in (dry, wet)]
        with torch.no_grad():
            _, state = model(shifted[0][:WARM_UP])
        for first in firsts:
            part = slice(first, first + TIMESTEPS)
            output, state = model(shifted[0][part], state)
            state = tuple(tensor.detach() for tensor in state)
            target = shifted[1][part]
            loss = error_to_signal(emphasised(output), emphasised(target)) + 0.5 * error_to_signal(output, target)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), GRADIENT_NORM)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}, {time.monotonic() - start:.0f} s", flush=True)


def aida_x(model, esr):
    """The model in AIDA-X's JSON: kernels transposed, both biases added up, gates i, f, g, o as in PyTorch."""
    weights = model.state_dict()
    # Nine digits are enough to tell any float32 from its neighbours.
    numbers = lambda row: [float(f"{value:.9g}") for value in row.tolist()]
    rows = lambda tensor: [numbers(row) for row in tensor]
    bias = weights["lstm.bias_ih_l0"] + weights["lstm.bias_hh_l0"]
    return {
        "in_shape": [None, None, 1],
        "in_skip": 1,
        "in_gain": 0.0,
        "out_gain": 0.0,
        "samplerate": SAMPLE_RATE,
        "metadata": {"name": "a valve stage made of formulas", "held_out_esr": round(esr, 5)},
        "layers": [
            {
                "type": "lstm",
                "activation": "",
                "shape": [None, None, UNITS],
                "weights": [rows(weights["lstm.weight_ih_l0"].T), rows(weights["lstm.weight_hh_l0"].T), numbers(bias)],
            },
            {
                "type": "dense",
                "activation": "",
                "shape": [None, None, 1],
                "weights": [rows(weights["fc.weight"].T), numbers(weights["fc.bias"])],
            },
        ],
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--directory", type=Path, default=Path("test/golden/amp"))
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    model = Amplifier()
    train(model, *signals(GUITAR_SECONDS, TONES_SECONDS, args.seed), args.epochs)

    dry, wet = signals(HELD_OUT_SECONDS, 0, args.seed + 1)
    with torch.no_grad():
        output = model(dry[:, None, None])[0][:, 0, 0]
    esr = error_to_signal(output, wet).item()
    pre_emphasised = error_to_signal(emphasised(output), emphasised(wet)).item()
    print(f"held-out guitar: ESR {esr:.5f}, {pre_emphasised:.5f} after pre-emphasis")

    versions = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "safetensors": safetensors.__version__,
        "seed": str(args.seed),
        "esr": f"{esr:.5f}",
    }
    args.directory.mkdir(parents=True, exist_ok=True)
    (args.directory / "amp.json").write_text(json.dumps(aida_x(model, esr)))
    stored = {"dry": dry, "wet": output, "target": wet}
    stored = {name: audio[:STORED_SAMPLES].contiguous() for name, audio in stored.items()}
    save_file(stored, args.directory / "audio.safetensors", metadata=versions)


if __name__ == "__main__":
    main()
