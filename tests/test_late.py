"""What is declared late is there all the same: by its name, in lists of names, under transforms and in pickles."""

import subprocess
import sys

import pytest

from rushlight import ops
from rushlight.ops._declare import namespaces


def fresh(program):
    """What a program prints, in a process in which nothing was asked for before."""
    run = subprocess.run(
        [sys.executable, "-c", "import sys, rushlight as torch\n" + program], capture_output=True, text=True, check=True
    )
    return run.stdout.split()


def test_importing_declares_no_late_family():
    loaded = fresh("import rushlight.nn, rushlight.optim; print(*sys.modules)")
    assert [family for family in ops.LATE if f"rushlight.ops.{family}" in loaded] in ([], ["losses"])
    assert not {"numpy", "rushlight.nn"} & set(fresh("print(*sys.modules)"))


def test_importing_brings_nothing_slow_of_the_library():
    program = "import sys; before = set(sys.modules); import rushlight; print(*set(sys.modules) - before)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"inspect", "ast", "dis", "dataclasses", "unittest", "multiprocessing", "asyncio"} & set(run.stdout.split())


def test_no_module_takes_the_short_ways_of_calls_from_programs():
    modules = ["nn", "optim", "func", "fft", "linalg", "special", "masked", "distributions", "amp", "fx", "utils.data"]
    program = f"import {', '.join('rushlight.' + name for name in modules)}\nfrom rushlight.core import are_subclasses_asked\n"
    assert fresh(program + "print(are_subclasses_asked())") == ["False"]
    assert fresh(program + "torch.nn.LazyLinear(2)\nprint(are_subclasses_asked())") == ["True"]


@pytest.mark.parametrize("family", ops.LATE)
def test_late_families_say_which_methods_they_have(family):
    program = f"""
before = dict(vars(torch.Tensor))
torch.ops.declare({family!r})
changed = [name for name, method in vars(torch.Tensor).items() if method is not before.get(name)]
print(set(torch.ops.LATE[{family!r}]) <= set(changed), *(name for name in changed if type(before.get(name)) is not torch.ops.LateMethod))
"""
    assert fresh(program) == ["True"]


def test_late_methods_are_found():
    assert fresh("x = torch.eye(2); print(x.det().item(), torch.Tensor.lu.__name__, hasattr(x, 'qr'))") == ["1.0", "lu", "True"]


@pytest.mark.parametrize("name", ["hann_window", "linalg.eigh", "layer_norm"])
def test_late_names_are_found(name):
    space, _, function = name.rpartition(".")
    module = f"torch.{space}" if space else "torch"
    assert fresh(f"print({function!r} in dir({module}), callable({module}.{function}))") == ["True", "True"]
    assert fresh(f"import pickle; f = {module}.{function}; print(pickle.loads(pickle.dumps(f)) is f)") == ["True"]
    assert function in namespaces[space or "torch"]


def test_a_late_op_has_its_batching_rule():
    program = """
f = torch.func.vmap(lambda x: torch.nn.functional.mse_loss(x, torch.zeros(3)))
print(*f(torch.ones(2, 3)).tolist(), hasattr(torch, "nothing"), hasattr(torch.linalg, "nothing"))
"""
    assert fresh("import rushlight.func; torch.func.vmap(torch.sin)(torch.ones(2))" + program) == ["1.0", "1.0", "False", "False"]


def test_a_module_of_pytorchs_leaves_the_names_of_torch_as_they_are():
    program = "import rushlight, rushlight._ops; print('add' in dir(rushlight), hasattr(rushlight.classes, '__wrapped__'))"
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert out == "True False\n"
