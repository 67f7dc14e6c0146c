"""Gradients of single operators by PyTorch's autograd, in float64.

Inputs are not stored: both sides derive them from the hash in `pseudo_random` of golden_lstm.py, as float32. The gradient is that
of sum(seed * output), with a seed that is derived alike.

  python test/python/golden_gradients.py            write test/golden/gradients.json
  python test/python/golden_gradients.py --check    compare a fresh run with the file
"""

import argparse
import json
import platform
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from golden_lstm import pseudo_random
from torch import nn

FILE = Path(__file__).parent.parent / "golden" / "gradients.json"
SEED = 77
CASES = []


def floats(*shape, seed=1, scale=2.0, magnitude=False):
    """Input from the hash; with `magnitude` |x| + 0.25."""
    return {"shape": list(shape), "seed": seed, "scale": scale, "magnitude": magnitude}


def given(values, *shape):
    """float32 input that is stored: for ties and zeros."""
    return {"shape": list(shape), "floats": values}


def ints(values, *shape):
    return {"shape": list(shape) or [len(values)], "ints": values}


def tensor(described):
    if described is None:
        return None
    shape = described["shape"]
    if "ints" in described:
        return torch.tensor(described["ints"], dtype=torch.int64).reshape(shape)
    if "floats" in described:
        return torch.tensor(described["floats"], dtype=torch.float64).reshape(shape)
    x = pseudo_random(described["seed"], tuple(shape), described["scale"])
    return (x.abs() + 0.25 if described["magnitude"] else x).double()


def case(name, op, inputs, forward, attributes=None, outputs=1, output=0):
    """`forward` takes the tensors and returns the output that is differentiated. int32 inputs, and those that are fixed, are constants of the graph."""
    tensors = [tensor(one) for one in inputs]
    trained = [x is not None and x.dtype == torch.float64 and not one.get("fixed") for x, one in zip(tensors, inputs, strict=True)]
    wanted = [x for x, is_trained in zip(tensors, trained, strict=True) if is_trained]
    for x in wanted:
        x.requires_grad_()
    result = forward(*tensors)
    seed = pseudo_random(SEED, tuple(result.shape), 1.0).double()
    gradients = torch.autograd.grad((seed * result).sum(), wanted, allow_unused=True)
    left = list(gradients)
    listed = []
    for is_trained in trained:
        gradient = left.pop(0) if is_trained else None
        listed.append(None if gradient is None else [float(f"{value:.8g}") for value in gradient.flatten().tolist()])
    CASES.append({
        "name": name, "op": op, "attributes": attributes or {}, "inputs": inputs, "outputs": outputs, "output": output,
        "shape": list(result.shape), "gradients": listed,
    })


def elementwise():
    x, y, z = floats(3, 1, 5), floats(2, 1, seed=2), floats(3, 2, 5, seed=3)
    case("add that broadcasts", "add", [x, y], lambda a, b: a + b)
    case("sub that broadcasts", "sub", [y, z], lambda a, b: a - b)
    case("mul that broadcasts", "mul", [x, y], lambda a, b: a * b)
    case("mul by a scalar", "mul", [z, floats(seed=4)], lambda a, b: a * b)
    case("div that broadcasts", "div", [x, floats(2, 5, seed=2, magnitude=True)], lambda a, b: a / b)
    case("a value with itself", "sum", [x, x, y], lambda a, b, c: a + b + c)
    case("pow", "pow", [floats(3, 5, magnitude=True), floats(5, seed=2)], lambda a, b: a**b)
    case("pow of zeros", "pow", [given([0, 1.5, 2, 0.5, 0, 3], 2, 3), given([2, 3, 0], 3)], lambda a, b: a**b)
    case("pow with a whole exponent that is fixed", "pow", [given([0, -1.5, 2, 0.5, 0, 3], 2, 3), given([2, 3, 0], 3) | {"fixed": True}], lambda a, b: a**b)
    case("pow with an exponent that is one number", "pow", [floats(3, 5), given([3]) | {"shape": [], "fixed": True}], lambda a, b: a**b)
    case("max of three, with ties", "max", [given([1, 2, 3, 4], 4), given([1, 1, 5, 4], 4)], torch.maximum)
    case("min of three, with ties", "min", [given([1, 2, 3, 4], 4), given([1, 1, 5, 4], 4)], torch.minimum)
    case("max that broadcasts", "max", [x, z], torch.maximum)
    case("mod", "mod", [floats(3, 7, scale=5.0), floats(7, seed=2, magnitude=True)], torch.remainder)
    case("fmod", "mod", [floats(3, 7, scale=5.0), floats(7, seed=2, magnitude=True)], torch.fmod, {"fmod": 1})
    case("clip", "clip", [given([-2, -0.5, 0, 0.75, 1, 0.3], 2, 3), given([-0.5]), given([0.75])], torch.clamp)
    grid = lambda a: ((a / 0.5).round() + 3 >= 0) & ((a / 0.5).round() + 3 <= 6)
    through = {"scale": 0.5, "zero": 3, "least": 0, "most": 6}
    case("throughIntegers", "throughIntegers", [floats(5, 7, scale=4.0)], lambda a: torch.where(grid(a), a, a.detach()), through)
    functions = {
        "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu, "leakyRelu": F.leaky_relu, "elu": F.elu, "selu": F.selu, "celu": F.celu,
        "softplus": F.softplus, "softsign": F.softsign, "gelu": F.gelu, "geluTanh": lambda a: F.gelu(a, approximate="tanh"), "silu": F.silu,
        "mish": F.mish, "clipped": F.hardtanh, "hardSwish": F.hardswish, "hardShrink": F.hardshrink, "softShrink": F.softshrink,
        "tanhShrink": F.tanhshrink, "logSigmoid": F.logsigmoid, "abs": torch.abs, "square": torch.square, "erf": torch.erf, "sin": torch.sin,
        "cos": torch.cos, "atan": torch.atan, "exp": torch.exp, "neg": torch.neg,
    }
    kinks = [-3.0, -2.5, -1.0, -0.5, 0.0, 0.5, 1.0, 2.5, 3.0, -4.0, 4.0, 0.25, -0.25]
    for name, function in functions.items():
        case(f"{name}, at its kinks too", name, [given(kinks, len(kinks))], function)
    case("hardSigmoid as PyTorch has it", "hardSigmoid", [given(kinks, len(kinks))], F.hardsigmoid, {"alpha": 1 / 6, "beta": 0.5})
    positive = floats(3, 5, magnitude=True)
    case("log", "log", [positive], torch.log)
    case("sqrt", "sqrt", [positive], torch.sqrt)
    case("reciprocal", "reciprocal", [positive], torch.reciprocal)


def movement():
    x = floats(3, 4, 5)
    case("reshape", "reshape", [x, ints([5, 12])], lambda a, _: a.reshape(5, 12))
    case("flatten", "flatten", [x], lambda a: a.reshape(3, 20))
    case("squeeze", "squeeze", [floats(3, 1, 5), ints([1])], lambda a, _: a.squeeze(1))
    case("unsqueeze", "unsqueeze", [floats(3, 5), ints([0, 2])], lambda a, _: a[None, :, None])
    case("identity", "identity", [x], lambda a: a)
    case("transpose", "transpose", [x], lambda a: a.permute(1, 2, 0), {"perm": [1, 2, 0]})
    case("transpose without perm", "transpose", [x], lambda a: a.permute(2, 1, 0))
    case("expand", "expand", [floats(3, 1, 5), ints([2, 1, 4, 1])], lambda a, _: a.expand(2, 3, 4, 5))
    case("tile", "tile", [floats(3, 2), ints([2, 3])], lambda a, _: a.repeat(2, 3))
    case("slice", "slice", [x, ints([1, -4]), ints([3, 4]), ints([0, 2]), ints([1, 1])], lambda a, *_: a[1:3, :, 1:4])
    case("slice in steps", "slice", [x, ints([0, 4]), ints([4, -6]), ints([1, 2]), ints([2, -3])], lambda a, *_: a[:, ::2].flip(2)[:, :, ::3])
    case("pad", "pad", [floats(3, 4), ints([1, 0, 2, 3]), floats(seed=2)], lambda a, _, b: F.pad(a - b, (0, 3, 1, 2)) + b)
    case("pad that takes away", "pad", [floats(5, 4), ints([-1, 2, -2, -1])], lambda a, _: F.pad(a, (2, -1, -1, -2)))
    reflected = lambda a, _: F.pad(a[None, None], (2, 1, 1, 2), mode="reflect")[0, 0]
    case("pad that reflects", "pad", [floats(4, 5), ints([1, 2, 2, 1])], reflected, {"mode": "reflect"})
    edges = lambda a, _: F.pad(a[None, None], (2, 1, 1, 2), mode="replicate")[0, 0]
    case("pad with the edge", "pad", [floats(4, 5), ints([1, 2, 2, 1])], edges, {"mode": "edge"})
    around = lambda a, _: F.pad(a[None, None], (2, 1, 1, 2), mode="circular")[0, 0]
    case("pad that wraps", "pad", [floats(4, 5), ints([1, 2, 2, 1])], around, {"mode": "wrap"})
    case("concat", "concat", [floats(3, 2), floats(3, 1, seed=2), floats(3, 4, seed=3)], lambda *a: torch.cat(a, 1), {"axis": -1})
    case("split, the second part", "split", [floats(3, 7), ints([2, 4, 1])], lambda a, _: a[:, 2:6], {"axis": 1}, outputs=3, output=1)
    case("gather with one index twice", "gather", [x, ints([2, 0, -1, 2], 2, 2)], lambda a, i: a[:, i], {"axis": 1})
    case("gather of rows", "gather", [floats(7, 5), ints([6, 1, 6, 0, 6, 1], 2, 3)], lambda a, i: a[i])
    case("gather of the last step", "gather", [x, ints([-1]) | {"shape": []}], lambda a, i: a[:, -1], {"axis": 1})
    case("gatherElements with one index twice", "gatherElements", [floats(3, 4), ints([1, 1, 0, 2, 0, 3], 3, 2)], lambda a, i: a.gather(1, i), {"axis": 1})
    case("gatherNd", "gatherNd", [x, ints([2, 1, 0, 3, 2, 1], 3, 2)], lambda a, i: a[i[:, 0], i[:, 1]])
    batched = lambda a, i: torch.stack([a[n][i[n, :, 0]] for n in range(3)])
    case("gatherNd with a batch", "gatherNd", [x, ints([1, 3, 0, 1, 2, 2], 3, 2, 1)], batched, {"batchDims": 1})
    case("scatterElements", "scatterElements", [floats(3, 4), ints([1, 3, 0, 2, 0, 3], 3, 2), floats(3, 2, seed=2)], lambda a, i, b: a.scatter(1, i, b), {"axis": 1})
    added = lambda a, i, b: a.scatter_add(1, i, b)
    case("scatterElements that adds", "scatterElements", [floats(3, 4), ints([1, 1, 0, 2, 3, 3], 3, 2), floats(3, 2, seed=2)], added, {"axis": 1, "reduction": "add"})
    tuples = lambda a, i, b: a.index_put((i[:, 0], i[:, 1]), b)
    case("scatterNd", "scatterNd", [floats(3, 4, 2), ints([1, 1, 0, 2], 2, 2), floats(2, 2, seed=2)], tuples)
    case("trilu", "trilu", [floats(2, 4, 3), ints([1])], lambda a, _: a.tril(1), {"upper": 0})
    turned = lambda a, i: torch.stack([torch.cat([a[: i[n], n].flip(0), a[i[n] :, n]]) for n in range(3)], 1)
    case("reverseSequence", "reverseSequence", [floats(5, 3, 2), ints([2, 5, 0])], turned)


def reductions():
    x, positive = floats(3, 4, 5), floats(3, 4, 5, magnitude=True)
    both = ints([0, 2])
    sums = {
        "reduceSum": torch.sum, "reduceMean": torch.mean, "reduceL1": lambda a, **k: a.abs().sum(**k), "reduceL2": lambda a, **k: a.square().sum(**k).sqrt(),
        "reduceLogSum": lambda a, **k: a.sum(**k).log(), "reduceSumSquare": lambda a, **k: a.square().sum(**k), "reduceMax": torch.amax,
        "reduceMin": torch.amin, "reduceLogSumExp": torch.logsumexp,
    }
    for name, function in sums.items():
        case(f"{name} over two axes", name, [positive if name == "reduceLogSum" else x, both], lambda a, _, f=function: f(a, dim=(0, 2)), {"keepdims": 0})
        case(f"{name} over all axes", name, [positive if name == "reduceLogSum" else x], lambda a, f=function: f(a, dim=(0, 1, 2), keepdim=True))
    case("reduceMax with ties", "reduceMax", [given([1, 3, 3, 2, 2, 2], 2, 3), ints([1])], lambda a, _: torch.amax(a, 1), {"keepdims": 0})
    case("reduceL2 of zeros", "reduceL2", [given([0, 0, 0, 3, 4, 0], 2, 3), ints([1])], lambda a, _: torch.linalg.vector_norm(a, dim=1), {"keepdims": 0})
    case("reduceProd", "reduceProd", [x, ints([1])], lambda a, _: a.prod(1), {"keepdims": 0})
    zeros = given([2, 0, 3, 0, 0, 4, 5, 6, 7], 3, 3)
    case("reduceProd with one zero, two and none", "reduceProd", [zeros, ints([1])], lambda a, _: a.prod(1), {"keepdims": 0})
    case("cumSum", "cumSum", [x, ints([1]) | {"shape": []}], lambda a, _: a.cumsum(1))
    reverse = lambda a, _: a.flip(1).cumsum(1).flip(1) - a
    case("cumSum from the end, without the element", "cumSum", [x, ints([1]) | {"shape": []}], reverse, {"exclusive": 1, "reverse": 1})
    case("softmax", "softmax", [x], lambda a: a.softmax(-1))
    case("softmax over the middle axis", "softmax", [x], lambda a: a.softmax(1), {"axis": 1})
    case("logSoftmax", "logSoftmax", [x], lambda a: a.log_softmax(-1))
    case("topK", "topK", [floats(3, 7), ints([3])], lambda a, _: a.topk(3)[0], outputs=2)
    case("topK without its indices", "topK", [floats(3, 7), ints([3])], lambda a, _: a.topk(3, largest=False)[0], {"largest": 0})


def products():
    for trans_a, trans_b in ((0, 0), (0, 1), (1, 0), (1, 1)):
        a, b = floats(5, 3) if trans_a else floats(3, 5), floats(7, 5, seed=2) if trans_b else floats(5, 7, seed=2)
        product = lambda a, b, c, s=trans_a, t=trans_b: 0.7 * (a.T if s else a) @ (b.T if t else b) + 1.3 * c
        case(f"gemm, transA {trans_a}, transB {trans_b}", "gemm", [a, b, floats(7, seed=3)], product, {"alpha": 0.7, "beta": 1.3, "transA": trans_a, "transB": trans_b})
    for name, a, b in (
        ("one matrix for all rows", (2, 3, 5), (5, 7)), ("a stack of matrices", (2, 3, 5), (2, 5, 7)), ("stacks that broadcast", (2, 1, 3, 5), (4, 5, 7)),
        ("one matrix on the left", (3, 5), (2, 5, 7)), ("a row", (5,), (2, 5, 7)), ("a column", (2, 3, 5), (5,)), ("two vectors", (5,), (5,)),
    ):
        case(f"matMul of {name}", "matMul", [floats(*a), floats(*b, seed=2)], torch.matmul)


def normalization():
    x = floats(2, 3, 5)
    layer = lambda a, s, b: F.layer_norm(a, (3, 5), s, b, 1e-3)
    case("layerNormalization over two axes", "layerNormalization", [x, floats(3, 5, seed=2), floats(3, 5, seed=3)], layer, {"axis": 1, "epsilon": 1e-3})
    case("layerNormalization", "layerNormalization", [x, floats(5, seed=2)], lambda a, s: F.layer_norm(a, (5,), s, None, 1e-5))
    case("rmsNormalization", "rmsNormalization", [x, floats(5, seed=2)], lambda a, s: F.rms_norm(a, (5,), s, 1e-5))
    instance = lambda a, s, b: F.instance_norm(a, weight=s, bias=b, eps=1e-5)
    case("instanceNormalization", "instanceNormalization", [x, floats(3, seed=2), floats(3, seed=3)], instance)
    batch = lambda a, s, b, m, v: (a - m[:, None]) / (v[:, None] + 1e-3).sqrt() * s[:, None] + b[:, None]
    vectors = [floats(3, seed=2), floats(3, seed=3), floats(3, seed=4), floats(3, seed=5, magnitude=True)]
    case("batchNormalization by given statistics", "batchNormalization", [x, *vectors], batch, {"epsilon": 1e-3})
    last = lambda a, s, b, m, v: (a - m) / (v + 1e-5).sqrt() * s + b
    case("batchNormalization, channels last", "batchNormalization", [floats(2, 5, 3), *vectors], last, {"channelsLast": True})


def windows():
    for name, shape, weights, attributes, options in (
        ("of one axis", (2, 3, 8), (5, 3, 3), {}, {}),
        ("in steps, padded and dilated", (2, 3, 9), (5, 3, 3), {"strides": [2], "pads": [2, 2], "dilations": [2]}, {"stride": 2, "padding": 2, "dilation": 2}),
        ("that leaves a rest", (2, 3, 8), (4, 3, 2), {"strides": [3]}, {"stride": 3}),
        ("in groups", (2, 4, 7), (6, 2, 3), {"group": 2, "pads": [1, 1]}, {"groups": 2, "padding": 1}),
        ("of two axes", (2, 3, 5, 6), (4, 3, 3, 2), {"strides": [2, 1], "pads": [1, 0, 1, 0]}, {"stride": (2, 1), "padding": (1, 0)}),
        ("of two axes in groups", (1, 4, 5, 6), (4, 1, 2, 3), {"group": 4, "dilations": [1, 2]}, {"groups": 4, "dilation": (1, 2)}),
    ):
        convolve = F.conv1d if len(shape) == 3 else F.conv2d
        bias = floats(weights[0], seed=3)
        case(f"conv {name}", "conv", [floats(*shape), floats(*weights, seed=2), bias], lambda a, w, b, f=convolve, o=options: f(a, w, b, **o), attributes)
        last = lambda a, w, b, f=convolve, o=options: f(a.movedim(-1, 1), w, b, **o).movedim(1, -1)
        turned = (shape[0], *shape[2:], shape[1])
        case(f"conv {name}, channels last", "conv", [floats(*turned), floats(*weights, seed=2), bias], last, attributes | {"channelsLast": True})
    causal = lambda a, w: F.conv1d(F.pad(a.movedim(-1, 1), (2, 0)), w).movedim(1, -1)
    case("conv padded in front", "conv", [floats(2, 6, 3), floats(4, 3, 3, seed=2)], causal, {"channelsLast": True, "pads": [2, 0]})
    transposed = lambda a, w, b: F.conv_transpose1d(a, w, b, stride=2, padding=1, output_padding=1)
    attributes = {"strides": [2], "pads": [1, 1], "outputPadding": [1]}
    case("convTranspose", "convTranspose", [floats(2, 3, 5), floats(3, 4, 3, seed=2), floats(4, seed=3)], transposed, attributes)
    grouped = lambda a, w: F.conv_transpose2d(a, w, stride=(2, 1), groups=2, dilation=(1, 2))
    case("convTranspose of two axes in groups", "convTranspose", [floats(2, 4, 3, 4), floats(4, 3, 2, 3, seed=2)], grouped, {"strides": [2, 1], "group": 2, "dilations": [1, 2]})
    x, image = floats(2, 3, 9), floats(2, 3, 5, 7)
    case("maxPool", "maxPool", [x], lambda a: F.max_pool1d(a, 3, 2, 1), {"kernelShape": [3], "strides": [2], "pads": [1, 1]})
    case("maxPool of overlapping windows of two axes", "maxPool", [image], lambda a: F.max_pool2d(a, (3, 2), (1, 2)), {"kernelShape": [3, 2], "strides": [1, 2]})
    case("maxPool with ties", "maxPool", [given([1, 1, 2, 2, 0, 2], 1, 1, 6)], lambda a: F.max_pool1d(a, 3, 1), {"kernelShape": [3]})
    case("averagePool", "averagePool", [x], lambda a: F.avg_pool1d(a, 3, 2, 1, count_include_pad=False), {"kernelShape": [3], "strides": [2], "pads": [1, 1]})
    counted = {"kernelShape": [3, 2], "strides": [2, 2], "pads": [1, 1, 1, 1], "countIncludePad": 1}
    case("averagePool that counts its padding", "averagePool", [image], lambda a: F.avg_pool2d(a, (3, 2), 2, 1), counted)
    last = lambda a: F.avg_pool1d(a.movedim(-1, 1), 2).movedim(1, -1)
    case("averagePool, channels last", "averagePool", [floats(2, 7, 5)], last, {"kernelShape": [2], "strides": [2], "channelsLast": True})
    case("sumPool", "sumPool", [x], lambda a: F.avg_pool1d(a, 3, 2) * 3, {"kernelShape": [3], "strides": [2]})
    case("globalAveragePool", "globalAveragePool", [image], lambda a: a.mean((2, 3), keepdim=True))
    case("globalMaxPool", "globalMaxPool", [image], lambda a: a.amax((2, 3), keepdim=True))


def layers():
    """A step of training of a small net: gradients of its parameters, and the running statistics after it. Weights are from the hash, by their order."""
    net = nn.ModuleDict({"embedding": nn.Embedding(11, 5), "conv1d": nn.Conv1d(5, 6, 3, padding=1), "batch_norm": nn.BatchNorm1d(6), "layer_norm": nn.LayerNorm(6)})
    weights = {}
    for n, (name, value) in enumerate(net.state_dict().items()):
        if name.endswith("num_batches_tracked"):
            continue
        weights[name] = floats(*value.shape, seed=100 + n, magnitude=name.endswith("running_var"))
    net = net.double()
    net.load_state_dict({name: tensor(described) for name, described in weights.items()}, strict=False)
    ids = [[3, 0, 10, 3, 7, 3, 1], [5, 5, 5, 2, 9, 10, 0], [1, 8, 3, 4, 6, 0, 10]]
    def forward():
        x = net["conv1d"](net["embedding"](torch.tensor(ids)).transpose(1, 2))
        return net["layer_norm"](F.gelu(net["batch_norm"](x)).transpose(1, 2))

    result = forward()
    (pseudo_random(SEED, tuple(result.shape), 1.0).double() * result).sum().backward()
    listed = lambda values: [float(f"{value:.8g}") for value in values.flatten().tolist()]
    after = {name: listed(net.state_dict()[f"batch_norm.{name}"]) for name in ("running_mean", "running_var")}
    net.eval()
    evaluated = listed(forward().detach())
    return {
        "ids": ids, "weights": weights, "output": listed(result.detach()), "evaluated": evaluated, "updates": after,
        "gradients": {name: listed(value.grad) for name, value in net.named_parameters()},
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    for group in (elementwise, movement, reductions, products, normalization, windows):
        group()
    versions = {"torch": torch.__version__, "python": platform.python_version()}
    lines = ",\n".join(json.dumps(one, separators=(",", ":"), allow_nan=False) for one in CASES)
    net = json.dumps(layers(), separators=(",", ":"), allow_nan=False)
    text = f'{{"seed":{SEED},"versions":{json.dumps(versions)},"layers":{net},"cases":[\n{lines}\n]}}\n'
    if not check:
        FILE.write_text(text)
        return
    old = json.loads(FILE.read_text())["cases"]
    names = [one["name"] for one in CASES]
    if [one["name"] for one in old] != names:
        sys.exit("other cases than in the file")
    for one, known in zip(CASES, old, strict=True):
        for a, b in zip(one["gradients"], known["gradients"], strict=True):
            if a is not None and max((abs(x - y) for x, y in zip(a, b, strict=True)), default=0) > 1e-7:
                sys.exit(f"{one['name']}: gradients differ")


if __name__ == "__main__":
    main()
