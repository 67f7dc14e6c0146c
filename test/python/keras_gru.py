"""GRU, SimpleRNN and their cells, for golden_keras2.py and golden_keras3.py."""

import keras
import numpy as np
from keras import layers
from keras.layers import GRU, Bidirectional, Dense, Embedding, GRUCell, Input, LSTMCell, Masking, SimpleRNN, SimpleRNNCell
from keras_cases import feed, one, sequential, uniform, x_input

UNITS = (1, 3, 5, 8, 17)
# Padding behind, in front, inside, everywhere, nowhere.
MASK = np.array([[bit == "1" for bit in row] for row in ("11100", "00111", "10101", "00000", "11111")])
AFTER, BEFORE, PLAIN = {35, 36}, {35}, {37}


def add_layers(cases, formats):
    """`formats` are those of a case that is written in all of them."""

    def layer(name, kind, rows, steps=4, batch=2, formats=None, **options):
        options = {"units": 5} | options
        rows = rows | (PLAIN if kind is SimpleRNN else AFTER if options.get("reset_after", True) else BEFORE)
        made = one(lambda: kind(**options))
        cases.add(name, made, feed((batch, steps, 3)), rows={2, 5} | rows, options=options, formats=formats)

    sequences = {"return_sequences": True}
    kinds = {"gru": (GRU, {}), "gru-before": (GRU, {"reset_after": False}), "rnn": (SimpleRNN, {})}
    for name, (kind, own) in kinds.items():
        for number, units in enumerate(UNITS):
            every = formats if units == 3 else None
            # A plain RNN of many units is chaotic: roundings grow from step to step.
            steps = (5, 3, 8, 2, 4 if kind is SimpleRNN else 17)[number]
            layer(
                f"{name}-{units}", kind, set(), steps, 1 + number % 3, every,
                units=units, return_sequences=number % 2 == 1, **own,
            )  # fmt: skip
        layer(f"{name}-no-bias", kind, {24}, formats=formats, use_bias=False, **own)
        layer(f"{name}-return-state", kind, {6}, return_state=True, **sequences, **own)
        layer(f"{name}-go-backwards", kind, {10}, formats=formats, go_backwards=True, **own)
        layer(f"{name}-go-backwards-sequences", kind, {10}, go_backwards=True, units=8, **sequences, **own)
        layer(f"{name}-one-step", kind, {1}, steps=1, return_state=True, **own)
        layer(f"{name}-activation", kind, {23}, activation="softsign", units=8, **sequences, **own)
        layer(f"{name}-activation-relu", kind, {23}, 3, activation="relu", **sequences, **own)
        if kind is GRU:
            hard = {"recurrent_activation": "hard_sigmoid"}
            layer(f"{name}-hard-sigmoid", kind, {23}, 4, 5, formats=formats, **hard, **sequences, **own)
            layer(f"{name}-both", kind, {23}, activation="hard_sigmoid", recurrent_activation="softsign", **sequences, **own)


def add_states(cases):
    for name, kind, rows in (("gru", GRU, AFTER), ("rnn", SimpleRNN, PLAIN)):

        def stateful(**options):
            def make():
                x = Input(batch_shape=(2, 3, 4), name="x")
                return keras.Model(x, kind(5, stateful=True, **options)(x))

            return make

        def calls(rng):
            return [({"x": uniform(rng, (2, 3, 4), 2)}, reset) for reset in (False, False, True)]

        sequences = {"return_sequences": True}
        options = {"stateful": True}
        cases.add(f"{name}-stateful", stateful(), None, rows={2, 8, 9} | rows, options=options, calls=calls)
        backwards = sequences | {"go_backwards": True}
        cases.add(
            f"{name}-stateful-backwards", stateful(**backwards), None,
            rows={2, 8, 9, 10} | rows, options=options | backwards, calls=calls,
        )  # fmt: skip

        def initial(**options):
            def make():
                x, h = Input((None, 3), name="x"), Input((5,), name="h")
                return keras.Model([x, h], kind(5, return_state=True, **options)(x, initial_state=h))

            return make

        def fed(rng):
            return {"x": uniform(rng, (3, 4, 3), 2), "h": uniform(rng, (3, 5), 1)}

        cases.add(f"{name}-initial-state", initial(), fed, rows={2, 6, 7} | rows)
        cases.add(f"{name}-initial-state-backwards", initial(**backwards), fed, rows={2, 6, 7, 10} | rows, options=backwards)

    def encoder_decoder():
        x, target = Input((None, 3), name="x"), Input((None, 4), name="target")
        _, h = GRU(5, return_state=True)(x)
        y = GRU(5, return_sequences=True)(target, initial_state=h)
        return keras.Model([x, target], Dense(3, activation="softmax")(y))

    def fed(rng):
        return {"x": uniform(rng, (2, 5, 3), 2), "target": uniform(rng, (2, 3, 4), 2)}

    cases.add("gru-encoder-decoder", encoder_decoder, fed, rows={2, 6, 7} | AFTER)


def add_masks(cases):
    sequences = {"return_sequences": True}

    def masking(name, *makers, rows=frozenset(), **options):
        def fed(rng):
            return {"x": np.where(MASK[..., np.newaxis], uniform(rng, (5, 5, 3), 2), np.float32(0))}

        made = sequential(x_input(None, 3), lambda: Masking(0.0), *makers)
        cases.add(name, made, fed, rows={2, 25, 26} | rows, options=options)

    zero = {"zero_output_for_mask": True}
    for name, kind, own, rows in (
        ("gru", GRU, {}, AFTER), ("gru-before", GRU, {"reset_after": False}, BEFORE), ("rnn", SimpleRNN, {}, PLAIN),
    ):  # fmt: skip
        masking(f"{name}-masking", lambda: kind(5, **own), rows=rows)
        masking(f"{name}-masking-sequences", lambda: kind(3, **own, **sequences), rows=rows)
        masking(f"{name}-masking-backwards", lambda: kind(8, go_backwards=True, **own, **sequences), rows={10} | rows)
        masking(f"{name}-masking-zero-output", lambda: kind(3, **own, **zero, **sequences), rows={27} | rows, **zero)
        masking(f"{name}-masking-zero-last", lambda: kind(3, **own, **zero), rows={27} | rows, **zero)
        masking(f"{name}-masking-bidirectional", lambda: Bidirectional(kind(3, **own, **sequences)), rows={11, 27} | rows)

    def argument(**options):
        def make():
            x, h = Input((None, 3), name="x"), Input((5,), name="h")
            mask = Input((None,), dtype="bool", name="mask")
            return keras.Model([x, mask, h], GRU(5, return_state=True, **options)(x, mask=mask, initial_state=h))

        return make

    def fed(rng):
        return {"x": uniform(rng, (5, 5, 3), 2), "mask": MASK, "h": uniform(rng, (5, 5), 1)}

    note = "at a masked first step the held output is zeros, though h is not"
    for name, options in (("", {}), ("-backwards", sequences | {"go_backwards": True})):
        cases.add(f"gru-mask-argument{name}", argument(**options), fed, rows={2, 6, 7, 25, 26} | AFTER, options=options, notes=note)

    embedding = sequential(
        lambda: Input((None,), dtype="int32", name="tokens"), lambda: Embedding(11, 4, mask_zero=True),
        lambda: GRU(5), lambda: Dense(3, activation="softmax"),
    )  # fmt: skip

    def tokens(rng):
        return {"tokens": np.where(MASK, rng.integers(1, 11, MASK.shape), 0).astype(np.int32)}

    cases.add("gru-embedding-mask-zero", embedding, tokens, rows={2, 25, 26} | AFTER)


def add_bidirectional(cases, formats):
    for number, mode in enumerate(("concat", "sum", "mul", "ave", None)):
        many = number % 2 == 0
        kind, rows = ((GRU, AFTER), (SimpleRNN, PLAIN))[number // 3]
        cases.add(
            f"{'gru' if kind is GRU else 'rnn'}-bidirectional-{mode}".lower(),
            one(lambda: Bidirectional(kind(UNITS[number], return_sequences=many), merge_mode=mode)),
            feed((1 + number % 3, 4, 3)),
            rows={2, 11} | rows,
            options={"merge_mode": mode, "return_sequences": many},
            formats=formats if mode == "concat" else None,
        )
    cases.add(
        "gru-bidirectional-states",
        one(lambda: Bidirectional(GRU(3, return_state=True, return_sequences=True, reset_after=False))),
        feed((2, 5, 3)),
        rows={2, 6, 11} | BEFORE,
        notes="outputs: the sequence, then h forward, h backward",
    )
    different = {"return_sequences": True, "go_backwards": True, "activation": "softsign"}
    for name, backward in (
        ("gru-bidirectional-reset-rules", lambda: GRU(5, reset_after=False, **different)),
        ("gru-bidirectional-backward-rnn", lambda: SimpleRNN(5, **different)),
    ):
        made = one(lambda: Bidirectional(GRU(5, return_sequences=True), backward_layer=backward()))
        cases.add(name, made, feed((2, 5, 3)), rows={2, 11, 12, 23} | AFTER, options={"backward_layer": different})

    def initial():
        x, states = Input((None, 3), name="x"), [Input((3,), name=name) for name in ("h_f", "h_b")]
        return keras.Model([x, *states], Bidirectional(GRU(3, return_sequences=True))(x, initial_state=states))

    def fed(rng):
        return {"x": uniform(rng, (2, 4, 3), 2)} | {name: uniform(rng, (2, 3), 1) for name in ("h_f", "h_b")}

    cases.add("gru-bidirectional-initial-state", initial, fed, rows={2, 7, 11} | AFTER)


def add_cells(cases, formats):
    def cells(name, rows, *makers, formats=None, **options):
        def make():
            made = [make() for make in makers]
            return layers.RNN(made[0] if len(made) == 1 else made, **options)

        cases.add(name, one(make), feed((2, 4, 3)), rows={2} | rows, options=options, formats=formats)

    many = {"return_sequences": True, "return_state": True}
    cells("gru-cell", {6} | AFTER, lambda: GRUCell(5), formats=formats, **many)
    cells("gru-cell-before", BEFORE, lambda: GRUCell(3, reset_after=False), go_backwards=True, return_sequences=True)
    cells("rnn-cell", {6} | PLAIN, lambda: SimpleRNNCell(5, activation="relu"), formats=formats, **many)
    cells("gru-stacked-cells", {13} | AFTER, lambda: GRUCell(5), lambda: GRUCell(3, use_bias=False), formats=formats)
    cells(
        "mixed-stacked-cells", {6, 13} | AFTER | PLAIN,
        lambda: GRUCell(3), lambda: LSTMCell(5), lambda: SimpleRNNCell(2), lambda: GRUCell(4, reset_after=False), **many,
    )  # fmt: skip
    cases.add(
        "gru-cell-bidirectional",
        one(lambda: Bidirectional(layers.RNN(GRUCell(5), return_sequences=True))),
        feed((2, 4, 3)),
        rows={2, 11} | AFTER,
    )

    def initial():
        x, h0, h1 = Input((None, 3), name="x"), Input((3,), name="h_0"), Input((5,), name="h_1")
        y = layers.RNN([GRUCell(3), SimpleRNNCell(5)], return_sequences=True)(x, initial_state=[h0, h1])
        return keras.Model([x, h0, h1], y)

    def fed(rng):
        return {"x": uniform(rng, (2, 4, 3), 2), "h_0": uniform(rng, (2, 3), 1), "h_1": uniform(rng, (2, 5), 1)}

    cases.add("gru-stacked-cells-initial-state", initial, fed, rows={2, 7, 13} | AFTER | PLAIN)


def add_single_steps(cases):
    """Cells that are called by themselves."""
    for name, kind, rows in (("gru", GRUCell, AFTER), ("rnn", SimpleRNNCell, PLAIN)):

        def single():
            x, h = Input((3,), name="x"), Input((5,), name="h")
            _, h_next = kind(5)(x, h)
            return keras.Model([x, h], h_next[0] if isinstance(h_next, (list, tuple)) else h_next)

        def fed(rng):
            return {"x": uniform(rng, (3, 3), 2), "h": uniform(rng, (3, 5), 1)}

        cases.add(f"{name}-single-step-cell", single, fed, rows={1, 6, 7} | rows)
