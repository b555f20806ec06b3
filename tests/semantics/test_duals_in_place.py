"""Forward mode through in-place writes and views, layouts of tangents, and Functions with a jvp."""

import pytest


@pytest.fixture
def fwd(torch):
    import importlib

    return importlib.import_module(f"{torch.__name__}.autograd.forward_ad")


def tangent_of(fwd, x):
    tangent = fwd.unpack_dual(x).tangent
    return None if tangent is None else tangent.tolist()


def test_a_write_into_a_view_of_a_dual(torch, fwd):
    with fwd.dual_level():
        x = fwd.make_dual(torch.arange(4.0), torch.ones(4))
        view = x[:2]
        view.mul_(3)
        assert tangent_of(fwd, x) == [3.0, 3.0, 1.0, 1.0]
        view.copy_(torch.zeros(2))
        assert tangent_of(fwd, x) == [0.0, 0.0, 1.0, 1.0]
        x[0] = fwd.make_dual(torch.tensor(1.0), torch.tensor(2.0))
        assert tangent_of(fwd, x) == [2.0, 0.0, 1.0, 1.0]
        assert tangent_of(fwd, view) == [2.0, 0.0]
        x[x.detach() > 1] = 0
        assert tangent_of(fwd, x) == [2.0, 0.0, 0.0, 0.0]
        x.mul_(2)
        assert tangent_of(fwd, view.view(2, 1)) == [[4.0], [0.0]]


def test_a_tracked_tensor_that_takes_a_tangent(torch, fwd):
    x = torch.ones(3, requires_grad=True)
    with fwd.dual_level():
        d = fwd.make_dual(torch.full((3,), 2.0), torch.ones(3))
        with pytest.raises(RuntimeError, match=r"a leaf Variable that requires grad is being used in an in-place operation."):
            x.mul_(d)
        y = x * 3
        y.mul_(d)
        assert tangent_of(fwd, y) == [3.0] * 3
        y.sum().backward()
    assert x.grad.tolist() == [6.0] * 3


def test_detaching_in_place_loses_the_tangent(torch, fwd):
    with fwd.dual_level():
        x = torch.ones(3)
        x.mul_(fwd.make_dual(torch.ones(3), torch.ones(3)))
        x.detach_()
        assert tangent_of(fwd, x) is None
        y = fwd.make_dual(torch.ones(3, requires_grad=True) * 2, torch.ones(3)) * 1
        assert not (y.detach_() * 2).requires_grad
        assert not fwd.unpack_dual(y * 2).primal.requires_grad
        assert tangent_of(fwd, y) is None


def test_the_tangent_has_the_layout_of_its_primal(torch, fwd):
    with fwd.dual_level():
        tangent = torch.ones(2, 3)
        assert fwd.unpack_dual(fwd.make_dual(torch.ones(2, 3), tangent)).tangent is tangent
        for primal, other in (
            (torch.ones(2, 2), torch.ones(2, 2).t()),
            (torch.ones(2), torch.ones(1).expand(2)),
            (torch.ones(2, 3).t(), torch.ones(3, 2)),
        ):
            assert fwd.unpack_dual(fwd.make_dual(primal, other)).tangent.stride() == primal.stride()
        d = fwd.make_dual(torch.tensor(1.0), torch.tensor(2.0))
        assert fwd.unpack_dual(d + torch.ones(2)).tangent.stride() == (1,)
        x = torch.ones(3)
        x.fill_(d)
        assert fwd.unpack_dual(x).tangent.stride() == (1,)


def test_tangents_that_are_refused(torch, fwd):
    with fwd.dual_level():
        d = fwd.make_dual(torch.ones(2), torch.ones(2))
        with pytest.raises(RuntimeError, match="Setting a forward grad that itself has a forward gradient at the same level0"):
            fwd.make_dual(torch.ones(2), d)
        with pytest.raises(RuntimeError, match="Invalid level given to _fw_primal"):
            fwd.unpack_dual(d, level=3)
        with pytest.raises(NotImplementedError, match="Trying to use forward AD with set_ that does not support it"):
            d.set_(torch.ones(2))
        with pytest.raises(RuntimeError, match="cannot resize variables that has a forward grad"):
            d.resize_(1)


def test_names_and_texts_of_duals(torch, fwd):
    with fwd.dual_level():
        d = fwd.make_dual(torch.ones(2, requires_grad=True), torch.ones(2))
        assert d.grad_fn.name() == "ViewBackward0"
        assert repr(d) == "tensor([1., 1.], grad_fn=<ViewBackward0>, tangent=tensor([1., 1.]))"
        one = fwd.make_dual(torch.tensor(1.0), torch.tensor(2.0))
        assert f"{one:.2f}" == "1.00"
        assert str(one) == "tensor(1., tangent=2.0)"
        parameter = torch.nn.Parameter(d)
        assert type(parameter) is torch.nn.Parameter
        assert tangent_of(fwd, parameter) is None


def test_a_view_as_another_dtype_has_no_tangent(torch, fwd):
    with fwd.dual_level():
        d = fwd.make_dual(torch.ones(2), torch.ones(2))
        assert tangent_of(fwd, d.view(torch.float32)) is None
        assert tangent_of(fwd, d.view(torch.int32)) is None


def test_ties_with_tensors_in_forward_mode(torch):
    jvp = torch.func.jvp
    tangents = torch.tensor(2.0), torch.tensor(3.0), torch.tensor(5.0)
    one = torch.tensor(1.0)

    def at(function, *points):
        return jvp(function, points, tangents[: len(points)])[1].item()

    assert at(lambda x: x.clamp(min=1.0), one) == 2.0
    assert at(lambda x, low: x.clamp(min=low), one, one) == 3.0
    assert at(lambda x, high: x.clamp(max=high), one, one) == 3.0
    assert at(torch.clamp_min, one, one) == 2.0
    assert at(torch.clamp, one, one, one) == 2.0
    assert at(torch.clamp, one, one + 1, one + 1) == 3.0
    assert at(torch.clamp, one, one + 1, one) == 5.0
    assert at(torch.fmax, one, one) == 3.0
    assert at(torch.fmin, one, one) == 2.0
    assert at(torch.maximum, one, one) == 2.5


# ---- Functions --------------------------------------------------------------------------------------------------------------
def function_of(torch, forward, jvp):
    class Made(torch.autograd.Function):
        @staticmethod
        def backward(ctx, *gradients):
            return gradients[0]

    Made.forward, Made.jvp = staticmethod(forward), staticmethod(jvp)
    return Made


def write(ctx, x):
    ctx.mark_dirty(x)
    return x.mul_(2)


def with_a_constant(ctx, x):
    constant = x * 3
    ctx.mark_non_differentiable(constant)
    return x * 2, constant


NOT_IN_PLACE = (
    "An inplace custom Function is not modifying the forward mode gradients inplace. If the forward is modifying an input inplace"
)
NO_VIEW = r"A custom Function's forward is returning a view \(or an input as-is\) but the jvp is not returning a view."
OTHER_VIEW = "A custom Function is returning a view but the jvp is not returning a view of the given grad input."
WRONG_COUNT = r"Function's jvp returned an invalid number of forward gradients \(expected {} but got {}\)"


@pytest.mark.parametrize(
    ("forward", "jvp", "text"),
    [
        (write, lambda ctx, t: t * 2, NOT_IN_PLACE),
        (lambda ctx, x: x.view(3, 1), lambda ctx, t: t.clone().view(3, 1), OTHER_VIEW),
        (lambda ctx, x: x.view_as(x), lambda ctx, t: t, NO_VIEW),
        (lambda ctx, x: x, lambda ctx, t: t, NO_VIEW),
        (lambda ctx, x: (x * 2, x * 3), lambda ctx, t: t * 2, WRONG_COUNT.format(2, 1)),
        (lambda ctx, x: x * 2, lambda ctx, t: (t * 2, t), WRONG_COUNT.format(1, 2)),
        (lambda ctx, x: x * 2, lambda ctx, t: 3, r"expected Variable or None \(got int\) for grad output 0."),
        (lambda ctx, x: x * 2, lambda ctx, t: t.new_ones(4), "Trying to set a forward gradient that has a different size"),
        (
            with_a_constant,
            lambda ctx, t: (t * 2, t * 3),
            "Function's jvp returned a gradient at position 1, but  the corresponding",
        ),
    ],
)
def test_tangents_that_do_not_fit_the_outputs(torch, fwd, forward, jvp, text):
    with fwd.dual_level(), pytest.raises(RuntimeError, match=text):
        function_of(torch, forward, jvp).apply(fwd.make_dual(torch.arange(3.0), torch.ones(3)))


def test_functions_that_write_or_view_with_tangents(torch, fwd):
    with fwd.dual_level():
        x = fwd.make_dual(torch.arange(3.0), torch.ones(3))
        function_of(torch, write, lambda ctx, t: t.mul_(2)).apply(x[:2])
        assert fwd.unpack_dual(x).primal.tolist() == [0.0, 2.0, 2.0]
        assert tangent_of(fwd, x) == [2.0, 2.0, 1.0]
        column = function_of(torch, lambda ctx, x: x.view(3, 1), lambda ctx, t: t.view(3, 1)).apply(x)
        assert tangent_of(fwd, column) == [[2.0], [2.0], [1.0]]
        doubled, constant = function_of(torch, with_a_constant, lambda ctx, t: (t * 2, None)).apply(x)
        assert tangent_of(fwd, doubled) == [4.0, 4.0, 2.0]
        assert tangent_of(fwd, constant) is None


def test_a_function_with_forward_mode_off(torch, fwd):
    called = []

    def jvp(ctx, t):
        called.append(t)
        return t

    double = function_of(torch, lambda ctx, x: x * 2, jvp)
    with fwd.dual_level():
        x = fwd.make_dual(torch.ones(2), torch.ones(2))
        with fwd._set_fwd_grad_enabled(False):
            double.apply(x)
        assert called == []


def test_the_history_of_a_function_of_a_dual(torch, fwd):
    z = torch.ones(2, requires_grad=True)

    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_backward(x)
            return x * y

        @staticmethod
        def backward(ctx, g):
            return None, g * ctx.saved_tensors[0]

        @staticmethod
        def jvp(ctx, x_t, y_t):
            return x_t * 1

    with fwd.dual_level():
        out = Product.apply(fwd.make_dual(torch.full((2,), 3.0), torch.ones(2)), z)
        assert type(out.grad_fn).__name__ == "ProductBackward"
        out.sum().backward()
    assert z.grad.tolist() == [3.0, 3.0]
