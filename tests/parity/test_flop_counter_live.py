"""torch.utils.flop_counter: what is counted of programs, forward and backward, for each module and op."""

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.parity

import torch  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode as TheirMode  # noqa: E402

import rushlight  # noqa: E402
from rushlight.utils.flop_counter import FlopCounterMode  # noqa: E402


def made(library, kind, *shape, **options):
    """A module, called with a tensor that requires grad."""
    module = getattr(library.nn, kind)(*options.pop("args"), **options)
    return module(library.randn(shape, requires_grad=True))


def attention(library, **options):
    q, k, v = (library.randn(2, 3, length, 8, requires_grad=True) for length in (5, 7, 7))
    return library.nn.functional.scaled_dot_product_attention(q, k, v, **options)


def twice(library):
    x = library.randn(2, 3, requires_grad=True)
    (gradient,) = library.autograd.grad((x @ library.ones(3, 4)).pow(2).sum(), x, create_graph=True)
    return gradient


def nested(library):
    nn = library.nn
    net = nn.Sequential(nn.Linear(8, 4), nn.Sequential(nn.ReLU(), nn.Linear(4, 2, bias=False)))
    return net(library.randn(4, 8, requires_grad=True)) @ library.ones(2, 3)


def multihead(library, **options):
    x = library.randn(2, 3, 8, requires_grad=True)
    return library.nn.MultiheadAttention(8, 2, batch_first=True)(x, x, x, **options)[0]


def grown(library, *shapes):
    return [library.randn(shape, requires_grad=True) for shape in shapes]


PROGRAMS = {
    "linear": lambda t: made(t, "Linear", 4, 8, args=(8, 3)),
    "linear of three dimensions": lambda t: made(t, "Linear", 2, 4, 8, args=(8, 3)),
    "linear of a vector": lambda t: made(t, "Linear", 8, args=(8, 3)),
    "linear without bias": lambda t: made(t, "Linear", 2, 4, 8, args=(8, 3), bias=False),
    "strided linear": lambda t: t.nn.Linear(8, 3)(t.randn(4, 2, 8, requires_grad=True).transpose(0, 1)),
    "matrix by vector": lambda t: t.mv(*grown(t, (2, 3), (3,))),
    "vector by matrix": lambda t: t.matmul(*grown(t, (3,), (3, 2))),
    "batches": lambda t: t.matmul(*grown(t, (2, 5, 2, 3), (5, 3, 4))),
    "batch by matrix": lambda t: t.matmul(*grown(t, (5, 2, 3), (3, 4))),
    "addmm": lambda t: t.addmm(*grown(t, (4,), (2, 3), (3, 4)), alpha=2),
    "baddbmm": lambda t: t.baddbmm(*grown(t, (4,), (5, 2, 3), (5, 3, 4)), beta=2),
    "in place": lambda t: t.ones(2, 4).addmm_(*grown(t, (2, 3), (3, 4))),
    "out": lambda t: t.mm(t.ones(2, 3), t.ones(3, 4), out=t.empty(2, 4)),
    "einsum": lambda t: t.einsum("bij,bjk->bik", *grown(t, (5, 2, 3), (5, 3, 4))),
    "bilinear": lambda t: t.nn.Bilinear(3, 4, 5)(*grown(t, (2, 3), (2, 4))),
    "powers": lambda t: t.matrix_power(t.randn(3, 3), 5),
    "groups": lambda t: made(t, "Conv2d", 2, 4, 9, 9, args=(4, 6, 3), groups=2, stride=2),
    "unbatched convolution": lambda t: made(t, "Conv2d", 4, 9, 9, args=(4, 6, 3)),
    "one dimension": lambda t: t.nn.Conv1d(4, 6, 3)(t.ones(2, 4, 9)),
    "same": lambda t: made(t, "Conv2d", 2, 4, 9, 9, args=(4, 6, 3), padding="same"),
    "transposed": lambda t: made(t, "ConvTranspose2d", 2, 4, 9, 9, args=(4, 6, 3)),
    "lstm": lambda t: made(t, "LSTM", 2, 4, 4, args=(4, 6))[0],
    "lstm cell": lambda t: t.nn.LSTMCell(4, 6)(t.ones(2, 4))[0],
    "attention": attention,
    "attention with dropout": lambda t: attention(t, dropout_p=0.5),
    "multihead": multihead,
    "multihead without weights": lambda t: multihead(t, need_weights=False),
    "encoder": lambda t: made(t, "TransformerEncoderLayer", 2, 3, 8, args=(8, 2, 16), batch_first=True),
    "twice": twice,
    "nested": nested,
}


def counted(library, mode, program):
    with mode(display=False) as counter:
        out = program(library)
        if out.requires_grad:
            out.sum().backward()
    return {module: {str(op): count for op, count in counts.items()} for module, counts in counter.get_flop_counts().items()}


@pytest.mark.parametrize("name", PROGRAMS)
def test_as_many_operations_are_counted(name):
    """Of every op, in every module."""
    assert counted(rushlight, FlopCounterMode, PROGRAMS[name]) == counted(torch, TheirMode, PROGRAMS[name])


def cells(table):
    """The words of each line but the rule. (Recent versions of tabulate leave out the indentation.)"""
    return [line.split() for line in table.splitlines() if "---" not in line]


def test_the_table_is_the_same():
    """Of all depths; PyTorch makes it by tabulate."""
    pytest.importorskip("tabulate")
    for depth in (1, 2, None):
        tables = []
        for library, mode in ((rushlight, FlopCounterMode), (torch, TheirMode)):
            with mode(display=False, depth=depth) as counter:
                nested(library).sum().backward()
            tables.append(cells(counter.get_table()))
        assert tables[0] == tables[1]
