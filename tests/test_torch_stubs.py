"""`python -m rushlight --install-torch-stubs`: what it installs, replaces, refuses and removes."""

import importlib.metadata
from pathlib import Path

import pytest

import rushlight
from rushlight import _torch_stubs

PACKAGE = Path(rushlight.__file__).parent


@pytest.fixture
def without_pytorch(monkeypatch):
    monkeypatch.setattr(_torch_stubs, "find_spec", lambda name: None)


def test_every_stub_hands_on_a_module_that_is_there():
    stubs = _torch_stubs.stubs()
    assert {"__init__.pyi", "nn/functional/__init__.pyi", "optim/lr_scheduler.pyi", "utils/data/__init__.pyi"} <= set(stubs)
    for text in stubs.values():
        for line in text.splitlines():
            module = line.split()[1]
            path = PACKAGE.parent.joinpath(*module.split("."))
            assert module == "." or any(place.is_file() for place in (path.with_suffix(".py"), path / "__init__.py")), line
    assert "from rushlight.optim import Adam as Adam\n" in stubs["optim/__init__.pyi"]
    assert "from rushlight.func import vmap as vmap\n" in stubs["func/__init__.pyi"]
    assert "from . import vmap as vmap\n" not in stubs["func/__init__.pyi"]


def test_stubs_are_installed_and_removed(tmp_path, without_pytorch):
    assert "Installed" in _torch_stubs.install(tmp_path)
    assert (tmp_path / "torch-stubs" / "__init__.pyi").read_text().startswith("from . import")
    (found,) = importlib.metadata.distributions(path=[str(tmp_path)])
    assert (found.name, found.version) == ("rushlight-torch-stubs", rushlight.version.rushlight)
    assert all((tmp_path / str(file)).is_file() for file in found.files)
    assert "Installed" in _torch_stubs.install(tmp_path)
    assert "Removed" in _torch_stubs.remove(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert "No stubs" in _torch_stubs.remove(tmp_path)


def test_stubs_of_others_are_left_alone(tmp_path, without_pytorch):
    (tmp_path / "torch-stubs").mkdir()
    with pytest.raises(FileExistsError, match="is not Rushlight's"):
        _torch_stubs.install(tmp_path)
    _torch_stubs.remove(tmp_path)
    assert (tmp_path / "torch-stubs").is_dir()


def test_nothing_is_installed_beside_pytorch(tmp_path, monkeypatch):
    monkeypatch.setattr(_torch_stubs, "find_spec", lambda name: object())
    with pytest.raises(FileExistsError, match="PyTorch is installed"):
        _torch_stubs.install(tmp_path)
    assert list(tmp_path.iterdir()) == []
