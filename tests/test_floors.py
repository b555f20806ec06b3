"""Floors of the core: a file uses what stands on its floor and below, and no files lead to each other in a circle.

The graph is read from the sources by tools/core_graph.py. Layouts and virtual methods stand in the header, which everybody uses: what is below
asks what is above by them.
"""

import importlib.util
import re
from pathlib import Path

import pytest

TOOL = Path(__file__).parent.parent / "tools" / "core_graph.py"
spec = importlib.util.spec_from_file_location("core_graph", TOOL)
core_graph = importlib.util.module_from_spec(spec)
spec.loader.exec_module(core_graph)

ALLOWED_UP = {}
"""Edges that run up, (file, file it uses) -> why. This may only shrink."""


@pytest.fixture(scope="module")
def graph():
    return core_graph.Graph()


def test_the_graph_is_read(graph):
    assert len(graph.defined) > 50
    assert len(graph.edges) > 250
    for file, other, name in (
        ("drivers/pointwise.pxi", "graph/gate.pxi", "begin_write"),
        ("backward/engine.pxi", "backward/rules.pxi", "run_rules"),
        ("python/object.pxi", "python/indexing.pxi", "get_item"),
        ("calls/lazy.pxi", "array/place.pxi", "Depth"),
        ("transforms/dual.pxi", "drivers/views.pxi", "ViewOp"),
        ("array/place.pxi", "array/dtype.pxi", "int64_of"),
    ):
        assert name in graph.edges.get((file, other), ()), (file, other, name)


def test_a_file_uses_what_stands_on_its_floor_and_below(graph):
    assert {edge: names for edge, names in graph.upward().items() if edge not in ALLOWED_UP} == {}
    assert set(ALLOWED_UP) <= set(graph.upward()), "an edge that is gone is allowed no more"
    assert len(ALLOWED_UP) == 0


def test_files_make_no_circle(graph):
    assert graph.circles(without=ALLOWED_UP) == []


def test_every_file_is_compiled_and_stands_in_the_list():
    source = (core_graph.CORE / "_core.pyx").read_text()
    build = (core_graph.CORE.parent / "meson.build").read_text()
    picture = (core_graph.CORE.parents[1] / "docs" / "floors.svg").read_text().replace(" ·<", " · <")
    for path in core_graph.CORE.rglob("*.pxi"):
        file = path.relative_to(core_graph.CORE).as_posix()
        assert f"'core/{file}'" in build
        if file not in core_graph.HEADER:
            assert re.search(rf'^include "{file}" +# \S', source, re.M), f"_core.pyx does not say what {file} is"
            assert re.search(rf"[>·] ?{path.stem}[ <]", picture), f"docs/floors.svg does not show {file}"


def test_what_the_graph_sees(tmp_path):
    for floor in core_graph.FLOORS:
        (tmp_path / floor).mkdir()
    (tmp_path / "_core.pxd").write_text(
        "cdef class Tensor:\n    cdef int code\n\ncdef inline int code_of(Tensor t):\n    return t.code\n"
    )
    (tmp_path / "array" / "kernels.pxi").write_text("cdef extern from *:\n    int item_size(int)\n")
    (tmp_path / "array" / "low.pxi").write_text(
        '# high() is above.\ncdef int count = 0\n\ncdef int low(Tensor t):\n    """As high(t)."""\n    return code_of(t) + t.high + item_size(1)\n'
    )
    (tmp_path / "graph" / "high.pxi").write_text(
        'cdef extern from *:\n    """\n    static int rl_more(int x) { return x; }\n    """\n    int more "rl_more"(int)\n\n'
        "cdef enum:\n    MOST = 3\n\ncdef class Deep:\n    cdef int high(self):\n        return low(None) + count\n"
    )
    graph = core_graph.Graph(tmp_path)
    assert graph.edges == {("graph/high.pxi", "array/low.pxi"): ["count", "low"]}
    assert graph.upward() == {} and graph.circles() == []
    (tmp_path / "array" / "low.pxi").write_text(
        'cdef int count = 0\n\ncdef int low(Tensor t, int more):\n    return more + len(f"{MOST} {Deep} high")\n'
    )
    graph = core_graph.Graph(tmp_path)
    assert graph.upward() == {("array/low.pxi", "graph/high.pxi"): ["Deep", "MOST"]}
    assert graph.circles() == [("array/low.pxi", "graph/high.pxi")]
    assert graph.circles(without=graph.upward()) == []


def test_numbers_that_stand_in_c_are_those_of_the_header():
    """C++ in the core cannot see Cython's enums, so some of their numbers stand there again, by the same names."""
    header = (TOOL.parents[1] / "rushlight" / "core" / "_core.pxd").read_text()
    numbers = {name.lower(): int(value) for name, value in re.findall(r"^ +([A-Z_]+) = (\d+)\b", header, re.MULTILINE)}
    (counted,) = re.findall(r"^    (FROM_GRADIENT(?:, FROM_\w+)+)$", header, re.MULTILINE)
    numbers |= {name.lower(): place for place, name in enumerate(counted.split(", "))}
    source = (TOOL.parents[1] / "rushlight" / "core" / "graph" / "record.pxi").read_text()
    again = re.findall(r"\brl_(\w+) = (\d+)", "".join(re.findall(r"^    enum \{.*\};$", source, re.MULTILINE)))
    assert len(again) == 8
    assert {name: int(value) for name, value in again} == {name: numbers[name] for name, _ in again}
