"""What is inside of a transform and what is outside: pullbacks, arguments that are written, tensors that escape."""

import pytest


def test_a_pullback_inside_of_a_derivative(torch):
    x = torch.tensor(0.3)
    _, pull = torch.func.vjp(torch.sin, x)
    assert torch.equal(torch.func.grad(lambda g: pull(g)[0])(torch.tensor(2.0)), x.cos())
    second = torch.func.grad(torch.func.grad(lambda g: pull(g)[0] ** 2))(torch.tensor(2.0))
    torch.testing.assert_close(second, 2 * x.cos() ** 2)
    rows = torch.func.jacrev(lambda g: pull(g)[0])(torch.tensor(2.0))
    assert torch.equal(rows, x.cos())


def test_a_pullback_is_linear(torch):
    x = torch.tensor([0.3, 0.5])
    _, pull = torch.func.vjp(lambda v: v.sin() * v, x)
    expected = x.cos() * x + x.sin()
    torch.testing.assert_close(torch.func.jacrev(lambda g: pull(g)[0])(torch.ones(2)), torch.diag(expected))
    torch.testing.assert_close(torch.func.jacfwd(lambda g: pull(g)[0])(torch.ones(2)), torch.diag(expected))


def test_a_pullback_made_without_recording(torch):
    x = torch.tensor(3.0, requires_grad=True)
    with torch.no_grad():
        value, pull = torch.func.vjp(lambda v: v**2, x)
    (gradient,) = pull(torch.tensor(1.0))
    assert not value.requires_grad and gradient.requires_grad
    assert torch.autograd.grad(gradient, x)[0].item() == 2


@pytest.mark.parametrize(
    "call",
    [
        lambda f, x, y: f(lambda x, y: y.add_(x).sum())(x, y),
        lambda f, x, y: f(lambda x, y=None: y.add_(x).sum())(x, y=y),
        lambda f, x, y: f(lambda x, d: d["a"][0].add_(x).sum())(x, {"a": [y]}),
    ],
)
def test_arguments_may_be_written(torch, call):
    x, y = torch.ones(2), torch.zeros(2)
    assert call(torch.func.grad, x, y).tolist() == [1.0, 1.0]
    assert y.tolist() == [1.0, 1.0] and not y.requires_grad


def test_jacobians_may_write_their_arguments(torch):
    for transform in (torch.func.jacrev, torch.func.jacfwd):
        y = torch.zeros(2)
        assert torch.equal(transform(lambda x, y: y.copy_(x))(torch.ones(2), y), torch.eye(2))
        assert y.tolist() == [1.0, 1.0]


def test_captured_tensors_may_not(torch):
    y = torch.zeros(2)
    with pytest.raises(RuntimeError, match="would mutate a captured Tensor"):
        torch.func.grad(lambda x: y.add_(x).sum())(torch.ones(2))


def test_what_escaped_records_nothing(torch):
    kept = []

    def f(x):
        y = x.sin()
        kept.extend((x, y))
        return y.sum()

    torch.func.grad(f)(torch.ones(2))
    for escaped in kept:
        assert not (escaped * 2).requires_grad and (escaped * 2).grad_fn is None


def test_what_escaped_leads_to_what_is_outside(torch):
    kept, p = [], torch.ones(2, requires_grad=True)

    def f(x):
        y = x.sin() * p
        kept.append(y)
        return y.sum()

    torch.func.grad(f)(torch.ones(2))
    (gradient,) = torch.autograd.grad((kept[0] * 2).sum(), p)
    torch.testing.assert_close(gradient, 2 * torch.ones(2).sin())


def test_one_row_at_a_time_needs_no_vmap(torch):
    class Looks(torch.autograd.Function):
        generate_vmap_rule = False

        @staticmethod
        def forward(x):
            return x.clone()

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

        @staticmethod
        def backward(ctx, g):
            g.nonzero()
            return g

    assert torch.equal(torch.func.jacrev(Looks.apply, chunk_size=1)(torch.ones(2)), torch.eye(2))


def test_an_input_that_is_returned_may_not_be_saved(torch):
    class Same(torch.autograd.Function):
        @staticmethod
        def forward(x):
            return x

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(inputs[0])

        @staticmethod
        def backward(ctx, g):
            return g

    with pytest.raises(RuntimeError, match="An input that has been returned as-is as output is being saved for backward"):
        torch.func.grad(lambda x: Same.apply(x).sum())(torch.ones(2))


def test_retained_gradients_of_batches(torch):
    x = torch.ones(2, requires_grad=True) * 2
    x.retain_grad()
    for _ in range(2):
        (rows,) = torch.autograd.grad(x * 3, x, torch.eye(2), is_grads_batched=True)
    assert torch.equal(rows, 3 * torch.eye(2))
    leaf = torch.tensor([0.3, 0.4], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(torch.sin, (leaf * 2,), check_batched_grad=True)


@pytest.mark.parametrize("early_stop", [True, False])
def test_checkpoints_in_one_another(torch, early_stop):
    from importlib import import_module

    module = import_module(torch.__name__ + ".utils.checkpoint")

    def derivative(f):
        def g(x):
            with torch.enable_grad():
                return torch.autograd.grad(f(x), x, create_graph=True)[0]

        return g

    def again(f):
        return lambda *args: module.checkpoint(f, *args, use_reentrant=False)

    def f(x):
        return x.sin().exp().sin()

    with module.set_checkpoint_early_stop(early_stop):
        found = []
        for g in (derivative(again(f)), again(derivative(again(f))), derivative(again(derivative(again(f))))):
            x = torch.tensor(0.5, requires_grad=True)
            found.append(g(x).item())
    plain = torch.tensor(0.5, requires_grad=True)
    first = derivative(f)(plain)
    expected = [first.item(), first.item(), torch.autograd.grad(first, plain)[0].item()]
    torch.testing.assert_close(torch.tensor(found), torch.tensor(expected))


def test_matrices_of_duals_before_any_vmap(torch):
    with torch.autograd.forward_ad.dual_level():
        make = torch.autograd.forward_ad.make_dual
        out = make(torch.ones(3), torch.ones(3)) @ make(torch.ones(3, 2), torch.ones(3, 2))
        assert torch.autograd.forward_ad.unpack_dual(out).tangent.tolist() == [6.0, 6.0]


def test_places_of_a_batch(torch):
    x = torch.tensor([[1.0, 0.0, 2.0], [0.0, 3.0, 4.0]])
    with pytest.warns(UserWarning, match="performance drop"):
        found = torch.func.vmap(torch.argwhere)(x)
    assert found.tolist() == [[[0], [2]], [[1], [2]]]
    with (
        pytest.warns(UserWarning, match="performance drop"),
        pytest.raises(RuntimeError, match="stack expects each tensor to be equal size"),
    ):
        torch.func.vmap(torch.argwhere)(torch.tensor([[1.0, 0.0], [1.0, 1.0]]))


def test_writes_of_batches_into_one_tensor(torch):
    with pytest.raises(RuntimeError, match="vmap: aten::set_"):
        torch.func.vmap(lambda x: torch.ones(3).set_(x))(torch.ones(2, 3))
    indices = torch.tensor([[1, 0], [2, 1]])
    with pytest.raises(RuntimeError, match="vmap: aten::embedding_renorm_"):
        torch.func.vmap(lambda i: torch.nn.functional.embedding(i, torch.ones(3, 2), max_norm=0.5))(indices)
    with pytest.raises(RuntimeError, match=r"output with shape \[2, 1\] doesn't match the broadcast shape \[2, 3\]"):
        torch.func.vmap(lambda x, y: x.add_(y))(torch.ones(2), torch.ones(2, 3))


def test_modules_that_contain_themselves(torch):
    layer = torch.nn.Linear(1, 1)
    layer.me = layer
    x = torch.ones(1, 1)
    call = torch.func.functional_call
    assert call(layer, {"me.weight": torch.zeros(1, 1), "bias": torch.zeros(1)}, (x,), tie_weights=False).item() == 0
    with pytest.raises(RecursionError):
        call(layer, {"weight": x}, (x,))


def test_parameters_that_a_module_has_not(torch):
    class Counting(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(1, 1)

        def forward(self, x):
            return len(tuple(self.parameters())), hasattr(self, "extra")

    model, given = Counting(), {"layer.extra": torch.nn.Parameter(torch.ones(1)), "extra": torch.zeros(1)}
    assert torch.func.functional_call(model, given, (torch.ones(1),)) == (3, True)
    assert len(tuple(model.parameters())) == 2 and not hasattr(model, "extra")


def test_undefined_gradients_of_constant_outputs(torch):
    seen = []

    class Two(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, materialize):
            first, second = x.clone(), x.clone()
            ctx.mark_non_differentiable(second)
            ctx._materialize_non_diff_grads = materialize
            return first, second

        @staticmethod
        def backward(ctx, g, h):
            seen.append(h is None)
            return g, None

    for materialize in (True, False):
        Two.apply(torch.ones(2, requires_grad=True), materialize)[0].sum().backward()
    assert seen == [False, True]


def test_what_a_function_is_told_without_recording(torch):
    class Told(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            seen.append(ctx.needs_input_grad)
            return x * y

    seen = []
    with torch.no_grad():
        assert not Told.apply(torch.ones(2, requires_grad=True), torch.ones(2)).requires_grad
    assert seen == [(True, False)]
