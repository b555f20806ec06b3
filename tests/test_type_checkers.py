"""Wrong programs do not pass type checkers, and they say nothing of what is right beside it; tests/test_stubs.py has a program that passes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import rushlight

HERE = Path(__file__).parent
WRONG = HERE / "typing_wrong.py"


def pyright(folder, *files):
    """The errors of pyright as (file, line, text)."""
    pytest.importorskip("pyright")
    package = Path(rushlight.__file__).parents[1]
    config = folder / "pyrightconfig.json"
    config.write_text(json.dumps({"extraPaths": [str(package)]}))
    for file in files:
        shutil.copy(file, folder)
    command = [sys.executable, "-m", "pyright", "--outputjson", "-p", str(config)]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    told = json.loads(run.stdout[run.stdout.index("{") :])
    assert told["summary"]["filesAnalyzed"] == len(files)
    return [
        (os.path.basename(one["file"]), one["range"]["start"]["line"] + 1, one["message"])
        for one in told["generalDiagnostics"]
        if one["severity"] == "error"
    ]


def marked():
    return {number for number, line in enumerate(WRONG.read_text().splitlines(), 1) if line.endswith("# wrong")}


def test_pyright_finds_mistakes(tmp_path):
    assert {line for _, line, _ in pyright(tmp_path, WRONG)} == marked()


def test_mypy_finds_mistakes(tmp_path):
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "--config-file=", f"--cache-dir={tmp_path}", "--follow-imports=silent", str(WRONG)]
    run = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, timeout=300)
    found = {int(line.split(":")[1]) for line in run.stdout.splitlines() if ": error:" in line}
    assert found == marked(), run.stdout
