"""What a release says of itself: one version, in every place that has to name it."""

import re
import tomllib
from pathlib import Path

import rushlight

ROOT = Path(__file__).parent.parent


def named(file, pattern):
    return re.search(pattern, (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)[1]


def test_there_is_one_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert rushlight.version.rushlight == version
    assert str(rushlight.__version__).partition("+rushlight")[2] == version
    assert named("meson.build", r"^project\(.*, version: '([^']+)'") == version
    assert named("CITATION.cff", r"^version: (.+)$") == version
    assert named("CHANGELOG.md", r"^## (\d[\w.]*)") == version
