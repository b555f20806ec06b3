"""The type stubs are those of the package as it is, what they promise comes true, and a typed program passes a checker."""

import importlib.util
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import rushlight as torch

from .laws import calls

ROOT = Path(__file__).parents[1]
SAMPLE = Path(__file__).with_name("typing_sample.py")


@pytest.fixture(scope="module")
def make_stubs():
    spec = importlib.util.spec_from_file_location("make_stubs", ROOT / "tools" / "make_stubs.py")
    module = importlib.util.module_from_spec(spec)
    path = list(sys.path)
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path[:] = path


def test_the_package_carries_its_stubs():
    # In a process of its own: which modules other tests have imported does not matter there.
    package = Path(torch.__file__).parent
    program = f"""
import make_stubs, pathlib
for path, text in make_stubs.stubs().items():
    found = pathlib.Path({str(package)!r}, path)
    if not found.exists() or found.read_text() != text:
        print(path)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "tools"), *sys.path])}
    old = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment).stdout
    assert old.split() == [], "run `python tools/make_stubs.py`"


KINDS = {
    "Tensor": torch.Tensor,
    "Self": torch.Tensor,
    "_bool": bool,
    "_int": int,
    "str": str,
    "Size": torch.Size,
    "_dtype": torch.dtype,
}


def promised(signatures):
    """The classes that a stub says a function may return; None where it says nothing."""
    kinds = []
    for text in signatures:
        result = text.rpartition(" -> ")[2]
        if result == "Any":
            return None
        kinds.append(KINDS.get(result, tuple if result.startswith(("tuple", "_ReturnOf_")) else object))
    return tuple(kinds)


def test_functions_return_what_stubs_say(make_stubs, monkeypatch):
    wrong, seen = [], set()

    def watched(name, function):
        kinds = promised(make_stubs.signatures_of(function, name))

        def call(*arguments, **by_name):
            result = function(*arguments, **by_name)
            seen.add(name)
            if kinds is not None and not isinstance(result, kinds):
                wrong.append(f"{name}: {type(result).__name__}")
            return result

        return call

    for name, function in vars(torch).copy().items():
        if make_stubs.is_function(function) and not name.startswith("_"):
            monkeypatch.setattr(torch, name, watched(name, function))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        calls.record()
    assert wrong == []
    assert len(seen) > 90


def test_a_typed_program_runs():
    run = subprocess.run([sys.executable, str(SAMPLE)], capture_output=True, text=True, timeout=120)
    assert run.stdout == "True\n", run.stderr


def test_a_typed_program_passes_mypy(tmp_path):
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "--config-file=", f"--cache-dir={tmp_path}", "--follow-imports=silent", str(SAMPLE)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
