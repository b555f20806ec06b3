"""What type checkers say of programs, as (file, line, text) of each error."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest


def run(command, folder, files, **more):
    for file in files:
        shutil.copy(file, folder)
    command = [sys.executable, "-m", *command]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, **more).stdout


def pyright(folder, files, paths):
    """Of pyright, over copies of the files in a folder, where modules are found in `paths` first."""
    pytest.importorskip("pyright")
    config = folder / "pyrightconfig.json"
    config.write_text(json.dumps({"extraPaths": [str(path) for path in paths], "exclude": [str(path) for path in paths]}))
    out = run(["pyright", "--outputjson", "--pythonpath", sys.executable, "-p", config.name], folder, files)
    told = json.loads(out[out.index("{") :])
    assert told["summary"]["filesAnalyzed"] == len(files)
    errors = [one for one in told["generalDiagnostics"] if one["severity"] == "error"]
    return [(os.path.basename(one["file"]), one["range"]["start"]["line"] + 1, one["message"]) for one in errors]


def mypy(folder, files, paths):
    """Of mypy, likewise."""
    pytest.importorskip("mypy")
    options = ["--config-file=", "--ignore-missing-imports", f"--cache-dir={folder / 'cache'}"]
    names = [file.name for file in files]
    # (It finds what is installed itself, and refuses to be told of it.)
    elsewhere = [str(path) for path in paths if path.name != "site-packages"]
    environment = {**os.environ, "MYPYPATH": os.pathsep.join(elsewhere)}
    out = run(["mypy", *options, *names], folder, files, env=environment)
    found = re.findall(r"^([\w.]+):(\d+): error: (.*)$", out, re.MULTILINE)
    assert found or "Success" in out, out
    return [(file, int(line), text) for file, line, text in found if file in names]


CHECKERS = {"mypy": mypy, "pyright": pyright}
