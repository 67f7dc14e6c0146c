"""ONNX models with windows over two axes: one node each, and networks that read text in images."""

import numpy as np
import torch
from onnx.reference.op_run import OpRun
from onnx_models import single
from torch import nn

IMAGE = (2, 3, 7, 9)


class ConvTranspose(OpRun):
    """The whole operator, in the type of its input: that of onnx refuses groups."""

    op_domain = ""

    def _run(self, x, w, bias=None, **options):
        axes = x.ndim - 2
        strides, dilations = options["strides"] or [1] * axes, options["dilations"] or [1] * axes
        more = options["output_padding"] or [0] * axes
        convolve = (nn.functional.conv_transpose1d, nn.functional.conv_transpose2d)[axes - 1]
        tensors = [torch.from_numpy(np.ascontiguousarray(part)) for part in (x, w)]
        y = convolve(*tensors, stride=strides, dilation=dilations, groups=options["group"] or 1)
        y = nn.functional.pad(y, [n for size in reversed(more) for n in (0, size)]).numpy()
        pads = options["pads"] or [0] * 2 * axes
        if options["output_shape"]:
            total = [size - wanted for size, wanted in zip(y.shape[2:], options["output_shape"])]
            pads = [n // 2 for n in total] + [n - n // 2 for n in total]
        cut = [slice(pads[n], y.shape[2 + n] - pads[axes + n]) for n in range(axes)]
        y = y[(slice(None), slice(None), *cut)]
        return (y if bias is None else y + bias.reshape([-1] + [1] * axes),)


class GlobalMaxPool(OpRun):
    """Of any type."""

    op_domain = ""

    def _run(self, x):
        return (x.max(axis=tuple(range(2, x.ndim)), keepdims=True),)


def normalization(opset, operator, count):
    """Scale, bias, and the mean and variance where there are `count` 4."""
    return single(opset, IMAGE, operator, [(3,), (3,), (3,), np.array([0.3, 1.1, 2.2], np.float32)][:count])


def operators():
    weights = [(5, 3, 3, 2), (5,)]
    yield "conv-2d", single(14, IMAGE, "Conv", weights)
    yield (
        "conv-2d-stride-pad",
        single(22, IMAGE, "Conv", weights, strides=[2, 1], pads=[1, 0, 2, 1], dilations=[1, 2]),
    )
    yield "conv-2d-group", single(11, (2, 4, 5, 6), "Conv", [(6, 2, 3, 3)], group=2, auto_pad="SAME_UPPER", strides=[1, 2])
    yield "conv-2d-depthwise", single(17, IMAGE, "Conv", [(3, 1, 3, 3), (3,)], group=3, auto_pad="SAME_LOWER")
    yield "conv-2d-pointwise", single(14, (1, 5, 4, 3), "Conv", [(2, 5, 1, 1)])
    yield "conv-transpose-2d", single(11, (2, 3, 4, 5), "ConvTranspose", [(3, 2, 3, 2), (2,)])
    yield (
        "conv-transpose-2d-stride",
        single(14, (2, 4, 3, 4), "ConvTranspose", [(4, 3, 3, 4)], strides=[2, 3], pads=[1, 0, 1, 2], output_padding=[1, 0]),
    )
    yield (
        "conv-transpose-2d-group",
        single(22, (1, 4, 3, 4), "ConvTranspose", [(4, 2, 2, 3), (4,)], group=2, strides=[2, 2], dilations=[1, 2]),
    )
    yield (
        "conv-transpose-2d-output-shape",
        single(11, (1, 2, 4, 3), "ConvTranspose", [(2, 3, 3, 3)], strides=[2, 2], output_shape=[8, 5], auto_pad="SAME_UPPER"),
    )
    yield "conv-transpose-1d", single(14, (2, 3, 6), "ConvTranspose", [(3, 2, 4), (2,)], strides=[2], pads=[1, 1])
    pool = {"kernel_shape": [3, 2], "strides": [2, 2]}
    yield "max-pool-2d", single(12, IMAGE, "MaxPool", **pool)
    yield "max-pool-2d-pad", single(12, IMAGE, "MaxPool", pads=[1, 1, 0, 1], ceil_mode=1, **pool)
    yield "max-pool-2d-dilation", single(22, IMAGE, "MaxPool", kernel_shape=[2, 3], dilations=[3, 2])
    yield "average-pool-2d-pad", single(11, IMAGE, "AveragePool", pads=[1, 1, 1, 0], **pool)
    count = {"count_include_pad": 1, "pads": [1, 1, 0, 1]}
    yield "average-pool-2d-count-pad", single(22, IMAGE, "AveragePool", **count, **pool)
    yield "global-average-pool-2d", single(14, IMAGE, "GlobalAveragePool")
    yield "global-max-pool-2d", single(14, IMAGE, "GlobalMaxPool")
    yield "batch-normalization-2d", normalization(16, "BatchNormalization", 4)
    yield "instance-normalization-2d", normalization(7, "InstanceNormalization", 2)


def resizes():
    image = (1, 2, 4, 5)

    def scaled(opset, scales, shape=image, **attributes):
        roi = [np.zeros(0, np.float32) if opset < 13 else ""]
        return single(opset, shape, "Resize", [*roi, np.array(scales, np.float32)], **attributes)

    yield "resize-nearest", scaled(11, [1, 1, 2, 3])
    floor = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    yield "resize-nearest-floor", scaled(13, [1, 1, 0.6, 1.7], **floor)
    yield "resize-linear", scaled(18, [1, 1, 2, 1.5], mode="linear")
    yield "resize-linear-pytorch", scaled(13, [1, 1, 2.5], (2, 3, 4), mode="linear", coordinate_transformation_mode="pytorch_half_pixel")
    sizes = ["", "", np.array([1, 2, 7, 3])]
    yield "resize-linear-sizes", single(13, image, "Resize", sizes, mode="linear", coordinate_transformation_mode="align_corners")
    yield "resize-cubic", scaled(16, [1, 1, 2, 1.5], mode="cubic")
    yield "resize-axes", single(18, image, "Resize", ["", "", np.array([8])], axes=[2], mode="linear")
    yield "upsample", single(9, image, "Upsample", [np.array([1, 1, 2, 2], np.float32)])


class Enlarging(nn.Module):
    """Every way to enlarge that PyTorch has a layer for, one after the other."""

    def __init__(self):
        super().__init__()
        self.steps = nn.Sequential(
            nn.Upsample(scale_factor=2), nn.Conv2d(2, 3, 3), nn.Upsample(size=(9, 7), mode="bilinear"),
            nn.ConvTranspose2d(3, 2, 3, stride=2), nn.Upsample(scale_factor=(0.5, 1), mode="bilinear", align_corners=True),
        )

    def forward(self, x):
        return self.steps(x)


class TextReader(nn.Module):
    """CRNN: convolutions shrink the height, columns are the timesteps of what reads them."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(4, 6, 3, padding=1), nn.LeakyReLU(0.2), nn.MaxPool2d((2, 1)),
        )
        self.lstm = nn.LSTM(12, 5, bidirectional=True, batch_first=True)
        self.head = nn.Linear(10, 4)

    def forward(self, x):
        columns = self.features(x).permute(0, 3, 1, 2).flatten(2)
        return self.head(self.lstm(columns)[0]).log_softmax(2)


class FrameReader(nn.Module):
    """Convolutions over every frame by itself, joined with the batch, then a GRU over frames."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, (3, 2), stride=2)
        self.gru = nn.GRU(3, 4, batch_first=True)

    def forward(self, x):
        batch, frames = x.shape[:2]
        maps = torch.relu(self.conv(x.flatten(0, 1)))
        return self.gru(maps.mean((2, 3)).reshape(batch, frames, -1))[0]


def torch_exports():
    image = torch.randn(2, 1, 8, 11)
    yield "crnn", {2, 11}, TextReader(), {"x": image[:1, :, :, :6]}, {"x": image}, {0: "batch", 3: "width"}
    frames = torch.randn(2, 3, 2, 7, 6)
    yield "frames-cnn-gru", {2, 35}, FrameReader(), {"x": frames[:1, :2]}, {"x": frames}, {0: "batch", 1: "time"}


def torch_resizes():
    image = torch.randn(2, 2, 4, 5)
    yield "enlarging", set(), Enlarging(), {"x": image[:1]}, {"x": image}, {0: "batch"}
