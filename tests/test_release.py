"""What a release says of itself: one version, in every place that has to name it; addresses; what its build lacks."""

import importlib.util
import re
import sys
import tomllib
from pathlib import Path
from unittest import mock

import pytest

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


def tool(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_links_lead_to_the_repository_and_pictures_to_files_there():
    release, home = tool("release"), "https://here.test/rushlight"
    text = "![a picture](docs/a.svg), [`ops/`](rushlight/ops), [there](https://there.test), [below](#below)"
    assert release.with_addresses(text, home, "c0ffee") == (
        f"![a picture]({home}/raw/c0ffee/docs/a.svg), [`ops/`]({home}/blob/c0ffee/rushlight/ops), "
        "[there](https://there.test), [below](#below)"
    )
    linked = release.with_addresses((ROOT / "README.md").read_text(encoding="utf-8"), home, "c0ffee")
    assert "](docs/" not in linked and "](rushlight/" not in linked
    project = tomllib.loads(release.with_urls((ROOT / "pyproject.toml").read_text(), home))["project"]
    assert project["urls"]["Source"] == home and "examples" in project["optional-dependencies"]


def test_a_build_without_a_compiler_says_what_brings_one(monkeypatch, tmp_path):
    with mock.patch.dict(sys.modules, {"mesonpy": mock.MagicMock(), "pyproject_metadata": mock.MagicMock()}):
        backend = tool("build_backend")
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match=r"a C\+\+ compiler(?s:.*)apt-get install g\+\+ python3-dev"):
        backend.build_wheel(str(tmp_path))
    compiler = tmp_path / "g++"
    compiler.touch(0o755)
    monkeypatch.setattr(backend.sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(SystemExit, match=r"takes Python's headers\. "):
        backend.build_editable(str(tmp_path))
    (tmp_path / "Python.h").touch()
    backend.build_wheel(str(tmp_path))
    backend.mesonpy.build_wheel.assert_called_once_with(str(tmp_path), None, None)
