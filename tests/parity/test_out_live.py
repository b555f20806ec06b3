"""What functions make of `out=`: warnings where it is resized, refusals where it is tracked, without memory, or one place for several elements."""

import warnings

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity

import rushlight  # noqa: E402

CALLS = """
torch.fft.fft(x, out=torch.ones(3, dtype=torch.complex64))
torch.fft.irfft(x, out=torch.ones(3))
torch.fft.fft(x, out=torch.ones(6, dtype=torch.complex64, requires_grad=True))
torch.fft.hfft(x, out=torch.ones(10, requires_grad=True))
torch.inner(x, x, out=torch.ones(3))
torch.tensordot(x, x, 1, out=torch.ones(3))
torch.matmul(y, x, out=torch.ones(3))
torch.linalg.vecdot(y, y, out=torch.ones(3))
torch.linalg.multi_dot([y, y.T], out=torch.ones(3))
torch.histogram(x, 3, out=(torch.ones(2), torch.ones(2)))
torch.histogram(x, 3, out=(torch.ones(3, requires_grad=True), torch.ones(4)))
torch.hash_tensor(x, out=torch.ones(3).to(torch.uint64))
torch.normal(0.0, x, out=torch.ones(3))
torch.normal(0.0, 1.0, (3,), out=torch.ones(1).expand(3))
torch.bernoulli(x / 9, out=torch.ones(1).expand(6))
torch.multinomial(torch.ones(1).expand(2**24 + 1), 1)
torch.rand(3, out=torch.ones(1).expand(3))
torch.rand(3, out=torch.ones(3, requires_grad=True))
torch.randint(3, (3,), out=torch.ones(3, requires_grad=True))
torch.randperm(3, out=torch.ones(3, requires_grad=True))
torch.ones(3, out=torch.ones(3, requires_grad=True))
torch.full((3,), 1.0, out=torch.ones(3, requires_grad=True))
torch.eye(3, out=torch.ones(3, 3, requires_grad=True))
torch.arange(3, out=torch.ones(3, requires_grad=True))
torch.linspace(0, 1, 3, out=torch.ones(3, requires_grad=True))
torch.logspace(0, 1, 3, out=torch.ones(3, requires_grad=True))
torch.expand_copy(x, (2, 6), out=torch.ones(2, 6, requires_grad=True))
torch.max(y, 0, out=(torch.ones(6), torch.ones(6, dtype=torch.int64)))
torch.sort(x, out=(torch.ones(6), torch.ones(6, dtype=torch.int64)))
torch.frexp(x, out=(torch.ones(6), torch.ones(6, dtype=torch.int32)))
torch.svd(y, out=(torch.ones(0).double(), torch.ones(0), torch.ones(0)))
torch.nn.functional.avg_pool2d(y[None], 2, out=torch.ones(1).double())
torch.nn.functional.avg_pool3d(y[None, None], (1, 2, 2), out=torch.ones(1).double())
torch.abs(x, out=torch.ones(6, device="meta"))
torch.add(x.to("meta"), 1, out=torch.ones(6))
torch.mm(y, y.T, out=torch.ones(2, 2, device="meta"))
torch.sum(y, 0, out=torch.ones(6, device="meta"))
torch.sort(x, out=(torch.ones(6, device="meta"), torch.ones(6, device="meta").long()))
torch.native_batch_norm(y.T, None, None, torch.ones(2), torch.ones(2), True, 0.1, 0.1, out=tuple(torch.ones(2, device="meta") for _ in "123"))
""".strip().split("\n")


def outcome(library, call):
    """The kind, shapes and warnings of a call, or its exception."""
    names = {"torch": library, "x": library.arange(1.0, 7.0), "y": library.arange(12.0).reshape(2, 6)}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            made = eval(call, names)
        except RuntimeError as error:
            return type(error).__name__, str(error)
    parts = made if isinstance(made, tuple) else (made,)
    said = [str(warning.message).partition(" (Triggered")[0] for warning in caught]
    return type(made).__name__, [(tuple(part.shape), part.stride()) for part in parts], said


@pytest.mark.parametrize("call", CALLS)
def test_out(call):
    assert outcome(rushlight, call) == outcome(torch, call)
