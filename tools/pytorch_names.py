"""Writes rushlight/_pytorch_names.py: the public names of the PyTorch that is installed.

    python tools/pytorch_names.py

Run where PyTorch 2.13 is, when its names change; nothing of it but the names is written. Errors read them (rushlight/_alias.py), and
tools/make_support.py.
"""

import importlib
import inspect
import pkgutil
import textwrap
import types
import warnings
from pathlib import Path

TARGET = Path(__file__).parents[1] / "rushlight" / "_pytorch_names.py"
LEFT_OUT = (
    "torch.testing._internal",
    "torch.utils.data.datapipes.gen_pyi",
    "torch.utils.tensorboard",  # there where another package is
    "torch.distributed.elastic.rendezvous.etcd_rendezvous_backend",
)
HEADER = '''"""The public names of PyTorch 2.13, for errors that tell what is missing from what is misspelt. Made by tools/pytorch_names.py."""

# A module (or class) a line, and behind it its names; what has no colon has no names of its own.
TEXT = """\\
{}
"""

# Those of torch that `from torch import *` does not take.
NOT_LISTED = """
{}
"""
'''


def modules(name, found):
    """Every public module within `name`."""
    try:
        module = importlib.import_module(name)
    except Exception:
        return
    found[name] = module
    for _, child, _ in pkgutil.iter_modules(getattr(module, "__path__", ())):
        if not child.startswith("_") and f"{name}.{child}" not in LEFT_OUT:
            modules(f"{name}.{child}", found)


def public(name, module):
    """The public names of a module: those that it lists, or that are of PyTorch and no modules."""
    if hasattr(module, "__all__") and name != "torch":
        return {x for x in module.__all__ if not x.startswith("_") and hasattr(module, x)}
    listed = set(getattr(module, "__all__", ()))
    for key, value in vars(module).items():
        home = getattr(value, "__module__", None)
        if key.startswith("_") or isinstance(value, types.ModuleType):
            continue
        if (isinstance(home, str) and not home.startswith("torch")) or (home is None and not callable(value) and name != "torch"):
            continue
        # (Classes of torch._C have no other place.)
        elsewhere = isinstance(home, str) and not home.startswith((name, "torch._C"))
        if elsewhere and name != "torch" and inspect.isclass(value):
            continue
        listed.add(key)
    return {x for x in listed if not x.startswith("_")}


def main():
    """Writes the file."""
    warnings.simplefilter("ignore")
    found: dict = {}
    modules("torch", found)
    import torch

    lines = {name: public(name, module) for name, module in found.items()}
    lines["torch.Tensor"] = {name for name in dir(torch.Tensor) if not name.startswith("_")}
    lines["torch.nn.Module"] = {name for name in dir(torch.nn.Module) if not name.startswith("_")}
    texts = [f"{name}: {' '.join(sorted(listed))}" if listed else name for name, listed in sorted(lines.items())]
    not_listed = sorted(lines["torch"].difference(torch.__all__))
    text = HEADER.format("\n".join(texts), textwrap.fill(" ".join(not_listed), 140))
    TARGET.write_text(text)
    print(textwrap.shorten(f"{len(lines)} modules, {sum(map(len, lines.values()))} names, {len(text)} bytes", 100))


if __name__ == "__main__":
    main()
