"""Files that lstm-wasm has written, run by the frameworks they are for.

  EXPORT_FOLDER=build/exports npx vitest run test/export
  KERAS_BACKEND=torch python test/python/check_exports.py build/exports
  KERAS_BACKEND=torch python test/python/check_exports.py build/exports --golden

Beside each file stands FILE.arrays, a safetensors file with inputs (in/NAME) and outputs (out/NAME) of its model here. ONNX files go through
onnx.checker and onnxruntime, .keras files through Keras 3 (KERAS_BACKEND=torch). Prints what is refused, and what differs by more than 1e-5 of the largest output. With --golden, test/golden/export/cases.json gets the digests of the files written-*: npm test
says when a file is another one than that which the frameworks ran.
"""

import hashlib
import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import load_file

LARGEST = 1e-5


def run_onnx(path, inputs, wanted):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    given = {port.name: inputs[port.name] for port in session.get_inputs()}
    names = [port.name for port in session.get_outputs()]
    assert sorted(names) == sorted(wanted), f"outputs {names}, expected {list(wanted)}"
    return dict(zip(names, session.run(names, given)))


def run_keras(path, inputs, wanted):
    import keras

    model = keras.saving.load_model(path, compile=False)
    given = [inputs[name] for name in inputs]
    outputs = model(given[0] if len(given) == 1 else given)
    flat = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    assert len(flat) == len(wanted), f"{len(flat)} outputs, expected {len(wanted)}"
    return {name: keras.ops.convert_to_numpy(output) for name, output in zip(wanted, flat)}


def run_pytorch(path, inputs, wanted):
    """The lines that describePytorch prints, with the tensors of toStateDict in FILE.tensors."""
    import torch
    from safetensors.torch import load_file as load_tensors

    scope = {}
    exec(path.read_text(), scope)
    scope["model"].load_state_dict(load_tensors(f"{path}.tensors"), strict=True)
    with torch.no_grad():
        outputs = scope["model"](*(torch.from_numpy(array) for array in inputs.values()))
    flat = outputs if isinstance(outputs, tuple) else [outputs]
    assert len(flat) == len(wanted), f"{len(flat)} outputs, expected {len(wanted)}"
    return {name: output.numpy() for name, output in zip(wanted, flat)}


RUNNERS = {".onnx": run_onnx, ".keras": run_keras, ".py": run_pytorch}


def distance(got, wanted):
    assert got.shape == wanted.shape, f"shape {got.shape}, expected {wanted.shape}"
    assert got.dtype == wanted.dtype, f"dtype {got.dtype}, expected {wanted.dtype}"
    if got.size == 0:
        return 0.0
    assert np.array_equal(np.isnan(got), np.isnan(wanted)), "NaN elsewhere"
    finite = np.isfinite(wanted)
    assert np.array_equal(got[~finite], wanted[~finite], equal_nan=True), "infinities elsewhere"
    if not finite.any():
        return 0.0
    largest = max(1.0, np.abs(wanted[finite]).max())
    return float(np.abs(got[finite].astype(np.float64) - wanted[finite]).max() / largest)


GOLDEN = pathlib.Path(__file__).parent.parent / "golden" / "export" / "cases.json"


def digest(path):
    """Of a file, and of the tensors beside it."""
    tensors = pathlib.Path(f"{path}.tensors")
    return hashlib.sha256(path.read_bytes() + (tensors.read_bytes() if tensors.exists() else b"")).hexdigest()


def versions():
    import keras
    import torch

    found = {module.__name__: module.__version__ for module in (onnx, onnxruntime, keras, torch, np)}
    return {**found, "python": sys.version.split()[0]}


def main(folder, golden):
    counts = {}
    cases = {}
    farthest = 0.0
    for path in sorted(pathlib.Path(folder).iterdir()):
        runner = RUNNERS.get(path.suffix)
        if runner is None:
            continue
        arrays = load_file(f"{path}.arrays")
        inputs = {name[3:]: array for name, array in arrays.items() if name.startswith("in/")}
        outputs = {name[4:]: array for name, array in arrays.items() if name.startswith("out/")}
        try:
            got = runner(path, inputs, outputs)
            far = max(distance(got[name], outputs[name]) for name in outputs)
            fate = "same" if far <= LARGEST else "other numbers"
            if path.name.startswith("written-"):
                cases[path.name] = {"sha256": digest(path), "distance": float(f"{far:.1e}")}
            if fate != "same":
                print(f"{path.name}: {far:.2e} from the model here")
            else:
                farthest = max(farthest, far)
        except Exception as error:
            fate = "refused"
            print(f"{path.name}: {type(error).__name__} {str(error)[:300]}")
        counts[path.suffix, fate] = counts.get((path.suffix, fate), 0) + 1
    print(f"farthest of the same: {farthest:.1e}")
    for (suffix, fate), count in sorted(counts.items()):
        print(f"{suffix} {fate}: {count}")
    if golden:
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(json.dumps({"versions": versions(), "cases": cases}, indent=1) + "\n")
    return int(any(fate != "same" for _, fate in counts) or not counts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "--golden" in sys.argv))
