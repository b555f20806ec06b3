"""torch.autograd.functional and gradcheck where their rules meet others: modes, undefined gradients, numbers of outputs."""

import pytest


def test_strict_jacobians_name_the_output(torch):
    jacobian = torch.autograd.functional.jacobian
    with pytest.raises(RuntimeError, match=r"independent of input 1\. This is not allowed in strict mode when create_graph=True"):
        jacobian(lambda a: (a * a, a.sum()), torch.ones(2), strict=True, create_graph=True)
    with pytest.raises(RuntimeError, match=r"independent of input 0\. This is not allowed in strict mode when create_graph=True"):
        jacobian(lambda a, b: (a * a).sum() + b.sum(), (torch.ones(2), torch.ones(2)), strict=True, create_graph=True)


def test_vectorized_jacobians_of_several_outputs_have_memory_of_their_own(torch):
    found = torch.autograd.functional.jacobian(lambda a: (a * a, a.sum()), torch.ones(2), vectorize=True)
    assert [j.stride() for j in found] == [(2, 1), (1,)]
    found[1].add_(1)
    assert found[1].tolist() == [2.0, 2.0]


def test_the_second_derivative_of_a_hessian(torch):
    x = torch.rand(2, dtype=torch.float64, requires_grad=True)

    def hessian(a):
        return torch.autograd.functional.hessian(lambda t: (t**3).sum() * t[0], a, create_graph=True)

    assert torch.autograd.gradgradcheck(hessian, (x,))


def test_undefined_gradients_of_all_outputs_end_where_they_are(torch):
    class Undefined(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, g):
            return None

    x = torch.ones(2, 3, requires_grad=True)
    for parts in (x.unbind(0), x.split(1), torch.max(x, 1)[:1], x.chunk(2, 1)):
        outputs = [Undefined.apply(part) for part in parts]
        found = torch.autograd.grad(outputs, x, [torch.zeros_like(out) for out in outputs], allow_unused=True)
        assert found[0] is None or not found[0].any()


def test_inference_mode_records_nothing(torch):
    x = torch.ones(2, requires_grad=True)
    with torch.inference_mode():
        with torch.enable_grad():
            assert torch.is_grad_enabled() and not (x * 2).requires_grad
            assert not (torch.ones(2, requires_grad=True) * 2).requires_grad
        assert not torch.is_grad_enabled()
        with torch.set_grad_enabled(True):
            assert not (x * 2).requires_grad
        with torch.inference_mode(False):
            assert (x * 2).requires_grad
        assert not torch.is_grad_enabled() and torch.is_inference_mode_enabled()
    assert (x * 2).requires_grad


def test_transforms_leave_inference_mode(torch):
    seen = []

    def sine(x):
        seen.append((torch.is_grad_enabled(), torch.is_inference_mode_enabled()))
        return x.sin()

    x = torch.ones(2)
    expected = torch.diag(x.cos()).tolist()
    with torch.inference_mode():
        inside = torch.ones(2)
        for argument in (x, inside):
            assert torch.func.jacrev(sine)(argument).tolist() == expected
            assert torch.func.jacfwd(sine)(argument).tolist() == expected
            assert torch.func.jvp(sine, (argument,), (argument,))[1].tolist() == x.cos().tolist()
            assert torch.func.vmap(torch.func.grad(sine))(argument).tolist() == x.cos().tolist()
        seen_inside = seen[:]
        torch.func.vmap(sine)(x)
    assert set(seen_inside) == {(True, False), (False, False)}
    assert seen[-1] == (False, True)


def test_functional_in_inference_mode_has_no_derivative(torch):
    with torch.inference_mode():
        assert torch.autograd.functional.jacobian(torch.sin, torch.ones(2)).tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_gradcheck_of_wrong_numbers(torch):
    class NotANumber(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * float("nan")

    x = torch.ones(2, dtype=torch.float64, requires_grad=True)
    with pytest.raises(RuntimeError, match="Jacobian mismatch for output 0 with respect to input 0"):
        torch.autograd.gradcheck(NotANumber.apply, (x,))


def test_gradcheck_by_forward_mode_asks_outputs_with_a_derivative(torch):
    x = torch.ones(2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda a: (a * a, a.detach()), (x,), check_forward_ad=True)


@pytest.mark.filterwarnings("ignore:.*private API:FutureWarning")
def test_old_helpers_refuse_complex_outputs(torch):
    from importlib import import_module

    module = import_module(torch.autograd.gradcheck.__module__)
    x = torch.ones(2, dtype=torch.complex128, requires_grad=True)
    with pytest.raises(ValueError, match=r"Expected output to be non-complex\. get_numerical_jacobian no longer supports"):
        module.get_numerical_jacobian(lambda inputs: inputs[0] * 2, (x,))
    with pytest.raises(ValueError, match=r"Expected output to be non-complex\. get_analytical_jacobian no longer supports"):
        module.get_analytical_jacobian((x,), x * 2)


def test_sums_to_a_single_number(torch):
    for shape in ((3,), (), (3, 2), (1, 1)):
        summed = torch.ones(shape, requires_grad=True).sum_to_size(())
        assert (type(summed.grad_fn).__name__, tuple(summed.shape)) == ("SumBackward0", ())
