"""Writes docs/support.md: every public name of PyTorch 2.13, and whether Rushlight has it.

    python tools/make_support.py

The names are those of rushlight/_pytorch_names.py; whether they are here is asked of the package itself.
"""

import importlib
import sys
import warnings
from pathlib import Path

import rushlight
from rushlight import _pytorch_names

PAGE = Path(__file__).parents[1] / "docs" / "support.md"

# What is out of scope, by the beginnings of names (the longest counts), and what it answers.
OUT_OF_SCOPE = {
    "torch.accelerator": "There is no accelerator: `is_available()` is False, the rest is PyTorch's error.",
    "torch.ao": "Quantization and pruning of graphs: importing it is an error that says so.",
    "torch.backends": "Settings are remembered; `is_available()` tells what there is.",
    "torch.compiler": "Functions run as they are written; what asks about compilation says that there is none.",
    "torch.cuda": "Answers as PyTorch built for the CPU alone: `is_available()` is False, what needs a device is PyTorch's error.",
    "torch.distributed": "A process group of one communicates with itself; more processes are an error.",
    "torch.export": "Not there: Rushlight compiles nothing.",
    "torch.fx.experimental": "Not there but for questions that a compiler would ask; `torch.fx` itself is here.",
    "torch.fx.passes": "Not there; `torch.fx` itself is here.",
    "torch.jit": "Functions and modules are returned as they are; programs are neither saved nor loaded.",
    **dict.fromkeys(("torch.mps", "torch.mtia", "torch.xpu"), "Answers as PyTorch built for the CPU alone."),
    "torch.nested": "Not there: tensors are dense or sparse.",
    **{f"torch.nn.{name}": "Quantization: not there." for name in ("intrinsic", "qat", "quantizable", "quantized")},
    "torch.onnx": "Nothing is exported; `is_in_onnx_export()` is False.",
    "torch.sparse": "Tensors of the layouts COO, CSR and CSC are here, with what few functions compute of them; those of blocks are not.",
    "torch.utils.cpp_extension": "Extensions of PyTorch are compiled against PyTorch: what would compile one is an error.",
    **{f"torch.{name}": "Not there." for name in ["contrib", "monitor", "nativert", "numa", "package", "quantization"]},
    **{f"torch.utils.{name}": "Not there." for name in ["bottleneck", "bundled_inputs", "hipify", "jit", "mobile_optimizer"]},
    **{f"torch.utils.{name}": "Not there." for name in ["model_dump", "serialization", "viz", "xpu"]},
}


def scope(name):
    """What a name that is out of scope answers; None where it is in scope."""
    while name and name not in OUT_OF_SCOPE:
        name = name.rpartition(".")[0]
    return OUT_OF_SCOPE.get(name)


def find(module):
    """The module or class of ours under a name of PyTorch's, or None."""
    try:
        return importlib.import_module("rushlight" + module.removeprefix("torch"))
    except ImportError:
        found = rushlight
    for part in module.split(".")[1:]:
        found = getattr(found, part, None)
    return found


def states():
    """(name, whether it is here) for every public name, without modules, by its module."""
    with warnings.catch_warnings(action="ignore"):
        for line in _pytorch_names.TEXT.splitlines():
            module, _, names = line.partition(":")
            place = find(module) if names else None
            if names:
                yield module, [(name, place is not None and hasattr(place, name)) for name in names.split()]


def shown(names):
    """Names as the page lists them."""
    return " ".join(f"`{name}`" for name in names)


def page():
    """The text of the page."""
    count = {"here": 0, "answers": 0, "out": 0, "missing": 0}
    sections = []
    for module, names in states():
        here = [name for name, found in names if found]
        lacking = [name for name, found in names if not found]
        answer = scope(module)
        count["here" if answer is None else "answers"] += len(here)
        count["missing" if answer is None else "out"] += len(lacking)
        lines = [f"## {module}", ""]
        if answer is not None:
            lines += [f"Out of scope. {answer}", ""]
        if here:
            lines += [f"{'Here' if answer is None else 'Answering'}: {shown(here)}", ""]
        if lacking:
            lines += [f"{'Missing' if answer is None else 'Not there'}: {shown(lacking)}", ""]
        sections.append("\n".join(lines))
    head = f"""# Every public name of PyTorch 2.13

Made from the package by `tools/make_support.py`; `tests/test_support.py` holds it against the package. A name that is missing says so when
a program asks for it: `torch.X is part of PyTorch; Rushlight does not have it`.

| | names |
|---|---|
| here | {count["here"]} |
| missing | {count["missing"]} |
| out of scope, answering as PyTorch does without it | {count["answers"]} |
| out of scope, not there | {count["out"]} |

"""
    return head + "\n".join(sections)


if __name__ == "__main__":
    text = page()
    PAGE.write_text(text)
    print(*text.split("\n\n")[2].splitlines()[2:], sep="\n", file=sys.stderr)
