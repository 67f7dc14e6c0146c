"""Functions that models call without a layer: keras.ops in Keras 3, tf.* in Keras 2; and attention of several heads."""

import keras
import numpy as np
from keras import layers
from keras.layers import Input
from keras_cases import feed

SHAPE = (2, 6, 4)


def over(makers):
    def make():
        x = Input(SHAPE[1:], name="x")
        return keras.Model(x, [part for maker in makers for part in as_list(maker(x))])

    return make


def as_list(made):
    return list(made) if isinstance(made, (list, tuple)) else [made]


def of_keras3():
    from keras import ops

    return {
        "moving": [
            lambda x: ops.reshape(x, (-1, 3, 8)),
            lambda x: ops.transpose(x, (0, 2, 1)),
            lambda x: ops.swapaxes(x, 1, 2),
            lambda x: ops.moveaxis(x, 2, 1),
            lambda x: ops.stack([x, x + 1], axis=2),
            lambda x: ops.take(x, [2, 0, 5], axis=1),
            lambda x: ops.split(x, 2, axis=-1),
            lambda x: ops.split(x, [1, 4], axis=1),
            lambda x: ops.unstack(x, axis=2)[1:3],
            lambda x: ops.tile(x, (1, 2, 1)),
            lambda x: ops.repeat(x, 2, axis=2),
            lambda x: ops.flip(x, axis=1),
            lambda x: ops.pad(x, ((0, 0), (2, 1), (0, 0))),
        ],
        "choosing": [
            lambda x: ops.where(x > 0.3, x, x * 0.1),
            lambda x: ops.where(ops.greater_equal(x, 0), 1.5, x),
            lambda x: ops.clip(x, -0.4, 0.7),
            lambda x: ops.cast(ops.cast(x, "int32"), "float32") / 2,
            lambda x: ops.cast(ops.argmax(x, axis=-1), "float32"),
            lambda x: ops.one_hot(ops.argmin(x, axis=1), 6),
        ],
        "reducing": [
            lambda x: ops.sum(x, axis=(1, 2)),
            lambda x: ops.mean(x, axis=[1, 2], keepdims=True),
            lambda x: ops.prod(x, axis=1),
            lambda x: ops.var(x, axis=1),
            lambda x: ops.std(x, axis=-1, keepdims=True),
            lambda x: ops.logsumexp(x, axis=1),
            lambda x: ops.cumsum(x, axis=1),
        ],
        "arithmetic": [
            lambda x: ops.softmax(x, axis=1),
            lambda x: ops.log_softmax(x),
            lambda x: ops.matmul(x, ops.transpose(x, (0, 2, 1))),
            lambda x: ops.rsqrt(ops.square(x) + 1),
            lambda x: ops.gelu(x),
            lambda x: ops.leaky_relu(x),
            lambda x: ops.elu(x),
            lambda x: ops.floor(x) + ops.ceil(x) * ops.sign(x),
            lambda x: ops.sin(x) - ops.cos(x),
        ],
    }


def of_keras2():
    import tensorflow as tf

    return {
        "moving": [
            lambda x: tf.reshape(x, (-1, 3, 8)),
            lambda x: tf.transpose(x, (0, 2, 1)),
            lambda x: tf.stack([x, x + 1], axis=2),
            lambda x: tf.gather(x, [2, 0, 5], axis=1),
            lambda x: tf.split(x, 2, axis=-1),
            lambda x: tf.split(x, [1, 3, -1], axis=1),
            lambda x: tf.unstack(x, axis=2)[1:3],
            lambda x: tf.tile(x, (1, 2, 1)),
            lambda x: tf.repeat(x, 2, axis=2),
            lambda x: tf.reverse(x, [1]),
            lambda x: tf.pad(x, ((0, 0), (2, 1), (0, 0))),
        ],
        "choosing": [
            lambda x: tf.where(x > 0.3, x, x * 0.1),
            lambda x: tf.where(tf.greater_equal(x, 0), x, -x),
            lambda x: tf.clip_by_value(x, -0.4, 0.7),
            lambda x: tf.cast(tf.cast(x, tf.int32), tf.float32) / 2,
            lambda x: tf.cast(tf.argmax(x, axis=-1), tf.float32),
            lambda x: tf.one_hot(tf.argmin(x, axis=1), 6),
        ],
        "reducing": [
            lambda x: tf.reduce_sum(x, axis=(1, 2)),
            lambda x: tf.reduce_mean(x, axis=[1, 2], keepdims=True),
            lambda x: tf.reduce_prod(x, axis=1),
            lambda x: tf.math.reduce_variance(x, axis=1),
            lambda x: tf.math.reduce_std(x, axis=-1, keepdims=True),
            lambda x: tf.reduce_logsumexp(x, axis=1),
            lambda x: tf.cumsum(x, axis=1, exclusive=True),
        ],
        "arithmetic": [
            lambda x: tf.nn.softmax(x, axis=1),
            lambda x: tf.nn.log_softmax(x),
            lambda x: tf.matmul(x, x, transpose_b=True),
            lambda x: tf.math.rsqrt(tf.square(x) + 1),
            lambda x: tf.nn.gelu(x),
            lambda x: tf.nn.leaky_relu(x),
            lambda x: tf.nn.elu(x),
            lambda x: tf.floor(x) + tf.math.ceil(x) * tf.sign(x),
            lambda x: tf.sin(x) - tf.cos(x),
            lambda x: tf.math.squared_difference(x, 0.5),
            lambda x: tf.nn.l2_normalize(x, axis=-1),
        ],
    }


def add(cases, formats):
    functions = of_keras3() if keras.__version__.startswith("3") else of_keras2()
    for name, makers in functions.items():
        cases.add(f"functions-{name}", over(makers), feed(SHAPE), rows=set())

    def heads():
        x, y = Input((5, 4), name="x"), Input((3, 6), name="y")
        own = layers.MultiHeadAttention(2, 3)(x, x)
        causal = layers.MultiHeadAttention(2, 3, value_dim=5, use_bias=False)(x, x, use_causal_mask=True)
        across, scores = layers.MultiHeadAttention(3, 2, output_shape=5)(x, y, return_attention_scores=True)
        return keras.Model([x, y], [own, causal, across, scores])

    def pair(rng):
        return feed((2, 5, 4))(rng) | feed((2, 3, 6), name="y")(rng)

    cases.add("attention-heads", heads, pair, rows=set(), formats=formats)

    def masked():
        x = Input((5,), dtype="int32", name="x")
        y = layers.Embedding(7, 4, mask_zero=True)(x)
        y = layers.MultiHeadAttention(2, 3)(y, y)
        return keras.Model(x, layers.LSTM(3)(y))

    cases.add("attention-heads-masked", masked, lambda rng: {"x": rng.integers(0, 3, (4, 5)).astype("int32")}, rows={25})

    def normalised():
        x = Input((6, 4), name="x")
        known = layers.Normalization(mean=0.5, variance=4.0)(x)
        return keras.Model(x, [layers.LSTM(3)(layers.Normalization()(x)), known, layers.Normalization(axis=None)(x)])

    cases.add("normalization", normalised, feed((2, 6, 4)), rows={2})
    if not keras.__version__.startswith("3"):
        return
    from keras import ops

    def in_order():
        x, y = Input((6, 4), name="x"), Input((None, 6), name="y")
        values, indices = ops.top_k(x, 3)
        odd = ops.nan_to_num(ops.log(x), nan=0.5, neginf=-2.0)
        made = [ops.sort(x), ops.sort(x, axis=1), values, indices, ops.median(x, axis=1), ops.median(x, axis=-1, keepdims=True), odd]
        made += [ops.roll(x, 4, axis=1), ops.roll(x, -1, axis=2), ops.roll(y, 1, axis=1), ops.arctan(y), ops.add(y, np.arange(6, dtype="float32"))]
        grouped = [layers.GroupNormalization(3, epsilon=0.01)(y), layers.GroupNormalization(-1, center=False)(x), layers.GroupNormalization(2, scale=False)(layers.Flatten()(x))]
        image = layers.GroupNormalization(1)(layers.Reshape((3, 2, 4))(x))
        return keras.Model([x, y], [*made, *grouped, image])

    cases.add("functions-order", in_order, lambda rng: feed((2, 6, 4))(rng) | feed((2, 5, 6), name="y")(rng), rows=set())
