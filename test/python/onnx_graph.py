"""Builds ONNX models and evaluates them: as they are, and in float64."""

import copy
import itertools

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

# An IR version of the opset's time. Before 4, initializers had to be inputs of the graph too.
IR_VERSIONS = {7: 3, 9: 4, 11: 6, 12: 7, 13: 7, 14: 7, 16: 8, 17: 8, 18: 8, 20: 9, 22: 10}

ACTIVATIONS = {
    "Relu": lambda x, a, b: np.maximum(x, 0),
    "Tanh": lambda x, a, b: np.tanh(x),
    "Sigmoid": lambda x, a, b: 1 / (1 + np.exp(-x)),
    "Affine": lambda x, a, b: a * x + b,
    "LeakyRelu": lambda x, a, b: np.where(x < 0, a * x, x),
    "ThresholdedRelu": lambda x, a, b: np.where(x >= a, x, 0),
    "ScaledTanh": lambda x, a, b: a * np.tanh(b * x),
    "HardSigmoid": lambda x, a, b: np.clip(a * x + b, 0, 1),
    "Elu": lambda x, a, b: np.where(x < 0, a * (np.exp(x) - 1), x),
    "Softsign": lambda x, a, b: x / (1 + np.abs(x)),
    "Softplus": lambda x, a, b: np.log1p(np.exp(x)),
}
ALPHA = {"Affine": 1, "LeakyRelu": 0.01, "ThresholdedRelu": 1, "ScaledTanh": 1}
ALPHA |= {"HardSigmoid": 0.2, "Elu": 1}
BETA = {"Affine": 0, "ScaledTanh": 1, "HardSigmoid": 0.5}


def bound_activations(names, alphas, betas):
    """Functions of one argument. alphas and betas have one value for each name that takes one."""
    alphas, betas = list(alphas or []), list(betas or [])
    bound = []
    for name in names:
        alpha = alphas.pop(0) if alphas and name in ALPHA else ALPHA.get(name)
        beta = betas.pop(0) if betas and name in BETA else BETA.get(name)
        bound.append(lambda x, f=ACTIVATIONS[name], a=alpha, b=beta: f(x, a, b))
    return bound


class LSTM(OpRun):
    """The whole operator, in the type of its input: the one in onnx leaves most attributes out."""

    op_domain = ""

    def _run(
        self, x, w, r, b=None, sequence_lens=None, initial_h=None, initial_c=None, p=None, **options
    ):
        layout = options["layout"] or 0
        if layout:
            x, initial_h, initial_c = (
                part if part is None else np.swapaxes(part, 0, 1)
                for part in (x, initial_h, initial_c)
            )
        steps, batch, _ = x.shape
        directions, hidden = w.shape[0], r.shape[2]
        b = np.zeros((directions, 8 * hidden)) if b is None else b
        p = np.zeros((directions, 3 * hidden)) if p is None else p
        lens = [steps] * batch if sequence_lens is None else sequence_lens
        y = np.zeros((steps, directions, batch, hidden), x.dtype)
        y_h = np.zeros((directions, batch, hidden), x.dtype)
        y_c = np.zeros_like(y_h)
        functions = bound_activations(
            options["activations"] or ["Sigmoid", "Tanh", "Tanh"] * directions,
            options["activation_alpha"],
            options["activation_beta"],
        )
        clip = options["clip"] or np.inf

        for d, n in itertools.product(range(directions), range(batch)):
            f, g, h = functions[3 * d : 3 * d + 3]
            p_i, p_o, p_f = np.split(p[d], 3)
            hidden_state = np.zeros(hidden) if initial_h is None else initial_h[d, n]
            cell_state = np.zeros(hidden) if initial_c is None else initial_c[d, n]
            times = range(lens[n])
            for t in reversed(times) if options["direction"] == "reverse" or d else times:
                sums = w[d] @ x[t, n] + r[d] @ hidden_state + sum(np.split(b[d], 2))
                i, o, forget, candidate = np.split(sums, 4)
                i = f(np.clip(i + p_i * cell_state, -clip, clip))
                if options["input_forget"]:
                    forget = 1 - i
                else:
                    forget = f(np.clip(forget + p_f * cell_state, -clip, clip))
                candidate = g(np.clip(candidate, -clip, clip))
                cell_state = forget * cell_state + i * candidate
                o = f(np.clip(o + p_o * cell_state, -clip, clip))
                hidden_state = o * h(cell_state)
                y[t, d, n] = hidden_state
            # Without a step these stay zeros, whatever the initial state: as onnxruntime has it.
            if lens[n]:
                y_h[d, n], y_c[d, n] = hidden_state, cell_state
        if layout:
            y, y_h, y_c = y.transpose(2, 0, 1, 3), y_h.swapaxes(0, 1), y_c.swapaxes(0, 1)
        return (y, y_h, y_c)[: len(self.onnx_node.output)]


class Graph:
    """Builds a model. Constants are given as arrays, among the inputs of the node that has them."""

    def __init__(self, opset, constant_nodes=False):
        self.opset = opset
        self.constant_nodes = constant_nodes
        self.nodes, self.initializers, self.inputs, self.outputs = [], [], [], []
        self.feeds = {}
        self.count = itertools.count()

    def input(self, name, value, dims=None):
        """A graph input fed with `value`; `dims` are its shape in the file, names where free."""
        value = np.asarray(value)
        kind = helper.np_dtype_to_tensor_dtype(value.dtype)
        self.inputs.append(helper.make_tensor_value_info(name, kind, dims or value.shape))
        self.feeds[name] = value
        return name

    def constant(self, value):
        name = f"constant_{next(self.count)}"
        tensor = numpy_helper.from_array(np.asarray(value), name)
        if self.constant_nodes:
            self.nodes.append(helper.make_node("Constant", [], [name], value=tensor))
        else:
            self.initializers.append(tensor)
        return name

    def node(self, operator, *inputs, outputs=1, **attributes):
        """Adds a node. `outputs` is how many, or their names. Gives the output or a list."""
        if isinstance(outputs, int):
            outputs = [f"{operator.lower()}_{next(self.count)}" for _ in range(outputs)]
        names = [part if isinstance(part, str) else self.constant(part) for part in inputs]
        label = f"node_{next(self.count)}"
        self.nodes.append(helper.make_node(operator, names, outputs, name=label, **attributes))
        return outputs if len(outputs) > 1 else outputs[0]

    def output(self, name, source=None, dtype=np.float32):
        """Makes the value `name` an output, copied from `source` if that is given."""
        if source is not None:
            self.nodes.append(helper.make_node("Identity", [source], [name]))
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        self.outputs.append(helper.make_tensor_value_info(name, kind, None))

    def model(self):
        inputs = list(self.inputs)
        if IR_VERSIONS[self.opset] < 4:
            inputs += [
                helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
                for tensor in self.initializers
            ]
        graph = helper.make_graph(self.nodes, "golden", inputs, self.outputs, self.initializers)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", self.opset)],
            ir_version=IR_VERSIONS[self.opset],
            producer_name="golden_onnx",
        )
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
        del model.graph.output[:]
        model.graph.output.extend(inferred.graph.output)
        onnx.checker.check_model(model)
        return model


def double_tensor(tensor):
    if tensor.data_type in (TensorProto.FLOAT, TensorProto.FLOAT16):
        values = numpy_helper.to_array(tensor).astype(np.float64)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


def double_graph(graph):
    for tensor in graph.initializer:
        double_tensor(tensor)
    for value in (*graph.input, *graph.output, *graph.value_info):
        if value.type.tensor_type.elem_type in (TensorProto.FLOAT, TensorProto.FLOAT16):
            value.type.tensor_type.elem_type = TensorProto.DOUBLE
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.i in (TensorProto.FLOAT, TensorProto.FLOAT16):
                attribute.i = TensorProto.DOUBLE
            double_tensor(attribute.t)
            double_graph(attribute.g)


def evaluate64(model, feeds, operators=()):
    """The outputs by name, all floating point numbers in float64; `operators` stand for those of onnx, besides LSTM."""
    model = copy.deepcopy(model)
    double_graph(model.graph)
    feeds = {
        key: value.astype(np.float64) if value.dtype.kind == "f" else value
        for key, value in feeds.items()
    }
    results = ReferenceEvaluator(model, new_ops=[LSTM, *operators]).run(None, feeds)
    return {output.name: value for output, value in zip(model.graph.output, results)}


def evaluate(path, feeds, evaluator):
    names = [output.name for output in onnx.load(path).graph.output]
    if evaluator == "onnxruntime":
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return dict(zip(names, session.run(names, feeds)))
    return dict(zip(names, ReferenceEvaluator(onnx.load(path)).run(names, feeds)))


def farthest(left, right):
    return max(
        np.abs(left[key].astype(np.float64) - right[key]).max() for key in left if left[key].size
    )


def uniform(rng, shape, scale):
    return rng.uniform(-scale, scale, shape).astype(np.float32)
