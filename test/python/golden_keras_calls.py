"""What layers are called with in Keras 3, by its version: masks, states, models that are called twice, and by which names.

Masks are easily lost or kept by mistake: a recurrent layer with initial states takes none from its input; from 3.8 on, attention
of several heads takes those of its inputs away, for everything that is called later; a model inside a model has its own as an
argument. Run it once for each version; the wheel of an older one, unpacked, comes first in PYTHONPATH:

  KERAS_BACKEND=torch PYTHONPATH=keras-3.5.0 python test/python/golden_keras_calls.py
  KERAS_BACKEND=torch PYTHONPATH=keras-3.5.0 python test/python/golden_keras_calls.py --check

The folder is test/golden/keras-calls/{version}.
"""

import golden_cases
import h5py
import keras
import numpy as np
import torch
from golden_keras_masks import deflate
from keras import layers
from keras.layers import LSTM, Add, Concatenate, Dense, Embedding, Input, LayerNormalization, Masking
from keras_cases import Cases, uniform

VERSION = tuple(int(part) for part in keras.__version__.split(".")[:2])
TOKENS = (4, 5)


def called_twice():
    """The output of the first call of a model inside a model, and what is made of both calls."""
    a, b = Input((4, 3), name="a"), Input((4, 3), name="b")
    inner = Input((4, 3))
    encoder = keras.Model(inner, LSTM(2)(inner), name="encoder")
    first, second = encoder(a), encoder(b)
    return keras.Model([a, b], [first, Dense(1)(Concatenate()([second, first])), Dense(2)(first)])


def masked_inside():
    """Models inside a model: one with two inputs, of which one has a mask."""
    x, z = Input((5, 3), name="x"), Input((5, 3), name="z")
    a, b = Input((None, 3)), Input((None, 3))
    both = keras.Model([a, b], Add()([LSTM(2, return_sequences=True)(a), LSTM(2, return_sequences=True)(b)]), name="both")
    c = Input((None, 2))
    one = keras.Model(c, LSTM(2)(c), name="one")
    return keras.Model([x, z], [one(both([Masking()(x), z])), one(LSTM(2, return_sequences=True)(Masking()(x)))])


def states_and_masks():
    """An encoder and a decoder, both of which have padding."""
    x, z = Input((None,), dtype="int32", name="x"), Input((None,), dtype="int32", name="z")
    table = Embedding(7, 3, mask_zero=True)
    _, h, c = LSTM(4, return_state=True)(table(x))
    y = LSTM(4, return_sequences=True)(table(z), initial_state=[h, c])
    pair = layers.Bidirectional(layers.GRU(4, return_sequences=True))(table(z), initial_state=[h, c])
    return keras.Model([x, z], [y, LSTM(2)(y), LSTM(2)(pair)])


def heads():
    """Attention around which the tokens go, by the names of its arguments and by their order, with padding."""
    x, z = Input((5,), dtype="int32", name="x"), Input((5,), dtype="int32", name="z")
    y, memory = Embedding(7, 4, mask_zero=True)(x), Embedding(7, 4, mask_zero=True)(z)
    y = layers.Dropout(0.1)(y)
    before = layers.GlobalAveragePooling1D()(layers.Identity()(y))
    own = layers.MultiHeadAttention(2, 3)(query=y, value=y, key=y)
    y = LayerNormalization()(Add()([y, layers.Dropout(0.1)(own)]))
    across = layers.MultiHeadAttention(2, 2)(y, memory)
    y = Add()([y, Dense(4)(Dense(3, activation="relu")(across))])
    return keras.Model([x, z], [before, layers.GlobalAveragePooling1D()(y), LSTM(2)(y), LSTM(2)(memory)])


def attention():
    """Options of the attention layers."""
    x, z = Input((5, 3), name="x"), Input((5, 3), name="z")
    y = Masking()(z)
    causal = layers.Attention(use_scale=True)([x, y], use_causal_mask=True)
    added, scores = layers.AdditiveAttention()([x, x], use_causal_mask=True, return_attention_scores=True)
    concat = layers.Attention(use_scale=True, score_mode="concat")([x, y])
    plain = layers.Attention(score_mode="concat")([x, z])
    return keras.Model([x, z], [causal, added, scores, concat, plain])


def functions():
    """keras.ops that are several operators of ours, and layers that are."""
    x, z = Input((5, 4), name="x"), Input((3, 4), name="z")
    ops = keras.ops
    one = [ops.log1p(ops.abs(x)), ops.expm1(x), ops.sinh(x), ops.cosh(x), ops.arctan(x), ops.normalize(x), ops.normalize(x, axis=1)]
    one += [ops.tril(x), ops.triu(x, k=1), ops.glu(x), ops.average(x, axis=1), ops.amax(x, axis=-1), ops.amin(x, axis=1, keepdims=True)]
    one += [ops.hard_silu(x), ops.hard_sigmoid(x), ops.relu6(4 * x), ops.hard_tanh(x), ops.tanh_shrink(x), ops.celu(x, alpha=0.5)]
    one += [ops.soft_shrink(x), ops.hard_shrink(x, threshold=0.7), ops.floor_divide(x, 0.3), ops.logaddexp(x, 0.5), ops.einsum("bij->bji", x)]
    one += [ops.einsum("...i->...", x), layers.Softmax(axis=[1, 2])(x), layers.RMSNormalization()(x), layers.RMSNormalization(axis=[1, 2], epsilon=0.1)(x)]
    both = ["bij,bkj->bik", "bij,bkj->bk", "...i,...i->...", "bij,bkj->bijk", "bij,bkl->bki"]
    two = [ops.einsum(each, x, x if each.startswith(".") else z) for each in both]
    return keras.Model([x, z], one + two)


def fed_functions(rng):
    return {"x": uniform(rng, (2, 5, 4), 2), "z": uniform(rng, (2, 3, 4), 2)}


def sequences(*names, features=3):
    def fed(rng):
        values = {name: uniform(rng, (4, 5, features), 2) for name in names}
        for value in values.values():
            # Padding before, behind, in between, nowhere.
            value[0, :2], value[1, 3:], value[2, 1:3] = 0, 0, 0
        return values

    return fed


def tokens(rng):
    values = {name: rng.integers(1, 7, TOKENS).astype("int32") for name in ("x", "z")}
    values["x"][0, 3:], values["x"][1, :2], values["x"][2, 1:4] = 0, 0, 0
    values["z"][0, 2:], values["z"][1, :1], values["z"][3, 2:3] = 0, 0, 0
    return values


@torch.no_grad()
def generate(directory):
    torch.set_num_threads(1)
    versions = {"keras": keras.__version__, "torch": torch.__version__, "h5py": h5py.__version__}
    golden = golden_cases.Golden(directory, "keras, torch backend", versions)
    cases = Cases(golden, 9000 + 100 * VERSION[1], None, ("keras",))

    def add(name, make, fed, formats=("keras",), rows=frozenset()):
        # As calls: options that do not matter alone are not looked for.
        cases.add(name, make, None, rows=set(rows), calls=lambda rng: [(fed(rng), False)], formats=formats)
        deflate(directory / f"{name}.keras")

    newest = VERSION >= (3, 11)
    if newest:
        add("called-twice", called_twice, lambda rng: {name: uniform(rng, (3, 4, 3), 2) for name in "ab"}, ("keras", "h5"))
        add("attention", attention, sequences("x", "z"))
    add("states-and-masks", states_and_masks, tokens, rows={7, 25})
    # Before, merges have no masks.
    if VERSION >= (3, 4):
        add("masked-inside", masked_inside, sequences("x", "z"), rows={25})
        add("heads", heads, tokens, rows={25})
    if newest:
        add("functions", functions, fed_functions)
    return golden


if __name__ == "__main__":
    golden_cases.main(__doc__, f"keras-calls/{keras.__version__}", generate)
