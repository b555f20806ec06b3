"""Forward mode: dual tensors, what carries a tangent, and how the two modes meet."""

import contextlib

import pytest


@contextlib.contextmanager
def duals(torch):
    """Inside a level: a function that makes duals, and one that takes them apart."""
    forward_ad = torch.autograd.forward_ad
    with forward_ad.dual_level():
        yield forward_ad.make_dual, forward_ad.unpack_dual


def tangent(torch, x):
    return torch.autograd.forward_ad.unpack_dual(x).tangent


def values(torch):
    return torch.tensor([0.2, -0.3, 0.7]), torch.tensor([1.0, 2.0, 3.0])


# ---- levels --------------------------------------------------------------------------------------------------------------
def test_there_is_one_level_at_a_time(torch):
    forward_ad = torch.autograd.forward_ad
    with forward_ad.dual_level():
        with pytest.raises(RuntimeError, match="Nested forward mode AD is not supported at the moment"):
            forward_ad.enter_dual_level()
        with pytest.raises(RuntimeError, match="Invalid level given to _make_dual"):
            forward_ad.make_dual(torch.ones(2), torch.ones(2), level=1)
    assert forward_ad.enter_dual_level() == 0
    with pytest.raises(RuntimeError, match="exit a forward AD level that was not the last one"):
        forward_ad.exit_dual_level(level=3)
    forward_ad.exit_dual_level()


def test_outside_of_a_level(torch):
    forward_ad = torch.autograd.forward_ad
    x = torch.ones(2)
    with pytest.raises(RuntimeError, match=r"no level exists, make sure to enter_dual_level\(\) first"):
        forward_ad.make_dual(x, x)
    assert forward_ad.unpack_dual(x).tangent is None
    assert forward_ad.unpack_dual(x, level=0).tangent is None
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x, x)
    assert forward_ad.unpack_dual(dual).tangent is None
    with forward_ad.dual_level():
        assert forward_ad.unpack_dual(dual * 2).tangent is None
    assert (dual + 1).tolist() == [2.0, 2.0]


def test_what_makes_a_dual(torch):
    x, t = values(torch)
    with duals(torch) as (make, unpack):
        for primal, bad, text in (
            (x, torch.ones(2), r"Tensor is of size \[3\] while the given forward gradient is of size \[2\]"),
            (make(x, t), t, "already has a forward gradient at the same level 0"),
        ):
            with pytest.raises(RuntimeError, match=text):
                make(primal, bad)
        for primal, bad, text in ((x.long(), t, "Expected primal to be"), (x, t.long(), "Expected tangent to be")):
            with pytest.raises(ValueError, match=text + " floating point or complex, but got: torch.int64"):
                make(primal, bad)
        with pytest.raises(TypeError, match=r"_unpack_dual\(\): argument 'dual' \(position 1\) must be Tensor, not int"):
            unpack(3)
        dual = make(x, t)
        assert dual._base is x and dual.data_ptr() == x.data_ptr()
        assert type(unpack(dual)).__name__ == "UnpackedDualTensor" and unpack(dual).primal.tolist() == x.tolist()


def test_switching_it_off(torch):
    forward_ad = torch.autograd.forward_ad
    x, t = values(torch)
    with duals(torch) as (make, unpack):
        dual = make(x, t)
        with forward_ad._set_fwd_grad_enabled(False):
            hidden = dual * 2
            assert unpack(dual).tangent is None and unpack(make(x, t)).tangent is None
        assert unpack(hidden).tangent is None and unpack(dual).tangent is not None
        with torch.no_grad():
            assert unpack(dual * 2).tangent.tolist() == (2 * t).tolist()
        with torch.inference_mode():
            assert unpack(dual * 2).tangent is None


# ---- operations ----------------------------------------------------------------------------------------------------------
OPERATIONS = {
    "sin": lambda torch, x: x.sin(),
    "with a constant": lambda torch, x: 3 * x + 1,
    "broadcast": lambda torch, x: x + torch.ones(2, 3),
    "a wider dtype": lambda torch, x: x * torch.ones(3, dtype=torch.float64),
    "complex": lambda torch, x: (x * (1 + 2j)).abs(),
    "real part": lambda torch, x: (x * (1 + 2j)).exp().real,
    "cat with a constant": lambda torch, x: torch.cat((torch.zeros(2), x)),
    "stack": lambda torch, x: torch.stack((x, x * x)),
    "where": lambda torch, x: torch.where(x > 0, x * x, 0.0),
    "sort": lambda torch, x: x.sort().values,
    "max": lambda torch, x: x.max(0)[0],
    "unbind": lambda torch, x: x.unbind()[1] * 2,
    "index": lambda torch, x: x[torch.tensor([0, 0, 2])],
    "mask": lambda torch, x: x[x > 0],
    "matrix product": lambda torch, x: x @ torch.ones(3, 2) @ torch.ones(2),
    "linear": lambda torch, x: torch.nn.functional.linear(x, torch.ones(2, 3), torch.ones(2)),
    "softmax": lambda torch, x: x.softmax(0),
    "norm": lambda torch, x: torch.linalg.vector_norm(x),
    "einsum": lambda torch, x: torch.einsum("i,j->ij", x, x),
    "std": lambda torch, x: x.std(),
    "to another dtype": lambda torch, x: x.double() ** 3,
}


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_tangents_against_differences(torch, name):
    function = OPERATIONS[name]
    torch.set_default_dtype(torch.float64)
    try:
        x, t = (v.double() for v in values(torch))
        expected = (function(torch, x + 1e-6 * t) - function(torch, x - 1e-6 * t)) / 2e-6
        with duals(torch) as (make, unpack):
            result = function(torch, make(x, t))
            primal, found = unpack(result)
            assert found.dtype is primal.dtype and found.shape == primal.shape
            assert torch.allclose(found, expected.to(found.dtype), rtol=1e-6, atol=1e-8)
    finally:
        torch.set_default_dtype(torch.float32)


def test_what_has_no_tangent(torch):
    x, t = values(torch)
    with duals(torch) as (make, unpack):
        dual = make(x, t)
        results = (dual > 0, dual.argmax(), dual.long(), dual.detach(), dual.data, torch.zeros_like(dual), dual.new_ones(2))
        for result in results:
            assert unpack(result).tangent is None
        assert dual.tolist() == x.tolist() and dual[0].item() == x[0].item() and bool(dual.sum() > 0)
        assert float(dual[2]) == x[2].item()


@pytest.mark.filterwarnings("ignore:index_reduce")
def test_operations_without_a_forward_rule(torch):
    x, t = values(torch)
    with duals(torch) as (make, _):
        dual = make(x, t)
        with pytest.raises(
            NotImplementedError, match="Trying to use forward AD with index_reduce that does not support it because"
        ):
            torch.index_reduce(dual, 0, torch.tensor([0]), dual[:1], "mean")
        with pytest.raises(NotImplementedError, match="Trying to use forward AD with aten::heaviside that does not"):
            torch.heaviside(dual, dual)
        with pytest.raises(NotImplementedError, match="add_out that does not support it because it is an out= function"):
            torch.add(dual, dual, out=torch.empty(3))


# ---- views and in-place writes -------------------------------------------------------------------------------------------
def test_a_write_gives_a_plain_tensor_a_tangent(torch):
    x, t = values(torch)
    with duals(torch) as (make, _):
        dual, y = make(x, t), torch.zeros(2, 3)
        y[0] = dual
        assert tangent(torch, y).tolist() == [[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]
        y.t()[1] *= 2
        assert tangent(torch, y).tolist() == [[1.0, 4.0, 3.0], [0.0, 0.0, 0.0]]
        assert tangent(torch, y.view(-1)[1:3]).tolist() == [4.0, 3.0]
        y += 1
        assert tangent(torch, y[0]).tolist() == [1.0, 4.0, 3.0]
        y.zero_()
        assert tangent(torch, y).tolist() == [[0.0] * 3] * 2


def test_views_of_what_is_written(torch):
    x, t = values(torch)
    with duals(torch) as (make, _):
        base = make(x, t).clone()
        part = base[1:]
        part *= 3
        assert tangent(torch, base).tolist() == [1.0, 6.0, 9.0]
        base *= 2
        assert tangent(torch, part).tolist() == [12.0, 18.0]
        column = base.view(3, 1).t_()
        column.add_(make(x.clone(), t))
        assert tangent(torch, base).tolist() == [3.0, 14.0, 21.0] and tangent(torch, part).tolist() == [14.0, 21.0]
        assert column.shape == (1, 3)


def test_a_view_made_before_its_base_is_written(torch):
    x, t = values(torch)
    with duals(torch) as (make, _):
        y = torch.zeros(3)
        part = y[1:]
        y.copy_(make(x, t))
        assert tangent(torch, part).tolist() == [2.0, 3.0]


def test_real_views_of_complex_tensors(torch):
    x, t = values(torch)
    with duals(torch) as (make, _):
        y = torch.zeros(3, dtype=torch.complex64)
        torch.view_as_real(y)[:, 1] = make(x, t)
        assert tangent(torch, y).tolist() == [1j, 2j, 3j]


def test_writes_do_not_reach_other_tangents(torch):
    x, t = values(torch)
    with duals(torch) as (make, _):
        dual = make(x, t)
        other = dual + 1
        other.mul_(5)
        assert tangent(torch, dual).tolist() == t.tolist() and t.tolist() == [1.0, 2.0, 3.0]
        again = dual.clone()
        again.sin_().exp_()
        expected = tangent(torch, dual.sin().exp())
        assert torch.allclose(tangent(torch, again), expected)


def test_filling_loses_the_tangent(torch):
    x, t = values(torch)
    with duals(torch) as (make, _):
        for change in (lambda y: y.fill_(2.0), lambda y: y.zero_(), lambda y: y.normal_(), lambda y: y.copy_(x)):
            y = make(x, t).clone()
            change(y)
            assert tangent(torch, y).tolist() == [0.0] * 3


# ---- with reverse mode ---------------------------------------------------------------------------------------------------
def test_forward_over_reverse(torch):
    x, t = values(torch)
    w = x.clone().requires_grad_()
    with duals(torch) as (make, unpack):
        dual = make(w, t)
        assert dual.requires_grad and not dual.is_leaf
        (gradient,) = torch.autograd.grad((dual**3).sum(), w, create_graph=True)
        assert torch.allclose(unpack(gradient).primal, 3 * x**2)
        assert torch.allclose(unpack(gradient).tangent, 6 * x * t)


def test_reverse_over_forward(torch):
    x, t = values(torch)
    w = x.clone().requires_grad_()
    with duals(torch) as (make, unpack):
        slope = unpack((make(w, t) ** 3).sum()).tangent
        (gradient,) = torch.autograd.grad(slope, w)
    assert torch.allclose(gradient, 6 * x * t)


def test_a_dual_that_is_a_leaf(torch):
    x, t = values(torch)
    with duals(torch) as (make, unpack):
        dual = make(x.clone(), t).requires_grad_()
        y = (dual**3).sum()
        (gradient,) = torch.autograd.grad(y, dual, retain_graph=True)
        assert torch.allclose(unpack(gradient).tangent, 6 * x * t)
        (gradient,) = torch.autograd.grad(unpack(y).tangent, dual)
        assert torch.allclose(unpack(gradient).primal, 6 * x * t)


def test_parameters_beside_duals(torch):
    x, t = values(torch)
    w = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    with duals(torch) as (make, unpack):
        y = (w * make(x, t)).sin().sum()
        assert y.requires_grad and unpack(y).tangent.requires_grad
        y.backward()
        assert torch.allclose(unpack(w.grad).primal, (w * x).cos() * x)
        (gradient,) = torch.autograd.grad(unpack((w * make(x, t)).sin().sum()).tangent, w)
    assert torch.allclose(unpack_plain(torch, gradient), ((w * x).cos() * t - (w * x).sin() * x * w * t).detach(), atol=1e-6)


def unpack_plain(torch, x):
    return torch.autograd.forward_ad.unpack_dual(x).primal.detach()


def test_writing_into_a_dual_of_a_leaf(torch):
    w = torch.ones(3, requires_grad=True)
    with duals(torch) as (make, _):
        dual = make(w, torch.ones(3))
        with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad is being used in an in-place"):
            dual.mul_(2)


# ---- one's own operations ------------------------------------------------------------------------------------------------
def test_a_function_with_a_jvp(torch):
    class Power(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, k):
            ctx.k = k
            ctx.save_for_backward(x)
            ctx.save_for_forward(x)
            return x**k

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * ctx.k * x ** (ctx.k - 1), None

        @staticmethod
        def jvp(ctx, x_t, k_t):
            assert k_t is None
            (x,) = ctx.saved_tensors
            return x_t * ctx.k * x ** (ctx.k - 1)

    x, t = values(torch)
    w = x.clone().requires_grad_()
    with duals(torch) as (make, unpack):
        assert torch.allclose(unpack(Power.apply(make(x, t), 3)).tangent, 3 * x**2 * t)
        y = Power.apply(make(w, t), 3)
        assert type(y.grad_fn).__name__ == "PowerBackward"
        (gradient,) = torch.autograd.grad(y.sum(), w, create_graph=True)
        assert torch.allclose(unpack(gradient).tangent, 6 * x * t)
        (gradient,) = torch.autograd.grad(unpack(y).tangent.sum(), w)
        assert torch.allclose(unpack_plain(torch, gradient), 6 * x * t)


def test_a_function_without_a_jvp(torch):
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x, t = values(torch)
    with duals(torch) as (make, _):
        assert Double.apply(x).tolist() == (2 * x).tolist()
        with pytest.raises(NotImplementedError, match="You must implement the jvp function for custom autograd"):
            Double.apply(make(x, t))


def test_printing(torch):
    with duals(torch) as (make, _):
        dual = make(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]))
        assert repr(dual) == "tensor([1., 2.], tangent=tensor([3., 4.]))"
        assert repr(dual[0]) == "tensor(1., tangent=3.0)"
