"""Conjugates and negatives that are views: conj(), the imaginary part of a conjugate, _neg_view."""

import copy
import pickle

import pytest

VALUES = [[1 + 2j, 3 - 1j], [0 + 1j, 2 + 2j]]


@pytest.fixture
def z(torch):
    return torch.tensor(VALUES)


def bits(t):
    return t.is_conj(), t.is_neg()


def names(node):
    """The names of a graph, from a result down."""
    return () if node is None else (node.name(), *[names(target) for target, _ in node.next_functions if target is not None])


def test_conj_shares_memory_and_version(torch, z):
    c = z.conj()
    assert bits(c) == (True, False) and c._is_view() and c._base is z and c.data_ptr() == z.data_ptr()
    assert bits(c.conj()) == (False, False) and c.conj()._base is z
    z[0, 0] = 5j
    assert c[0, 0].item() == -5j and c._version == z._version == 1
    assert z.real.conj() is not z.real and bits(z.real.conj()) == (False, False)
    real = torch.ones(2)
    assert real.conj() is real and real.resolve_conj() is real and real.resolve_neg() is real
    assert torch.is_conj(c) and not torch.is_neg(c) and torch.is_neg(c.imag)


def test_parts(torch, z):
    c = z.conj()
    assert bits(c.imag) == (False, True) and bits(c.real) == (False, False)
    assert c.imag.tolist() == [[-2.0, 1.0], [-1.0, -2.0]] and c.real.tolist() == [[1.0, 3.0], [0.0, 2.0]]
    n = torch._neg_view(c)
    assert bits(n) == (True, True) and bits(n.real) == (False, True) and bits(n.imag) == (False, False)
    assert n.tolist() == (-c).tolist() and torch._neg_view(n).tolist() == c.tolist()
    assert bits(torch._neg_view(c.imag)) == (False, False)


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (lambda c: c[0], (True, False)),
        (lambda c: c[:1], (True, False)),
        (lambda c: c.t(), (True, False)),
        (lambda c: c.mH, (False, False)),
        (lambda c: c.H, (False, False)),
        (lambda c: c.adjoint(), (False, False)),
        (lambda c: c.permute(1, 0), (True, False)),
        (lambda c: c.view(4), (True, False)),
        (lambda c: c.reshape(4), (True, False)),
        (lambda c: c.expand(3, 2, 2), (True, False)),
        (lambda c: c.unsqueeze(0), (True, False)),
        (lambda c: c.diagonal(), (True, False)),
        (lambda c: c.unfold(0, 1, 1), (True, False)),
        (lambda c: c.as_strided((2,), (1,)), (True, False)),
        (lambda c: c.unbind()[0], (True, False)),
        (lambda c: c.split(1)[1], (True, False)),
        (lambda c: c.contiguous(), (True, False)),
        (lambda c: c.cpu(), (True, False)),
        (lambda c: +c, (True, False)),
        (lambda c: c.detach(), (True, False)),
        (lambda c: c.data, (True, False)),
        (lambda c: copy.copy(c), (True, False)),
        (lambda c: pickle.loads(pickle.dumps(c)), (True, False)),
        (lambda c: pickle.loads(pickle.dumps(c.imag)), (False, True)),
        (lambda c: c.clone(), (False, False)),
        (lambda c: copy.deepcopy(c), (False, False)),
        (lambda c: c.resolve_conj(), (False, False)),
        (lambda c: c.resolve_neg(), (True, False)),
        (lambda c: c.imag.resolve_conj(), (False, True)),
        (lambda c: c.imag.contiguous(), (False, False)),
        (lambda c: c.t().contiguous(), (False, False)),
        (lambda c: c.t().reshape(4), (False, False)),
        (lambda c: c.to(c.dtype, copy=True), (False, False)),
        (lambda c: c.imag.double(), (False, False)),
        (lambda c: c.conj_physical(), (False, False)),
        (lambda c: c + 1, (False, False)),
        (lambda c: -c, (False, False)),
        (lambda c: c @ c, (False, False)),
        (lambda c: c.new_zeros(2), (False, False)),
    ],
)
def test_what_keeps_conjugates_lazy(torch, z, view, expected):
    found = view(z.conj())
    assert bits(found) == expected
    assert torch.equal(found, view(z.conj().resolve_conj()))


def test_refusals(torch, z):
    c, n = z.conj(), z.conj().imag
    with pytest.raises(RuntimeError, match=r"^view_as_real doesn't work on unresolved conjugated tensors.  To resolve the conj"):
        torch.view_as_real(c)
    assert torch.view_as_real(c.resolve_conj()).tolist()[0][0] == [1.0, -2.0]
    assert torch.view_as_real(torch._neg_view(z)).is_neg()
    assert torch.view_as_complex(torch._neg_view(torch.view_as_real(z))).tolist() == (-z).tolist()
    for dtype in (torch.float32, torch.complex64, torch.int64):
        with pytest.raises(RuntimeError, match=r"^torch.Tensor.view is not supported for conjugate view tensors when converting"):
            c.view(dtype)
    with pytest.raises(
        RuntimeError, match=r"^torch.Tensor.view is not supported for tensors with negative bit set when converting"
    ):
        n.view(torch.int32)
    with pytest.raises(BufferError, match=r"^Can't export tensors with the conjugate bit set$"):
        c.__dlpack__()


def test_numpy(torch, z):
    pytest.importorskip("numpy")
    with pytest.raises(RuntimeError, match=r"conjugate bit set. Use tensor.resolve_conj\(\).numpy\(\) instead.$"):
        z.conj().numpy()
    with pytest.raises(RuntimeError, match=r"negative bit set. Use tensor.resolve_neg\(\).numpy\(\) instead.$"):
        z.conj().imag.numpy()
    assert z.conj().numpy(force=True).tolist() == z.conj().tolist()
    assert z.conj().imag.numpy(force=True).tolist() == z.conj().imag.tolist()


def test_numbers_and_text(torch, z):
    c = z.conj()
    assert c[0, 0].item() == complex(c[0, 0]) == 1 - 2j and c.imag[0, 0].item() == float(c.imag[0, 0]) == -2.0
    assert bool(c.imag[0, 0]) and f"{c.imag[0, 0]:.1f}" == "-2.0"
    assert repr(c) == "tensor([[1.-2.j, 3.+1.j],\n        [0.-1.j, 2.-2.j]])"
    assert repr(c.imag) == "tensor([[-2.,  1.],\n        [-1., -2.]])"
    assert torch.equal(c, c.clone()) and not torch.equal(c, z)
    assert torch._neg_view(torch.tensor([1, 2], dtype=torch.uint8)).tolist() == [255, 254]


def test_writes_go_through(torch):
    z = torch.tensor([1 + 1j, 2j])
    c = z.conj()
    c += 1
    assert z.tolist() == [2 + 1j, 1 + 2j] and c.tolist() == [2 - 1j, 1 - 2j] and c.is_conj()
    c[0] = 5j
    c[torch.tensor([1])] = 7j
    assert z.tolist() == [-5j, -7j]
    c.real = torch.tensor([5.0, 6.0])
    c.imag = torch.tensor([1.0, 2.0])
    assert z.tolist() == [5 - 1j, 6 - 2j]
    c.copy_(torch.tensor([1.0, 3j]))
    assert z.tolist() == [1, -3j]
    z.copy_(c)
    assert z.tolist() == [1, 3j]
    c.add_(z)
    assert z.tolist() == [2, 0]
    c.imag.mul_(0).add_(4)
    assert z.tolist() == [2 - 4j, -4j]
    c.zero_().fill_(1j)
    assert z.tolist() == [-1j, -1j]
    c.masked_fill_(torch.tensor([True, False]), 3j)
    c.conj_physical_()
    assert z.tolist() == [3j, 1j] and c.is_conj()
    narrow = torch.zeros(2, dtype=torch.int8)
    assert narrow.copy_(c.imag).tolist() == [-3, -1]
    drawn = torch.zeros(3)
    torch._neg_view(drawn).uniform_(1, 2)
    assert (drawn <= -1).all()


def test_out(torch):
    for memory in (torch.zeros(2, dtype=torch.complex64), torch.zeros(0, dtype=torch.complex64)):
        out = memory.conj()
        assert torch.mul(torch.tensor([1j, 2.0]), 2, out=out) is out and out.tolist() == [2j, 4] and out.is_conj()
    values, places = torch._neg_view(torch.zeros(())), torch.zeros((), dtype=torch.int64)
    torch.max(torch.tensor([1.0, 3.0]), 0, out=(values, places))
    assert values.item() == 3 and values.is_neg() and places.item() == 1


def test_other_memory(torch, z):
    target = torch.zeros(1, dtype=torch.complex64)
    target.data = z.conj()
    assert target.is_conj() and target.tolist() == z.conj().tolist()
    target.data = z
    assert not target.is_conj()
    assert not torch.zeros(1, dtype=torch.complex64).set_(z.conj()).is_conj()
    lazy = torch.zeros(1, dtype=torch.complex64).conj()
    assert lazy.set_(z).is_conj() and lazy.tolist() == z.conj().tolist()
    assert torch.nn.Parameter(z.conj()).is_conj()


def test_graphs(torch):
    x = torch.tensor([1 + 2j, 3j], requires_grad=True)
    leaf = ("torch::autograd::AccumulateGrad",)
    conj = ("ConjBackward0", leaf)
    assert names(x.conj().grad_fn) == conj and names(x.conj().conj().grad_fn) == ("ConjBackward0", conj)
    assert names(torch._neg_view(x).grad_fn) == ("NegViewBackward0", leaf)
    assert names(x.conj().real.grad_fn) == ("SelectBackward0", ("ViewAsRealBackward0", ("ConjBackward0", conj)))
    assert names(x.conj().imag.grad_fn) == (
        "SelectBackward0",
        ("NegViewBackward0", ("ViewAsRealBackward0", ("ConjBackward0", conj))),
    )
    assert names(x.conj().resolve_conj().grad_fn) == ("CloneBackward0", conj)
    assert names(x.conj().conj_physical().grad_fn) == ("ConjPhysicalBackward0", conj)
    product = x.conj() * x
    assert names(product.grad_fn) == ("MulBackward0", conj, leaf)
    assert product.grad_fn._saved_self.is_conj() and not product.grad_fn._saved_other.is_conj()


def test_gradients(torch):
    x = torch.tensor([1 + 2j, 3j], requires_grad=True)
    found = torch.autograd.grad(x.conj(), x, torch.tensor([1j, 2.0]))[0]
    assert found.tolist() == [-1j, 2] and found.is_conj()
    assert torch.autograd.grad(x.conj().imag.sum(), x)[0].tolist() == [-1j, -1j]
    (first,) = torch.autograd.grad((x.conj() * x * x).real.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.real.sum(), x)
    step = 1e-3
    moved = torch.tensor([1 + 2j + step, 3j + step], requires_grad=True)
    (moved_first,) = torch.autograd.grad((moved.conj() * moved * moved).real.sum(), moved)
    assert torch.allclose(second.real, (moved_first - first).real / step, atol=2e-2)
    x.conj().backward(torch.tensor([1j, 2.0]))
    assert x.grad.tolist() == [-1j, 2]


def test_overwritten_values_are_found(torch):
    x = torch.tensor([1 + 2j, 3j], requires_grad=True)
    y = x * 1
    squared = y.conj() * y.conj()
    y.conj().add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        squared.real.sum().backward()
    with pytest.raises(
        RuntimeError, match=r"^a view of a leaf Variable that requires grad is being used in an in-place operation\."
    ):
        x.conj().mul_(2)


def test_histories_of_written_views(torch):
    x = torch.tensor([1 + 2j, 3j, 2.0], requires_grad=True)
    y = x * 1
    c = y.conj()
    y.mul_(2j)
    assert c.grad_fn.name() == "ConjBackward0" and c.tolist() == [-4 - 2j, -6, -4j]
    (found,) = torch.autograd.grad(c, x, torch.ones(3) + 0j)
    assert found.tolist() == [-2j, -2j, -2j]

    y = x * 1
    c = y.conj()
    part = c[0]
    c.mul_(2j)
    assert names(y.grad_fn)[0] == "torch::autograd::CopySlices" and c.grad_fn.name() == "ConjBackward0"
    assert part.grad_fn.name() == "AsStridedBackward0" and part.is_conj()
    (found,) = torch.autograd.grad(y, x, torch.ones(3) + 0j)
    assert found.tolist() == [2j, 2j, 2j]

    y = x * 1
    c = y.conj().imag
    c.mul_(3.0)
    assert y.tolist() == [1 + 6j, 9j, 2] and c.grad_fn.name() == "AsStridedBackward0" and c.is_neg()
    (found,) = torch.autograd.grad(y, x, torch.tensor([1j, 2j, 3 + 1j]))
    assert found.tolist() == [3j, 6j, 3 + 3j]


def test_forward_mode(torch):
    fw = torch.autograd.forward_ad
    z, t = torch.tensor([1 + 2j, 3j]), torch.tensor([1 + 1j, 2.0])
    with fw.dual_level():
        for primal, tangent in ((z.conj(), t), (z, t.conj()), (z.conj().imag, t.real), (z.conj(), t.conj())):
            found = fw.unpack_dual(fw.make_dual(primal, tangent))
            assert bits(found.tangent) == bits(found.primal) == bits(primal) and torch.equal(found.tangent, tangent)
        dual = fw.make_dual(z.clone(), t)
        assert fw.unpack_dual(dual.conj()).tangent.tolist() == [1 - 1j, 2]
        assert fw.unpack_dual(dual.conj().imag).tangent.tolist() == [-1, 0]
        assert fw.unpack_dual(dual.conj() * dual).tangent.tolist() == [6, 0]
        view = dual.conj()
        view.mul_(2j)
        assert fw.unpack_dual(dual).tangent.tolist() == [2 - 2j, -4j]
        view.imag.mul_(3)
        assert fw.unpack_dual(dual).tangent.tolist() == [2 - 6j, -12j]
        assert fw.unpack_dual(view).tangent.tolist() == [2 + 6j, 12j]


def test_transforms(torch, z):
    def lazily(x):
        assert x.conj().is_conj()
        return x.conj()

    assert torch.func.vmap(lazily)(z).is_conj() and torch.func.vmap(lazily)(z).tolist() == z.conj().tolist()
    assert torch.func.vmap(lambda x: x * 1)(z.conj()).tolist() == z.conj().tolist()
    target = z.clone()
    torch.func.vmap(lambda x: x.conj().add_(1j))(target)
    assert target.tolist() == (z - 1j).tolist()
    assert torch.func.jvp(torch.conj, (z,), (z + 1,))[1].tolist() == (z + 1).conj().tolist()
    assert torch.func.vjp(torch.conj, z)[1](z + 1)[0].tolist() == (z + 1).conj().tolist()
    assert torch.func.grad(lambda x: x.conj().imag.sum())(z).tolist() == [[-1j] * 2] * 2


def test_functions_and_hooks_see_lazy_tensors(torch):
    seen = []

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            seen.append(x.is_conj())
            return x.conj() * 1

        @staticmethod
        def backward(ctx, g):
            seen.append(ctx.saved_tensors[0].is_conj())
            return g.conj()

    x = torch.tensor([1j, 2j], requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: seen.append(t.is_conj()) or t, lambda t: t):
        Function.apply(x.conj()).real.sum().backward()
    assert seen[0] and all(seen) and x.grad.tolist() == [1, 1]


def test_a_view_made_without_recording(torch):
    x = torch.tensor([1j, 2j], requires_grad=True)
    with torch.no_grad():
        c = x.conj()
    assert c.requires_grad and c.grad_fn is None and c.is_conj()
    with pytest.raises(
        RuntimeError, match=r"^A view was created in no_grad mode and is being modified inplace with grad mode enabled"
    ):
        c.add_(1)
