"""GRU and RNN nodes for golden_onnx.py: every optional input and attribute, both rules of the reset gate."""

import itertools

import numpy as np
import onnx
from onnx.reference.op_run import OpRun
from onnx_graph import ACTIVATIONS, ALPHA, BETA, Graph, bound_activations, evaluate, evaluate64, farthest, uniform

OPSETS = (7, 14, 17, 22)
HIDDEN_SIZES = (1, 3, 5, 8, 17)
DIRECTIONS = ("forward", "reverse", "bidirectional")
MATTERS = 1e-3
LARGEST_DISTANCE = 1e-5
GATES = {"GRU": 3, "RNN": 1}
FUNCTIONS = {"GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}


def walk(x, w, r, b, sequence_lens, initial_h, options, defaults, step):
    """Y and Y_h of a whole operator, in the type of its input; step(x, h, w, r, wb, rb, functions, clip) gives the next h."""
    layout = options["layout"] or 0
    if layout:
        x = np.swapaxes(x, 0, 1)
        initial_h = initial_h if initial_h is None else np.swapaxes(initial_h, 0, 1)
    steps, batch, _ = x.shape
    directions, hidden = w.shape[0], r.shape[2]
    b = np.zeros((directions, 2 * w.shape[1])) if b is None else b
    lens = [steps] * batch if sequence_lens is None else sequence_lens
    y = np.zeros((steps, directions, batch, hidden), x.dtype)
    y_h = np.zeros((directions, batch, hidden), x.dtype)
    functions = bound_activations(
        options["activations"] or defaults * directions,
        options["activation_alpha"],
        options["activation_beta"],
    )
    clip = options["clip"] or np.inf
    for d, n in itertools.product(range(directions), range(batch)):
        own = functions[d * len(defaults) : (d + 1) * len(defaults)]
        state = np.zeros(hidden) if initial_h is None else initial_h[d, n]
        times = range(lens[n])
        for t in reversed(times) if options["direction"] == "reverse" or d else times:
            state = step(x[t, n], state, w[d], r[d], *np.split(b[d], 2), own, lambda v: np.clip(v, -clip, clip))
            y[t, d, n] = state
        # Without a step these stay zeros, whatever the initial state: as onnxruntime has it.
        if lens[n]:
            y_h[d, n] = state
    return (y.transpose(2, 0, 1, 3), y_h.swapaxes(0, 1)) if layout else (y, y_h)


class GRU(OpRun):
    """The whole operator: the one in onnx leaves most attributes out."""

    op_domain = ""

    def _run(self, x, w, r, b=None, sequence_lens=None, initial_h=None, **options):
        after = options["linear_before_reset"]

        def step(x, h, w, r, wb, rb, functions, clip):
            f, g = functions
            (wz, wr, wh), (rz, rr, rh) = np.split(w, 3), np.split(r, 3)
            (bz, br, bh), (cz, cr, ch) = np.split(wb, 3), np.split(rb, 3)
            z = f(clip(wz @ x + rz @ h + bz + cz))
            reset = f(clip(wr @ x + rr @ h + br + cr))
            recurrent = reset * (rh @ h + ch) if after else rh @ (reset * h) + ch
            return (1 - z) * g(clip(wh @ x + recurrent + bh)) + z * h

        found = walk(x, w, r, b, sequence_lens, initial_h, options, FUNCTIONS["GRU"], step)
        return found[: len(self.onnx_node.output)]


class RNN(OpRun):
    """The whole operator."""

    op_domain = ""

    def _run(self, x, w, r, b=None, sequence_lens=None, initial_h=None, **options):
        def step(x, h, w, r, wb, rb, functions, clip):
            return functions[0](clip(w @ x + r @ h + wb + rb))

        # The specification's default is a Tanh for each direction, also where there is one.
        options["activations"] = (options["activations"] or ["Tanh", "Tanh"])[: w.shape[0]]
        found = walk(x, w, r, b, sequence_lens, initial_h, options, FUNCTIONS["RNN"], step)
        return found[: len(self.onnx_node.output)]


DEFAULTS = {
    "op": "GRU",
    "opset": 14,
    "inputSize": 3,
    "hiddenSize": 5,
    "batch": 2,
    "timesteps": 4,
    "direction": "forward",
    "layout": 0,
    "bias": True,
    "sequence_lens": None,
    "initial_h": False,
    "clip": None,
    "linear_before_reset": 0,
    "activations": None,
    "activation_alpha": None,
    "activation_beta": None,
    "outputs": ("Y", "Y_h"),
}
SIZES = ("op", "opset", "inputSize", "hiddenSize", "batch", "timesteps", "outputs", "layout")
ATTRIBUTES = ("clip", "activations", "activation_alpha", "activation_beta", "linear_before_reset")


def tensors_of(rng, settings):
    """Everything that a node of this size may read, drawn in one order whatever the other settings."""
    f, h, gates = settings["inputSize"], settings["hiddenSize"], GATES[settings["op"]]
    n, t = settings["batch"], settings["timesteps"]
    tensors = {
        "X": uniform(rng, (t, n, f), 2),
        "W": uniform(rng, (2, gates * h, f), 1),
        "R": uniform(rng, (2, gates * h, h), 1),
        "B": uniform(rng, (2, 2 * gates * h), 0.5),
        "initial_h": uniform(rng, (2, n, h), 1),
    }
    directions = 2 if settings["direction"] == "bidirectional" else 1
    return {key: part if key == "X" else part[:directions] for key, part in tensors.items()}


def graph_of(settings, tensors):
    graph = Graph(settings["opset"])
    layout = settings["layout"]
    if layout:
        tensors = tensors | {key: tensors[key].swapaxes(0, 1) for key in ("X", "initial_h")}
    leading = ["batch", "time"] if layout else ["time", "batch"]
    inputs = [graph.input("X", tensors["X"], [*leading, settings["inputSize"]])]
    inputs += [graph.constant(tensors["W"]), graph.constant(tensors["R"])]
    inputs.append(graph.constant(tensors["B"]) if settings["bias"] else "")
    lens = settings["sequence_lens"]
    inputs.append("" if lens is None else graph.input("sequence_lens", np.int32(lens), ["batch"]))
    dims = list(tensors["initial_h"].shape)
    dims[0 if layout else 1] = "batch"
    inputs.append(graph.input("initial_h", tensors["initial_h"], dims) if settings["initial_h"] else "")
    while inputs[-1] == "":
        inputs.pop()
    attributes = {key: settings[key] for key in ATTRIBUTES if settings[key] not in (None, 0)}
    if layout:
        attributes["layout"] = 1
    outputs = [name if name in settings["outputs"] else "" for name in ("Y", "Y_h")]
    while outputs[-1] == "":
        outputs.pop()
    graph.node(
        settings["op"],
        *inputs,
        outputs=outputs,
        hidden_size=settings["hiddenSize"],
        direction=settings["direction"],
        **attributes,
    )
    for name in settings["outputs"]:
        graph.output(name)
    return graph


def rows_of(settings):
    rows = {2 if settings["layout"] else 3}
    rows |= {5} if "Y" in settings["outputs"] else set()
    rows |= {6} if "Y_h" in settings["outputs"] else set()
    rows |= {7} if settings["initial_h"] else set()
    rows |= {10} if settings["direction"] == "reverse" else set()
    rows |= {11} if settings["direction"] == "bidirectional" else set()
    names, each = settings["activations"], len(FUNCTIONS[settings["op"]])
    rows |= {12} if names and len(names) == 2 * each and names[:each] != names[each:] else set()
    rows |= {18} if settings["clip"] else set()
    rows |= {23} if names else set()
    rows |= set() if settings["bias"] else {24}
    rows |= {26, 27} if settings["sequence_lens"] else set()
    rows |= {1} if settings["timesteps"] == 1 else set()
    return rows | {35 if settings["op"] == "GRU" else 37} | ({36} if settings["linear_before_reset"] else set())


def removable(settings):
    """Settings each of which can be dropped alone, leaving a model with the same inputs."""
    for key, default in DEFAULTS.items():
        if key in SIZES or settings[key] == default or settings[key] == "bidirectional":
            continue
        if key == "activations":
            alone = {"activations": None, "activation_alpha": None, "activation_beta": None}
            yield key, settings | alone
        else:
            yield key, settings | {key: default}


def cases():
    """Names, and the settings that differ from DEFAULTS."""
    both = {"direction": "bidirectional"}
    lens = {"batch": 5, "timesteps": 5, "sequence_lens": [3, 5, 0, 1, 4]}
    for op, resets in (("GRU", (0, 1)), ("RNN", (0,))):
        number = 0
        for reset in resets:
            own = {"op": op, "linear_before_reset": reset}
            name = op.lower() + ("-after" if reset else "")
            for hidden, direction in itertools.product(HIDDEN_SIZES, DIRECTIONS):
                sizes = {"inputSize": (1, 3, 5, 8, 4)[number % 5], "batch": (1, 2, 3, 5)[number % 4]}
                sizes |= {"timesteps": (2, 5, 3, 8, 4)[(number // 2) % 5], "opset": OPSETS[number % 4]}
                number += 1
                yield f"{name}-{direction}-h{hidden}", own | {"direction": direction, "hiddenSize": hidden} | sizes
            yield f"{name}-no-bias", own | {"bias": False, "hiddenSize": 3}
            yield f"{name}-no-bias-bidirectional", own | both | {"bias": False, "opset": 7}
            for direction in DIRECTIONS:
                yield f"{name}-lens-{direction}", own | lens | {"direction": direction}
            yield f"{name}-lens-initial", own | lens | both | {"initial_h": True, "opset": 22}
            yield f"{name}-lens-last-state", own | lens | both | {"outputs": ("Y_h",), "hiddenSize": 8}
            yield f"{name}-initial", own | {"initial_h": True, "hiddenSize": 17, "batch": 3, "opset": 22}
            yield f"{name}-initial-reverse", own | {"initial_h": True, "direction": "reverse", "hiddenSize": 8}
            yield f"{name}-initial-bidirectional", own | both | {"initial_h": True, "hiddenSize": 3, "opset": 17}
            yield f"{name}-one-step", own | {"initial_h": True, "timesteps": 1, "batch": 1}
            yield f"{name}-clip", own | {"clip": 0.3}
            yield f"{name}-clip-bidirectional", own | both | {"clip": 0.5, "hiddenSize": 8, "opset": 7}
            for direction in DIRECTIONS:
                yield f"{name}-layout1-{direction}", own | {"layout": 1, "direction": direction, "batch": 3}
            yield f"{name}-layout1-initial", own | both | {"layout": 1, "batch": 3, "initial_h": True, "opset": 22}
            yield f"{name}-only-Y", own | both | {"outputs": ("Y",)}
            yield f"{name}-only-Y_h", own | both | {"outputs": ("Y_h",)}
        own = {"op": op}
        name = op.lower()
        places = range(len(FUNCTIONS[op]))
        for number, (function, place) in enumerate(itertools.product(ACTIVATIONS, places)):
            names = list(FUNCTIONS[op])
            if names[place] == function:
                continue
            names[place] = function
            # The defaults of alpha and beta, and values of their own, in turns; where onnxruntime's default is 0, and not that of
            # ONNX, they are always given.
            given = place == len(places) - 1 or function in ("Affine", "ScaledTanh", "ThresholdedRelu")
            sizes = {"hiddenSize": HIDDEN_SIZES[number % 5], "opset": OPSETS[number % 4], "timesteps": 3, "batch": 5}
            yield (
                f"{name}-{function}-{'fg'[place + 2 - len(places)]}",
                own
                | sizes
                | {
                    "activations": names,
                    "activation_alpha": [0.4] if given and function in ALPHA else None,
                    "activation_beta": [0.3] if given and function in BETA else None,
                    "linear_before_reset": number % 2 if op == "GRU" else 0,
                },
            )
    yield (
        "gru-activations-per-direction",
        both
        | {
            "activations": ["HardSigmoid", "LeakyRelu", "HardSigmoid", "Affine"],
            "activation_alpha": [0.3, 0.15, 0.2, 0.8],
            "activation_beta": [0.4, 0.55, 0.1],
            "opset": 22,
        },
    )
    yield (
        "gru-alpha-second-direction",
        both
        | {
            "activations": ["Sigmoid", "Tanh", "Sigmoid", "ScaledTanh"],
            "activation_alpha": [1.2],
            "activation_beta": [0.8],
            "linear_before_reset": 1,
        },
    )
    yield "rnn-activations-per-direction", both | {"op": "RNN", "activations": ["Relu", "Softsign"]}
    yield (
        "rnn-alpha-second-direction",
        both | {"op": "RNN", "activations": ["Tanh", "LeakyRelu"], "activation_alpha": [0.3], "opset": 22},
    )


def add_gru_cases(golden):
    for seed, (name, chosen) in enumerate(cases()):
        settings = DEFAULTS | chosen
        tensors = tensors_of(np.random.default_rng(7000 + seed), settings)
        graph = graph_of(settings, tensors)
        model = graph.model()
        path = golden.directory / f"{name}.onnx"
        exact = evaluate64(model, graph.feeds, [GRU, RNN])
        if settings["layout"]:
            # onnxruntime refuses layout 1, and onnx's reference evaluator has one direction: the same with layout 0, transposed.
            plain = graph_of(settings | {"layout": 0}, tensors)
            onnx.save(plain.model(), path)
            outputs = evaluate(path, plain.feeds, "onnxruntime")
            axes = {"Y": (2, 0, 1, 3), "Y_h": (1, 0, 2)}
            outputs = {key: value.transpose(axes[key]) for key, value in outputs.items()}
            onnx.save(model, path)
        else:
            onnx.save(model, path)
            outputs = evaluate(path, graph.feeds, "onnxruntime")
        apart = farthest(outputs, exact)
        assert apart < LARGEST_DISTANCE, f"{name}: {apart}"

        for key, without in removable(settings):
            other = graph_of(without, tensors)
            changed = evaluate64(other.model(), {k: graph.feeds[k] for k in other.feeds}, [GRU, RNN])
            assert farthest(exact, changed) > MATTERS, f"{name}: {key} does not matter"

        options = {key: value for key, value in settings.items() if value not in (None, False, 0)}
        framework = "onnxruntime, with layout 0" if settings["layout"] else "onnxruntime"
        golden.add(
            name, path.name, rows=rows_of(settings), options=options, calls=[(graph.feeds, outputs, exact)], framework=framework
        )
