"""What adding something costs, as CONTRIBUTING.md has it: in how many files an example of each kind stands."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for folder in ("rushlight", "kernels", "tools", "tests/laws")
    for path in (ROOT / folder).rglob("*")
    if path.name != "_pytorch_names.py"  # (what PyTorch has, not what stands here)
    and path.suffix in (".py", ".pyx", ".pxi", ".pxd", ".cpp", ".h")
}
ROWS = re.findall(
    r"^\| ([^|]+) \| (\d) \| [^|]+ \| `(\w+)` \|$",
    (ROOT / "CONTRIBUTING.md").read_text().partition("## What adding something costs\n")[2].partition("\n## ")[0],
    re.M,
)
WHERE = {
    "entr": {"kernels/pointwise_math.cpp", "rushlight/ops/elementary.py"},
    "mish": {
        "kernels/pointwise_math.cpp",
        "rushlight/ops/activation.py",
        "rushlight/nn/functional/activation.py",
        "rushlight/nn/modules/activation.py",
    },
    "logcumsumexp": {"kernels/scan.cpp", "rushlight/ops/scan.py", "tests/laws/calls.py"},
    "silu_gradient": {"kernels/pointwise_math.cpp", "rushlight/ops/activation.py"},
    "softsign": {"rushlight/nn/functional/activation.py", "rushlight/nn/modules/activation.py"},
    "RMSprop": {"rushlight/optim/rmsprop.py", "rushlight/optim/__init__.py"},
    "uint16": {"kernels/dtypes.h"},
}
"""Where each example stands."""

USED = {"uint16": "the types of C, and what converts through it"}
"""Examples that other things use by name, so that only the row counts: here the name in quotes."""


def places(name):
    word = re.compile(rf'"{name}"' if name in USED else rf"\b{name}\b")
    return {path for path, text in SOURCES.items() if word.search(text)}


def test_the_table_is_read():
    assert len(ROWS) == 8 and {name for _, _, name in ROWS} == set(WHERE)


@pytest.mark.parametrize("name", WHERE)
def test_places(name):
    assert places(name) == WHERE[name]
    most = max(int(count) for _, count, copied in ROWS if copied == name)
    assert len(WHERE[name]) == most
