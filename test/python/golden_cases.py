"""Writes a folder of golden cases: model files, cases.json, and the tensors in cases.safetensors.

cases.json has "versions" (of what made the folder) and "cases", each of which has

  name       unique in the folder
  file       the model file (or the folder of one), relative to the folder
  rows       the rows of the feature table that it covers
  framework  whose code computed the expected values
  options    what was set, with the framework's own names; what a file cannot say is only here
  notes      what a reader of the case should know
  inputs     by name: shape and dtype
  outputs    by name: shape and dtype
  float64Distance   by output: how far the framework's float32 is from a float64 evaluation

A case that is run more than once, keeping its state, has "calls" instead: a list of inputs, outputs
and float64Distance; a call with "reset" forgets the state first. The tensors are in
cases.safetensors under "{name}/in/{input}" and "{name}/out/{output}", with calls under
"{name}/{index}/in/{input}" and "{name}/{index}/out/{output}". What is to be added to a floating point
output to get that of float64 is "{name}/rest/{output}", unless it is all zeros: its float32 has
digits to spare, and is half the size of a float64.
"""

import argparse
import json
import platform
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import safetensors
from safetensors.numpy import load_file, save_file

TOLERANCE = 1e-6


def describe(tensors):
    return {key: {"shape": list(t.shape), "dtype": t.dtype.name} for key, t in tensors.items()}


def distances(outputs, reference):
    """The largest distance of outputs from those of `reference`, and what is to be added to them."""
    found, rests = {}, {}
    for key, value in outputs.items():
        exact = np.asarray(reference[key])
        assert exact.shape == value.shape, f"{key}: {exact.shape} instead of {value.shape}"
        # Equal infinities are at no distance.
        rest = np.subtract(exact, value.astype(np.float64), where=value != exact, out=np.zeros(value.shape))
        found[key] = float(np.abs(rest).max()) if rest.size else 0.0
        if value.dtype.kind == "f" and found[key] > 0:
            rests[key] = rest.astype(np.float32)
    return found, rests


class Golden:
    """The cases of one folder. `directory` is where their model files belong."""

    def __init__(self, directory, framework, versions):
        self.directory = directory
        self.framework = framework
        self.versions = {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "safetensors": safetensors.__version__,
        } | versions
        self.cases = {}
        self.tensors = {}

    def add(self, name, file, *, rows=(), options=None, calls, framework=None, notes=""):
        """Adds a case. Each call is (inputs, outputs, float64 outputs[, reset])."""
        assert name not in self.cases, name
        described = []
        for index, (inputs, outputs, reference, *reset) in enumerate(calls):
            prefix = name if len(calls) == 1 else f"{name}/{index}"
            inputs = {key: np.asarray(value) for key, value in inputs.items()}
            outputs = {key: np.asarray(value) for key, value in outputs.items()}
            for key, value in outputs.items():
                assert not np.isnan(value).any(), f"{name}: {key} has a NaN"
            self.tensors |= {f"{prefix}/in/{key}": value for key, value in inputs.items()}
            self.tensors |= {f"{prefix}/out/{key}": value for key, value in outputs.items()}
            apart, rests = distances(outputs, reference)
            self.tensors |= {f"{prefix}/rest/{key}": value for key, value in rests.items()}
            described.append(
                {
                    "inputs": describe(inputs),
                    "outputs": describe(outputs),
                    "float64Distance": apart,
                }
                | ({"reset": True} if any(reset) else {})
            )
        self.cases[name] = {
            "name": name,
            "file": file,
            "rows": sorted(rows),
            "framework": framework or self.framework,
            "options": options or {},
            "notes": notes,
        } | (described[0] if len(calls) == 1 else {"calls": described})

    def write(self):
        tensors = {key: np.asarray(value, order="C") for key, value in self.tensors.items()}
        save_file(tensors, self.directory / "cases.safetensors")
        lines = ",\n".join(json.dumps(case) for case in self.cases.values())
        versions = json.dumps(self.versions)
        text = f'{{"versions": {versions},\n"cases": [\n{lines}\n]}}\n'
        (self.directory / "cases.json").write_text(text)

    def summary(self):
        rows = sorted({row for case in self.cases.values() for row in case["rows"]})
        found = [
            (distance, case["name"])
            for case in self.cases.values()
            for call in case.get("calls", [case])
            for distance in call["float64Distance"].values()
        ]
        size = sum(file.stat().st_size for file in self.directory.rglob("*") if file.is_file())
        print(f"{len(self.cases)} cases, {size} bytes, rows {rows}")
        print("farthest from float64:", *(f"{d:.2g} {name}" for d, name in sorted(found)[-5:]))


def without_distances(case):
    if "calls" in case:
        case = case | {"calls": [without_distances(call) for call in case["calls"]]}
    return {key: value for key, value in case.items() if key != "float64Distance"}


def stored_cases(directory):
    return json.loads((directory / "cases.json").read_text())["cases"]


def differences(stored, fresh):
    """A line for everything in which the cases in two folders differ."""
    if [*map(without_distances, stored_cases(stored))] != [
        *map(without_distances, stored_cases(fresh))
    ]:
        yield "the cases differ"
    old, new = (load_file(directory / "cases.safetensors") for directory in (stored, fresh))
    for key in sorted(old.keys() | new.keys()):
        if "/rest/" in key:
            continue  # roundings, which may be others on another machine
        if key not in old or key not in new:
            yield f"{key}: only on one side"
        elif old[key].shape != new[key].shape:
            yield f"{key}: {old[key].shape} in the file, now {new[key].shape}"
        elif not np.allclose(old[key], new[key], rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True):
            yield f"{key}: differs"


def main(doc, folder, generate):
    """Command line of a script whose `generate(directory)` makes files there and a Golden."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--directory", type=Path, default=Path("test/golden") / folder)
    parser.add_argument(
        "--check", action="store_true", help="compare with the files; 1 if different"
    )
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as temporary:
        fresh = Path(temporary) / folder
        fresh.mkdir(parents=True)
        golden = generate(fresh)
        golden.write()
        golden.summary()
        if args.check:
            found = list(differences(args.directory, fresh))
            print("\n".join(found) or f"agrees with {args.directory}")
            sys.exit(1 if found else 0)
        shutil.rmtree(args.directory, ignore_errors=True)
        shutil.copytree(fresh, args.directory)
