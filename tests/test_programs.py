"""Programs written for PyTorch print under `python -m rushlight`, to the letter, what PyTorch 2.13 printed (NAME.out)."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.py"))
pytestmark = pytest.mark.core


def without_addresses(text):
    return re.sub(r"0x[0-9a-f]+", "0x…", text)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_prints_the_same(program, tmp_path):
    command = [sys.executable, "-W", "ignore", "-m", "rushlight", str(program)]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert without_addresses(run.stdout + run.stderr) == without_addresses(program.with_suffix(".out").read_text())
    assert run.returncode == 0
