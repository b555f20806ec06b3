"""autograd.Function: what its methods may do, and what they are told if they do something else."""

import pytest


def operation(torch, forward, backward, **others):
    """A Function of these static methods (and class attributes)."""
    methods = {name: staticmethod(value) if callable(value) else value for name, value in others.items()}
    methods |= {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    return type("Fn", (torch.autograd.Function,), methods)


@pytest.fixture
def pair(torch):
    return torch.tensor([1.0, 2.0], requires_grad=True)


def refused(torch, pair, returned, *more):
    """Runs backward of a Function that returns something."""
    operation(torch, lambda ctx, x, *more: x * 2, lambda ctx, g: returned).apply(pair, *more).sum().backward()


@pytest.mark.parametrize(
    "returned, text",
    [
        (1, r"expected Variable or None \(got int\)"),
        ((), r"function FnBackward returned an incorrect number of gradients \(expected 1, got 0\)"),
        ((None, 1), r"function FnBackward returned an incorrect number of gradients \(expected 1, got 2\)"),
    ],
)
def test_what_backward_may_return(torch, pair, returned, text):
    with pytest.raises(RuntimeError, match=text):
        refused(torch, pair, returned)


def test_gradients_of_the_wrong_kind(torch, pair):
    with pytest.raises(
        RuntimeError,
        match=r"Function FnBackward returned an invalid gradient at index 0 - got \[3\] but expected shape compatible with \[2\]",
    ):
        refused(torch, pair, torch.ones(3))
    with pytest.raises(
        RuntimeError, match=r"Expected isFloatingType\(grad.scalar_type\(\)\) \|\| \(input_is_complex == grad_is_complex\)"
    ):
        refused(torch, pair, torch.ones(2, dtype=torch.complex64))
    with pytest.raises(
        RuntimeError, match="returned a gradient different than None at position 2, but the corresponding forward input was not"
    ):
        refused(torch, pair, (torch.ones(2), torch.ones(2)), 5)
    refused(torch, pair, torch.ones(2, dtype=torch.float64))
    assert pair.grad.dtype == torch.float32


def test_arguments_by_keyword(torch, pair):
    double = operation(torch, lambda ctx, x, factor=2: x * factor, lambda ctx, g: (g * 5, None))
    assert double.apply(pair, factor=3).tolist() == [3.0, 6.0]
    for kwargs, text in (
        ({"x": pair}, "multiple values for argument 'x'"),
        ({"other": 1}, "got an unexpected keyword argument 'other'"),
    ):
        with pytest.raises(TypeError, match=text):
            double.apply(pair, **kwargs)


def test_defaults_with_setup_context(torch, pair):
    seen = []
    scale = operation(
        torch,
        lambda x, factor=2: x * factor,
        lambda ctx, g: (g * ctx.factor, None),
        setup_context=lambda ctx, inputs, output: (seen.append(len(inputs)), setattr(ctx, "factor", inputs[1])),
    )
    scale.apply(pair).sum().backward()
    assert seen == [2] and pair.grad.tolist() == [2.0, 2.0]
    with pytest.raises(TypeError, match="missing a required argument: 'x'"):
        scale.apply()
    with pytest.raises(TypeError, match="too many positional arguments"):
        scale.apply(pair, 1, 2)


def test_methods_that_are_missing(torch, pair):
    function = torch.autograd.Function
    bare = type("Bare", (function,), {})
    with pytest.raises(NotImplementedError, match=r"You must implement the forward function for custom autograd.Function."):
        bare.apply(pair)
    for call, text in (
        (
            lambda: function.backward(None),
            "You must implement either the backward or vjp method for your custom autograd.Function",
        ),
        (
            lambda: function.jvp(None),
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD.",
        ),
        (
            lambda: function.vmap(None, None),
            "To use autograd.Function with vmap, you must either override the vmap staticmethod or set",
        ),
        (lambda: function.setup_context(None, None, None), "setup_context is not implemented."),
    ):
        with pytest.raises(NotImplementedError, match=text):
            call()
    assert function.generate_vmap_rule is False and function.vjp is function.backward
    with pytest.warns(DeprecationWarning, match="should not be instantiated"):
        instance = bare()
    with pytest.raises(RuntimeError, match=r"Legacy autograd function with non-static forward method is deprecated."):
        instance(pair)


def test_what_may_be_marked(torch, pair):
    def forward(mark):
        def run(ctx, x):
            y = x * 2
            mark(ctx, x, y)
            return y

        return operation(torch, run, lambda ctx, g: g)

    with pytest.raises(
        RuntimeError, match=r"Some elements marked as dirty during the forward method were not returned as output."
    ):
        forward(lambda ctx, x, y: ctx.mark_dirty(x)).apply(pair.clone())
    with pytest.warns(UserWarning, match=r"ctx.mark_dirty\(\) received a tensor that was not an input."):
        forward(lambda ctx, x, y: ctx.mark_dirty(y)).apply(pair.clone())
    with pytest.raises(RuntimeError, match="mark_dirty can only accept variables, but argument "):
        forward(lambda ctx, x, y: ctx.mark_dirty(5)).apply(pair)
    with pytest.raises(RuntimeError, match="mark_non_differentiable only accepts variable arguments, but got "):
        forward(lambda ctx, x, y: ctx.mark_non_differentiable(5)).apply(pair)
    with pytest.raises(AssertionError, match="save_for_forward expects all arguments to be tensors"):
        forward(lambda ctx, x, y: ctx.save_for_forward(x, 5)).apply(pair)
    with pytest.raises(TypeError, match="set_materialize_grads received an invalid combination of arguments"):
        forward(lambda ctx, x, y: ctx.set_materialize_grads(3)).apply(pair)
    with pytest.warns(FutureWarning, match="`mark_shared_storage` is deprecated."):
        forward(lambda ctx, x, y: ctx.mark_shared_storage((x, y))).apply(pair)


def test_writes_that_are_not_recorded(torch, pair):
    write = operation(torch, lambda ctx, x: (ctx.mark_dirty(x), x.mul_(2))[1], lambda ctx, g: g * 2)
    y = pair * 1
    with torch.no_grad():
        result = write.apply(y)
    assert result is not y and not result.requires_grad and y.requires_grad
    plain = torch.ones(2)
    assert write.apply(plain) is plain


def test_an_input_that_is_not_differentiable(torch, pair):
    same = operation(torch, lambda ctx, x: (ctx.mark_non_differentiable(x), x)[1], lambda ctx, g: g)
    for x in (pair, pair * 1):
        result = same.apply(x)
        assert not result.requires_grad and x.requires_grad and result.data_ptr() == x.data_ptr()


def test_retained_gradients_move_with_a_written_input(torch, pair):
    write = operation(torch, lambda ctx, x: (ctx.mark_dirty(x), x.mul_(2))[1], lambda ctx, g: g * 2)
    y = pair * 1
    y.retain_grad()
    write.apply(y)
    y.sum().backward()
    assert y.grad.tolist() == [1.0, 1.0] and pair.grad.tolist() == [2.0, 2.0]


def test_views_that_functions_return(torch, pair):
    one = operation(torch, lambda ctx, x: x[:1], lambda ctx, g: torch.cat([g, g]))
    with pytest.raises(
        RuntimeError, match=r"Output 0 of Fn is a view and is being modified inplace. This view was created inside a custom"
    ):
        one.apply(pair.clone()).mul_(2)
    two = operation(torch, lambda ctx, x: (x[:1], x[1:]), lambda ctx, g, h: torch.cat([g, h]))
    with pytest.raises(
        RuntimeError, match=r"Output 0 of Fn is a view and is being modified inplace. This view is the output of a function that"
    ):
        two.apply(pair.clone())[0].mul_(2)


def test_the_context(torch, pair):
    seen = []

    def forward(ctx, x):
        seen.append((type(ctx).__name__, ctx.name(), ctx.needs_input_grad, ctx.saved_tensors, ctx.to_save, ctx.dirty_tensors))
        return x * 2

    fn = operation(torch, forward, lambda ctx, g: (seen.append(ctx.needs_input_grad), g * 3)[1])
    y = fn.apply(pair)
    assert isinstance(y.grad_fn, torch.autograd.graph.Node) and isinstance(y.grad_fn, torch.autograd.function.BackwardCFunction)
    assert repr(y.grad_fn).startswith("<torch.autograd.function.FnBackward object at 0x")
    assert y.grad_fn.apply(torch.ones(2)).tolist() == [3.0, 3.0]
    assert seen == [("FnBackward", "FnBackward", (True,), (), None, None), (True,)]
    with pytest.raises(TypeError, match="'FnBackward' object is not callable"):
        y.grad_fn(torch.ones(2))


def test_saved_tensors_that_are_read_once(torch, pair):
    text = "saved_tensors can only be accessed once when clear_saved_tensors_on_access=True is set on the autograd.Function."
    fn = operation(
        torch,
        lambda ctx, x: (ctx.save_for_backward(x), x * 2)[1],
        lambda ctx, g: g * ctx.saved_tensors[0],
        clear_saved_tensors_on_access=True,
    )
    y = fn.apply(pair)
    y.sum().backward(retain_graph=True)
    assert pair.grad.tolist() == [1.0, 2.0]
    with pytest.raises(RuntimeError, match=text):
        y.sum().backward()


def test_gradients_in_one_list(torch, pair):
    seen = []
    fn = operation(
        torch, lambda ctx, x: (x * 2, x * 3), lambda ctx, g: (seen.append(type(g)), g[0] + g[1])[1], boxed_grads_call=True
    )
    a, b = fn.apply(pair)
    (a + b).sum().backward()
    assert seen == [list] and pair.grad.tolist() == [2.0, 2.0]


def test_saved_outputs_have_their_history(torch, pair):
    seen = []

    def forward(ctx, x):
        y = x * 2
        ctx.save_for_backward(x, y)
        return y

    def backward(ctx, g):
        x, y = ctx.saved_tensors
        seen.append((x is pair, y.requires_grad, torch.is_grad_enabled()))
        return g

    operation(torch, forward, backward).apply(pair).sum().backward()
    assert seen == [(True, True, False)]


def test_bases_of_old_programs(torch, pair):
    from importlib import import_module

    module = import_module(f"{torch.__name__}.autograd.function")

    class Double(module.InplaceFunction):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    assert Double.apply(pair).grad_fn.name() == "DoubleBackward"
    with pytest.warns(DeprecationWarning, match="should not be instantiated"):
        assert Double(True).inplace is True
    with pytest.warns(DeprecationWarning, match="should not be instantiated"), pytest.raises(NotImplementedError):
        module.NestedIOFunction().forward_extended()
    with pytest.raises(RuntimeError, match=r"torch.autograd.variable\(...\) is deprecated, use torch.tensor\(...\) instead"):
        torch.autograd.variable(5)
    with pytest.raises(TypeError, match="Variable data has to be a tensor, but got int"):
        torch.autograd.Variable(5)


def test_functions_in_batches_of_backwards(torch, pair):
    double = operation(torch, lambda ctx, g: g * 2, lambda ctx, g: g * 2)

    def backward(ctx, g):
        return double.apply(g) * ctx.saved_tensors[0]

    square = operation(torch, lambda ctx, x: (ctx.save_for_backward(x), x**2)[1], backward)
    y = square.apply(pair)
    (rows,) = torch.autograd.grad(y, pair, torch.eye(2), is_grads_batched=True, create_graph=True)
    assert rows.tolist() == [[2.0, 0.0], [0.0, 4.0]]
    assert torch.autograd.grad(rows.sum(), pair)[0].tolist() == [2.0, 2.0]
    assert torch.autograd.functional.jacobian(square.apply, pair, vectorize=True).tolist() == rows.tolist()


def test_a_pure_view_may_be_written_into(torch):
    class Part(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx._is_pure_view = True
            return x[:2]

        @staticmethod
        def backward(ctx, g):
            raise AssertionError("the write is recorded on the input")

    a = torch.ones(3, requires_grad=True)
    b = a.clone()
    Part.apply(b).mul_(3)
    b.sum().backward()
    assert a.grad.tolist() == [3.0, 3.0, 1.0]

    class Two(Part):
        @staticmethod
        def forward(ctx, x, y):
            ctx._is_pure_view = True
            return x[:2]

    with pytest.raises(RuntimeError, match="Pure view custom Function can only have one input Tensor and one output Tensor"):
        Two.apply(a, a)


def test_a_view_made_by_a_function_under_no_grad_is_said_to_be_one(torch):
    class Same(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.view_as(x)

        @staticmethod
        def backward(ctx, g):
            return g

    x = torch.ones(2, requires_grad=True).clone()
    with torch.no_grad():
        y = Same.apply(x)
    with pytest.raises(
        RuntimeError, match=r"A view was created in no_grad mode and .* This view was created inside a custom Function"
    ):
        y.add_(1)


def test_a_gradient_that_is_not_there_frees_the_graph_even_so(torch):
    x, unused = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    y = x.exp().sum()
    with pytest.raises(RuntimeError, match="appears to not have been used in the graph"):
        torch.autograd.grad(y, [x, unused])
    with pytest.raises(RuntimeError, match="a second time"):
        torch.autograd.grad(y, x)
