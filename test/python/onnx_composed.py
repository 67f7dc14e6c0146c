"""ONNX operators that lstm-wasm makes of several of its own, and those with tuples of indices."""

import numpy as np
from onnx import helper
from onnx_graph import IR_VERSIONS, Graph, uniform
from onnx_models import single

MICROSOFT = "com.microsoft"


class Plain(Graph):
    """A model whose shapes onnx cannot infer; `exact` gives the outputs of its inputs in float64."""

    exact = None

    def model(self):
        graph = helper.make_graph(self.nodes, "golden", self.inputs, self.outputs, self.initializers)
        versions = [helper.make_opsetid("", self.opset)]
        if any(node.domain == MICROSOFT for node in self.nodes):
            versions.append(helper.make_opsetid(MICROSOFT, 1))
        ir = IR_VERSIONS.get(self.opset, 10)
        return helper.make_model(graph, opset_imports=versions, ir_version=ir, producer_name="golden_onnx")


def einsum(equation, *shapes, dims=None):
    """The first operand flows in; so does every second one, the others are constants."""

    def make(rng):
        graph = Graph(14)
        values = [uniform(rng, shape, 1) for shape in shapes]
        names = [
            graph.input("ab"[n // 2], value, dims if n == 0 else None) if n % 2 == 0 else value
            for n, value in enumerate(values)
        ]
        graph.output("y", graph.node("Einsum", *names, equation=equation))
        return graph

    return make


def einsum_integers(rng):
    graph = Graph(14)
    a = graph.input("a", rng.integers(-9, 9, (2, 3, 4)).astype(np.int32))
    b = rng.integers(-9, 9, (4, 3)).astype(np.int32)
    graph.output("y", graph.node("Einsum", a, b, equation="btf,ft->bt"), np.int32)
    return graph


def hardmax(opset, axis, shape=(2, 3, 5)):
    def make(rng):
        graph = Graph(opset)
        # Equal ones among them: the first counts.
        x = graph.input("x", np.round(uniform(rng, shape, 2)))
        graph.output("y", graph.node("Hardmax", x, axis=axis))
        return graph

    return make


def norm_of_zeros(rng):
    graph = Graph(22)
    x = uniform(rng, (3, 5), 1)
    x[1] = 0
    graph.output("y", graph.node("LpNormalization", graph.input("x", x)))
    return graph


def is_inf(opset, **attributes):
    def make(rng):
        graph = Graph(opset)
        x = uniform(rng, (3, 5), 2)
        x[0, 1], x[1, 2], x[2, 4], x[2, 0] = np.inf, -np.inf, np.nan, np.inf
        graph.output("y", graph.node("IsInf", graph.input("x", x), **attributes), np.bool_)
        return graph

    return make


def group_normalization(opset, shape, dims=None, groups=2, epsilon=1e-3):
    def make(rng):
        graph = Plain(opset)
        x = graph.input("x", uniform(rng, shape, 2), dims)
        channels = shape[1]
        scale, bias = (uniform(rng, (groups if opset < 21 else channels,), 1) for _ in range(2))
        y = graph.node("GroupNormalization", x, scale, bias, num_groups=groups, epsilon=epsilon)
        graph.output("y", y)

        def exact(x):
            rows = x.reshape(shape[0], groups, -1)
            rows = rows - rows.mean(axis=-1, keepdims=True)
            rows /= np.sqrt((rows * rows).mean(axis=-1, keepdims=True) + epsilon)
            column = (1, channels) + (1,) * (len(shape) - 2)
            each = channels // groups if opset < 21 else 1
            factors = [np.repeat(factor.astype(np.float64), each).reshape(column) for factor in (scale, bias)]
            return {"y": rows.reshape(shape) * factors[0] + factors[1]}

        graph.exact = exact
        return graph

    return make


def mean_variance(shape, over=(0, 2, 3), **attributes):
    def make(rng):
        graph = Plain(13)
        x = graph.input("x", uniform(rng, shape, 2))
        graph.output("y", graph.node("MeanVarianceNormalization", x, **attributes))

        def exact(x):
            centred = x - x.mean(axis=over, keepdims=True)
            return {"y": centred / (np.sqrt((centred**2).mean(axis=over, keepdims=True)) + 1e-9)}

        graph.exact = exact
        return graph

    return make


def gather_nd(data, indices, batch_dims=0, dtype=np.float32):
    """Indices of both signs into the axes behind those of the batch; they flow in."""

    def make(rng):
        graph = Graph(13)
        x = graph.input("x", (uniform(rng, data, 9)).astype(dtype))
        sizes = np.array(data[batch_dims : batch_dims + indices[-1]])
        index = graph.input("index", rng.integers(-sizes, sizes, indices).astype(np.int64))
        graph.output("y", graph.node("GatherND", x, index, batch_dims=batch_dims), dtype)
        return graph

    return make


def scatter_nd(reduction, data, indices, dtype=np.float32):
    def make(rng):
        graph = Graph(18)
        x = graph.input("x", (uniform(rng, data, 4)).astype(dtype))
        sizes = np.array(data[: indices[-1]])
        places = int(np.prod(sizes))
        count = int(np.prod(indices[:-1]))
        # One place for each update where it is replaced: onnxruntime scatters in parallel. With a reduction some are there twice.
        chosen = rng.permutation(places)[:count] if reduction == "none" else rng.integers(places, size=count)
        tuples = np.stack(np.unravel_index(chosen, sizes), axis=-1)
        tuples = np.where(rng.integers(2, size=tuples.shape) == 1, tuples - sizes, tuples)
        index = graph.input("index", tuples.reshape(indices).astype(np.int64))
        updates = uniform(rng, (*indices[:-1], *data[indices[-1] :]), 4).astype(dtype)
        y = graph.node("ScatterND", x, index, graph.input("updates", updates), reduction=reduction)
        graph.output("y", y, dtype)
        return graph

    return make


def composed_operators():
    """name, maker(rng)."""
    yield "einsum-matmul", einsum("bij,bjk->bik", (2, 3, 5), (2, 5, 4))
    yield "einsum-heads", einsum("btd,dhk->bhtk", (2, 3, 5), (5, 4, 2), dims=["batch", "time", 5])
    yield "einsum-heads-back", einsum("bhtk,hkd->btd", (2, 4, 3, 2), (4, 2, 5), dims=["batch", 4, "time", 2])
    yield "einsum-scores", einsum("bqhd, bkhd -> bhqk", (2, 3, 4, 5), (2, 6, 4, 5), dims=["batch", "time", 4, 5])
    yield "einsum-ellipsis", einsum("...ij,jk->...ki", (2, 3, 4, 5), (5, 2))
    yield "einsum-ellipsis-broadcast", einsum("...i,...i->...", (3, 1, 5), (1, 4, 5))
    yield "einsum-implicit", einsum("zb,ab", (3, 5), (4, 5))
    yield "einsum-outer", einsum("i,j->ji", (3,), (5,))
    yield "einsum-dot", einsum("bi,bi->b", (3, 5), (3, 5))
    yield "einsum-sum", einsum("bij->j", (2, 3, 5))
    yield "einsum-transpose", einsum("bij->jbi", (2, 3, 5))
    yield "einsum-three", einsum("bi,ij,bj->bj", (3, 4), (4, 5), (3, 5))
    yield "einsum-sums-apart", einsum("bix,ijy->bj", (2, 3, 4), (3, 5, 2))
    yield "einsum-integers", einsum_integers
    yield "hardmax", hardmax(13, -1)
    yield "hardmax-axis", hardmax(13, 1)
    yield "hardmax-opset11", hardmax(11, 1)
    yield "lp-normalization", single(22, (2, 3, 5), "LpNormalization")
    yield "lp-normalization-l1", single(11, (2, 3, 5), "LpNormalization", axis=1, p=1)
    yield "lp-normalization-zeros", norm_of_zeros
    yield "group-normalization", group_normalization(22, (2, 6, 5))
    yield "group-normalization-2d", group_normalization(22, (2, 4, 3, 5), ["batch", 4, "height", "width"])
    yield "group-normalization-opset18", group_normalization(18, (2, 6, 5), ["batch", 6, "time"])
    yield "mean-variance-normalization", mean_variance((2, 3, 4, 5))
    yield "mean-variance-normalization-axes", mean_variance((2, 3, 5), (-1,), axes=[-1])
    yield "is-inf", is_inf(20)
    yield "is-inf-negative", is_inf(11, detect_positive=0)
    yield "is-inf-positive", is_inf(20, detect_negative=0)
    yield "is-inf-neither", is_inf(20, detect_negative=0, detect_positive=0)
    yield "gather-nd", gather_nd((3, 5, 7), (2, 4, 2))
    yield "gather-nd-elements", gather_nd((3, 5), (4, 2))
    yield "gather-nd-rows", gather_nd((5, 3), (2, 1))
    yield "gather-nd-batch", gather_nd((3, 5, 7), (3, 1), batch_dims=1)
    yield "gather-nd-batches", gather_nd((2, 3, 5, 7), (2, 3, 4, 1), batch_dims=2, dtype=np.int32)
    yield "scatter-nd", scatter_nd("none", (4, 5, 3), (2, 3, 2))
    yield "scatter-nd-rows", scatter_nd("none", (6, 5), (4, 1))
    yield "scatter-nd-add", scatter_nd("add", (4, 3), (7, 1))
    yield "scatter-nd-mul", scatter_nd("mul", (2, 3), (7, 2), dtype=np.int32)
    yield "scatter-nd-max", scatter_nd("max", (3, 2), (7, 1))
    yield "scatter-nd-min", scatter_nd("min", (3, 2), (7, 1), dtype=np.int32)
