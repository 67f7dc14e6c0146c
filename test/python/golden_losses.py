"""Losses of rows and their gradients by the prediction, by PyTorch's autograd in float64 over float32 data; Keras has its word on some.

  python test/python/golden_losses.py           write test/golden/training/losses.json
"""

import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

FILE = Path(__file__).parent.parent / "golden" / "training" / "losses.json"
rng = np.random.default_rng(20261128)


def normal(*shape, scale=1.0):
    return rng.normal(0, scale, shape).astype(np.float32)


def case(prediction, target, losses, weights=None, **extra):
    """losses: of the float64 prediction, those of the rows. The gradient is that of the sum of weights times losses."""
    p = torch.tensor(prediction.astype(np.float64), requires_grad=True)
    rows = losses(p)
    weights = rng.uniform(0.1, 2, tuple(rows.shape)).astype(np.float32)
    (rows * torch.tensor(weights.astype(np.float64))).sum().backward()
    flat = lambda array: [float(f"{x:.9g}") if array.dtype != np.int32 else int(x) for x in np.asarray(array).ravel()]
    return {
        "prediction": {"shape": list(prediction.shape), "data": flat(prediction)},
        "target": {"shape": list(target.shape), "data": flat(target), "dtype": str(target.dtype)},
        "weights": {"shape": list(weights.shape), "data": flat(weights)},
        "losses": flat(rows.detach().numpy()), "gradient": flat(p.grad.numpy()), **extra,
    }


def sixty_four(array):
    return torch.tensor(array.astype(np.float64))


def sparse(shape, classes, scale=1.0, ignored=None):
    x = normal(*shape, classes, scale=scale)
    labels = rng.integers(0, classes, shape).astype(np.int32)
    if ignored is not None:
        labels.ravel()[[1, 4]] = ignored

    def losses(p):
        flat = F.cross_entropy(p.reshape(-1, classes), torch.tensor(labels.ravel()).long(), reduction="none", ignore_index=-100 if ignored is None else ignored)
        return flat.reshape(shape)

    return case(x, labels, losses, loss="sparseCategoricalCrossentropy", options={} if ignored is None else {"ignoreIndex": ignored})


def dense(rows, classes, normalized):
    x = normal(rows, classes, scale=3)
    t = rng.uniform(0, 1, (rows, classes)).astype(np.float32)
    if normalized:
        t /= t.sum(axis=-1, keepdims=True)
    return case(x, t, lambda p: -(sixty_four(t) * torch.log_softmax(p, -1)).sum(-1), loss="categoricalCrossentropy", options={})


def elements(loss, shape, function, options=None, target=None, prediction=None):
    p = normal(*shape, scale=2) if prediction is None else prediction
    t = normal(*shape, scale=2) if target is None else target
    each = lambda q: function(q, sixty_four(t))
    return case(p, t, (lambda q: each(q).mean(-1)) if len(shape) > 1 else each, loss=loss, options=options or {})


def esr(shape, pre, esr_weight, dc_weight):
    p, t = normal(*shape, scale=0.5), normal(*shape, scale=0.4) + np.float32(0.1)
    target = sixty_four(t)
    axes = tuple(range(1, len(shape)))

    def emphasized(x):  # CoreAudioML's PreEmph: zeros in front, then x[t] - pre x[t - 1]
        return x - pre * torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], 1)

    def losses(q):
        ratio = (emphasized(target) - emphasized(q)).pow(2).mean(axes) / (emphasized(target).pow(2).mean(axes) + 1e-5)
        means = (target.mean(1) - q.mean(1)).pow(2)
        dc = (means if len(shape) == 2 else means.mean(1)) / (target.pow(2).mean(axes) + 1e-5)
        return esr_weight * ratio + dc_weight * dc

    return case(p, t, losses, loss="esr", options={"preEmphasis": pre, "esrWeight": esr_weight, "dcWeight": dc_weight})


def ctc(batch, steps, classes, most, blank, per_label, inputs, counts, scale=1.0):
    x = normal(batch, steps, classes, scale=scale)
    choices = [c for c in range(classes) if c != blank % classes]
    labels = rng.choice(choices, (batch, most)).astype(np.int32)
    labels[0, 1] = labels[0, 0]  # a repeated label needs a blank between
    lengths = torch.tensor(counts)

    def losses(p):
        rows = F.ctc_loss(torch.log_softmax(p, -1).transpose(0, 1), torch.tensor(labels).long(), torch.tensor(inputs), lengths, blank % classes, "none", True)
        return rows / lengths.clamp(min=1) if per_label else rows

    return case(x, labels, losses, loss="ctc", options={"blank": blank, "perLabel": per_label, "zeroInfinity": True}, inputLengths=inputs, targetLengths=counts)


def main():
    bits = (rng.uniform(0, 1, (7, 5)) < 0.4).astype(np.float32)
    soft = rng.uniform(0, 1, (3, 4, 2)).astype(np.float32)
    with_logits = lambda q, t: F.binary_cross_entropy_with_logits(q, t, reduction="none")
    probabilities = lambda q, t: F.binary_cross_entropy(q, t, reduction="none")
    cases = {
        "sparse": sparse((5,), 7), "sparse steps": sparse((3, 4), 10, scale=8), "sparse of two": sparse((6,), 2), "sparse wide": sparse((3,), 65, scale=2),
        "sparse ignored": sparse((6,), 5, ignored=-100), "sparse ignored class": sparse((6,), 5, ignored=2),
        "dense": dense(5, 9, True), "dense not normalized": dense(4, 3, False),
        "squared": elements("meanSquaredError", (6, 3), lambda q, t: (q - t) ** 2), "squared list": elements("meanSquaredError", (7,), lambda q, t: (q - t) ** 2),
        "squared steps": elements("meanSquaredError", (2, 5, 3), lambda q, t: (q - t) ** 2),
        "absolute": elements("meanAbsoluteError", (6, 5), lambda q, t: (q - t).abs()),
        "huber": elements("huber", (6, 5), lambda q, t: F.huber_loss(q, t, reduction="none")),
        "huber delta": elements("huber", (6, 5), lambda q, t: F.huber_loss(q, t, reduction="none", delta=0.3), {"delta": 0.3}),
        "binary logits": elements("binaryCrossentropy", (7, 5), with_logits, {}, bits, normal(7, 5, scale=9)),
        "binary soft": elements("binaryCrossentropy", (3, 4, 2), with_logits, {}, soft),
        "binary probabilities": elements("binaryCrossentropy", (7, 5), probabilities, {"fromLogits": False}, bits, rng.uniform(0.001, 0.999, (7, 5)).astype(np.float32)),
        "esr": esr((3, 50), 0.85, 0.75, 0.25), "esr channels": esr((2, 31, 2), 0.95, 0.6, 0.4), "esr plain": esr((2, 17, 1), 0.0, 1.0, 0.0),
        "ctc": ctc(4, 12, 6, 5, 0, True, [12, 9, 10, 7], [5, 3, 1, 4]),
        "ctc last blank": ctc(3, 10, 5, 4, -1, False, [10, 10, 8], [4, 0, 2], scale=3),
        "ctc too short": ctc(3, 6, 4, 5, 1, True, [3, 6, 6], [5, 2, 3]),
    }
    FILE.write_text(json.dumps({"torch": torch.__version__, "cases": cases}) + "\n")
    print(f"{FILE}: {FILE.stat().st_size} bytes")


main()
