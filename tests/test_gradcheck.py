"""gradcheck and gradgradcheck: what passes, and what wrong derivatives are told."""

import itertools

import pytest


@pytest.fixture
def torch():
    import rushlight

    return rushlight


@pytest.fixture
def x(torch):
    return torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64, requires_grad=True)


@pytest.fixture
def z(torch):
    return torch.tensor([1 + 2j, 3 - 1j], dtype=torch.complex128, requires_grad=True)


def operation(torch, forward, backward, jvp=None):
    """An autograd.Function of these parts."""
    methods = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    return type("Wrong", (torch.autograd.Function,), methods | ({"jvp": staticmethod(jvp)} if jvp else {})).apply


FAST = pytest.mark.parametrize("fast", [False, True])


@FAST
def test_right_derivatives(torch, x, z, fast):
    check = torch.autograd.gradcheck
    w = torch.tensor([4.0, 5.0], dtype=torch.float64, requires_grad=True)
    for function, inputs in (
        (lambda x: x * x, x),
        (lambda x, w: (x.sum() * w, x.exp()), (x, w)),
        (lambda z: z * z, z),
        (lambda z: z.abs(), z),
        (lambda z, x: z.sum() * x, (z, x)),
        (lambda x: (x.sin(), x.long()), x),
        (lambda x: x.t(), torch.rand(2, 3, dtype=torch.float64).t().requires_grad_()),
        (lambda x: x * 2, torch.zeros(0, 3, dtype=torch.float64, requires_grad=True)),
    ):
        assert check(function, inputs, fast_mode=fast)


@FAST
def test_forward_mode(torch, x, z, fast):
    check = torch.autograd.gradcheck
    assert check(torch.sin, x, check_forward_ad=True, fast_mode=fast)
    assert check(torch.sin, x, check_forward_ad=True, check_backward_ad=False, fast_mode=fast)
    assert check(lambda z: z.sin() * z.conj(), z, check_forward_ad=True, fast_mode=fast)
    assert check(torch.sin, x, check_batched_grad=True, fast_mode=fast)
    assert check(torch.sin, x, check_forward_ad=True, check_batched_forward_grad=True, fast_mode=fast)


@FAST
def test_second_derivatives(torch, x, z, fast):
    check = torch.autograd.gradgradcheck
    assert check(lambda x: x**3, x, fast_mode=fast)
    assert check(lambda z: z * z, z, fast_mode=fast)
    assert check(lambda x: (x * 2, x**2), x, fast_mode=fast)
    assert check(lambda x: x**3, x, torch.ones(3, dtype=torch.float64, requires_grad=True), fast_mode=fast)
    assert check(lambda x: x**3, x, gen_non_contig_grad_outputs=True, fast_mode=fast)
    assert check(torch.exp, x, check_fwd_over_rev=True, fast_mode=fast)
    once = operation(
        torch,
        lambda ctx, x: (ctx.save_for_backward(x), x**3)[1],
        lambda ctx, g: 3 * ctx.saved_tensors[0].detach() ** 2 * g,
    )
    with pytest.raises(RuntimeError, match="Jacobian mismatch for output 0 with respect to input 0"):
        check(once, x, fast_mode=fast)
    assert not check(once, x, fast_mode=fast, raise_exception=False)


def test_a_mismatch(torch, x):
    wrong = operation(torch, lambda ctx, x: x * 2, lambda ctx, g: g * 3)
    with pytest.raises(RuntimeError) as caught:
        torch.autograd.gradcheck(wrong, x)
    assert type(caught.value).__name__ == "GradcheckError"
    assert str(caught.value) == (
        "Jacobian mismatch for output 0 with respect to input 0,\n"
        "numerical:tensor([[2.0000, 0.0000, 0.0000],\n        [0.0000, 2.0000, 0.0000],\n        [0.0000, 0.0000, 2.0000]], dtype=torch.float64)\n"
        "analytical:tensor([[3., 0., 0.],\n        [0., 3., 0.],\n        [0., 0., 3.]], dtype=torch.float64)\n"
    )
    assert torch.autograd.gradcheck(wrong, x, raise_exception=False) is False


def test_a_mismatch_in_fast_mode(torch, x):
    wrong = operation(torch, lambda ctx, x: x * 2, lambda ctx, g: g * 3)
    with pytest.raises(
        RuntimeError, match=r"numerical:1.95854913.*\nanalytical:2.93782370.*\n\nThe above quantities relating the numerical"
    ):
        torch.autograd.gradcheck(wrong, x, fast_mode=True)


def test_which_input_and_output(torch, x):
    w = torch.tensor([4.0, 5.0], dtype=torch.float64, requires_grad=True)
    wrong = operation(torch, lambda ctx, x, w: (x * 2, w * 2), lambda ctx, g, h: (g * 2, h * 3))
    with pytest.raises(RuntimeError, match="Jacobian mismatch for output 1 with respect to input 1"):
        torch.autograd.gradcheck(wrong, (x, w))


@FAST
def test_complex_parts(torch, z, fast):
    wrong = operation(torch, lambda ctx, z: z * 2j, lambda ctx, g: g * 2j)
    text = "While considering the imaginary part of complex outputs only, Jacobian mismatch for output 0 with respect to input 0"
    with pytest.raises(RuntimeError, match=text):
        torch.autograd.gradcheck(wrong, z, fast_mode=fast)


@FAST
def test_a_wrong_jvp(torch, x, fast):
    wrong = operation(torch, lambda ctx, x: x * 2, lambda ctx, g: g * 2, lambda ctx, t: t * 3)
    with pytest.raises(RuntimeError, match="Jacobian computed with forward mode mismatch for output 0 with respect to input 0"):
        torch.autograd.gradcheck(wrong, x, check_forward_ad=True, fast_mode=fast)


@FAST
def test_a_backward_that_varies(torch, x, fast):
    calls = itertools.count()
    wrong = operation(torch, lambda ctx, x: x * 2, lambda ctx, g: g * (2 + 1e-7 * next(calls)))
    with pytest.raises(
        RuntimeError, match=r"Backward is not reentrant, i.e., running backward with same input and grad_output multiple times"
    ):
        torch.autograd.gradcheck(wrong, x, fast_mode=fast)
    assert torch.autograd.gradcheck(wrong, x, fast_mode=fast, nondet_tol=1e-3)


def test_a_backward_that_ignores_its_gradient(torch, x):
    wrong = operation(torch, lambda ctx, x: x.sum() * 2, lambda ctx, g: torch.full((3,), 2.0, dtype=torch.float64))
    with pytest.raises(RuntimeError, match="backward not multiplied by grad_output"):
        torch.autograd.gradcheck(wrong, x)


def test_undefined_gradients(torch, x):
    def backward(ctx, g):
        return torch.ones(3, dtype=torch.float64) if g is None else g * 2

    wrong = operation(torch, lambda ctx, x: (ctx.set_materialize_grads(False), x * 2)[1], backward)
    with (
        pytest.warns(UserWarning, match="New undefined gradient support checking feature"),
        pytest.raises(
            RuntimeError, match="Expected all input grads to be undefined or zero when all output grads are undefined or zero"
        ),
    ):
        torch.autograd.gradcheck(wrong, x)
    assert torch.autograd.gradcheck(wrong, x, check_undefined_grad=False)


def test_outputs_without_derivative(torch, x):
    assert torch.autograd.gradcheck(lambda x: x.detach() * 0, x)
    with pytest.raises(RuntimeError, match="Numerical gradient for function expected to be zero"):
        torch.autograd.gradcheck(lambda x: x.detach() * 2, x)


def test_what_is_refused(torch, x):
    check = torch.autograd.gradcheck
    with pytest.raises(
        ValueError, match="gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad"
    ):
        check(torch.sin, torch.ones(2, dtype=torch.float64))
    with pytest.raises(
        RuntimeError, match=r"The 0th input has a dimension with stride 0. gradcheck only supports inputs that are non-overlap"
    ):
        check(torch.sin, torch.ones(1, dtype=torch.float64, requires_grad=True).expand(3))
    with pytest.raises(AssertionError, match="Expected at least one of check_forward_ad or check_backward_ad to be True"):
        check(torch.sin, x, check_backward_ad=False)
    with pytest.raises(AssertionError, match="Setting check_batched_forward_grad=True requires check_forward_ad to be True"):
        check(torch.sin, x, check_batched_forward_grad=True)
    with pytest.raises(AssertionError, match="Setting check_undefined_grad=True requires check_rev_over_rev to be True"):
        torch.autograd.gradgradcheck(torch.sin, x, check_fwd_over_rev=True, check_rev_over_rev=False)
    with pytest.warns(UserWarning, match="Input #0 requires gradient and is not a double precision floating point or complex"):
        assert not check(torch.sin, torch.ones(2, requires_grad=True), raise_exception=False)


def test_functions_that_change_their_mind(torch, x):
    calls = itertools.count()
    with pytest.raises(
        AssertionError, match=r"outputs with the same shape when inputs are perturbed on index \(0,\) by 1e-06, but got: shapes"
    ):
        torch.autograd.gradcheck(lambda x: x * 2 if next(calls) < 2 else (x * 2)[:2], x)


def test_tolerances(torch, x):
    near = operation(torch, lambda ctx, x: x * 2, lambda ctx, g: g * 2.001)
    assert torch.autograd.gradcheck(near, x, rtol=1e-2) and torch.autograd.gradcheck(near, x, atol=1e-2)
    assert not torch.autograd.gradcheck(near, x, rtol=1e-9, atol=1e-9, raise_exception=False)
