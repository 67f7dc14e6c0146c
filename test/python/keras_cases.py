"""What the scripts for Keras 2 and 3 share: cases with random weights, and a check of options.

Inputs of a case go by the names of the Input layers; outputs are "output", or "output_0",
"output_1" in the order of the model. An option of an LSTM that can be put back to its default alone
must matter.
"""

import json

import keras
import numpy as np
from keras.layers import Input

MATTERS = 1e-3
LARGEST_DISTANCE = 1e-5
DEFAULTS = {
    "LSTM": {
        "activation": "tanh",
        "recurrent_activation": "sigmoid",
        "go_backwards": False,
        "zero_output_for_mask": False,
    },
    "LSTMCell": {"activation": "tanh", "recurrent_activation": "sigmoid"},
    "GRU": {
        "activation": "tanh",
        "recurrent_activation": "sigmoid",
        "go_backwards": False,
        "zero_output_for_mask": False,
    },
    "GRUCell": {"activation": "tanh", "recurrent_activation": "sigmoid"},
    "SimpleRNN": {"activation": "tanh", "go_backwards": False, "zero_output_for_mask": False},
    "SimpleRNNCell": {"activation": "tanh"},
    "RNN": {"go_backwards": False, "zero_output_for_mask": False},
    "Embedding": {"mask_zero": False},
    "Masking": {"mask_value": 12345.0},
}


def uniform(rng, shape, scale):
    return rng.uniform(-scale, scale, shape).astype(np.float32)


def fill(model, rng):
    """Gives every weight new values, with biases and moving averages that matter too."""
    values = []
    for weight in model.weights:
        value = uniform(rng, weight.shape, 0.8)
        values.append(np.abs(value) + np.float32(0.1) if "variance" in weight.name else value)
    model.set_weights(values)


def run(model, inputs):
    for layer in model.layers:
        # Normalization computes with what it had before its weights were set, until it is told.
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()
    fed = [inputs[tensor.name] for tensor in model.inputs]
    outputs = flat(model.predict_on_batch(fed if len(fed) > 1 else fed[0]))
    if len(outputs) == 1:
        return {"output": outputs[0]}
    return {f"output_{index}": part for index, part in enumerate(outputs)}


def flat(nested):
    if isinstance(nested, (list, tuple)):
        return [part for element in nested for part in flat(element)]
    return [nested]


def doubled(inputs):
    return {
        key: value.astype(np.float64) if value.dtype.kind == "f" else value
        for key, value in inputs.items()
    }


def without_each_option(node, inside_bidirectional=False):
    """(option, the config it is in, its key and its default) for all in the JSON of a model.

    Bidirectional decides itself on the directions of its layers and on zero_output_for_mask.
    """
    if isinstance(node, list):
        for element in node:
            yield from without_each_option(element, inside_bidirectional)
    elif isinstance(node, dict):
        config = node.get("config")
        for key, default in DEFAULTS.get(node.get("class_name"), {}).items():
            decided = inside_bidirectional and key in ("go_backwards", "zero_output_for_mask")
            if not decided and config.get(key, default) != default:
                yield f"{config['name']}.{key}", config, key, default
        inside = inside_bidirectional or node.get("class_name") == "Bidirectional"
        for element in node.values():
            yield from without_each_option(element, inside)


def check_options(name, model, inputs):
    architecture = json.loads(model.to_json())
    expected = run(model, inputs)
    for option, config, key, default in without_each_option(architecture):
        kept, config[key] = config[key], default
        other = keras.models.model_from_json(json.dumps(architecture))
        config[key] = kept
        other.set_weights(model.get_weights())
        changed = run(other, inputs)
        apart = max(np.abs(expected[output] - changed[output]).max() for output in expected)
        assert apart > MATTERS, f"{name}: {option} does not matter"


class Cases:
    """Adds cases to `golden`, each with random weights of its own seed.

    `reset` makes a model forget its state; `formats` are those of a case that names none.
    """

    def __init__(self, golden, seed, reset, formats):
        self.golden = golden
        self.seed = seed
        self.reset = reset
        self.formats = formats

    def add(self, name, make, inputs, *, rows, options=None, formats=None, calls=None, notes=""):
        """One case in each of the `formats`.

        make() gives the model, inputs(rng) what it is fed with. calls(rng) is a list of (inputs,
        whether the state is reset before) instead, for a model that keeps its state.
        """
        self.seed += 1
        rng = np.random.default_rng(self.seed)
        keras.backend.clear_session()
        model = make()
        fill(model, rng)
        fed = calls(rng) if calls else [(inputs(rng), False)]
        found = self.evaluate(model, fed)
        exact = self.evaluate64(make, model.get_weights(), fed)
        for outputs, reference in zip(found, exact, strict=True):
            for key, value in outputs.items():
                apart = np.abs(value - reference[key]).max()
                assert apart < LARGEST_DISTANCE, f"{name}: {key} is {apart} from float64"
        if not calls:
            check_options(name, model, fed[0][0])
        for number, kind in enumerate(formats or self.formats):
            case = name if number == 0 else f"{name}-{kind.replace('.', '-')}"
            file = self.golden.directory / f"{name}.{kind}"
            save(model, file)
            if kind != "weights.h5":
                again = self.evaluate(keras.models.load_model(file), fed[:1])[0]
                for key, value in found[0].items():
                    assert np.allclose(value, again[key], rtol=0, atol=1e-6), f"{file.name}: {key}"
            described = dict(options or {})
            if kind == "weights.h5":
                architecture = self.golden.directory / f"{name}.json"
                architecture.write_text(model.to_json())
                described["architecture"] = architecture.name
            self.golden.add(
                case,
                file.name,
                rows=rows,
                options=described,
                calls=[
                    (values, outputs, reference, reset)
                    for (values, reset), outputs, reference in zip(fed, found, exact)
                ],
                notes=notes,
            )

    def evaluate(self, model, fed):
        results = []
        for inputs, reset in fed:
            if reset:
                self.reset(model)
            results.append(run(model, inputs))
        return results

    def evaluate64(self, make, weights, fed):
        keras.backend.set_floatx("float64")
        keras.backend.clear_session()
        model = make()
        model.set_weights([weight.astype(np.float64) for weight in weights])
        results = self.evaluate(model, [(doubled(inputs), reset) for inputs, reset in fed])
        keras.backend.set_floatx("float32")
        return results


def save(model, file):
    if file.name.endswith(".weights.h5"):
        model.save_weights(file)
    else:
        model.save(file)


def feed(shape, scale=2.0, name="x"):
    return lambda rng: {name: uniform(rng, shape, scale)}


def one(layer, steps=None, features=3):
    """A maker of a model with x [batch, steps, features] -> layer()."""
    return lambda: functional(layer, Input((steps, features), name="x"))


def functional(layer, x):
    return keras.Model(x, layer()(x))


def sequential(*makers):
    """A maker of a Sequential model from makers of its layers."""
    return lambda: keras.Sequential([make() for make in makers])


def x_input(steps, features):
    return lambda: Input((steps, features), name="x")
