"""ONNX models as onnxruntime's own quantisers write them, with the outputs of onnxruntime for the file and for the float32 model it was made of.

  python test/python/golden_quantized.py            write test/golden/quantized
"""

import json
import logging
import os
import platform
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from safetensors.numpy import save_file

logging.disable(logging.WARNING)
FOLDER = Path(__file__).parent.parent / "golden" / "quantized"
OPSET = 17


def uniform(rng, *shape):
    """Weights of a layer with as many inputs as the last axis but one."""
    bound = 1 / np.sqrt(shape[-1])
    return rng.uniform(-bound, bound, shape).astype(np.float32)


def model(nodes, inputs, outputs, weights):
    ports = lambda named: [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in named.items()]
    initializers = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "g", ports(inputs), ports(outputs), initializers)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10, producer_name="golden_quantized")
    onnx.checker.check_model(made)
    return made


def lstm(rng, features, units, direction="forward", peepholes=False, states=False, offset=0.0):
    """An LSTM. `offset` moves the weights, so that their zero points are far from the middle."""
    d = 2 if direction == "bidirectional" else 1
    weights = {"W": uniform(rng, d, 4 * units, features) + np.float32(offset), "R": uniform(rng, d, 4 * units, units), "B": uniform(rng, d, 8 * units)}
    # Channels of different sizes tell whose scale is whose.
    weights["W"] *= rng.uniform(0.3, 1, (d, 4 * units, 1)).astype(np.float32)
    weights["R"] *= rng.uniform(0.3, 1, (d, 4 * units, 1)).astype(np.float32)
    inputs = {"x": ["steps", "batch", features]}
    names = ["x", "W", "R", "B"]
    if states or peepholes:
        names += ["", "h", "c"]
        inputs |= {"h": [d, "batch", units], "c": [d, "batch", units]}
    if peepholes:
        names.append("P")
        weights["P"] = uniform(rng, d, 3 * units)
    node = helper.make_node("LSTM", names, ["y", "y_h", "y_c"], name="lstm", hidden_size=units, direction=direction)
    outputs = {"y": ["steps", d, "batch", units], "y_h": [d, "batch", units], "y_c": [d, "batch", units]}
    x = {"x": rng.uniform(-1, 1, (9, 3, features)).astype(np.float32)}
    x |= {name: rng.uniform(-1, 1, (d, 3, units)).astype(np.float32) for name in ("h", "c") if name in inputs}
    return model([node], inputs, outputs, weights), x


def dense(rng, features, units, outputs):
    """MatMul with a bias, a function, and one without."""
    nodes = [
        helper.make_node("MatMul", ["x", "W1"], ["product"], name="first"),
        helper.make_node("Add", ["product", "b1"], ["sum"]),
        helper.make_node("Tanh", ["sum"], ["hidden"]),
        helper.make_node("MatMul", ["hidden", "W2"], ["y"], name="second"),
    ]
    scales = rng.uniform(0.3, 1, (1, units)).astype(np.float32)
    weights = {"W1": uniform(rng, units, features).T.copy() * scales, "b1": uniform(rng, units), "W2": uniform(rng, outputs, units).T.copy()}
    x = {"x": rng.uniform(-1, 1, (2, 7, features)).astype(np.float32)}
    return model(nodes, {"x": ["batch", "steps", features]}, {"y": ["batch", "steps", outputs]}, weights), x


def gemm(rng, features, units, outputs):
    nodes = [
        helper.make_node("Gemm", ["x", "W1", "b1"], ["sum"], name="first", transB=1),
        helper.make_node("Relu", ["sum"], ["hidden"]),
        helper.make_node("Gemm", ["hidden", "W2", "b2"], ["y"], name="second"),
    ]
    weights = {"W1": uniform(rng, units, features), "b1": uniform(rng, units), "W2": uniform(rng, outputs, units).T.copy(), "b2": uniform(rng, outputs)}
    x = {"x": rng.uniform(-1, 1, (13, features)).astype(np.float32)}
    return model(nodes, {"x": ["batch", features]}, {"y": ["batch", outputs]}, weights), x


def conv(rng, channels, filters, taps):
    nodes = [helper.make_node("Conv", ["x", "W", "b"], ["y"], name="conv", kernel_shape=[taps], pads=[1, 1], strides=[2])]
    weights = {"W": uniform(rng, filters, channels, taps) / np.float32(2), "b": uniform(rng, filters)}
    weights["W"] *= rng.uniform(0.3, 1, (filters, 1, 1)).astype(np.float32)
    x = {"x": rng.uniform(-1, 1, (2, channels, 21)).astype(np.float32)}
    return model(nodes, {"x": ["batch", channels, "steps"]}, {"y": ["batch", filters, "out"]}, weights), x


class Calibration(CalibrationDataReader):
    def __init__(self, inputs):
        self.left = [inputs]

    def get_next(self):
        return self.left.pop() if self.left else None


def run(made, inputs):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(made.SerializeToString(), options)
    return dict(zip([output.name for output in session.get_outputs()], session.run(None, inputs)))


def quantized(made, folder, inputs, static=None, optimised=False, **settings):
    source, target = str(folder / "float.onnx"), str(folder / "int8.onnx")
    onnx.save(made, source)
    if static is None:
        quantize_dynamic(source, target, **settings)
    else:
        quantize_static(source, target, Calibration(inputs), quant_format=static, **settings)
    if optimised:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(folder / "optimised.onnx")
        onnxruntime.InferenceSession(target, options)
        target = options.optimized_model_filepath
    return onnx.load(target)


def four_bits(rng, k, n, block, with_zeros):
    """A MatMulNBits, whose float32 model has the weights that its integers stand for."""
    blocks = -(-k // block)
    q = rng.integers(0, 16, (n, blocks * block)).astype(np.uint8)
    scales = rng.uniform(0.005, 0.02, (n, blocks)).astype(np.float32)
    zeros = rng.integers(0, 16, (n, blocks)).astype(np.uint8) if with_zeros else np.full((n, blocks), 8, np.uint8)
    w = (q.reshape(n, blocks, block).astype(np.float32) - zeros[..., None]) * scales[..., None]
    pack = lambda a: (a[..., 0::2] | (a[..., 1::2] << 4)).astype(np.uint8)
    even = np.concatenate([zeros, np.zeros((n, blocks % 2), np.uint8)], axis=1)
    weights = {"B": pack(q).reshape(n, blocks, block // 2), "scales": scales.reshape(-1)}
    if with_zeros:
        weights["zeros"] = pack(even).reshape(-1)
    node = helper.make_node("MatMulNBits", ["x", *weights], ["y"], domain="com.microsoft", K=k, N=n, bits=4, block_size=block)
    initializers = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    ports = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", k])], [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", n])]
    graph = helper.make_graph([node], "g", *ports, initializers)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    x = {"x": rng.uniform(-1, 1, (5, k)).astype(np.float32)}
    return made, x, {"y": x["x"] @ w.reshape(n, -1)[:, :k].T}


def blocked(rng, k, n, block):
    """A DequantizeLinear with a scale for each block along k, in front of a MatMul."""
    q = rng.integers(-128, 128, (k, n)).astype(np.int8)
    scales = rng.uniform(0.0005, 0.002, (-(-k // block), n)).astype(np.float32)
    zeros = rng.integers(-9, 9, scales.shape).astype(np.int8)
    w = (q.astype(np.float32) - np.repeat(zeros, block, axis=0)[:k]) * np.repeat(scales, block, axis=0)[:k]
    nodes = [helper.make_node("DequantizeLinear", ["q", "scales", "zeros"], ["w"], axis=0, block_size=block), helper.make_node("MatMul", ["x", "w"], ["y"])]
    initializers = [numpy_helper.from_array(value, name) for name, value in (("q", q), ("scales", scales), ("zeros", zeros))]
    ports = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", k])], [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", n])]
    made = helper.make_model(helper.make_graph(nodes, "g", *ports, initializers), opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    x = {"x": rng.uniform(-1, 1, (5, k)).astype(np.float32)}
    return made, x, {"y": x["x"] @ w}


def integer_lstm(rng, features, units, per_channel, zero):
    """A DynamicQuantizeLSTM of uint8 weights with zero points at and around `zero`; its float32 model has the same weights."""
    made, x = lstm(rng, features, units)
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in made.graph.initializer}
    quantised = {}
    for name in ("W", "R"):
        w = weights[name].transpose(0, 2, 1)
        shape = (1, 4 * units) if per_channel else (1,)
        zeros = np.full(shape, zero, np.uint8)
        scales = (np.abs(w).max(axis=(1, 2) if not per_channel else 1) / (110 if zero == 128 else 150)).astype(np.float32)
        spread = (lambda a: a[:, None, :]) if per_channel else (lambda a: a[:, None, None])
        q = np.clip(np.round(w / spread(scales)) + spread(zeros.astype(np.int32)), 0, 255).astype(np.uint8)
        weights[name] = ((q.astype(np.float32) - spread(zeros.astype(np.float32))) * spread(scales)).transpose(0, 2, 1).copy()
        quantised |= {name: np.ascontiguousarray(q), f"{name}_scale": scales, f"{name}_zero": zeros}
    node = helper.make_node("DynamicQuantizeLSTM", ["x", "W", "R", "B", "", "", "", "", "W_scale", "W_zero", "R_scale", "R_zero"], ["y", "y_h", "y_c"], name="lstm", domain="com.microsoft", hidden_size=units)
    initializers = [numpy_helper.from_array(value, name) for name, value in {**quantised, "B": weights["B"]}.items()]
    graph = helper.make_graph([node], "g", made.graph.input, made.graph.output, initializers)
    exact = onnx.ModelProto.FromString(made.SerializeToString())
    del exact.graph.initializer[:]
    exact.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in weights.items())
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10), x, run(exact, x)


def pair(rng, kind, axis=None):
    """QuantizeLinear and DequantizeLinear of an input, with values on the halves, and beyond the bounds."""
    size = 5
    scales = np.float32(0.25) if axis is None else rng.uniform(0.1, 0.5, size).astype(np.float32)
    zeros = rng.integers(3, 20, np.shape(scales)).astype(kind)
    weights = {"scale": np.asarray(scales), "zero": np.asarray(zeros)}
    settings = {} if axis is None else {"axis": axis}
    nodes = [helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"], **settings), helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["y"], **settings)]
    x = {"x": (rng.integers(-600, 600, (2, size, 7)) / 8).astype(np.float32)}
    return model(nodes, {"x": ["batch", size, "steps"]}, {"y": ["batch", size, "steps"]}, weights), x, None


def packed(values):
    """Integers of 4 bits, two in a byte."""
    flat = np.append(values.reshape(-1), np.zeros(values.size % 2, values.dtype)).astype(np.int32) & 15
    return (flat[0::2] | (flat[1::2] << 4)).astype(np.uint8).tobytes()


def halves(rng, kind, axis, block, as_field=False):
    """A DequantizeLinear of integers of 4 bits in front of a MatMul: in blocks, by column, or with one scale."""
    k, n = 22, 7
    signed = kind == TensorProto.INT4
    draw = lambda shape: rng.integers(*((-8, 8) if signed else (0, 16)), shape).astype(np.int8)
    q = draw((k, n))
    shape = (-(-k // block), n) if block else (n,) if axis is not None else ()
    scales = rng.uniform(0.01, 0.05, shape).astype(np.float32)
    zeros = draw(shape)
    spread = (lambda a: np.repeat(a, block, axis=0)[:k]) if block else (lambda a: a)
    w = (q.astype(np.float32) - spread(zeros)) * spread(scales)
    settings = ({"axis": axis} if axis is not None else {}) | ({"block_size": block} if block else {})
    nodes = [helper.make_node("DequantizeLinear", ["q", "scales", "zeros"], ["w"], **settings), helper.make_node("MatMul", ["x", "w"], ["y"])]

    def tensor(name, values):
        if not as_field:
            return helper.make_tensor(name, kind, values.shape, packed(values), raw=True)
        made = TensorProto(name=name, data_type=kind, dims=values.shape)
        made.int32_data.extend(packed(values))
        return made

    initializers = [tensor("q", q), numpy_helper.from_array(scales, "scales"), tensor("zeros", zeros)]
    ports = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", k])], [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", n])]
    made = helper.make_model(helper.make_graph(nodes, "g", *ports, initializers), opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    x = {"x": rng.uniform(-1, 1, (5, k)).astype(np.float32)}
    return made, x, {"y": x["x"] @ w}


def integers(nodes, weights, x, outputs, domains=("",), opset=OPSET):
    """A model of integers: inputs, weights and outputs as they are. onnxruntime's numbers are what counts."""
    port = lambda name, value: helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), [f"{name}_{n}" if n == 0 else size for n, size in enumerate(value.shape)])
    out = [helper.make_tensor_value_info(name, kind, None) for name, kind in outputs.items()]
    initializers = [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "g", [port(name, value) for name, value in x.items()], out, initializers)
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains if domain)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10), x, None


def bytes_of(rng, kind, *shape):
    info = np.iinfo(kind)
    return rng.integers(info.min, info.max + 1, shape).astype(kind)


def around(rng, kind, *shape):
    """Zero points of a type."""
    return np.asarray(rng.integers(*((100, 150) if kind == np.uint8 else (-20, 20)), shape)).astype(kind)


def spread_scales(rng, count, low=0.001, high=0.01):
    return rng.uniform(low, high, count if count > 1 else ()).astype(np.float32)


def q_mat_mul(rng, a, b, k, n, per_column=False, dynamic=False):
    """QLinearMatMul; `dynamic`: b flows in as well."""
    count = n if per_column else 1
    weights = {
        "as": np.float32(0.02), "az": around(rng, a), "b": bytes_of(rng, b, k, n), "bs": spread_scales(rng, count), "bz": around(rng, b, *([n] if per_column else [])),
        "ys": np.float32(0.00021 * k), "yz": around(rng, a),
    }
    x = {"x": bytes_of(rng, a, 3, 4, k)}
    if dynamic:
        x = {"x": bytes_of(rng, a, 2, 4, k), "b": weights.pop("b")}
    node = helper.make_node("QLinearMatMul", ["x", "as", "az", "b", "bs", "bz", "ys", "yz"], ["y"])
    return integers([node], weights, x, {"y": helper.np_dtype_to_tensor_dtype(np.dtype(a))})


def q_conv(rng, kind, channels, filters, window, bias=True, per_filter=True, weight_kind=np.int8, **settings):
    group = settings.get("group", 1)
    count = filters if per_filter else 1
    weights = {
        "xs": np.float32(0.03), "xz": around(rng, kind), "w": bytes_of(rng, weight_kind, filters, channels // group, *window), "ws": spread_scales(rng, count),
        "wz": np.zeros([filters] if per_filter else [], weight_kind) if weight_kind == np.int8 else around(rng, weight_kind), "ys": np.float32(0.7), "yz": around(rng, kind),
    }
    if bias:
        weights["b"] = rng.integers(-60000, 60000, filters).astype(np.int32)
    x = {"x": bytes_of(rng, kind, 2, channels, *([9] if len(window) == 1 else [6, 7]))}
    node = helper.make_node("QLinearConv", ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz", *(["b"] if bias else [])], ["y"], **settings)
    return integers([node], weights, x, {"y": helper.np_dtype_to_tensor_dtype(np.dtype(kind))})


def q_gemm(rng, k, n, to_float, **settings):
    turned = settings.get("transB", 0)
    weights = {
        "as": np.float32(0.02), "az": around(rng, np.uint8), "b": bytes_of(rng, np.int8, *((n, k) if turned else (k, n))), "bs": spread_scales(rng, n), "bz": np.zeros(n, np.int8),
        "c": rng.integers(-90000, 90000, n).astype(np.int32), "ys": np.float32(0.4), "yz": around(rng, np.uint8),
    }
    if to_float:
        del weights["ys"], weights["yz"]
    x = {"x": bytes_of(rng, np.uint8, *((k, 5) if settings.get("transA") else (5, k)))}
    node = helper.make_node("QGemm", ["x", *weights], ["y"], domain="com.microsoft", **settings)
    return integers([node], weights, x, {"y": TensorProto.FLOAT if to_float else TensorProto.UINT8}, ("", "com.microsoft"))


def q_attention(rng, masked, causal=0, past=False):
    heads, size, width = 2, 4, 6
    weights = {
        "w": bytes_of(rng, np.int8, width, 3 * heads * size), "b": uniform(rng, 3 * heads * size), "xs": np.float32(0.02), "ws": np.float32(0.008),
        "xz": around(rng, np.uint8), "wz": np.int8(0),
    }
    x = {"x": bytes_of(rng, np.uint8, 2, 5, width)}
    names = ["x", "w", "b", "xs", "ws", "mask" if masked else "", "xz", "wz"]
    if masked:
        x["mask"] = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], np.int32)
    outputs = {"y": TensorProto.FLOAT}
    if past:
        x["past"] = rng.uniform(-1, 1, (2, 2, heads, 3, size)).astype(np.float32)
        names.append("past")
        outputs["present"] = TensorProto.FLOAT
    node = helper.make_node("QAttention", names, [*outputs], domain="com.microsoft", num_heads=heads, unidirectional=causal)
    return integers([node], weights, x, outputs, ("", "com.microsoft"))


def alone(rng):
    """DynamicQuantizeLinear, MatMulInteger, ConvInteger, and a product whose scales are computed with."""
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["xq", "xs", "xz"]),
        helper.make_node("MatMulInteger", ["xq", "w", "xz", "wz"], ["sums"]),
        helper.make_node("ConvInteger", ["xq", "v", "xz"], ["windows"], kernel_shape=[3], pads=[1, 0]),
        helper.make_node("MatMulIntegerToFloat", ["xq", "w", "twice", "ws", "xz", "wz", "b"], ["y"], domain="com.microsoft"),
        helper.make_node("Add", ["xs", "xs"], ["twice"]),
    ]
    weights = {"w": bytes_of(rng, np.uint8, 11, 7), "wz": np.uint8(117), "v": bytes_of(rng, np.int8, 5, 4, 3), "ws": np.float32(0.01), "b": uniform(rng, 7)}
    x = {"x": rng.uniform(-1, 2, (2, 4, 11)).astype(np.float32)}
    outputs = {"sums": TensorProto.INT32, "windows": TensorProto.INT32, "y": TensorProto.FLOAT, "xq": TensorProto.UINT8, "xs": TensorProto.FLOAT, "xz": TensorProto.UINT8}
    return integers(nodes, weights, x, outputs, ("", "com.microsoft"))


def table(rng, rows, width, after, per_row=False):
    """An embedding of integers: dequantised before rows are looked up, or after."""
    scales = rng.uniform(0.01, 0.02, rows if per_row else ()).astype(np.float32)
    weights = {"t": bytes_of(rng, np.int8, rows, width), "s": scales, "z": np.zeros(np.shape(scales), np.int8), "v": uniform(rng, 3, width).T.copy()}
    lookup = [helper.make_node("Gather", ["t", "x"], ["q"]), helper.make_node("DequantizeLinear", ["q", "s", "z"], ["e"])]
    if not after:
        lookup = [helper.make_node("DequantizeLinear", ["t", "s", "z"], ["d"], axis=0), helper.make_node("Gather", ["d", "x"], ["e"])]
    x = {"x": rng.integers(0, rows, (2, 5))}
    return integers([*lookup, helper.make_node("MatMul", ["e", "v"], ["y"])], weights, x, {"y": TensorProto.FLOAT})


def cases():
    rng = np.random.default_rng(8)
    signed, unsigned = {"weight_type": QuantType.QInt8}, {"weight_type": QuantType.QUInt8}
    by_channel = {"per_channel": True}
    everything = {"op_types_to_quantize": ["LSTM", "MatMul", "Conv", "Gemm"]}
    yield "lstm-int8", lstm(rng, 13, 11), {**signed}
    yield "lstm-int8-per-channel", lstm(rng, 12, 17, "bidirectional", states=True), {**signed, **by_channel}
    yield "lstm-int8-reduced", lstm(rng, 9, 8, "reverse"), {**signed, "reduce_range": True}
    yield "lstm-uint8", lstm(rng, 10, 7, "bidirectional", offset=0.05), {**unsigned}
    yield "lstm-uint8-peepholes", lstm(rng, 11, 9, peepholes=True), {**unsigned, "reduce_range": True}
    yield "matmul-int8", dense(rng, 19, 23, 5), {**signed}
    yield "matmul-int8-per-channel", dense(rng, 18, 14, 6), {**signed, **by_channel}
    yield "matmul-uint8", dense(rng, 21, 15, 9), {**unsigned}
    yield "matmul-uint8-per-channel", dense(rng, 21, 15, 9), {**unsigned, **by_channel}
    yield "matmul-optimised", dense(rng, 17, 13, 7), {**signed, "optimised": True}
    yield "gemm-int8", gemm(rng, 20, 16, 3), {**signed}
    yield "conv-int8", conv(rng, 7, 9, 3), {**signed, **everything}
    yield "conv-uint8", conv(rng, 6, 5, 5), {**unsigned, **everything}
    qdq = {"static": QuantFormat.QDQ}
    yield "qdq-matmul", dense(rng, 19, 23, 5), {**qdq, **signed}
    yield "qdq-gemm-per-channel", gemm(rng, 20, 16, 3), {**qdq, **signed, **by_channel}
    yield "qdq-gemm-int8-activations", gemm(rng, 14, 18, 5), {**qdq, **signed, "activation_type": QuantType.QInt8}
    yield "qdq-conv-per-channel", conv(rng, 7, 9, 3), {**qdq, **signed, **by_channel}
    yield "qdq-uint8-weights", dense(rng, 15, 12, 5), {**qdq, **unsigned, "activation_type": QuantType.QUInt8}
    yield "nbits", four_bits(rng, 40, 7, 16, False), None
    yield "nbits-zeros", four_bits(rng, 48, 9, 16, True), None
    yield "dequantize-blocked", blocked(rng, 22, 6, 8), None
    yield "lstm-uint8-128", integer_lstm(rng, 8, 6, False, 128), None
    yield "lstm-uint8-zero-points", integer_lstm(rng, 7, 10, True, 90), None
    yield "pair-uint8", pair(rng, np.uint8), None
    yield "pair-int8", pair(rng, np.int8), None
    yield "pair-per-axis", pair(rng, np.int8, 1), None
    yield "int4-blocked", halves(rng, TensorProto.INT4, 0, 8), None
    yield "int4-column", halves(rng, TensorProto.INT4, 1, 0, as_field=True), None
    yield "uint4", halves(rng, TensorProto.UINT4, None, 0), None
    u, i = np.uint8, np.int8
    yield "qlinear-matmul", q_mat_mul(rng, u, i, 19, 7), None
    yield "qlinear-matmul-columns", q_mat_mul(rng, i, i, 23, 5, per_column=True), None
    yield "qlinear-matmul-uint8", q_mat_mul(rng, u, u, 31, 6), None
    yield "qlinear-matmul-long", q_mat_mul(rng, u, i, 3001, 3), None
    yield "qlinear-matmul-two", q_mat_mul(rng, u, u, 29, 5, dynamic=True), None
    yield "qlinear-conv", q_conv(rng, u, 5, 7, [3], pads=[1, 2], strides=[2]), None
    yield "qlinear-conv-2d", q_conv(rng, i, 4, 6, [3, 2], bias=False, dilations=[1, 2], pads=[1, 0, 0, 2]), None
    yield "qlinear-conv-groups", q_conv(rng, u, 6, 4, [2], per_filter=False, group=2, weight_kind=u), None
    yield "qlinear-conv-long", q_conv(rng, u, 1100, 2, [3]), None
    yield "qgemm", q_gemm(rng, 17, 6, False, transB=1), None
    yield "qgemm-float", q_gemm(rng, 13, 9, True, transA=1, alpha=0.7), None
    yield "qattention", q_attention(rng, True), None
    yield "qattention-past", q_attention(rng, False, 1, True), None
    yield "integers-alone", alone(rng), None
    yield "embedding", table(rng, 13, 6, False), None
    yield "embedding-rows", table(rng, 13, 6, False, True), None
    yield "embedding-after", table(rng, 11, 5, True), None
    operators = {"static": QuantFormat.QOperator, **signed}
    yield "operator-matmul", dense(rng, 17, 13, 7), {**operators, "op_types_to_quantize": ["MatMul"]}
    yield "operator-conv", conv(rng, 7, 9, 3), {**operators, **by_channel}
    yield "operator-gemm", gemm(rng, 20, 16, 3), {**operators, "op_types_to_quantize": ["Gemm"]}


def main():
    FOLDER.mkdir(exist_ok=True)
    listed, tensors = [], {}
    for name, (made, inputs, *expected), settings in cases():
        exact = expected[0] if expected else run(made, inputs)
        if settings is not None:
            with tempfile.TemporaryDirectory() as folder:
                made = quantized(made, Path(folder), inputs, **settings)
        outputs = run(made, inputs)
        # Metadata of tools is of no use here.
        del made.metadata_props[:]
        (FOLDER / f"{name}.onnx").write_bytes(made.SerializeToString())
        # lstm-wasm has int8 and int64 as int32.
        ours = lambda value: np.asarray(value.astype(np.int32) if value.dtype in (np.int8, np.int64) else value, order="C")
        tensors |= {f"{name}/in/{key}": ours(value) for key, value in inputs.items()}
        tensors |= {f"{name}/out/{key}": ours(value) for key, value in outputs.items()}
        if exact is not None:
            tensors |= {f"{name}/float/{key}": np.ascontiguousarray(value) for key, value in exact.items()}
        rows = [30] + ([11] if "bidirectional" in str(settings) else [])
        ops = sorted({node.op_type for node in made.graph.node})
        apart = {key: float(np.abs(outputs[key] - exact[key]).max()) for key in exact} if exact else {}
        print(name, os.path.getsize(FOLDER / f"{name}.onnx"), ops, apart)
        listed.append({"name": name, "rows": rows})
    versions = {"onnxruntime": onnxruntime.__version__, "onnx": onnx.__version__, "numpy": np.__version__, "python": platform.python_version()}
    (FOLDER / "cases.json").write_text(json.dumps({"versions": versions, "cases": listed}, indent=1) + "\n")
    save_file(tensors, FOLDER / "cases.safetensors")


main()
