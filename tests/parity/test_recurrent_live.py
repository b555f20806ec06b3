"""Recurrent nets beside PyTorch: what a net prints, registers and draws, its outputs and gradients, and what it refuses."""

import itertools

import pytest

import rushlight

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")]

NETS = [
    ("RNN", dict()),
    ("RNN", dict(nonlinearity="relu", bias=False)),
    ("RNN", dict(num_layers=2, bidirectional=True, batch_first=True)),
    ("GRU", dict()),
    ("GRU", dict(num_layers=3, dropout=0.5)),
    ("GRU", dict(bidirectional=True, bias=False, batch_first=True)),
    ("LSTM", dict()),
    ("LSTM", dict(num_layers=2, dropout=0.3, bidirectional=True)),
    ("LSTM", dict(batch_first=True, bias=False)),
    ("LSTM", dict(proj_size=3, num_layers=2, bidirectional=True)),
]
CELLS = [("RNNCell", dict()), ("RNNCell", dict(nonlinearity="relu", bias=False)), ("LSTMCell", dict()), ("GRUCell", dict())]
LENGTHS = [2, 5, 3]


def ours(x):
    return rushlight.tensor(x.detach().tolist(), dtype=getattr(rushlight, str(x.dtype).removeprefix("torch.")))


def tensors(value):
    """Every tensor in an output, in order."""
    if isinstance(value, tuple):
        return [x for part in value for x in tensors(part)]
    return [] if value is None else [value]


def nets(name, options, dtype, *sizes):
    """The same net in both libraries, drawn from one seed."""
    made = []
    for library in (torch, rushlight):
        library.manual_seed(3)
        made.append(getattr(library.nn, name)(*sizes, **options, dtype=getattr(library, dtype)))
    return made


def compare(found, expected, dtype, what):
    rtol, atol = {"float32": (1e-4, 2e-5), "float64": (1e-10, 1e-12), "bfloat16": (0.06, 0.06)}[dtype]
    assert found.shape == expected.shape and str(found.dtype) == str(expected.dtype), what
    assert tuple(found.stride()) == expected.stride() or not found.numel(), (what, found.stride(), expected.stride())
    torch.testing.assert_close(
        torch.tensor(found.detach().double().tolist(), dtype=torch.float64).view(expected.shape),
        expected.detach().double(),
        rtol=rtol,
        atol=atol,
        msg=lambda text: f"{what}: {text}",
    )


def run(library, net, inputs, packed):
    """Outputs under one seed, and gradients of a function of all of them."""
    x, *state = inputs
    if packed:
        lengths = library.tensor(LENGTHS)
        x = library.nn.utils.rnn.pack_padded_sequence(x, lengths, net.batch_first, enforce_sorted=False)
    given = () if not state else (tuple(state),) if len(state) > 1 else (state[0],)
    library.manual_seed(5)
    made = tensors(net(x, *given))
    loss = sum((out.double() * (i + 1)).sin().sum() for i, out in enumerate(made) if out.is_floating_point())
    leaves = [*inputs, *net.parameters()]
    return made, library.autograd.grad(loss, leaves)


@pytest.mark.parametrize("kind", ["batch", "unbatched", "packed"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize(("name", "options"), NETS)
def test_nets(name, options, dtype, kind):
    theirs, own = nets(name, options, dtype, 4, 5)
    assert repr(own) == repr(theirs)
    for (key, value), (other, expected) in itertools.zip_longest(own.state_dict().items(), theirs.state_dict().items()):
        assert key == other
        compare(value, expected, dtype, key)
    torch.manual_seed(1)
    lead = (6,) if kind == "unbatched" else (3, 6) if options.get("batch_first") else (6, 3)
    layers = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
    batch = () if kind == "unbatched" else (3,)
    for with_state in (False, True):
        given = [torch.randn(*lead, 4).to(getattr(torch, dtype)).requires_grad_()]
        if with_state:
            sizes = [options.get("proj_size", 5)] + [5] * (name == "LSTM")
            given += [torch.randn(layers, *batch, size).to(getattr(torch, dtype)).requires_grad_() for size in sizes]
        expected, gradients = run(torch, theirs, given, kind == "packed")
        mine = [ours(x).requires_grad_() for x in given]
        found, own_gradients = run(rushlight, own, mine, kind == "packed")
        for place, (a, b) in enumerate(itertools.zip_longest(found, expected)):
            compare(a, b, dtype if b.is_floating_point() else "float64", f"output {place}")
        for place, (a, b) in enumerate(itertools.zip_longest(own_gradients, gradients)):
            compare(a.contiguous(), b.contiguous(), dtype, f"gradient {place}")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "options"), CELLS)
def test_cells(name, options, dtype):
    theirs, own = nets(name, options, dtype, 4, 5)
    assert repr(own) == repr(theirs) and list(own.state_dict()) == list(theirs.state_dict())
    for lead in ((3,), ()):
        x, *state = (torch.randn(*lead, size, dtype=getattr(torch, dtype)) for size in (4, 5, 5))
        state = state if name == "LSTMCell" else state[:1]
        given = tuple(state) if name == "LSTMCell" else state[0]
        own_given = tuple(map(ours, state)) if name == "LSTMCell" else ours(state[0])
        expected, found = tensors(theirs(x, given)), tensors(own(ours(x), own_given))
        for a, b in itertools.zip_longest(found, expected):
            compare(a, b, dtype, name)
            assert type(a.grad_fn).__name__ == type(b.grad_fn).__name__
        compare(tensors(own(ours(x)))[0], tensors(theirs(x))[0], dtype, "from zeros")


def refused(library, call):
    try:
        call(library)
    except Exception as error:
        return type(error).__name__, str(error)
    return None


def net_of(library, name="LSTM", **options):
    return getattr(library.nn, name)(3, 4, **options)


WRONG = [
    *(lambda t, n=n: getattr(t.nn, n)(3) for n in ("RNN", "LSTM", "GRU")),
    *(lambda t, n=n: getattr(t.nn, n)(3.0, 4) for n in ("RNN", "LSTM")),
    *(lambda t, o=o: net_of(t, "LSTM", **o) for o in (dict(num_layers=0), dict(bias=1), dict(dropout=2), dict(dropout=True))),
    *(lambda t, o=o: net_of(t, "LSTM", **o) for o in (dict(proj_size=4), dict(proj_size=-1), dict(foo=1), dict(batch_first=1))),
    lambda t: net_of(t, "GRU", proj_size=2),
    lambda t: net_of(t, "RNN", nonlinearity="x"),
    lambda t: t.nn.RNNBase("FOO", 3, 4),
    *(
        lambda t, n=n, s=s: net_of(t, n)(t.ones(*s))
        for n in ("RNN", "LSTM", "GRU")
        for s in ((3,), (5, 2, 2), (5, 2, 3, 1), (0, 2, 3))
    ),
    lambda t: net_of(t)(t.ones(5, 2, 3).double()),
    lambda t: net_of(t, "GRU")(t.ones(5, 2, 3), t.zeros(1, 4)),
    lambda t: net_of(t, "GRU")(t.ones(5, 3), t.zeros(1, 1, 4)),
    lambda t: net_of(t, "GRU")(t.ones(5, 2, 3), t.zeros(1, 1, 4)),
    *(
        lambda t, a=a, b=b, s=s: net_of(t)(t.ones(*s), (t.zeros(*a), t.zeros(*b)))
        for s, a, b in (
            ((5, 2, 3), (1, 2, 4), (1, 4)),
            ((5, 3), (1, 4), (1, 1, 4)),
            ((5, 2, 3), (1, 2, 3), (1, 2, 4)),
            ((5, 2, 3), (1, 2, 4), (1, 2, 3)),
        )
    ),
    *(
        lambda t, n=n, s=s: getattr(t.nn, n)(3, 4)(t.ones(*s))
        for n in ("RNNCell", "LSTMCell", "GRUCell")
        for s in ((), (2, 2), (1, 2, 3))
    ),
    lambda t: t.nn.GRUCell(3, 4)(t.ones(2, 3), t.ones(3, 4)),
    lambda t: t.nn.LSTMCell(3, 4)(t.ones(2, 3), (t.ones(2, 4),)),
    lambda t: t.lstm(t.ones(2, 2, 3), [t.ones(1, 2, 4)], [t.ones(16, 3)], True, 1, 0.0, True, False, False),
    lambda t: t.lstm(t.ones(2, 2, 3)),
    lambda t: t.gru(t.ones(2, 2, 3), t.ones(1, 2, 4), [t.ones(12, 3)] * 3, True, 1, 0.0, True, False, False),
    *(
        lambda t, lengths=lengths: t.nn.utils.rnn.pack_padded_sequence(t.ones(4, 2, 3), lengths)
        for lengths in ([2, 4], [4, 0], [4, 1, 1], 4, [])
    ),
    lambda t: t.nn.utils.rnn.pack_padded_sequence(t.ones(4, 2, 3), t.tensor([[4, 2]])),
    lambda t: t.nn.utils.rnn.pack_padded_sequence(t.ones(4, 0, 3), []),
    lambda t: t.nn.utils.rnn.pad_packed_sequence(t.nn.utils.rnn.pack_sequence([t.ones(3)]), total_length=2),
    *(lambda t, given=given: t.nn.utils.rnn.pad_sequence(given) for given in (1, [], [1, 2])),
    lambda t: t.nn.utils.rnn.pad_sequence([t.ones(2)], padding_side="middle"),
    lambda t: t.nn.utils.rnn.pad_sequence([t.ones(2, 3), t.ones(2, 4)]),
    lambda t: t.nn.utils.rnn.pack_sequence([t.ones(2), t.ones(3)]),
    lambda t: t.nn.utils.rnn.PackedSequence(t.ones(2)),
]


@pytest.mark.parametrize("call", WRONG)
def test_refusals(call):
    expected = refused(torch, call)
    assert expected is not None
    assert refused(rushlight, call) == expected


SEQUENCES = [
    lambda t, x: t.nn.utils.rnn.pad_sequence(x),
    lambda t, x: t.nn.utils.rnn.pad_sequence(x, True, -1.0, "left"),
    lambda t, x: t.nn.utils.rnn.pack_sequence(x, enforce_sorted=False),
    lambda t, x: t.nn.utils.rnn.pad_packed_sequence(t.nn.utils.rnn.pack_sequence(x, False), True, 0.5, 7),
    lambda t, x: t.nn.utils.rnn.pad_packed_sequence(t.nn.utils.rnn.pack_sequence(sorted(x, key=len, reverse=True))),
    lambda t, x: tuple(t.nn.utils.rnn.unpack_sequence(t.nn.utils.rnn.pack_sequence(x, False))),
    lambda t, x: tuple(t.nn.utils.rnn.unpad_sequence(t.nn.utils.rnn.pad_sequence(x), t.tensor(LENGTHS))),
]


@pytest.mark.parametrize("call", SEQUENCES)
def test_sequences(call):
    given = [torch.randn(length, 2, dtype=torch.float64).requires_grad_() for length in LENGTHS]
    own_given = [ours(x).requires_grad_() for x in given]
    expected, found = call(torch, given), call(rushlight, own_given)
    assert repr(found) == repr(expected)
    own_loss, loss = ((tensors(made)[0] ** 3).sum() for made in (found, expected))
    for a, b in zip(rushlight.autograd.grad(own_loss, own_given), torch.autograd.grad(loss, given), strict=True):
        compare(a.contiguous(), b.contiguous(), "float64", "gradient")


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_autocast(name, narrow):
    made = []
    for library in (torch, rushlight):
        library.manual_seed(3)
        net = getattr(library.nn, name)(4, 5, 2, bidirectional=True)
        x = library.arange(24, dtype=library.float32).sin().view(3, 2, 4)
        with library.autocast("cpu", dtype=library.bfloat16):
            made.append(tensors(net(x.bfloat16() if narrow else x)))
    for a, b in itertools.zip_longest(made[1], made[0]):
        assert str(a.dtype) == str(b.dtype)
        compare(a.float(), b.float(), "bfloat16", name)
