"""autograd.Function (section F)."""

import gc
import weakref

import pytest


@pytest.fixture
def cube(torch):
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 3 * x**2 * g

    return Cube


def test_two_orders(torch, cube):
    x = torch.tensor(2.0, requires_grad=True)
    y = cube.apply(x)
    assert y.grad_fn.name() == "CubeBackward" and type(y.grad_fn).__name__ == "CubeBackward"
    (g,) = torch.autograd.grad(y, x, create_graph=True)
    (h,) = torch.autograd.grad(g, x)
    assert g.item() == 12 and h.item() == 12


def test_setup_context(torch):
    class Scale(torch.autograd.Function):
        @staticmethod
        def forward(x, factor):
            return x * factor

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, ctx.factor = inputs
            assert torch.equal(output, x * ctx.factor)

        @staticmethod
        def backward(ctx, g):
            return g * ctx.factor, None

    x = torch.ones(2, requires_grad=True)
    Scale.apply(x, 3).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_saved_tensors_are_freed(torch, cube):
    x = torch.tensor(2.0, requires_grad=True)
    y = cube.apply(x)
    y.backward()
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        y.backward()


def test_only_tensors_can_be_saved(torch):
    class Saves(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x, None, 5)
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g

    with pytest.raises(TypeError, match="save_for_backward can only save variables, but argument 2 is of type int"):
        Saves.apply(torch.ones(1, requires_grad=True))


def test_a_saved_input_that_was_written(torch, cube):
    x = torch.ones(2, requires_grad=True)
    z = x * 1
    y = cube.apply(z)
    z.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_mark_dirty(torch):
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2

    leaf = torch.ones(2, requires_grad=True)
    x = leaf * 1
    y = Double.apply(x)
    assert y is x and x.grad_fn.name() == "DoubleBackward"
    y.sum().backward()
    assert leaf.grad.tolist() == [2.0, 2.0]
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad has been used in an in-place operation"):
        Double.apply(torch.ones(2, requires_grad=True))


def test_mark_non_differentiable(torch):
    class Sort(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            values, places = x.sort()
            ctx.mark_non_differentiable(places)
            ctx.save_for_backward(places)
            return values, places

        @staticmethod
        def backward(ctx, g, g_places):
            assert g_places.tolist() == [0, 0]
            (places,) = ctx.saved_tensors
            return torch.zeros_like(g).scatter(0, places, g)

    x = torch.tensor([2.0, 1.0], requires_grad=True)
    values, places = Sort.apply(x)
    assert values.requires_grad and not places.requires_grad
    (values * torch.tensor([1.0, 10.0])).sum().backward()
    assert x.grad.tolist() == [10.0, 1.0]


@pytest.mark.parametrize("materialize", [True, False])
def test_materialized_gradients(torch, materialize):
    seen = []

    class Two(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(materialize)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, a, b):
            seen.append(None if b is None else b.tolist())
            return a * 2

    x = torch.ones(2, requires_grad=True)
    Two.apply(x)[0].sum().backward()
    assert seen == [[0.0, 0.0] if materialize else None]


def test_needs_input_grad(torch):
    seen = []

    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a, b, c):
            ctx.save_for_backward(a, b)
            return a * b

        @staticmethod
        def backward(ctx, g):
            seen.append(ctx.needs_input_grad)
            return None, g * ctx.saved_tensors[0], None

    b = torch.ones(1, requires_grad=True)
    Product.apply(torch.ones(1), b, "text").backward()
    assert seen == [(False, True, False)] and b.grad.item() == 1


def test_number_of_gradients(torch):
    def function(*returned):
        class Counted(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x * 1

            @staticmethod
            def backward(ctx, g):
                return tuple(g if r else None for r in returned)

        return Counted

    x = torch.ones(1, requires_grad=True)
    function(True, False, False).apply(x).backward()
    assert x.grad.item() == 1
    with pytest.raises(
        RuntimeError, match=r"function CountedBackward returned an incorrect number of gradients \(expected 1, got 2\)"
    ):
        function(True, True).apply(x).backward()
    with pytest.raises(
        RuntimeError, match=r"function CountedBackward returned an incorrect number of gradients \(expected 1, got 0\)"
    ):
        function().apply(x).backward()


def test_once_differentiable(torch):
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, g):
            return g * 2 * ctx.saved_tensors[0]

    x = torch.ones(1, requires_grad=True)
    g0 = torch.ones(1, requires_grad=True)
    (g,) = torch.autograd.grad(Square.apply(x), x, g0, create_graph=True)
    assert g.item() == 2
    with pytest.raises(RuntimeError, match="trying to differentiate twice a function that was marked with @once_differentiable"):
        g.backward()


def test_backward_and_vjp_exclude_each_other(torch):
    class Both(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g

        @staticmethod
        def vjp(ctx, g):
            return g

    with pytest.raises(RuntimeError, match="Implementing both 'backward' and 'vjp' for a custom Function is not allowed"):
        Both.apply(torch.ones(1, requires_grad=True)).backward()


def test_an_input_returned_as_it_is(torch):
    class Same(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 5

    x = torch.ones(2, requires_grad=True)
    y = Same.apply(x)
    assert y is not x and y.data_ptr() == x.data_ptr() and y.grad_fn.name() == "SameBackward"
    y.sum().backward()
    assert x.grad.tolist() == [5.0, 5.0]


def test_other_arguments_and_results_pass_through(torch):
    class Mixed(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, text, items):
            return x * len(items), text, None

        @staticmethod
        def backward(ctx, g, *others):
            assert others == (None, None)
            return g * 2, None, None

    x = torch.ones(1, requires_grad=True)
    y, text, nothing = Mixed.apply(x, "text", [1, 2])
    assert text == "text" and nothing is None
    y.backward()
    assert x.grad.item() == 2


def test_apply_inside_no_grad(torch, cube):
    with torch.no_grad():
        y = cube.apply(torch.ones(1, requires_grad=True))
    assert not y.requires_grad


def test_forward_runs_with_recording_off(torch):
    class Asks(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            assert not torch.is_grad_enabled()
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g

    Asks.apply(torch.ones(1, requires_grad=True))


def test_functions_are_not_instantiated(torch, cube):
    with pytest.warns(DeprecationWarning, match="should not be instantiated"):
        cube()


def test_saved_outputs_do_not_leak(torch):
    class Exp(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0]

    x = torch.zeros(1, requires_grad=True)
    y = Exp.apply(x)
    (g,) = torch.autograd.grad(y, x, create_graph=True)
    (h,) = torch.autograd.grad(g, x, retain_graph=True)
    assert g.item() == h.item() == 1
    node = weakref.ref(y.grad_fn) if torch.__name__ == "rushlight" else weakref.ref(y)
    del y, g, h
    gc.collect()
    assert node() is None
