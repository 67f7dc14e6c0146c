"""Layers whose windows slide over rows and columns, alone and in TimeDistributed, for golden_keras2.py and golden_keras3.py."""

import keras
from keras import layers
from keras.layers import Input
from keras_cases import feed

IMAGE = (2, 7, 9, 3)


def image(*makers):
    """A maker of a model with one output for each of `makers`, all over the same image."""

    def make():
        x = Input(IMAGE[1:], name="x")
        return keras.Model(x, [part(x) for part in makers])

    return make


def chain(*made):
    def apply(x):
        for layer in made:
            x = layer(x)
        return x

    return apply


def add(cases, formats):
    def case(name, *makers, rows=frozenset(), formats=None):
        cases.add(f"windows-{name}", image(*makers), feed(IMAGE), rows=set(rows), formats=formats)

    case(
        "conv-2d",
        lambda x: layers.Conv2D(4, 3, activation="relu")(x),
        lambda x: layers.Conv2D(2, (3, 2), strides=(2, 1), padding="same", use_bias=False)(x),
        lambda x: layers.Conv2D(6, 2, groups=3, dilation_rate=(2, 3))(x),
        formats=formats,
    )
    case(
        "conv-2d-depthwise",
        lambda x: layers.DepthwiseConv2D((3, 2), depth_multiplier=2)(x),
        lambda x: layers.SeparableConv2D(4, 3, strides=2, padding="same", activation="tanh")(x),
    )
    case(
        "conv-2d-transpose",
        lambda x: layers.Conv2DTranspose(2, 3)(x),
        lambda x: layers.Conv2DTranspose(2, (3, 4), strides=(2, 3), padding="same", activation="relu")(x),
        lambda x: layers.Conv2DTranspose(3, 2, strides=3)(x),
    )
    case(
        "pooling-2d",
        lambda x: layers.MaxPooling2D()(x),
        lambda x: layers.MaxPooling2D(3, strides=(2, 1), padding="same")(x),
        lambda x: layers.AveragePooling2D((2, 3), padding="same")(x),
        lambda x: layers.GlobalMaxPooling2D()(x),
        lambda x: layers.GlobalAveragePooling2D(keepdims=True)(x),
    )
    case(
        "moving-2d",
        lambda x: layers.ZeroPadding2D(((1, 0), (2, 3)))(x),
        lambda x: layers.ZeroPadding2D((1, 2))(x),
        lambda x: layers.Cropping2D(((1, 2), (0, 3)))(x),
        lambda x: layers.UpSampling2D()(x),
        lambda x: layers.UpSampling2D((2, 3), interpolation="bilinear")(x),
    )
    case(
        "normalised-2d",
        lambda x: layers.BatchNormalization()(x),
        lambda x: layers.Flatten()(layers.SpatialDropout2D(0.5)(x)),
        lambda x: layers.LayerNormalization()(x),
    )

    def frames():
        x = Input((None, 8, 6, 2), name="x")
        y = layers.TimeDistributed(layers.Conv2D(3, 3, activation="relu"))(x)
        y = layers.TimeDistributed(layers.BatchNormalization())(y)
        y = layers.TimeDistributed(layers.MaxPooling2D())(y)
        y = layers.TimeDistributed(layers.Flatten())(y)
        return keras.Model(x, layers.LSTM(4, return_sequences=True)(y))

    cases.add("windows-frames", frames, feed((2, 3, 8, 6, 2)), rows={2}, formats=formats)

    def reader():
        x = Input((8, 12, 1), name="x")
        y = layers.MaxPooling2D()(layers.Conv2D(4, 3, padding="same", activation="relu")(x))
        y = layers.BatchNormalization()(layers.Conv2D(5, 3, padding="same")(y))
        y = layers.Reshape((6, 10))(layers.Permute((2, 1, 3))(layers.MaxPooling2D((2, 1))(layers.ReLU()(y))))
        y = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(y)
        return keras.Model(x, layers.Dense(3, activation="softmax")(y))

    cases.add("windows-text-reader", reader, feed((2, 8, 12, 1)), rows={2, 11}, formats=formats)
    cases.add(
        "windows-conv-1d-transpose",
        lambda: keras.Sequential([Input((6, 3), name="x"), layers.Conv1DTranspose(4, 3, strides=2, padding="same"), layers.LSTM(3)]),
        feed((2, 6, 3)),
        rows={2},
    )
