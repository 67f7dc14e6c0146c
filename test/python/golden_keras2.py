"""Whole models written by Keras 2.15 (tf.keras of TensorFlow 2.15), with their outputs.

{name}.h5 is the HDF5 format, {name}.keras the zip that later became that of Keras 3. hard_sigmoid
is clip(0.2 x + 0.5, 0, 1) in these. The names of inputs and outputs are explained in keras_cases.py.

  python test/python/golden_keras2.py            write test/golden/keras2
  python test/python/golden_keras2.py --check    compare a fresh run with the files
"""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import golden_cases
import h5py
import keras
import keras_functions
import keras_gru
import keras_windows
import numpy as np
import tensorflow as tf
from keras import layers
from keras.layers import LSTM, Bidirectional, Dense, Embedding, Input, LSTMCell, Masking
from keras_cases import Cases, feed, one, sequential, uniform, x_input

BOTH = ("h5", "keras")
# Padding behind, in front, inside, everywhere, nowhere.
MASK = np.array(
    [[bit == "1" for bit in row] for row in ("11100", "00111", "10101", "00000", "11111")]
)


def add_lstms(cases):
    def lstm(name, rows, batch=3, formats=None, **options):
        options = {"units": 5} | options
        cases.add(
            name,
            one(lambda: LSTM(**options)),
            feed((batch, 4, 3)),
            rows={2, 5} | rows,
            options=options,
            formats=formats,
        )

    sequences = {"return_sequences": True}
    lstm("lstm-1", set(), units=1)
    lstm("lstm-3-sequences", set(), units=3, formats=BOTH, **sequences)
    lstm("lstm-17", set(), units=17)
    lstm("no-bias", {24}, units=8, use_bias=False)
    lstm("return-state", {6}, return_state=True, **sequences)
    lstm("go-backwards", {10}, go_backwards=True, **sequences)
    hard = {"recurrent_activation": "hard_sigmoid"}
    lstm("hard-sigmoid", {23}, formats=BOTH, **hard, **sequences)
    lstm("hard-sigmoid-17", {23}, units=17, **hard)
    lstm("hard-sigmoid-both", {23}, activation="hard_sigmoid", batch=5, **hard, **sequences)
    for name in ("relu", "softsign", "elu", "linear"):
        lstm(f"activation-{name}", {23}, activation=name, **sequences)
    lstm("implementation-1", set(), implementation=1, **hard)
    cases.add(
        "time-major",
        one(lambda: LSTM(5, time_major=True, return_sequences=True)),
        feed((4, 2, 3)),
        rows={3},
        options={"time_major": True},
        notes="x is [time, batch, features]",
    )


def add_states(cases):
    def stateful():
        x = Input(batch_shape=(2, 3, 4), name="x")
        return keras.Model(x, LSTM(5, stateful=True, return_sequences=True)(x))

    cases.add(
        "stateful",
        stateful,
        None,
        rows={2, 8, 9},
        options={"stateful": True},
        calls=lambda rng: [
            ({"x": uniform(rng, (2, 3, 4), 2)}, reset) for reset in (False, False, True)
        ],
    )

    def initial():
        x, h, c = Input((None, 3), name="x"), Input((5,), name="h"), Input((5,), name="c")
        return keras.Model([x, h, c], LSTM(5, return_state=True)(x, initial_state=[h, c]))

    def fed(rng):
        x, h, c = uniform(rng, (3, 4, 3), 2), uniform(rng, (3, 5), 1), uniform(rng, (3, 5), 1)
        return {"x": x, "h": h, "c": c}

    cases.add("initial-state", initial, fed, rows={2, 6, 7})


def add_masks(cases):
    sequences = {"return_sequences": True}

    def masking(name, *makers, rows=frozenset(), **options):
        def fed(rng):
            return {"x": np.where(MASK[..., np.newaxis], uniform(rng, (5, 5, 3), 2), np.float32(0))}

        made = sequential(x_input(None, 3), lambda: Masking(0.0), *makers)
        cases.add(name, made, fed, rows={2, 25, 26} | rows, options=options)

    masking("masking", lambda: LSTM(5))
    masking("masking-sequences", lambda: LSTM(5, **sequences))
    zero = {"zero_output_for_mask": True}
    masking("masking-zero-output", lambda: LSTM(3, **zero, **sequences), rows={27}, **zero)
    masking("masking-bidirectional", lambda: Bidirectional(LSTM(3, **sequences)), rows={11, 27})

    cases.add(
        "embedding-mask-zero",
        sequential(
            lambda: Input((None,), dtype="int32", name="tokens"),
            lambda: Embedding(11, 4, mask_zero=True),
            lambda: LSTM(5),
            lambda: Dense(3, activation="softmax"),
        ),
        lambda rng: {"tokens": np.where(MASK, rng.integers(1, 11, MASK.shape), 0).astype(np.int32)},
        rows={2, 25, 26},
        formats=BOTH,
    )


def add_models(cases):
    for mode in ("concat", "sum", "mul", "ave"):
        many = mode in ("concat", "mul")
        cases.add(
            f"bidirectional-{mode}",
            one(lambda: Bidirectional(LSTM(5, return_sequences=many), merge_mode=mode)),
            feed((2, 4, 3)),
            rows={2, 11},
            options={"merge_mode": mode, "return_sequences": many},
            formats=BOTH if mode == "concat" else None,
        )
    cases.add(
        "bidirectional-backward-layer",
        one(
            lambda: Bidirectional(
                LSTM(5, return_sequences=True),
                backward_layer=LSTM(
                    3, return_sequences=True, go_backwards=True, recurrent_activation="hard_sigmoid"
                ),
            )
        ),
        feed((2, 5, 3)),
        rows={2, 11, 12, 23},
    )
    cases.add(
        "stacked-cells",
        one(lambda: layers.RNN([LSTMCell(5), LSTMCell(3)], return_sequences=True)),
        feed((2, 4, 3)),
        rows={2, 13},
        formats=BOTH,
    )
    cases.add(
        "stacked",
        sequential(
            x_input(8, 3),
            lambda: layers.Conv1D(4, 3, padding="causal", activation="relu"),
            layers.BatchNormalization,
            lambda: LSTM(5, return_sequences=True),
            lambda: layers.Dropout(0.5),
            lambda: LSTM(3, return_sequences=True),
            lambda: layers.TimeDistributed(Dense(2, activation="softmax")),
        ),
        feed((2, 8, 3)),
        rows={2, 13},
        formats=BOTH,
    )

    def residual():
        x = Input((6, 5), name="x")
        y = layers.Add()([x, LSTM(5, return_sequences=True)(x)])
        y = layers.LayerNormalization()(layers.LeakyReLU(alpha=0.2)(y))
        y = layers.Concatenate()([y, layers.Attention()([y, x])])
        return keras.Model(x, [layers.GlobalAveragePooling1D()(y), Dense(2)(y)])

    cases.add("residual", residual, feed((2, 6, 5)), rows={2, 28}, formats=BOTH)


def add_grus(cases):
    keras_gru.add_layers(cases, BOTH)
    keras_gru.add_states(cases)
    keras_gru.add_masks(cases)
    keras_gru.add_bidirectional(cases, BOTH)
    keras_gru.add_cells(cases, BOTH)
    for name, kind, rows in (("gru", layers.GRU, {35, 36}), ("rnn", layers.SimpleRNN, {37})):
        cases.add(
            f"{name}-time-major",
            one(lambda: kind(5, time_major=True, return_sequences=True)),
            feed((4, 2, 3)),
            rows={3} | rows,
            options={"time_major": True},
            notes="x is [time, batch, features]",
        )


def reset(model):
    model.reset_states()


def generate(directory):
    tf.config.run_functions_eagerly(True)
    versions = {
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "h5py": h5py.__version__,
    }
    golden = golden_cases.Golden(directory, "tf.keras", versions)
    for seed, add in enumerate((add_lstms, add_states, add_masks, add_models), start=1):
        add(Cases(golden, 1000 * seed, reset, ("h5",)))
    add_grus(Cases(golden, 8000, reset, ("h5",)))
    keras_windows.add(Cases(golden, 9000, reset, ("h5",)), BOTH)
    keras_functions.add(Cases(golden, 10000, reset, ("h5",)), BOTH)
    return golden


if __name__ == "__main__":
    golden_cases.main(__doc__, "keras2", generate)
