"""Names of PyTorch's C extension, and torch.overrides: what a running backward, tensors of transforms and subclasses tell."""

import pytest


def test_a_running_backward_is_known(torch):
    assert torch._C._current_graph_task_id() == -1 and torch._C._current_autograd_node() is None
    x, seen = torch.ones(2, requires_grad=True), []
    y = x * 2
    y.register_hook(
        lambda g: seen.append((torch._C._current_graph_task_id() >= 0, torch._C._current_autograd_node() is y.grad_fn))
    )
    y.sum().backward()
    assert seen == [(True, True)]


def test_which_nodes_run(torch):
    x, other = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    a, b = x * 2, other * 3
    y, seen = a * b, []
    y.register_hook(lambda g: seen.append([torch._C._will_engine_execute_node(v.grad_fn) for v in (a, b)]))
    y.sum().backward(inputs=[x], retain_graph=True)
    y.sum().backward()
    assert seen == [[True, False], [True, True]]
    with pytest.raises(RuntimeError, match="should only be called during the backward pass"):
        torch._C._will_engine_execute_node(a.grad_fn)


def test_the_order_of_nodes(torch):
    with pytest.raises(RuntimeError, match="should only be called during the backward pass"):
        torch._C._current_graph_task_execution_order()
    x, seen = torch.ones(2, requires_grad=True), []
    y = (x * 2).exp() + x.sin()
    y.register_hook(lambda g: seen.append([n.name() for n in torch._C._current_graph_task_execution_order()]))
    with pytest.raises(RuntimeError, match="with multithreading disabled"):
        y.sum().backward(retain_graph=True)
    with torch.autograd.set_multithreading_enabled(False):
        assert not torch._C._is_multithreading_enabled()
        y.sum().backward()
    assert torch._C._is_multithreading_enabled()
    assert seen == [
        ["SumBackward0", "AddBackward0", "SinBackward0", "ExpBackward0", "MulBackward0", "torch::autograd::AccumulateGrad"]
    ]


def test_hooks_of_saved_tensors(torch):
    autograd = torch._C._autograd
    assert autograd._saved_tensors_hooks_is_enabled() and autograd._top_saved_tensors_default_hooks(False) is None
    with torch.autograd.graph.disable_saved_tensors_hooks("none here"):
        assert not autograd._saved_tensors_hooks_is_enabled()
    with pytest.raises(RuntimeError, match="Trying to create a SavedTensor object from Python is forbidden"):
        torch.autograd.SavedTensor()
    with pytest.raises(RuntimeError):
        torch.autograd.graph.saved_tensors_hooks(lambda x: x, lambda x: x).__exit__()


def test_contexts_entered_in_backward_end_with_it(torch):
    hooks = torch.autograd.graph.saved_tensors_hooks(lambda x: x, lambda x: hooks.__enter__() or x)
    with hooks:
        y = torch.ones(2, requires_grad=True).sin().sum()
    y.backward()
    assert torch._C._autograd._top_saved_tensors_default_hooks(False) is None


def test_undefined_gradients_and_delayed_errors(torch):
    x = torch.ones(2, requires_grad=True)
    torch._C._functions.UndefinedGrad()(x * 2).sum().backward()
    assert x.grad is None or x.grad.tolist() == [0.0, 0.0]
    with pytest.raises(RuntimeError, match="too late"):
        torch._C._functions.DelayedError("too late", 1)(x * 2).sum().backward()


def test_a_warning_made_an_error_gives_way(torch):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with torch.autograd.detect_anomaly():
            warnings.simplefilter("error")
            x = torch.ones(3, requires_grad=True)
            y = x + 1
            z = (y**2).sum()
            y += 1
            with pytest.raises(RuntimeError, match="modified by an inplace operation"):
                z.backward()


def test_a_leaf_with_other_memory_is_another_leaf(torch):
    x = torch.ones(2, requires_grad=True)
    edge = torch.autograd.graph.get_gradient_edge(x)
    y = x.clone()
    with torch.no_grad():
        x.set_(torch.zeros(2))
    with pytest.raises(RuntimeError, match="appears to not have been used in the graph"):
        torch.autograd.grad(y.sum(), x, retain_graph=True)
    assert torch.autograd.grad(y.sum(), edge)[0].tolist() == [1.0, 1.0]


def test_what_a_context_of_writes_holds(torch):
    with torch.autograd.graph.allow_mutation_on_saved_tensors() as context:
        assert {"cloned", "original", "sid_to_tid", "tid_to_weakhandle"} <= set(vars(context))
        x = torch.ones(2, requires_grad=True).clone()
        y = x.sin()
        assert (len(context.original), len(context.cloned)) == (1, 0)
        x.add_(1)
        assert (len(context.original), len(context.cloned)) == (0, 1)
        y.sum().backward()
        del y
        assert (len(context.original), len(context.cloned)) == (0, 0)


def test_levels_of_tensors(torch):
    functorch = torch._C._functorch
    x = torch.ones(2)
    assert functorch.maybe_get_level(x) == -1 and not functorch.is_functorch_wrapped_tensor(x)
    seen = []

    def look(v):
        seen.append(
            (
                functorch.maybe_get_level(v),
                functorch.is_batchedtensor(v),
                functorch.is_gradtrackingtensor(v),
                functorch.current_level(),
            )
        )
        return v.sum()

    torch.func.grad(look)(x)
    torch.func.vmap(look)(torch.ones(3, 2))
    torch.func.vmap(torch.func.grad(look))(torch.ones(3, 2))
    assert seen == [(1, False, True, 1), (1, True, False, 1), (2, False, True, 2)]


def test_the_tensor_within(torch):
    functorch, seen = torch._C._functorch, []
    torch.func.vmap(lambda v: (seen.append((functorch.get_unwrapped(v).shape, functorch.maybe_get_bdim(v))), v)[1], 1)(
        torch.ones(3, 2)
    )
    assert seen == [((3, 2), 1)] or seen == [((2, 3), 1)]
    with pytest.raises(RuntimeError, match="No wrappers present!"):
        functorch.get_unwrapped(torch.ones(2))


@pytest.mark.parametrize(("src", "dst"), [(0, 0), (0, 1), (2, 0), (1, 1), (-1, 0)])
def test_dimensions_of_batches(torch, src, dst):
    functorch, x = torch._C._functorch, torch.arange(24.0).view(2, 3, 4)
    joined = functorch.reshape_dim_into(src, dst, x)
    assert joined.ndim == 2
    apart = functorch.reshape_dim_outof(dst, x.shape[src], joined)
    assert torch.equal(apart.movedim(dst, src), x)


def test_types_that_take_functions_over(torch):
    from importlib import import_module

    overrides = import_module(torch.__name__ + ".overrides")

    class Length:
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return func.__name__, types, args, kwargs

    class Refusing:
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return NotImplemented

    def double(x, y=1):
        return 2 * x

    a, b = Length(), Refusing()
    assert overrides.is_tensor_like(torch.ones(1)) and overrides.is_tensor_like(a) and not overrides.is_tensor_like([1.0])
    assert overrides.has_torch_function((torch.ones(1), a)) and not overrides.has_torch_function((torch.ones(1), 3))
    assert overrides.has_torch_function_unary(a) and overrides.has_torch_function_variadic(1, b)
    assert overrides.handle_torch_function(double, (b, a), b, y=a) == ("double", (Refusing, Length), (b,), {"y": a})
    with pytest.raises(TypeError, match=r"[Nn]o implementation found for .*double.* on types that implement __torch_function__"):
        overrides.handle_torch_function(double, (b,), b)
    wrapped = overrides.wrap_torch_function(lambda x, y=1: (x, y))(double)
    assert wrapped(a)[0] == "double" and wrapped(3) == 6


def test_what_the_library_is_built_with(torch):
    for name in ("has_lapack", "has_mkl", "has_openmp", "has_spectral"):
        assert getattr(torch._C, name) is getattr(torch, name) is True
    assert torch._C._has_cuda is torch._C._has_cudnn is torch._C._has_mps is torch._C._has_xpu is torch._C._has_magma is False
