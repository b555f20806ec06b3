"""What the source of the core promises: one place asks whether a tensor is tracked, and one place records."""

import re
from pathlib import Path

import pytest

CORE = Path(__file__).parent.parent / "rushlight" / "core"
SOURCES = {path.name: path.read_text() for path in sorted(CORE.rglob("*.px[id]")) + sorted(CORE.rglob("*.pyx"))}

ASKS_ITSELF = {
    "_core.pxd": "defines it, and needs_grad by it",
    "histories.pxi": "a view made with grad mode off has no history of its own, though its base is tracked",
    "saved.pxi": "a leaf is kept as itself",
    "record.pxi": "an output is kept as one where it has a history",
    "dual.pxi": "a dual takes the place that its primal has in the graph",
}
"""Who may ask for the history of one object, rather than whether a tensor is tracked."""

RECORDS = {"gate.pxi", "record.pxi"}


def lines_with(pattern):
    return [
        f"{name}:{number}: {line.strip()}"
        for name, text in SOURCES.items()
        for number, line in enumerate(text.splitlines(), 1)
        if re.search(pattern, line.partition("#")[0])
    ]


def test_sources_are_found():
    assert len(SOURCES) > 30


def test_the_tracked_flag_is_read_in_one_place():
    assert lines_with(r"&\s*REQUIRES_GRAD\b") == lines_with(r"return t\.flags & REQUIRES_GRAD != 0")


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_whether_a_tensor_is_tracked_has_one_answer(name):
    if name not in ASKS_ITSELF:
        assert "tracked_itself" not in SOURCES[name]


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_only_the_gate_records(name):
    if name not in RECORDS:
        assert re.search(r"\b(record|record_many|start_node|save_outputs|plan_for)\(", SOURCES[name]) is None
