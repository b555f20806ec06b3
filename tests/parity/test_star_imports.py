"""`from torch.nn import *` takes what it takes from PyTorch."""

import importlib
from types import ModuleType

import pytest

pytest.importorskip("torch")

MODULES = [
    "",
    ".nn",
    ".nn.functional",
    ".nn.init",
    ".nn.parameter",
    ".nn.utils",
    ".optim",
    ".optim.lr_scheduler",
    ".utils",
    ".utils.data",
]
MODULES += [
    ".utils.hooks",
    ".linalg",
    ".special",
    ".fft",
    ".distributions",
    ".func",
    ".autograd",
    ".random",
    ".testing",
    ".multiprocessing",
]

NOT_NAMED = {"GRID_SAMPLE_INTERPOLATION_MODES", "GRID_SAMPLE_PADDING_MODES", "LinAlgError"}
"""What modules that list nothing took from elsewhere, or constants."""


def taken(module):
    names = {}
    exec(f"from {module} import *", names)
    return {name for name, value in names.items() if name != "__builtins__" and not isinstance(value, ModuleType)}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("module", MODULES)
def test_a_star_takes_what_is_listed(module):
    theirs, ours = taken("torch" + module), taken("rushlight" + module)
    here = importlib.import_module("rushlight" + module)
    assert {name for name in theirs if hasattr(here, name)} - ours <= NOT_NAMED
    if module not in (".fft", ".autograd"):  # (which list what theirs has, and does not list)
        assert ours - theirs == set()
