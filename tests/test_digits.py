"""The example trains, well, from a fresh process, and leaves a picture that is well-formed."""

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[1] / "examples" / "digits.py"


def test_reads_digits(tmp_path):
    pytest.importorskip("tqdm")
    picture = tmp_path / "digits.svg"
    command = [sys.executable, "-m", "rushlight", str(EXAMPLE), "--epochs", "12", "--picture", str(picture)]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    assert float(run.stdout.split()[1].rstrip("%")) > 93
    lines = ElementTree.parse(picture).getroot().findall("{http://www.w3.org/2000/svg}polyline")
    assert [len(line.get("points").split()) for line in lines] == [12, 12]
