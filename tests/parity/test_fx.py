"""Graphs of programs: their text, their code, and what they give."""

import copy
import operator
import pickle

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

import torch  # noqa: E402
import torch.fx  # noqa: E402

import rushlight  # noqa: E402


def network(library):
    nn = library.nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear, self.bias = nn.Linear(3, 3), nn.Parameter(library.ones(3))
            self.register_buffer("scale", library.full((3,), 2.0))

        def forward(self, x, y: int = 2):
            z = library.relu(self.linear(x) + 3) * self.bias
            return z[0] - x.sum(-1, keepdim=True) / y, {"neg": -z, "scaled": z * self.scale}

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.block, self.tail = Block(), nn.Sequential(nn.Linear(3, 2), nn.ReLU())

        def forward(self, x):
            first, rest = self.block(x)
            return self.tail(rest["neg"]).tanh(), first.transpose(0, 1), library.cat([first, rest["scaled"]], dim=0)

    library.manual_seed(0)
    return Network()


FUNCTIONS = {
    "arithmetic": lambda t: lambda x: (x + 1) * 2 - x / 3**2 // 1 % 2,
    "comparison": lambda t: lambda x: (x > 1) & (x <= 2) | ~(x == 3),
    "reflected": lambda t: lambda x: 1 - (2 @ x if False else 2 / x),
    "indexing": lambda t: lambda x: x[0, :, None, ..., 1:2],
    "methods": lambda t: lambda x: x.view(-1, 2).sum(dim=0).clamp_(min=0.5),
    "attributes": lambda t: lambda x: x.shape[0] + x.T.size(0),
    "functions": lambda t: lambda x, y=None: t.add(x, 1, alpha=2).to(t.float64),
    "lists": lambda t: lambda x: t.stack([x, x * 2], -1),
    "einsum of a list": lambda t: lambda x, y: t.einsum("ij,jk->ik", [x, y]) + t.einsum("ij,jk->ik", (x, y)),
    "functions of several": lambda t: lambda x, y: t.einsum("ij,jk->ik", x, y),
    "tensordot": lambda t: lambda x, y: t.tensordot(x, y, dims=1) + t.broadcast_tensors(x, y)[0],
    "no use": lambda t: lambda x, y: x.relu(),
    "keyword": lambda t: lambda x, *, k=1: x * k,
    "infinity": lambda t: lambda x: x.masked_fill(x > 0, float("inf")),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_have_the_same_graph(name):
    ours, theirs = (library.fx.symbolic_trace(FUNCTIONS[name](library)) for library in (rushlight, torch))
    assert ours.code == theirs.code
    assert str(ours.graph) == str(theirs.graph)


def test_modules_have_the_same_graph():
    ours, theirs = rushlight.fx.symbolic_trace(network(rushlight)), torch.fx.symbolic_trace(network(torch))
    assert ours.code == theirs.code and str(ours.graph) == str(theirs.graph)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [n for n, _ in ours.named_modules()] == [n for n, _ in theirs.named_modules()]
    x = [[0.5, -1.0, 2.0], [1.0, 0.25, -0.5]]
    mine, reference = ours(rushlight.tensor(x)), theirs(torch.tensor(x))
    for a, b in zip(mine, reference, strict=True):
        assert a.flatten().tolist() == pytest.approx(b.flatten().tolist(), rel=1e-5)
    assert type(ours).__name__ == type(theirs).__name__ == "Network"


def test_copies_and_the_interpreter_compute_the_same():
    module = rushlight.fx.symbolic_trace(network(rushlight))
    x = rushlight.randn(2, 3)
    expected = [a.tolist() for a in module(x)]
    for other in (
        copy.deepcopy(module),
        copy.copy(module),
        pickle.loads(pickle.dumps(module)),
        rushlight.fx.Interpreter(module).run,
    ):
        assert [a.tolist() for a in other(x)] == expected


def edited(library):
    """A graph that is written by hand, and changed."""
    fx = library.fx
    graph = fx.Graph()
    x = graph.placeholder("x", library.Tensor)
    y = fx.Proxy(x)
    total = (y + 1).relu() * fx.Proxy(graph.get_attr("w"))
    graph.output(total.node, library.Tensor)
    module = fx.GraphModule({"w": library.full((2,), 3.0)}, graph, "Written")
    texts = [module.code, str(graph)]
    for node in list(module.graph.nodes):
        if node.op == "call_function" and node.target is operator.add:
            with module.graph.inserting_after(node):
                new = module.graph.call_function(library.sub, (node.args[0], 5))
            node.replace_all_uses_with(new)
            module.graph.erase_node(node)
    unused = module.graph.create_node("call_method", "abs", (next(iter(module.graph.nodes)),))
    texts.append([n.name for n in unused.all_input_nodes])
    module.graph.eliminate_dead_code()
    module.graph.lint()
    module.recompile()
    copied = fx.Graph()
    values: dict = {}
    copied.output(copied.graph_copy(module.graph, values))
    return [
        *texts,
        module.code,
        str(copied),
        module(library.full((2,), 7.0)).tolist(),
        [(n.name, len(n.users)) for n in graph.nodes],
    ]


def test_graphs_that_are_written():
    assert edited(rushlight) == edited(torch)


ERRORS = {
    "branch": lambda t: t.fx.symbolic_trace(lambda x: 1 if x.sum() > 0 else 2),
    "loop": lambda t: t.fx.symbolic_trace(lambda x: list(x)),
    "length": lambda t: t.fx.symbolic_trace(lambda x: len(x)),
    "root": lambda t: t.fx.GraphModule(3, t.fx.Graph()),
    "missing": lambda t: t.fx.GraphModule({}, with_attribute(t)),
    "erase": lambda t: erase_used(t),
    "wrap": lambda t: t.fx.wrap("len"),
}


def with_attribute(library):
    graph = library.fx.Graph()
    graph.output(graph.get_attr("w"))
    return graph


def erase_used(library):
    graph = library.fx.Graph()
    x = graph.placeholder("x")
    graph.output(x)
    graph.erase_node(x)


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    found = []
    for library in (rushlight, torch):
        with pytest.raises(Exception) as caught:
            ERRORS[name](library)
        found.append((type(caught.value).__name__, str(caught.value).splitlines()[0]))
    assert found[0] == found[1]


def test_what_a_graph_module_keeps():
    def kept(library):
        module = library.fx.symbolic_trace(network(library))
        module.meta["_user_preserved_attributes"] = {"note": 5}
        body = library.fx.graph_module._CodeOnlyModule({"training": True, "x": 3})
        return module._tracer_cls.__name__, copy.deepcopy(module).note, body.__dict__

    assert kept(rushlight) == kept(torch)


@pytest.mark.parametrize("library", [torch, rushlight])
def test_calls_with_effects_stay(library):
    def seen(x):
        return x

    assert library.fx.has_side_effect(seen) is seen
    graph = library.fx.Graph()
    x = graph.placeholder("x")
    graph.call_function(seen, (x,))
    graph.call_function(operator.add, (x, 1))
    graph.call_function(operator.setitem, (x, 0, 1))
    graph.call_function(library._assert, (x, "text"))
    graph.output(x)
    assert graph.eliminate_dead_code()
    assert [node.name for node in graph.nodes] == ["x", "seen", "setitem", "_assert", "output"]


DECORATED = """
import functools

def twice(function):
    @functools.wraps(function)
    def inside(x):
        return function(function(x))
    return inside

@fx.wrap
@twice
def doubled(x):
    return x + x

graph = fx.symbolic_trace(lambda x: doubled(x) * 2).graph
"""


@pytest.mark.parametrize("library", [torch, rushlight])
def test_decorated_functions_are_wrapped_by_their_name(library):
    scope = {"fx": library.fx, "__name__": "decorated"}
    exec(compile(DECORATED, "decorated", "exec"), scope)
    assert [node.name for node in scope["graph"].nodes] == ["x", "doubled", "mul", "output"]


ROOTS = """
import math
from math import floor

class Inner(nn.Module):
    def forward(self, x):
        return x * math.sqrt(x.size(0)) + floor(x.size(1) / 2) + math.pi

graph_module = fx.symbolic_trace(nn.Sequential(Inner()))
"""


def test_functions_of_math_stay_calls():
    seen = []
    for library in (torch, rushlight):
        scope = {"fx": library.fx, "nn": library.nn, "__name__": "roots"}
        exec(compile(ROOTS, "roots", "exec"), scope)
        made = scope["graph_module"]
        seen.append(([(node.op, node.name) for node in made.graph.nodes], made(library.ones(4, 3)).tolist()))
    assert seen[0] == seen[1]


@pytest.mark.parametrize("operate", [operator.add, operator.matmul, operator.mul, operator.eq, operator.sub])
def test_tensors_beside_values_that_are_not_there(operate):
    def targets(library):
        constant = library.ones(3, 3)
        return [(node.op, node.target) for node in library.fx.symbolic_trace(lambda x: operate(constant, x)).graph.nodes]

    assert targets(torch) == targets(rushlight)
