"""Programs written for PyTorch, run by `python -m rushlight`, and `as_torch` inside one."""

import importlib
import importlib.util
import os
import pickle
import subprocess
import sys
import textwrap
import zipfile

import pytest

import rushlight


def run(*arguments, cwd, stdin=None, launcher=("-m", "rushlight")):
    root = os.path.dirname(os.path.dirname(os.path.abspath(rushlight.__file__)))
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, *launcher, *arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        timeout=120,
    )


@pytest.fixture
def program(tmp_path):
    def write(text, name="program.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return name

    return write


def test_a_program_sees_one_set_of_modules(program, tmp_path):
    name = program(
        """
        import sys
        import torch
        import torch.nn.functional as F
        from torch import nn, optim
        from torch.optim import SGD
        import torch.optim.sgd
        import rushlight

        assert torch is rushlight and nn is rushlight.nn and F is rushlight.nn.functional
        assert torch.optim.sgd.SGD is SGD is rushlight.optim.SGD
        assert __name__ == "__main__" and sys.modules["__main__"].SGD is SGD
        print(sys.argv, sys.path[0], __file__, __package__, __spec__)
        """
    )
    done = run(name, "a", "--b", cwd=tmp_path)
    assert done.stderr == ""
    where = os.path.realpath(tmp_path)
    assert done.stdout == f"['program.py', 'a', '--b'] {where} {tmp_path / name} None None\n"
    assert done.returncode == 0


@pytest.mark.parametrize(
    "text",
    [
        "def inner():\n    raise ValueError('bad')\n\n\ntry:\n    inner()\nexcept ValueError:\n    1 / 0\n",
        "def f(:\n",
        "import sys\nsys.exit(7)\n",
        "import sys\nsys.exit('a message')\n",
        "raise KeyboardInterrupt\n",
        "def f():\n    f()\n\n\nf()\n",
        "import not_there\n",
        "import sys\nsys.excepthook = lambda *a: print('hooked', a[0].__name__, file=sys.stderr)\nraise OSError\n",
        "import sys\nprint(sys.argv, __name__, sorted(k for k in globals() if k != '__annotations__'), __loader__.__class__)\n",
    ],
)
def test_errors_and_exit_codes_are_those_of_python(program, tmp_path, text):
    name = program(text)
    ours, python = run(name, cwd=tmp_path), run(name, cwd=tmp_path, launcher=())
    assert ours.stdout == python.stdout
    assert ours.returncode == python.returncode
    if "Previous line repeated" in python.stderr:
        # The runner's own frames count towards the limit of recursion.
        assert ours.stderr.splitlines()[-1] == python.stderr.splitlines()[-1]
    else:
        assert ours.stderr == python.stderr


def test_module_code_stdin_directory_and_archive(program, tmp_path):
    show = "import sys, torch\nprint(sys.argv, __name__, __package__, sys.path[0])\n"
    program("", "pack/__init__.py")
    program(show, "pack/__main__.py")
    program(show, "pack/part.py")
    with zipfile.ZipFile(tmp_path / "archive.pyz", "w") as archive:
        archive.writestr("__main__.py", show)
    pack = tmp_path / "pack"
    expected = [
        (("-m", "pack", "1"), f"['{pack / '__main__.py'}', '1'] __main__ pack {tmp_path}\n"),
        (("-m", "pack.part"), f"['{pack / 'part.py'}'] __main__ pack {tmp_path}\n"),
        (("pack", "1"), f"['pack', '1'] __main__  {pack}\n"),
        (("archive.pyz",), f"['archive.pyz'] __main__  {tmp_path / 'archive.pyz'}\n"),
        (("-c", show, "1"), "['-c', '1'] __main__ None \n"),
    ]
    for arguments, out in expected:
        done = run(*arguments, cwd=tmp_path)
        assert (done.stdout, done.stderr) == (out, "")
    assert run("-", "1", cwd=tmp_path, stdin=show).stdout == "['-', '1'] __main__ None \n"


def test_what_cannot_be_run(program, tmp_path):
    program("", "pack/__init__.py")
    for arguments, text, status in [
        (("nowhere.py",), f"can't open file '{tmp_path / 'nowhere.py'}': [Errno 2] No such file or directory", 2),
        (("-m", "nowhere"), "No module named nowhere", 1),
        (("-m", "pack"), "No module named pack.__main__; 'pack' is a package and cannot be directly executed", 1),
        (("pack",), "can't find '__main__' module in 'pack'", 1),
        (("-m",), "Argument expected for the -m option", 2),
        (("--nonsense",), "Unknown option: --nonsense", 2),
        (("-i", "-c"), "Argument expected for the -c option", 2),
    ]:
        done = run(*arguments, cwd=tmp_path)
        assert text in done.stderr and done.stdout == "" and done.returncode == status
    assert run("--help", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    "line, last",
    [
        ("import torch.optm", "ModuleNotFoundError: No module named 'torch.optm'; did you mean 'optim'?"),
        ("from torch import onnes", "ImportError: cannot import name 'onnes' from 'torch'; did you mean 'ones'?"),
        (
            "from torch.optim.adam import Adaam",
            "ImportError: cannot import name 'Adaam' from 'torch.optim.adam'; did you mean 'Adam'?",
        ),
        (
            "import torch; torch.onnes",
            "AttributeError: module 'torch' has no attribute 'onnes'; did you mean 'ones'?",
        ),
    ],
)
def test_misspelt_names_say_what_is_nearest(tmp_path, line, last):
    done = run("-c", line, cwd=tmp_path)
    assert done.stderr.splitlines()[-1] == last
    assert done.returncode == 1


@pytest.mark.parametrize(
    "line, name",
    [
        ("import torch.ao.pruning", "torch.ao.pruning"),
        ("import torch; torch.quantize_per_tensor", "torch.quantize_per_tensor"),
        ("from torch import quantize_per_tensor", "torch.quantize_per_tensor"),
        ("import torch; torch.fx.replace_pattern", "torch.fx.replace_pattern"),
        ("import torch; torch.Tensor.to_mkldnn", "torch.Tensor.to_mkldnn"),
        ("import torch; torch.ones(1).to_mkldnn()", "torch.Tensor.to_mkldnn"),
        ("from torch.fx.graph_module import reduce_graph_module", "torch.fx.graph_module.reduce_graph_module"),
    ],
)
def test_names_of_pytorch_that_are_missing_say_so(tmp_path, line, name):
    done = run("-c", line, cwd=tmp_path)
    assert done.stderr.splitlines()[-1].endswith(f": {name} is part of PyTorch; Rushlight does not have it")
    assert done.returncode == 1


def test_a_prompt(tmp_path):
    """Without a program: what comes from standard input; with -i a prompt, after the program if there is one."""
    assert run(cwd=tmp_path, stdin="import torch\nprint(torch.ones(1))\n").stdout == "tensor([1.])\n"
    done = run("-i", cwd=tmp_path, stdin="import torch\ntorch.ones(1) + 1\n")
    assert "tensor([2.])" in done.stdout and "`import torch` gives Rushlight." in done.stderr and done.returncode == 0
    done = run("-i", "-c", "import torch\nx = torch.ones(2)\n1 / 0", cwd=tmp_path, stdin="x.sum()\n")
    assert "tensor(2.)" in done.stdout and "ZeroDivisionError: division by zero" in done.stderr
    done = run("-i", "-c", "import sys\nsys.exit(4)", cwd=tmp_path, stdin="1 + 1\n")
    assert "2\n" in done.stdout and "SystemExit: 4" in done.stderr and done.returncode == 0
    assert run("--version", cwd=tmp_path).stdout == f"Rushlight 0.1.0 (torch {rushlight.__version__})\n"


def test_errors_at_the_prompt_are_those_of_programs(tmp_path):
    lines = (
        "import torch",
        "torch.onnes(2)",
        "from torch.optim.adam import Adaam",
        "import torch.optm",
        "torch.ones(1).to_mkldnn()",
    )
    told = run("-i", cwd=tmp_path, stdin="\n".join(lines) + "\n").stderr
    for last in (
        "AttributeError: module 'torch' has no attribute 'onnes'; did you mean 'ones'?",
        "ImportError: cannot import name 'Adaam' from 'torch.optim.adam'; did you mean 'Adam'?",
        "ModuleNotFoundError: No module named 'torch.optm'; did you mean 'optim'?",
        "torch.Tensor.to_mkldnn is part of PyTorch; Rushlight does not have it",
    ):
        assert last in told
    files = [line.strip() for line in told.splitlines() if line.startswith("  File ")]
    assert all(line.startswith('File "<python-input-') for line in files), told


def test_what_is_installed(program, tmp_path):
    name = program(
        """
        import importlib.metadata, importlib.util
        assert importlib.metadata.version("torch").startswith("2.13.0")
        assert importlib.metadata.distribution("torch").metadata["Name"] == "torch"
        assert importlib.util.find_spec("torch") and importlib.util.find_spec("torch.nn.modules.linear")
        assert importlib.util.find_spec("torch.no_such_part") is None
        """
    )
    assert run(name, cwd=tmp_path).stderr == ""


def test_a_plain_pytest(program, tmp_path):
    program(
        "import rushlight\nimport torch\nimport torch.nn as nn\n\n\ndef test_it():\n    assert torch is rushlight and torch.__name__ == 'torch'\n    assert nn.Linear(1, 1)\n",
        "test_it.py",
    )
    done = run("-q", "-p", "rushlight.pytest_plugin", "-p", "no:cacheprovider", cwd=tmp_path, launcher=("-m", "pytest"))
    assert "1 passed" in done.stdout


@pytest.fixture
def without_torch():
    """The modules called torch, if any are loaded, must be the same after a test as before it."""

    def loaded():
        return {name: module for name, module in sys.modules.items() if name.split(".")[0] == "torch"}

    before, finders = loaded(), list(sys.meta_path)
    yield
    assert loaded() == before and sys.meta_path == finders


def test_as_torch_in_a_block(without_torch):
    with rushlight.as_torch():
        import torch
        import torch.optim as ours
        from torch.optim import Adam

        assert torch is rushlight and ours is rushlight.optim and Adam is rushlight.optim.Adam
        assert importlib.import_module("torch.optim.adam") is rushlight.optim.adam
        assert importlib.util.find_spec("torch.optim.nothing") is None
        assert not hasattr(torch, "no_such_name")
        with pytest.raises(AttributeError, match="module 'torch' has no attribute 'onnes'; did you mean 'ones'"):
            torch.onnes  # noqa: B018
        with pytest.raises(ImportError, match=r"cannot import name 'addam' from 'torch.optim'"):
            from torch.optim import addam  # noqa: F401


def test_as_torch_by_its_handle(without_torch):
    outer, inner = rushlight.as_torch(), rushlight.as_torch()
    outer.reset()
    outer.reset()
    assert importlib.import_module("torch") is rushlight
    inner.reset()
    assert sys.modules.get("torch") is not rushlight


def test_missing_names_without_the_alias():
    with pytest.raises(AttributeError, match="module 'rushlight' has no attribute 'onnes'; did you mean 'ones'"):
        rushlight.onnes  # noqa: B018


def test_pickles_of_an_aliased_program(without_torch):
    with rushlight.as_torch():
        import torch

        optimizer = torch.optim.SGD([torch.ones(2, requires_grad=True)], lr=0.5)
        data = pickle.dumps((torch.arange(3), torch.nn.Parameter(torch.ones(2)), optimizer))
        again = pickle.loads(data)
        assert again[0].tolist() == [0, 1, 2] and type(again[1]) is torch.nn.Parameter
    again = pickle.loads(data)
    assert type(again[0]) is rushlight.Tensor and type(again[2]) is rushlight.optim.SGD


@pytest.mark.parametrize(
    "call",
    [
        "rnn.pack_padded_sequence(x, [2, 1]).data",
        "rnn.pad_sequence([x[0], x[1]])",
        "rnn.pad_packed_sequence(rnn.PackedSequence(x[0], torch.tensor([2])))[0]",
        "torch.nn.GRUCell(3, 3)(x[0])",
        "torch.nn.LSTM(3, 3)(x)[0]",
        "torch.nn.functional.scaled_dot_product_attention(x, x, x, dropout_p=0.5)",
        "torch.nn.MultiheadAttention(3, 1)(x, x, x)[0]",
        "torch._VF.rnn_tanh_cell(x[0], x[0, :, :2], x[0].repeat(1, 1)[:2], x[0, :, :2])",
    ],
)
def test_what_is_declared_late_may_come_first(program, tmp_path, call):
    name = program(f"import torch\nfrom torch.nn.utils import rnn\nx = torch.ones(2, 2, 3)\nprint(({call}).dim())")
    done = run(name, cwd=tmp_path)
    assert done.stderr == "" and done.stdout in ("2\n", "3\n")


def test_the_module_is_called_torch_while_it_is():
    import rushlight

    with rushlight.as_torch():
        import torch

        assert torch.__name__ == "torch"
        from torch import nn

        assert nn is rushlight.nn
    assert rushlight.__name__ == "rushlight"


def test_a_class_is_found_in_the_module_that_it_names(program, tmp_path):
    """Libraries that pickle classes by name look for them among the modules that are there, without an import."""
    name = program(
        """
        import sys
        import torch

        for place in (torch, torch.optim, torch.optim.lr_scheduler, torch.nn, torch.utils.data, torch.distributions):
            for name in dir(place):
                cls = getattr(place, name)
                if isinstance(cls, type) and cls.__module__.startswith("torch.") and cls.__module__ != "torch._C":
                    found = sys.modules.get(cls.__module__)
                    assert found is not None, (name, cls.__module__)
                    assert getattr(found, name, cls) is cls, (name, cls.__module__)
        print(torch.optim.RMSprop.__module__)
        """
    )
    done = run(name, cwd=tmp_path)
    assert (done.stderr, done.stdout) == ("", "torch.optim.rmsprop\n")
