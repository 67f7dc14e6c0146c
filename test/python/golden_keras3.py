"""Keras 3 models in files of its three formats, with their outputs.

{name}.keras is a whole model, {name}.h5 a whole model in the older format, and {name}.weights.h5
has weights only: the architecture is then in {name}.json, as model.to_json() writes it. The names of
inputs and outputs are explained in keras_cases.py.

  KERAS_BACKEND=torch python test/python/golden_keras3.py            write test/golden/keras3
  KERAS_BACKEND=torch python test/python/golden_keras3.py --check    compare a fresh run with it
"""

import golden_cases
import h5py
import keras
import keras_functions
import keras_gru
import keras_windows
import numpy as np
import torch
from keras import layers
from keras.layers import LSTM, Bidirectional, Dense, Embedding, Input, LSTMCell, Masking
from keras_cases import Cases, feed, fill, one, run, sequential, uniform, x_input

UNITS = (1, 3, 5, 8, 17)


def add_lstms(cases):
    formats = ("keras", "h5", "weights.h5")
    for number, units in enumerate(UNITS):
        features, steps, batch = (1, 3, 5, 8, 4)[number], (5, 3, 8, 2, 17)[number], 1 + number % 3
        many = number % 2 == 1
        cases.add(
            f"lstm-{units}{'-sequences' * many}",
            one(lambda: LSTM(units, return_sequences=many), None, features),
            feed((batch, steps, features)),
            rows={2, 5},
            options={"units": units, "return_sequences": many},
            formats=formats if units == 3 else ("keras",),
        )

    def lstm(name, rows, steps=4, batch=2, formats=("keras",), **options):
        units = options.pop("units", 5)
        cases.add(
            name,
            one(lambda: LSTM(units, **options)),
            feed((batch, steps, 3)),
            rows={2} | rows,
            options=options | {"units": units},
            formats=formats,
        )

    lstm("no-bias", {24}, use_bias=False, formats=("keras", "h5"))
    lstm("return-state-sequences", {5, 6}, return_state=True, return_sequences=True)
    lstm("go-backwards", {10}, go_backwards=True, formats=("keras", "weights.h5"))
    lstm("go-backwards-sequences", {10}, go_backwards=True, return_sequences=True, units=8)
    lstm("one-step", {1}, steps=1, return_state=True)
    cases.add(
        "unroll",
        one(lambda: LSTM(3, unroll=True), 4),
        feed((2, 4, 3)),
        rows={2},
        options={"unroll": True},
    )

    sequences = {"return_sequences": True}
    activations = ("relu", "linear", "elu", "softsign", "softplus", "relu6", "silu", "gelu")
    activations += ("hard_sigmoid",)
    recurrent = ("hard_sigmoid", "softsign", "tanh", "sigmoid", "elu")
    for number, name in enumerate(activations):
        named = {"activation": name, "recurrent_activation": recurrent[number % 5]}
        lstm(f"activation-{name}", {23}, 3, 5, units=UNITS[1 + number % 4], **named, **sequences)
    lstm("recurrent-hard_sigmoid", {23}, 4, 5, recurrent_activation="hard_sigmoid", **sequences)


def add_states(cases):
    def stateful(name, calls, **options):
        def make():
            x = Input(batch_shape=(2, 3, 4), name="x")
            return keras.Model(x, LSTM(5, stateful=True, **options)(x))

        cases.add(
            name,
            make,
            None,
            rows={2, 8, 9} | ({10} if "go_backwards" in options else set()),
            options={"stateful": True} | options,
            calls=lambda rng: [({"x": uniform(rng, (2, 3, 4), 2)}, reset) for reset in calls],
        )

    stateful("stateful", [False, False, True])
    stateful("stateful-sequences", [False, False, False, True], return_sequences=True)
    stateful("stateful-backwards", [False, False], go_backwards=True, return_sequences=True)

    def initial(**options):
        def make():
            x = Input((None, 3), name="x")
            h, c = Input((5,), name="h"), Input((5,), name="c")
            y = LSTM(5, return_state=True, **options)(x, initial_state=[h, c])
            return keras.Model([x, h, c], y)

        return make

    def fed(rng):
        x, h, c = uniform(rng, (3, 4, 3), 2), uniform(rng, (3, 5), 1), uniform(rng, (3, 5), 1)
        return {"x": x, "h": h, "c": c}

    cases.add("initial-state", initial(), fed, rows={2, 6, 7}, formats=("h5",))
    options = {"go_backwards": True, "return_sequences": True}
    cases.add(
        "initial-state-backwards", initial(**options), fed, rows={2, 6, 7, 10}, options=options
    )

    def encoder_decoder():
        x, target = Input((None, 3), name="x"), Input((None, 4), name="target")
        _, h, c = LSTM(5, return_state=True)(x)
        y = LSTM(5, return_sequences=True)(target, initial_state=[h, c])
        return keras.Model([x, target], Dense(3, activation="softmax")(y))

    cases.add(
        "encoder-decoder",
        encoder_decoder,
        lambda rng: {"x": uniform(rng, (2, 5, 3), 2), "target": uniform(rng, (2, 3, 4), 2)},
        rows={2, 6, 7},
    )


def pattern(rows):
    """A mask from strings such as "1101"."""
    return np.array([[character == "1" for character in row] for row in rows])


# Padding behind, in front, inside, everywhere, nowhere.
MASK = pattern(["11100", "00111", "10101", "00000", "11111"])


def add_masks(cases):
    def masked_feed(value=0.0, features=3):
        def fed(rng):
            x = uniform(rng, (*MASK.shape, features), 2)
            x[~MASK] = value
            return {"x": x}

        return fed

    sequences = {"return_sequences": True}

    def masking(name, *makers, value=0.0, rows=frozenset(), formats=("keras",), **options):
        cases.add(
            name,
            sequential(x_input(None, 3), lambda: Masking(value), *makers),
            masked_feed(value),
            rows={2, 25, 26} | rows,
            options={"mask_value": value} | options,
            formats=formats,
        )

    masking("masking", lambda: LSTM(5), formats=("keras", "h5"))
    masking("masking-sequences", lambda: LSTM(5, **sequences))
    masking("masking-value", lambda: LSTM(3, **sequences), value=-1.5)
    masking("masking-backwards", lambda: LSTM(8, go_backwards=True, **sequences), rows={10})
    masking("masking-stacked", lambda: LSTM(5, **sequences), lambda: LSTM(3), rows={13})
    zero = {"zero_output_for_mask": True, "return_sequences": True}
    masking("masking-zero-output", lambda: LSTM(5, **zero), rows={27})
    for mode, many in (("concat", True), ("sum", False)):
        masking(
            f"masking-bidirectional-{mode}{'-sequences' * many}",
            lambda: Bidirectional(LSTM(3, return_sequences=many), merge_mode=mode),
            rows={11, 27} if many else {11},
        )
    masking(
        "masking-stacked-cells",
        lambda: layers.RNN([LSTMCell(3), LSTMCell(5)], **sequences),
        rows={13},
    )

    def argument(**options):
        def make():
            x, mask = Input((None, 3), name="x"), Input((None,), dtype="bool", name="mask")
            h, c = Input((5,), name="h"), Input((5,), name="c")
            y = LSTM(5, return_state=True, **options)(x, mask=mask, initial_state=[h, c])
            return keras.Model([x, mask, h, c], y)

        return make

    def fed(rng):
        x, h, c = uniform(rng, (5, 5, 3), 2), uniform(rng, (5, 5), 1), uniform(rng, (5, 5), 1)
        return {"x": x, "mask": MASK, "h": h, "c": c}

    note = "at a masked first step the held output is zeros, though h is not"
    for name, options, rows in (
        ("mask-argument", {}, set()),
        ("mask-argument-zero-output", zero, {27}),
        ("mask-argument-backwards", sequences | {"go_backwards": True}, {10}),
    ):
        made = argument(**options)
        cases.add(name, made, fed, rows={2, 6, 7, 25, 26} | rows, options=options, notes=note)

    embedding = sequential(
        lambda: Input((None,), dtype="int32", name="tokens"),
        lambda: Embedding(11, 4, mask_zero=True),
        lambda: LSTM(5),
        lambda: Dense(3, activation="softmax"),
    )

    def tokens(rng):
        return {"tokens": np.where(MASK, rng.integers(1, 11, MASK.shape), 0).astype(np.int32)}

    cases.add("embedding-mask-zero", embedding, tokens, rows={2, 25, 26})


def add_bidirectional(cases):
    for number, mode in enumerate(("concat", "sum", "mul", "ave", None)):
        for many in (False, True) if mode == "concat" else (True,):
            units = UNITS[(number + many) % 5]
            cases.add(
                f"bidirectional-{mode}{'-sequences' * many}".lower(),
                one(lambda: Bidirectional(LSTM(units, return_sequences=many), merge_mode=mode)),
                feed((1 + number % 3, 4, 3)),
                rows={2, 11},
                options={"merge_mode": mode, "return_sequences": many},
                formats=("keras", "h5", "weights.h5") if mode == "mul" and many else ("keras",),
            )
    cases.add(
        "bidirectional-states",
        one(lambda: Bidirectional(LSTM(3, return_state=True, return_sequences=True))),
        feed((2, 5, 3)),
        rows={2, 6, 11},
        notes="outputs: the sequence, then h and c forward, h and c backward",
    )
    different = {"return_sequences": True, "go_backwards": True, "activation": "softsign"}
    cases.add(
        "bidirectional-backward-layer",
        one(
            lambda: Bidirectional(
                LSTM(5, return_sequences=True),
                backward_layer=LSTM(3, recurrent_activation="hard_sigmoid", **different),
            )
        ),
        feed((2, 5, 3)),
        rows={2, 11, 12, 23},
        options={"backward_layer": different | {"units": 3}},
    )
    cases.add(
        "bidirectional-stacked",
        sequential(
            x_input(None, 3),
            lambda: Bidirectional(LSTM(5, return_sequences=True)),
            lambda: Bidirectional(LSTM(3, return_sequences=True), merge_mode="ave"),
            lambda: layers.TimeDistributed(Dense(2)),
        ),
        feed((2, 5, 3)),
        rows={2, 11, 13},
    )

    def initial():
        x = Input((None, 3), name="x")
        states = [Input((3,), name=name) for name in ("h_f", "c_f", "h_b", "c_b")]
        y = Bidirectional(LSTM(3, return_sequences=True))(x, initial_state=states)
        return keras.Model([x, *states], y)

    cases.add(
        "bidirectional-initial-state",
        initial,
        lambda rng: (
            {"x": uniform(rng, (2, 4, 3), 2)}
            | {name: uniform(rng, (2, 3), 1) for name in ("h_f", "c_f", "h_b", "c_b")}
        ),
        rows={2, 7, 11},
    )


def add_cells(cases):
    def cells(name, rows, *makers, formats=("keras",), **options):
        cases.add(
            name,
            one(lambda: layers.RNN([make() for make in makers], **options)),
            feed((2, 4, 3)),
            rows={2, 13} | rows,
            options=options,
            formats=formats,
        )

    files = ("keras", "h5")
    cells("stacked-cells", set(), lambda: LSTMCell(5), lambda: LSTMCell(3), formats=files)
    options = {"return_sequences": True, "return_state": True}
    cells("stacked-cells-states", {6}, lambda: LSTMCell(3), lambda: LSTMCell(8), **options)
    cells(
        "stacked-cells-activations",
        {10, 23},
        lambda: LSTMCell(8, recurrent_activation="hard_sigmoid"),
        lambda: LSTMCell(5, activation="softsign", use_bias=False),
        lambda: LSTMCell(3),
        go_backwards=True,
        return_sequences=True,
    )

    def initial():
        x = Input((None, 3), name="x")
        names = ("h_0", "c_0", "h_1", "c_1")
        states = [Input((3 if name[2] == "0" else 5,), name=name) for name in names]
        rnn = layers.RNN([LSTMCell(3), LSTMCell(5)], return_sequences=True)
        y = rnn(x, initial_state=[states[:2], states[2:]])
        return keras.Model([x, *states], y)

    def fed(rng):
        sizes = {"h_0": 3, "c_0": 3, "h_1": 5, "c_1": 5}
        return {"x": uniform(rng, (2, 4, 3), 2)} | {
            name: uniform(rng, (2, size), 1) for name, size in sizes.items()
        }

    cases.add("stacked-cells-initial-state", initial, fed, rows={2, 7, 13})

    def single():
        x, h, c = Input((3,), name="x"), Input((5,), name="h"), Input((5,), name="c")
        _, (h_next, c_next) = LSTMCell(5)(x, [h, c])
        return keras.Model([x, h, c], [h_next, c_next])

    cases.add(
        "single-step-cell",
        single,
        lambda rng: (
            {"x": uniform(rng, (3, 3), 2), "h": uniform(rng, (3, 5), 1)}
            | {"c": uniform(rng, (3, 5), 1)}
        ),
        rows={1, 6, 7},
    )


def add_models(cases):
    """Layers that stand around an LSTM, one or a few at a time."""

    def around(name, *makers, shape=(2, 8, 3), rows=frozenset(), formats=("keras",)):
        made = sequential(x_input(*shape[1:]), *makers)
        cases.add(name, made, feed(shape), rows=rows, formats=formats)

    def lstm(units=5):
        return lambda: LSTM(units, return_sequences=True)

    around("dense-last", lambda: LSTM(8), lambda: Dense(1, use_bias=False), formats=("keras", "h5"))
    around(
        "time-distributed",
        lambda: layers.SpatialDropout1D(0.3),
        lstm(),
        lambda: layers.Dropout(0.5),
        lambda: layers.TimeDistributed(Dense(3, activation="relu")),
    )
    around(
        "conv1d", lambda: layers.Conv1D(5, 3, activation="relu"), lstm(3), formats=("keras", "h5")
    )
    around(
        "conv1d-variants",
        lambda: layers.Conv1D(5, 4, padding="same"),
        lambda: layers.Conv1D(4, 3, padding="causal", dilation_rate=2),
        lambda: layers.Conv1D(6, 3, groups=2, use_bias=False),
        lambda: layers.Conv1D(3, 4, strides=3, padding="same"),
    )
    around(
        "batch-and-layer-normalization",
        lambda: layers.BatchNormalization(epsilon=0.01),
        lstm(3),
        lambda: layers.LayerNormalization(epsilon=0.02),
        lambda: layers.BatchNormalization(center=False, scale=False),
    )
    around("prelu", lambda: layers.PReLU(shared_axes=[1]), lambda: layers.PReLU())
    around("repeat-vector", lambda: LSTM(3), lambda: layers.RepeatVector(4), lstm(5), rows={13})
    around(
        "reshape",
        lambda: layers.Reshape((4, 6)),
        lambda: layers.Permute((2, 1)),
        lstm(3),
        layers.Flatten,
        lambda: Dense(2, activation="softmax"),
    )

    def weightless():
        x = Input((8, 3), name="x")
        several = [
            layers.MaxPooling1D(3, strides=2),
            # Padding that is not symmetric: the torch backend repeats the last step, TensorFlow and JAX leave it out.
            layers.AveragePooling1D(3, strides=1, padding="same"),
            layers.GlobalAveragePooling1D(),
            layers.GlobalMaxPooling1D(),
            layers.ZeroPadding1D((1, 3)),
            layers.Cropping1D((1, 2)),
            layers.UpSampling1D(2),
            layers.Softmax(axis=1),
            layers.LeakyReLU(negative_slope=0.2),
            layers.ELU(alpha=0.4),
            layers.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.2),
            layers.Rescaling(0.25, offset=-0.5),
        ]
        return keras.Model(x, [layer(x) for layer in several])

    cases.add("weightless-layers", weightless, feed((2, 8, 3)), rows=set())

    def activations():
        x = Input((None, 5), name="x")
        names = (
            "softmax",
            "log_softmax",
            "selu",
            "leaky_relu",
            "mish",
            "hard_silu",
            "hard_tanh",
            "tanh_shrink",
            "log_sigmoid",
        )
        names += ("exponential", "celu", "squareplus", "soft_shrink", "hard_shrink")
        return keras.Model(x, [layers.Activation(name)(x) for name in names])

    cases.add("activation-layers", activations, feed((2, 3, 5), 4.0), rows=set())

    def merged(name, rows=frozenset(), formats=("keras",)):
        def add(build):
            def make():
                x = Input((6, 5), name="x")
                return keras.Model(x, build(x))

            cases.add(name, make, feed((2, 6, 5)), rows={2} | rows, formats=formats)

        return add

    @merged("residual", {28}, formats=("keras", "h5"))
    def _(x):
        y = layers.Add()([x, LSTM(5, return_sequences=True)(x)])
        return layers.Add()([y, LSTM(5, return_sequences=True)(y)])

    @merged("concatenate")
    def _(x):
        parts = [LSTM(3, return_sequences=True)(x), layers.Conv1D(4, 3, padding="same")(x), x]
        return Dense(2)(layers.Concatenate()(parts))

    @merged("gated")
    def _(x):
        y = LSTM(5, return_sequences=True)(x)
        product = layers.Multiply()([y, Dense(5, activation="sigmoid")(x)])
        return layers.Subtract()([layers.Maximum()([product, x]), layers.Average()([x, y])])

    @merged("attention")
    def _(x):
        y = LSTM(5, return_sequences=True)(x)
        return LSTM(3)(layers.Attention()([y, x]))

    @merged("attention-dot")
    def _(x):
        y = LSTM(5, return_sequences=True)(x)
        weights = layers.Softmax()(layers.Dot(axes=2)([y, y]))
        return layers.Dot(axes=(2, 1))([weights, y])

    @merged("shared-layer")
    def _(x):
        lstm = LSTM(5, return_sequences=True)
        return lstm(lstm(x))

    @merged("two-outputs", {6})
    def _(x):
        y, h, c = LSTM(5, return_sequences=True, return_state=True)(x)
        return [Dense(2, name="steps")(y), Dense(3, name="last")(layers.Concatenate()([h, c]))]

    def nested():
        inner = keras.Sequential([Input((6, 5)), LSTM(3, return_sequences=True), Dense(4)])
        x = Input((6, 5), name="x")
        return keras.Model(x, LSTM(2)(inner(x)))

    cases.add("nested", nested, feed((2, 6, 5)), rows={2, 13})


def add_float16(golden):
    """Weights stored in float16, evaluated in float32."""

    def make():
        x = Input((None, 3), name="x")
        # The default initializer needs a factorization that torch does not have in float16.
        lstm = LSTM(5, return_sequences=True, recurrent_initializer="zeros")
        return keras.Model(x, Dense(2)(lstm(x)))

    rng = np.random.default_rng(77)
    keras.backend.clear_session()
    keras.backend.set_floatx("float16")
    half = make()
    fill(half, rng)
    path = golden.directory / "float16.keras"
    half.save(path)
    keras.backend.set_floatx("float32")
    keras.backend.clear_session()
    model = make()
    model.set_weights([weight.astype(np.float32) for weight in half.get_weights()])
    inputs = feed((2, 4, 3))(rng)
    outputs = run(model, inputs)
    cases = Cases(golden, 0, reset, ("keras",))
    [exact] = cases.evaluate64(make, half.get_weights(), [(inputs, False)])
    golden.add(
        "float16",
        path.name,
        rows={2, 31},
        options={"floatx": "float16"},
        calls=[(inputs, outputs, exact)],
        notes="the file is float16 throughout; the outputs are of the same weights in float32",
    )


def add_grus(cases):
    keras_gru.add_layers(cases, ("keras", "h5", "weights.h5"))
    keras_gru.add_states(cases)
    keras_gru.add_masks(cases)
    keras_gru.add_bidirectional(cases, ("keras", "h5", "weights.h5"))
    keras_gru.add_cells(cases, ("keras", "h5"))
    keras_gru.add_single_steps(cases)


def reset(model):
    for layer in model.layers:
        if getattr(layer, "stateful", False):
            layer.reset_state()


@torch.no_grad()
def generate(directory):
    torch.set_num_threads(1)
    versions = {"keras": keras.__version__, "torch": torch.__version__, "h5py": h5py.__version__}
    golden = golden_cases.Golden(directory, "keras, torch backend", versions)
    for seed, add in enumerate(
        (add_lstms, add_states, add_masks, add_bidirectional, add_cells, add_models), start=1
    ):
        add(Cases(golden, 1000 * seed, reset, ("keras",)))
    add_float16(golden)
    add_grus(Cases(golden, 8000, reset, ("keras",)))
    keras_windows.add(Cases(golden, 9000, reset, ("keras",)), ("keras", "h5"))
    keras_functions.add(Cases(golden, 10000, reset, ("keras",)), ("keras", "h5"))
    return golden


if __name__ == "__main__":
    golden_cases.main(__doc__, "keras3", generate)
