"""RTNeural's JSON models with the outputs of RTNeural itself, at the sample rate of the training and above it.

RTNeural is C++ and made for real time: this script writes a program over its templates, which runs
each model sample by sample, in float and in double, and compiles it with g++ (the STL backend). What
sets a case apart from the others must matter to its result.

  python test/python/golden_rtneural.py --rtneural FOLDER            write test/golden/rtneural
  python test/python/golden_rtneural.py --rtneural FOLDER --check    compare a fresh run with the files

FOLDER is a clone of https://github.com/jatinchowdhury18/RTNeural, commit 1fb1f07.
"""

import json
import subprocess
import sys
from pathlib import Path

import golden_cases
import numpy as np

TIMESTEPS = 40
MATTERS = 1e-3

# name: (features, layers, correction, delay in samples). A layer is (type, units).
LSTM = "lstm"
GRU = "gru"
DENSE = "dense"
MODELS = {
    "plain": (1, [(LSTM, 8), (DENSE, 1)], "None", 1),
    "no-interp-2": (1, [(LSTM, 8), (DENSE, 1)], "NoInterp", 2),
    "no-interp-3": (2, [(LSTM, 5), (DENSE, 1)], "NoInterp", 3),
    "lin-interp-whole": (1, [(LSTM, 3), (DENSE, 1)], "LinInterp", 2),
    "lin-interp-below-2": (1, [(LSTM, 8), (DENSE, 1)], "LinInterp", 48000 / 44100),
    "lin-interp-above-2": (1, [(LSTM, 17), (DENSE, 1)], "LinInterp", 96000 / 44100),
    "lin-interp-4-5": (2, [(LSTM, 5), (DENSE, 1)], "LinInterp", 4.5),
    "lin-interp-stack": (1, [(DENSE, 3), (LSTM, 5), (LSTM, 4), (DENSE, 2)], "LinInterp", 1.5),
    "no-interp-stack": (1, [(DENSE, 3), (LSTM, 5), (LSTM, 4), (DENSE, 2)], "NoInterp", 2),
    "gru": (1, [(GRU, 8), (DENSE, 1)], "None", 1),
    "gru-17": (3, [(GRU, 17), (DENSE, 2)], "None", 1),
    "gru-stack": (2, [(DENSE, 3), (GRU, 5), (LSTM, 4), (GRU, 1), (DENSE, 2)], "None", 1),
}
TRAINED_AT = 44100

PROGRAM = """
#include <RTNeural/RTNeural.h>
#include <cstdio>
#include <fstream>
#include <iostream>

template <typename Model, int Inputs, int Outputs, typename Prepare>
void run(const char* file, const char* samples, Prepare prepare)
{
    std::ifstream stream { file };
    Model model;
    model.parseJson(stream);
    prepare(model);
    model.reset();
    std::ifstream input { samples };
    using T = std::decay_t<decltype(*model.getOutputs())>;
    double sample = 0;
    alignas(64) T frame[16] {};
    for (int n = 0; input >> sample; ++n)
    {
        frame[n % Inputs] = (T) sample;
        if (n % Inputs != Inputs - 1)
            continue;
        model.forward(frame);
        for (int k = 0; k < Outputs; ++k)
            std::printf("%.17g ", (double) model.getOutputs()[k]);
    }
    std::printf("\\n");
}

int main()
{
    using Mode = RTNeural::SampleRateCorrectionMode;
CALLS
}
"""


def uniform(rng, shape, scale):
    return rng.uniform(-scale, scale, shape).astype(np.float32)


def model_json(rng, features, layers, correction):
    described = []
    size = features
    for kind, units in layers:
        if kind == DENSE:
            weights = [uniform(rng, (size, units), 0.8), uniform(rng, units, 0.5)]
        elif kind == GRU:
            shapes = [(size, 3 * units), (units, 3 * units), (2, 3 * units)]
            weights = [uniform(rng, shape, 0.9) for shape in shapes]
        else:
            shapes = [(size, 4 * units), (units, 4 * units), 4 * units]
            weights = [uniform(rng, shape, 0.9) for shape in shapes]
        described.append(
            {
                "type": kind,
                "activation": "" if kind == DENSE else "tanh",
                "shape": [None, None, units],
                "weights": [weight.tolist() for weight in weights],
            }
        )
        size = units
    # AIDA-X's files say the rate that they were trained at.
    rate = {} if correction == "None" else {"samplerate": TRAINED_AT}
    return {"in_shape": [None, None, features], "layers": described} | rate


def cpp_layers(number, features, layers, correction):
    size = features
    for kind, units in layers:
        if kind == DENSE:
            yield f"RTNeural::DenseT<{number}, {size}, {units}>"
        else:
            yield f"RTNeural::{kind.upper()}LayerT<{number}, {size}, {units}, Mode::{correction}>"
        size = units


def call(number, features, layers, correction, delay, file, samples):
    outputs = layers[-1][1]
    types = ", ".join(cpp_layers(number, features, layers, correction))
    given = int(delay) if correction == "NoInterp" else f"({number}) {delay!r}"
    lstms = [n for n, (kind, _) in enumerate(layers) if kind == LSTM and correction != "None"]
    prepares = " ".join(f"model.template get<{n}>().prepare({given});" for n in lstms)
    return (
        f"    run<RTNeural::ModelT<{number}, {features}, {outputs}, {types}>, {features}, {outputs}>"
        f'("{file}", "{samples}", [](auto& model) {{ (void) model; {prepares} }});'
    )


def evaluate(directory, rtneural, jobs):
    """The outputs of each job (number, model, correction, delay, json file, samples file)."""
    calls = [call(number, *model, *rest) for number, model, *rest in jobs]
    source = directory / "program.cpp"
    source.write_text(PROGRAM.replace("CALLS", "\n".join(calls)))
    program = directory / "program"
    folders = [f"-I{rtneural}", f"-I{rtneural / 'modules'}", f"-I{rtneural / 'modules' / 'json'}"]
    flags = ["-std=c++17", "-O1", "-w", "-DRTNEURAL_USE_STL=1", "-DRTNEURAL_DEFAULT_ALIGNMENT=16"]
    subprocess.run(["g++", *flags, *folders, source, "-o", program], check=True)
    text = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    source.unlink()
    program.unlink()
    return [np.array(line.split(), dtype=np.float64) for line in text.strip().split("\n")]


def generate(directory, rtneural):
    compiler = subprocess.run(["g++", "-dumpfullversion"], capture_output=True, text=True).stdout
    versions = {"RTNeural": "1.0.0, commit 1fb1f07", "g++": compiler.strip()}
    golden = golden_cases.Golden(directory, "RTNeural, STL backend", versions)
    jobs, inputs = [], {}
    for seed, (name, (features, layers, correction, delay)) in enumerate(MODELS.items()):
        rng = np.random.default_rng(5000 + seed)
        file, samples = directory / f"{name}.json", directory / f"{name}.txt"
        file.write_text(json.dumps(model_json(rng, features, layers, correction)))
        inputs[name] = uniform(rng, (TIMESTEPS, features), 1)
        samples.write_text(" ".join(repr(float(value)) for value in inputs[name].flat))
        for number, mode in (("float", correction), ("double", correction), ("double", "None")):
            jobs.append((number, (features, layers), mode, delay, file, samples))
    results = iter(evaluate(directory, rtneural, jobs))
    for name, (features, layers, correction, delay) in MODELS.items():
        (directory / f"{name}.txt").unlink()
        shape = (TIMESTEPS, layers[-1][1])
        single, exact, plain = (next(results).reshape(shape) for _ in range(3))
        apart = np.abs(exact - plain).max()
        assert (apart > MATTERS) == (correction != "None"), f"{name}: {apart}"
        stacked = sum(kind != DENSE for kind, _ in layers) > 1
        grus = {35, 36} if any(kind == GRU for kind, _ in layers) else set()
        golden.add(
            name,
            f"{name}.json",
            rows={4, 8, 9} | grus | ({13} if stacked else set()) | ({33} if correction != "None" else set()),
            options={"sampleRateCorrection": correction, "delaySamples": delay, "trainedAt": TRAINED_AT},
            calls=[({"input": inputs[name]}, {"output": single.astype(np.float32)}, {"output": exact})],
        )
    return golden


if __name__ == "__main__":
    if "--rtneural" not in sys.argv:
        sys.exit(__doc__)
    position = sys.argv.index("--rtneural")
    folder = Path(sys.argv[position + 1]).resolve()
    del sys.argv[position : position + 2]
    golden_cases.main(__doc__, "rtneural", lambda directory: generate(directory, folder))
