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
        tensors |= {f"{name}/in/{key}": value for key, value in inputs.items()}
        tensors |= {f"{name}/out/{key}": np.ascontiguousarray(value) for key, value in outputs.items()}
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
