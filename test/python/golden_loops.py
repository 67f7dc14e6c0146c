"""ONNX models with Loop, Scan and If, with the outputs of onnxruntime.

Recurrent layers of Keras 3 as tf2onnx writes them, and graphs made by hand. Each model is also evaluated in
float64 by onnx's reference evaluator.

  pip install -r test/python/requirements-tf2onnx.txt
  python test/python/golden_loops.py            write test/golden/loops
  python test/python/golden_loops.py --check    compare a fresh run with the files
"""

import os

os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow"}

import golden_cases  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
import onnx  # noqa: E402
import onnxruntime  # noqa: E402
import tensorflow as tf  # noqa: E402
import tf2onnx  # noqa: E402
from keras import layers  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from onnx.reference.op_run import OpRun  # noqa: E402
from onnx_graph import IR_VERSIONS, Graph, evaluate, evaluate64, farthest, uniform  # noqa: E402

LARGEST_DISTANCE = 1e-5
FEATURES = 3
TIMESTEPS = 7


# Loop and Scan in full: those of onnx.reference join what they should stack, and know one axis and direction.


class Loop(OpRun):
    op_domain = ""

    def need_context(self):
        return True

    def _run(self, count, condition, *states, context=None, body=None, attributes=None):
        body, states, collected = self.body, list(states), None
        going, step = condition is None or bool(condition), 0
        while going and (count is None or step < count):
            values = [np.array(step, np.int64), np.array(True), *states]
            going, *outputs = body.run(None, {**(context or {}), **dict(zip(body.input_names, values))})
            states, rest = outputs[: len(states)], outputs[len(states) :]
            collected = [[] for _ in rest] if collected is None else collected
            for values, one in zip(collected, rest):
                values.append(one)
            step += 1
        return (*states, *(np.stack(values) for values in collected or []))


class Scan(OpRun):
    op_domain = ""

    def need_context(self):
        return True

    def _run(self, *inputs, context=None, body=None, num_scan_inputs=None, scan_input_axes=None, scan_input_directions=None,
             scan_output_axes=None, scan_output_directions=None, attributes=None):
        body, first = self.body, len(inputs) - num_scan_inputs
        states, scanned = list(inputs[:first]), inputs[first:]
        slices = [
            np.flip(np.moveaxis(value, axis, 0), 0) if backwards else np.moveaxis(value, axis, 0)
            for value, axis, backwards in zip(scanned, scan_input_axes, scan_input_directions)
        ]
        collected = None
        for step in zip(*slices):
            outputs = body.run(None, {**(context or {}), **dict(zip(body.input_names, [*states, *step]))})
            states, rest = outputs[:first], outputs[first:]
            collected = [[] for _ in rest] if collected is None else collected
            for values, one in zip(collected, rest):
                values.append(one)
        results = [
            np.moveaxis(np.stack(values[::-1] if backwards else values), 0, axis)
            for values, axis, backwards in zip(collected, scan_output_axes, scan_output_directions)
        ]
        return (*states, *results)


# Keras 3, through tf2onnx.


def keras_cases():
    """name, rows, layers, timesteps that the model says."""
    yield "gru", {2, 35, 36}, [layers.GRU(5, return_sequences=True)], None
    yield "gru-last", {2, 5, 35, 36}, [layers.GRU(5), layers.Dense(2)], None
    yield "gru-fixed", {2, 35, 36}, [layers.GRU(4, return_sequences=True)], TIMESTEPS
    yield "gru-no-bias", {2, 24, 35, 36}, [layers.GRU(5, use_bias=False, return_sequences=True)], None
    yield "gru-before", {2, 35}, [layers.GRU(5, reset_after=False, return_sequences=True)], None
    yield "gru-relu", {2, 23, 35, 36}, [layers.GRU(5, activation="relu", return_sequences=True)], None
    yield "gru-backwards", {2, 10, 35, 36}, [layers.GRU(5, go_backwards=True, return_sequences=True)], None
    yield "gru-bidirectional", {2, 11, 35, 36}, [layers.Bidirectional(layers.GRU(5, return_sequences=True))], None
    yield (
        "gru-stacked",
        {2, 13, 35, 36},
        [layers.GRU(5, return_sequences=True), layers.GRU(4, return_sequences=True), layers.Dense(3)],
        None,
    )
    yield (
        "lstm-hard-sigmoid",
        {2, 23},
        [layers.LSTM(5, recurrent_activation="hard_sigmoid", return_sequences=True)],
        None,
    )
    yield "lstm-masked", {2, 25}, [layers.Masking(), layers.LSTM(5, return_sequences=True)], None
    yield "lstm-masked-last", {2, 5, 25}, [layers.Masking(), layers.LSTM(5)], None
    yield "gru-masked", {2, 25, 35, 36}, [layers.Masking(), layers.GRU(5, return_sequences=True)], None
    yield "rnn", {2, 37}, [layers.SimpleRNN(5, return_sequences=True)], None
    yield "rnn-relu", {2, 5, 23, 37}, [layers.SimpleRNN(5, activation="relu")], None
    yield (
        "lstm-cells",
        {2, 13},
        [layers.RNN([layers.LSTMCell(5), layers.LSTMCell(4)], return_sequences=True)],
        None,
    )


def add_keras(golden):
    for seed, (name, rows, parts, timesteps) in enumerate(keras_cases()):
        rng = np.random.default_rng(100 + seed)
        model = keras.Sequential([keras.Input((timesteps, FEATURES)), *parts])
        model.set_weights([uniform(rng, weight.shape, 0.7) for weight in model.get_weights()])
        x = uniform(rng, (2, TIMESTEPS, FEATURES), 1.5)
        if "masked" in name:
            x[0, 2] = x[0, 5:] = x[1, :1] = 0
        spec = [tf.TensorSpec((None, timesteps, FEATURES), tf.float32, name="x")]
        exported, _ = tf2onnx.convert.from_function(
            tf.function(lambda values, model=model: model(values, training=False)),
            input_signature=spec,
            opset=17,
            output_path=golden.directory / f"keras3-{name}.onnx",
        )
        outputs = add_model(golden, f"keras3-{name}", exported, {"x": x}, rows, {"exporter": "tf2onnx"})
        [output] = outputs.values()
        assert np.allclose(output, model(x).numpy(), rtol=0, atol=LARGEST_DISTANCE), name


# Graphs made by hand.


def value(name, kind=TensorProto.FLOAT, shape=None):
    return helper.make_tensor_value_info(name, kind, shape)


def constant(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def body(nodes, inputs, outputs, constants=()):
    return helper.make_graph(nodes, "body", inputs, outputs, list(constants))


def steps_of(graph, x, axis=0):
    """How many steps a value has, int64 []."""
    return graph.node("Gather", graph.node("Shape", x), np.array(axis), axis=0)


def leaky_sum(rng):
    """A state, a counter and two collected values; x, a factor and a weight come from around the loop."""
    graph = Graph(17)
    x = graph.input("x", uniform(rng, (5, 2, 3), 1), ["time", "batch", 3])
    first = graph.input("first", uniform(rng, (2, 3), 1), ["batch", 3])
    factor = graph.constant(np.float32(0.8))
    weight = graph.constant(uniform(rng, (3, 3), 1))
    inner = body(
        [
            helper.make_node("Gather", [x, "i"], ["x_t"]),
            helper.make_node("MatMul", ["x_t", weight], ["product"]),
            helper.make_node("Mul", ["h", factor], ["decayed"]),
            helper.make_node("Sub", ["product", "decayed"], ["h_next"]),
            helper.make_node("Add", ["count", "two"], ["count_next"]),
            helper.make_node("Cast", ["count"], ["count_float"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["h_next", "count_float"], ["scaled"]),
            helper.make_node("Identity", ["going"], ["going_on"]),
            helper.make_node("Identity", ["h_next"], ["h_out"]),
        ],
        [value("i", TensorProto.INT64, []), value("going", TensorProto.BOOL, []), value("h"), value("count", TensorProto.INT64, [])],
        [value("going_on", TensorProto.BOOL, []), value("h_out"), value("count_next", TensorProto.INT64, []), value("scaled"), value("x_t")],
        [constant("two", np.int64(2))],
    )
    h, count, scaled, copied = graph.node(
        "Loop", steps_of(graph, x), np.array(True), first, np.int64(1), outputs=["h_last", "count_last", "all", "copied"], body=inner
    )
    for name, kind in ((h, np.float32), (count, np.int64), (scaled, np.float32), (copied, np.float32)):
        graph.output(name, dtype=kind)
    return graph


def fibonacci(rng):
    """What comes next of one state is what the other was; a condition counts as well."""
    graph = Graph(13)
    a = graph.input("a", uniform(rng, (3,), 1), ["n"])
    b = graph.input("b", uniform(rng, (3,), 1), ["n"])
    inner = body(
        [
            helper.make_node("Add", ["a_in", "b_in"], ["sum"]),
            helper.make_node("Identity", ["b_in"], ["a_out"]),
            helper.make_node("Add", ["k", "one"], ["k_out"]),
            helper.make_node("Less", ["k_out", "six"], ["going_on"]),
        ],
        [value("i", TensorProto.INT64, []), value("going", TensorProto.BOOL, []), value("a_in"), value("b_in"), value("k", TensorProto.INT64, [])],
        [value("going_on", TensorProto.BOOL, []), value("a_out"), value("sum"), value("k_out", TensorProto.INT64, [])],
        [constant("one", np.int64(1)), constant("six", np.int64(6))],
    )
    last = graph.node("Loop", np.int64(100), "", a, b, np.int64(2), outputs=["a_last", "b_last", "k_last"], body=inner)
    for name, kind in zip(last, (np.float32, np.float32, np.int64), strict=True):
        graph.output(name, dtype=kind)
    return graph


def nested(rng):
    """A loop in a loop: the inner one as often as the outer one has come."""
    graph = Graph(17)
    x = graph.input("x", uniform(rng, (4, 3), 0.5), ["time", 3])
    inner = body(
        [
            helper.make_node("Gather", [x, "j"], ["x_j"]),
            helper.make_node("Mul", ["s", "x_j"], ["product"]),
            helper.make_node("Add", ["product", "row"], ["s_next"]),
            helper.make_node("Identity", ["go"], ["go_on"]),
        ],
        [value("j", TensorProto.INT64, []), value("go", TensorProto.BOOL, []), value("s")],
        [value("go_on", TensorProto.BOOL, []), value("s_next"), value("product")],
    )
    outer = body(
        [
            helper.make_node("Gather", [x, "i"], ["row"]),
            helper.make_node("Loop", ["three", "", "t"], ["t_next", "products"], body=inner),
            helper.make_node("ReduceSum", ["products"], ["total"], keepdims=0),
            helper.make_node("Identity", ["going"], ["going_on"]),
        ],
        [value("i", TensorProto.INT64, []), value("going", TensorProto.BOOL, []), value("t")],
        [value("going_on", TensorProto.BOOL, []), value("t_next"), value("total")],
        [constant("three", np.int64(3))],
    )
    zeros = graph.node("ConstantOfShape", np.array([3]), value=constant("zero", np.float32([0])))
    graph.node("Loop", steps_of(graph, x), "", zeros, outputs=["last", "totals"], body=outer)
    graph.output("last")
    graph.output("totals")
    return graph


def scan(rng, opset, directions, axes, output_directions, output_axes):
    """Two states, two scanned inputs, two collected outputs, and a weight from around the body."""
    graph = Graph(opset)
    x = graph.input("x", uniform(rng, (5, 2, 3) if axes[0] == 0 else (2, 5, 3), 1), ["a", "b", 3])
    u = graph.input("u", uniform(rng, (5, 2) if axes[1] == 0 else (2, 5), 1), ["a", "b"] if axes[0] == axes[1] % 2 else ["b", "a"])
    h = graph.input("h", uniform(rng, (2, 3), 1), None)
    s = graph.input("s", uniform(rng, (2,), 1), None)
    weight = graph.constant(uniform(rng, (3, 3), 0.7))
    inner = body(
        [
            helper.make_node("MatMul", ["h_in", weight], ["product"]),
            helper.make_node("Add", ["product", "x_t"], ["sum"]),
            helper.make_node("Tanh", ["sum"], ["h_out"]),
            helper.make_node("Mul", ["s_in", "half"], ["part"]),
            helper.make_node("Sub", ["u_t", "part"], ["s_out"]),
            helper.make_node("Identity", ["h_out"], ["y_t"]),
            helper.make_node("Exp", ["s_out"], ["e_t"]),
        ],
        [value("h_in"), value("s_in"), value("x_t"), value("u_t")],
        [value("h_out"), value("s_out"), value("y_t"), value("e_t")],
        [constant("half", np.float32(0.5))],
    )
    graph.node(
        "Scan", h, s, x, u, outputs=["h_last", "s_last", "y", "e"], body=inner, num_scan_inputs=2, scan_input_directions=directions, scan_input_axes=axes,
        scan_output_directions=output_directions, scan_output_axes=output_axes,
    )
    for name in ("h_last", "s_last", "y", "e"):
        graph.output(name)
    return graph


def chosen(rng, timesteps):
    """Which branch is taken follows from the number of steps; both read a value and a weight around them."""
    graph = Graph(17)
    x = graph.input("x", uniform(rng, (timesteps, 3), 1), ["time", 3])
    weight = graph.constant(uniform(rng, (3, 4), 1))
    doubled = graph.node("Mul", x, np.float32(2))
    then = helper.make_graph(
        [helper.make_node("MatMul", [doubled, weight], ["p"]), helper.make_node("Tanh", ["p"], ["q"])], "then", [], [value("q"), value("p")]
    )
    otherwise = helper.make_graph(
        [
            helper.make_node("MatMul", [x, weight], ["r"]),
            helper.make_node("Slice", ["r", "from", "to", "axis"], ["t"]),
        ],
        "else", [], [value("r"), value("t")],
        [constant("from", np.array([0])), constant("to", np.array([1])), constant("axis", np.array([0]))],
    )
    is_long = graph.node("Greater", steps_of(graph, x), np.array(3))
    graph.node("If", is_long, outputs=["y", "z"], then_branch=then, else_branch=otherwise)
    graph.output("y")
    graph.output("z")
    return graph


def graphs():
    yield "loop-states", leaky_sum
    yield "loop-swapped", fibonacci
    yield "loop-nested", nested
    yield "scan-opset9", lambda rng: scan(rng, 9, [0, 0], [0, 0], [0, 0], [0, 0])
    yield "scan-backwards", lambda rng: scan(rng, 11, [1, 1], [0, 0], [1, 0], [0, 0])
    yield "scan-axes", lambda rng: scan(rng, 16, [0, 1], [1, 1], [0, 1], [1, 1])
    yield "scan-axes-from-the-end", lambda rng: scan(rng, 17, [1, 0], [1, -1], [1, 1], [2, -1])
    yield "if-long", lambda rng: chosen(rng, 5)
    yield "if-short", lambda rng: chosen(rng, 2)


def model_of(graph):
    """Without the check, which wants shapes that nobody knows beforehand; onnxruntime checks."""
    return helper.make_model(
        helper.make_graph(graph.nodes, "golden", graph.inputs, graph.outputs, graph.initializers),
        opset_imports=[helper.make_opsetid("", graph.opset)],
        ir_version=IR_VERSIONS[graph.opset],
        producer_name="golden_loops",
    )


def add_graphs(golden):
    for seed, (name, make) in enumerate(graphs()):
        graph = make(np.random.default_rng(500 + seed))
        model = model_of(graph)
        onnx.save(model, golden.directory / f"{name}.onnx")
        add_model(golden, name, model, graph.feeds, set(), {})


def add_model(golden, name, model, feeds, rows, options):
    path = golden.directory / f"{name}.onnx"
    outputs = evaluate(path, feeds, "onnxruntime")
    exact = evaluate64(model, feeds, [Loop, Scan])
    assert farthest(outputs, exact) < LARGEST_DISTANCE, name
    opset = next(entry.version for entry in model.opset_import if entry.domain == "")
    golden.add(name, path.name, rows=rows, options={"opset": opset, **options}, calls=[(feeds, outputs, exact)])
    return outputs


def generate(directory):
    versions = {
        "onnx": onnx.__version__,
        "onnxruntime": onnxruntime.__version__,
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "tf2onnx": tf2onnx.__version__,
    }
    golden = golden_cases.Golden(directory, "onnxruntime", versions)
    add_keras(golden)
    add_graphs(golden)
    return golden


if __name__ == "__main__":
    golden_cases.main(__doc__, "loops", generate)
