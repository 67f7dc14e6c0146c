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
    if keras.__version__.startswith("3"):
        add_in_order(cases)
    add_angles(cases)
    add_masked_softmax(cases)
    add_turned(cases)
    if keras.__version__.startswith("3"):
        add_normalising(cases)


def add_in_order(cases):
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


def corners(rng):
    """Points all around, and on the axes, of both signs of zero and infinity; y is finite."""
    x, y = (feed(SHAPE, name=name)(rng)[name] for name in ("x", "y"))
    x[0, :3] = [[0, 0, -0.0, -0.0], [np.inf, np.inf, -np.inf, 1], [-1, 1, 0, 0]]
    y[0, :3] = [[0, -0.0, 0, -0.0], [1, -1, -1, 1], [0, 0, 2, -2]]
    return {"x": x, "y": y}


def add_angles(cases):
    def angles():
        x, y = Input(SHAPE[1:], name="x"), Input(SHAPE[1:], name="y")
        if keras.__version__.startswith("3"):
            from keras import ops

            part = ops.clip(x, -1, 1)
            made = [ops.arctan2(x, y), ops.arctan2(x, 0.5), ops.hypot(part, y), ops.exp2(part), ops.tan(part), ops.deg2rad(part), ops.rad2deg(part)]
            made += [ops.divide_no_nan(part, ops.relu(y)), ops.norm(part, axis=-1), ops.norm(part, ord=1, axis=1, keepdims=True)]
            made += [ops.log2(ops.abs(part) + 0.1), ops.log10(ops.abs(part) + 0.1)]
            flags = [ops.isfinite(x), ops.isinf(x), ops.logical_xor(x > 0, y > 0)]
            return keras.Model([x, y], [*made, *[ops.cast(flag, "float32") for flag in flags]])
        import tensorflow as tf

        part = tf.clip_by_value(x, -1, 1)
        made = [tf.math.atan2(x, y), tf.math.tan(part), tf.math.divide_no_nan(part, tf.nn.relu(y)), tf.norm(part, axis=-1), tf.norm(part, ord=1, axis=1, keepdims=True)]
        flags = [tf.math.is_finite(x), tf.math.is_inf(x), tf.math.logical_xor(x > 0, y > 0)]
        return keras.Model([x, y], [*made, *[tf.cast(flag, "float32") for flag in flags]])

    cases.add("functions-angles", angles, corners, rows=set())


def add_masked_softmax(cases):
    def masked():
        x, mask = Input(SHAPE[1:], name="x"), Input(SHAPE[1:2], dtype="bool", name="mask")
        steps = layers.LSTM(5, return_sequences=True)(x)
        weights = layers.Softmax()(layers.Flatten()(layers.Dense(1)(steps)), mask=mask)
        columns = layers.Softmax(axis=1)(layers.Dense(2)(steps), mask=layers.Reshape((6, 1))(mask))
        return keras.Model([x, mask], [weights, columns])

    def fed(rng):
        # Keras 2 adds -1e9 to all of a row that has no valid step: float64 is another number then.
        last = [0] * 6 if keras.__version__.startswith("3") else [1, 0, 0, 1, 0, 0]
        mask = np.array([[1, 1, 1, 0, 0, 0], [0, 1, 1, 1, 0, 1], last], bool)
        return feed((3, *SHAPE[1:]))(rng) | {"mask": mask}

    cases.add("softmax-masked", masked, fed, rows={2, 25}, options={"mask": "an argument"})


def add_turned(cases):
    def turned():
        x, mask = Input(SHAPE[1:], name="x"), Input(SHAPE[1:2], dtype="bool", name="mask")
        made = []
        for masks in ({}, {"mask": mask}):
            for mode in ("concat", "sum", None):
                back = layers.LSTM(3, return_sequences=True, go_backwards=True)
                made += as_list(layers.Bidirectional(back, backward_layer=layers.LSTM(3, return_sequences=True), merge_mode=mode)(x, **masks))
        back, forth = (layers.GRU(2, go_backwards=way, return_sequences=True, return_state=True) for way in (True, False))
        return keras.Model([x, mask], [*made, *layers.Bidirectional(back, backward_layer=forth)(x)])

    def fed(rng):
        return feed(SHAPE)(rng) | {"mask": np.array([[1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 1, 1]], bool)}

    cases.add("bidirectional-turned", turned, fed, rows={2, 5, 6, 10, 11, 12, 25, 27, 35}, options={"go_backwards": True, "return_sequences": True})


def add_normalising(cases):
    def normalising():
        from keras import ops

        x = Input(SHAPE[1:], name="x")
        ramp, ones = np.arange(4, dtype="float32"), np.ones(4, "float32")
        made = [ops.layer_normalization(x), ops.layer_normalization(x, ramp, ones, epsilon=0.01), ops.layer_normalization(x, axis=(1, 2))]
        made += [ops.rms_normalization(x, ramp), ops.rms_normalization(x, axis=-1, epsilon=0.1)]
        return keras.Model(x, [*made, ops.batch_normalization(x, ramp, ones + ramp, -1, ones, ramp)])

    cases.add("functions-normalising", normalising, feed(SHAPE), rows=set())
