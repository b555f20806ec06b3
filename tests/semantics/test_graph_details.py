"""Details of graphs that programs rarely look at but test suites do: layouts and versions of gradients, names of nodes, the order of checks."""

import warnings

import pytest


def test_first_gradient_is_a_copy_in_the_layout_of_the_leaf(torch):
    x = torch.ones(4, requires_grad=True)
    x.sum().backward()
    assert x.grad._version == 1 and x.grad.stride() == (1,)


def test_recorded_first_gradient_is_the_output_of_a_copy(torch):
    x = torch.ones(3, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        x.exp().sum().backward(create_graph=True)
    assert type(x.grad.grad_fn).__name__ == "CopyBackwards"
    assert x.grad.grad_fn.next_functions[0] == (None, 0)


def test_backward_with_inputs_retains_the_gradients_of_non_leaves(torch):
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    y.sum().backward(inputs=[x, y])
    assert y.retains_grad and y.grad.tolist() == [1.0, 1.0] and x.grad.tolist() == [2.0, 2.0]


def test_backward_looks_at_roots_before_inputs(torch):
    x = torch.ones(2)
    with pytest.raises(RuntimeError, match="element 0 of tensors does not require grad"):
        x.sum().backward(inputs=[x])
    with pytest.raises(RuntimeError, match="can't retain_grad on Tensor that has requires_grad=False"):
        (x.clone().requires_grad_() * 2).sum().backward(inputs=[x])


@pytest.mark.parametrize("grad", [True, False])
def test_views_cannot_be_detached_in_place(torch, grad):
    with torch.set_grad_enabled(grad):
        for view in (torch.ones(2, 2)[0], torch.ones(2, 2, requires_grad=True)[0], torch.ones(4).view(2, 2)):
            with pytest.raises(RuntimeError, match=r"Can't detach views in-place\. Use detach\(\) instead\. "):
                view.detach_()
        assert torch.ones(2, 2)[0].detach().detach_().is_leaf


def test_an_argument_that_was_detached_in_place_since_is_refused(torch):
    detached = r"Trying to use a saved tensor that has been detached in-place, i\.e\. with \.detach_\(\)\.This is not supported"
    w = torch.tensor([2.0], requires_grad=True)
    for use in (lambda x: x * w, torch.sin, lambda x: torch.nn.functional.linear(x, w)):
        for again in (False, True):
            x = torch.tensor([3.0], requires_grad=True) * 1
            y = use(x)
            x.detach_().requires_grad_(again)
            with pytest.raises(RuntimeError, match=detached):
                y.backward()
    x = torch.tensor([3.0], requires_grad=True) * 1
    kept = x.exp()  # (keeps its result, not x)
    kept.detach_()
    assert x.detach_().grad_fn is None
    (x * w).backward()
    assert w.grad.item() == 3
    assert (x.requires_grad_() * w).grad_fn._saved_self is not None


def test_a_leaf_that_needs_no_gradient_any_more_gets_none(torch):
    for change in (lambda a: a.requires_grad_(False), lambda a: a.detach_()):
        a, log = torch.tensor(1.0, requires_grad=True), []
        a.register_hook(lambda g, log=log: log.append("gradient"))
        a.register_post_accumulate_grad_hook(lambda a, log=log: log.append("leaf"))
        b = a.sin()
        change(a)
        b.backward(retain_graph=True)
        assert a.grad is None
        assert log == ["gradient", "leaf"]
        a.requires_grad_()
        b.backward()
        assert a.grad is not None


def test_a_leaf_that_became_a_result_is_refused(torch):
    a, w = torch.tensor(1.0, requires_grad=True), torch.tensor(2.0, requires_grad=True)
    b = a + 1
    a.detach_().mul_(w)
    with pytest.raises(RuntimeError, match="leaf variable has been moved into the graph interior"):
        b.backward()


def test_a_write_into_a_leaf_is_refused_before_its_arguments_are_looked_at(torch):
    x = torch.ones(2, 3, requires_grad=True)
    for write in (lambda: x.mul_(torch.ones(4)), lambda: x.addmm_(x, x), lambda: x.add_(torch.ones(5, 5))):
        with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place operation"):
            write()
    with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad"):
        x[0].mul_(torch.ones(4))
    with pytest.raises(RuntimeError, match="This view is the output of a function that returns multiple views"):
        x.clone().split(1)[0].mul_(torch.ones(4))
    with pytest.raises(RuntimeError, match=r"functions with out=\.\.\. arguments don't support automatic differentiation"):
        torch.mul(x, torch.ones(4), out=torch.ones(2))


@pytest.mark.parametrize(
    "call, name",
    [
        (lambda t: t.transpose_(0, 1), "TransposeBackward1"),
        (lambda t: t.swapaxes_(0, 1), "TransposeBackward1"),
        (lambda t: t.t_(), "TBackward1"),
        (lambda t: t.unsqueeze_(0), "UnsqueezeBackward1"),
        (lambda t: t.squeeze_(), "SqueezeBackward3"),
        (lambda t: t.squeeze_(0), "SqueezeBackward4"),
        (lambda t: t.squeeze_((0, 1)), "SqueezeBackward5"),
        (lambda t: t.unsqueeze(0), "UnsqueezeBackward0"),
    ],
)
def test_views_in_place_have_names_of_their_own(torch, call, name):
    x = torch.ones(1, 3, requires_grad=True).clone()
    assert type(call(x).grad_fn).__name__ == name
    with pytest.raises(RuntimeError, match=r"t_\(\) expects a tensor with <= 2 dimensions, but self is 3D"):
        torch.ones(1, 1, 1).t_()


def test_strides_of_dimensions_of_size_one(torch):
    assert torch.ones(()).expand(4, 1).stride() == (0, 0)
    assert torch.ones(1).expand(4, 1).stride() == (0, 1)
    column = torch.ones(4, 1).t()
    assert column.clone().stride() == column.to(torch.float64).stride() == torch.empty_like(column).stride() == (1, 1)


def test_shapes_that_disagree_are_named_from_the_last_dimension(torch):
    with pytest.raises(RuntimeError, match=r"\(3\) must match the size of tensor b \(4\) at non-singleton dimension 1"):
        torch.ones(4, 3) + torch.ones(3, 4)


def test_windows_that_overlap_may_be_written_but_not_expanded_dimensions(torch):
    torch.ones(4).unfold(0, 2, 1).fill_(3)
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor refers to a single memory location"):
        torch.ones(4).expand(2, 4).mul_(3)


def test_resizing_counts_as_a_write(torch):
    x = torch.ones(4)
    x.resize_(2)
    assert x._version == 1


def test_what_a_post_accumulate_hook_may_return(torch):
    x = torch.ones(2, requires_grad=True)
    x.register_post_accumulate_grad_hook(lambda p: p)
    x.sum().backward()
    x.register_post_accumulate_grad_hook(lambda p: 3)
    with pytest.raises(TypeError, match="expected Variable, but hook returned 'int'"):
        x.sum().backward()


def test_a_function_fails_the_second_time_only_where_it_asks_for_what_is_gone(torch):
    calls = []

    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, asks):
            ctx.asks = asks
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            calls.append(ctx.asks)
            if ctx.asks:
                calls[-1] = len(ctx.saved_tensors) == 1
            return g * 2, None

    x = torch.ones(2, requires_grad=True)
    out = Double.apply(x, False)
    out.backward(torch.ones(2))
    out.backward(torch.ones(2))
    assert x.grad.tolist() == [4.0, 4.0]
    out = Double.apply(x, True)
    out.backward(torch.ones(2))
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        out.backward(torch.ones(2))
    assert calls == [False, False, True, True]


def test_pack_hooks_of_a_block_see_the_tensor_itself(torch):
    seen = []
    x = torch.ones(2, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: seen.append((t.requires_grad, t.is_leaf)) or t, lambda t: t):
        y = x * x
        z = y * y
        z.exp()
    assert seen == [(True, True)] * 2 + [(True, False)] * 3


def test_a_saved_tensor_takes_hooks_once(torch):
    x = torch.ones(2, requires_grad=True)
    kept = (x * x).grad_fn._raw_saved_self
    kept.register_hooks(lambda t: t, lambda t: t)
    with pytest.raises(RuntimeError, match="whose hooks have already been set"):
        kept.register_hooks(lambda t: t, lambda t: t)


def test_names_of_nodes_that_are_not_of_an_operation(torch):
    x = torch.ones(2, requires_grad=True)
    y = x.clone()
    y.copy_(x)
    assert y.grad_fn.name() == "torch::autograd::CopyBackwards" and type(y.grad_fn).__name__ == "CopyBackwards"
    assert (x // 1).grad_fn.name() == "torch::autograd::NotImplemented"


def test_inference_tensors_are_no_outputs_outside(torch):
    with torch.inference_mode():
        out = torch.ones(2)
    with pytest.raises(RuntimeError, match="Inplace update to inference tensor outside InferenceMode is not allowed"):
        torch.add(torch.ones(2), 1, out=out)


def test_set_grad_enabled_takes_a_bool(torch):
    with pytest.raises(TypeError, match=r"set_grad_enabled.*must be bool, not int"):
        torch.set_grad_enabled(1)
    assert torch.is_grad_enabled()


def test_outputs_of_hooked_modules_name_the_hook_in_errors(torch):
    module = torch.nn.Linear(2, 2)
    module.register_full_backward_hook(lambda *given: None)
    with pytest.raises(RuntimeError, match="Output 0 of BackwardHookFunction is a view and is being modified inplace"):
        module(torch.ones(1, 2, requires_grad=True)).add_(1)


def test_a_gradient_that_nobody_else_sees_becomes_grad_without_a_copy(torch):
    places = []
    x = torch.ones(3, requires_grad=True)
    x.register_hook(lambda g: places.append(g.data_ptr()))
    for function in (torch.exp, torch.sin, lambda x: x * 2, lambda x: x.view(1, 3) @ torch.ones(3, 2)):
        x.grad = None
        function(x).sum().backward()
        assert x.grad._version == 0 and x.grad.data_ptr() == places[-1]


def test_a_gradient_that_somebody_else_sees_is_copied(torch):
    kept = []
    x = torch.ones(3, requires_grad=True)
    y = torch.ones(3, requires_grad=True)
    x.register_hook(kept.append)
    x.exp().sum().backward()
    kept[0].zero_()
    assert x.grad.min() > 1
    given = torch.ones(3)
    (x.detach() + y).backward(given)
    given.zero_()
    assert y.grad.tolist() == [1.0] * 3
    x.grad = y.grad = None
    (x + y).exp().sum().backward()
    x.grad.zero_()
    assert y.grad.min() > 1
    y.grad = None
    out = y.exp()
    out.backward(torch.ones(3), retain_graph=True)
    y.grad.zero_()
    assert out.min() > 1
    y.grad = None
    w = torch.full((3,), 2.0)
    (y * w).sum().backward(retain_graph=True)
    y.grad.zero_()
    assert w.tolist() == [2.0] * 3


@pytest.mark.parametrize(
    ("operation", "edges"),
    [
        (lambda x, m: x**2, 1),
        (lambda x, m: x.clamp(0, 1), 1),
        (lambda x, m: 1 - x, 1),
        (lambda x, m: x % 2, 1),
        (lambda x, m: x.masked_fill(m, 1.0), 1),
        (lambda x, m: x.clone().pow_(2), 1),
        (lambda x, m: x * 2, 2),
        (lambda x, m: x + 1, 2),
        (lambda x, m: x ** x.detach(), 2),
    ],
)
def test_a_number_has_an_edge_only_where_it_becomes_a_tensor(torch, operation, edges):
    x = torch.tensor([0.5, 0.25], requires_grad=True)
    y = operation(x, torch.tensor([True, False]))
    assert len(y.grad_fn.next_functions) == edges
    seen = []
    y.grad_fn.register_hook(lambda inputs, outputs: seen.append(len(inputs)))
    y.sum().backward()
    assert seen == [edges]


def test_an_op_without_derivative_has_edges_and_says_so_however_it_is_asked(torch):
    a = torch.tensor([0.5, 2.0], requires_grad=True)
    b = a * 2
    for make in (torch.unique, torch.unique_consecutive):
        leaf, inner = make(a), make(b)
        assert leaf.grad_fn.next_functions[0][0].variable is a
        assert inner.grad_fn.next_functions == ((b.grad_fn, 0),)
        for ask in (
            lambda leaf=leaf: leaf.sum().backward(),
            lambda leaf=leaf: torch.autograd.grad(leaf.sum(), a, allow_unused=True),
            lambda inner=inner: torch.autograd.grad(inner.sum(), b),
            lambda inner=inner: inner.sum().backward(inputs=[a]),
        ):
            with pytest.raises(NotImplementedError, match="is not implemented"):
                ask()


@pytest.mark.parametrize(
    "call",
    [
        lambda torch, r, c, m: torch.where(m, r, c),
        lambda torch, r, c, m: r.mean(dtype=torch.complex64),
        lambda torch, r, c, m: r.sum(0, dtype=torch.complex64),
        lambda torch, r, c, m: r.prod(dtype=torch.complex64),
        lambda torch, r, c, m: r.cumprod(0, dtype=torch.complex64),
        lambda torch, r, c, m: c.masked_fill(m, r[0]),
        lambda torch, r, c, m: c.index_fill(0, torch.tensor([1]), r[0]),
        lambda torch, r, c, m: c.clone().fill_(r[0]),
        lambda torch, r, c, m: torch.dist(r, c),
        lambda torch, r, c, m: torch.diagonal_scatter(c.diag(), r),
        lambda torch, r, c, m: torch.logaddexp(r, c),
        lambda torch, r, c, m: torch.ldexp(c, r),
    ],
)
def test_these_take_no_real_part_of_a_complex_gradient(torch, call):
    r = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    c = torch.tensor([1j, 2.0, 1 + 1j])
    with pytest.raises(RuntimeError, match="input_is_complex == grad_is_complex"):
        call(torch, r, c, torch.tensor([True, False, True])).abs().sum().backward()


@pytest.mark.parametrize(
    "call",
    [
        lambda torch, r, c, m: r * c,
        lambda torch, r, c, m: torch.cat([r, c]),
        lambda torch, r, c, m: torch.where(m, r, 1j),
        lambda torch, r, c, m: torch.where(m, 1j, r),
        lambda torch, r, c, m: r.where(m, 1j),
        lambda torch, r, c, m: c.clone().copy_(r),
        lambda torch, r, c, m: r.cumsum(0, dtype=torch.complex64),
    ],
)
def test_others_take_it(torch, call):
    r = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    c = torch.tensor([1j, 2.0, 1 + 1j])
    call(torch, r, c, torch.tensor([True, False, True])).abs().sum().backward()
    assert r.grad.dtype == torch.float32


@pytest.mark.parametrize("reduce", [None, "add", "sum", "mean"])
def test_gradients_of_a_source_have_the_shape_of_its_index(torch, reduce):
    x, src = torch.zeros(3, 2, requires_grad=True), torch.ones(4, 2, requires_grad=True)
    index = torch.tensor([[0, 1], [2, 0]])
    if reduce is None:
        y = x.scatter(0, index, src)
    elif reduce == "add":
        y = x.scatter_add(0, index, src)
    else:
        y = x.scatter_reduce(0, index, src, reduce)
    expected = r"returned an invalid gradient at index 1 - got \[2, 2\] but expected shape compatible with \[4, 2\]"
    with pytest.raises(RuntimeError, match=expected):
        y.sum().backward()


@pytest.mark.parametrize("dtype", ["uint8", "int64", "bool"])
def test_addcdiv_by_integers_has_no_derivative_by_the_numerator(torch, dtype):
    x, below = torch.ones(2, requires_grad=True), torch.ones(2, dtype=getattr(torch, dtype))
    torch.addcdiv(x, torch.ones(2), below).sum().backward()
    assert x.grad.tolist() == [1, 1]
    with pytest.raises(RuntimeError, match="result type Float can't be cast to the desired output type"):
        torch.addcdiv(x, x, below).sum().backward()


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (lambda x: x.floor_divide_(2), "floor_divide_"),
        (lambda x: x[:1].floor_divide_(x[1:].detach()), "floor_divide_"),
        (lambda x: x.heaviside_(x.detach()), "heaviside_"),
    ],
)
def test_writes_without_derivative_are_named_as_writes(torch, write, name):
    y = torch.ones(2, requires_grad=True).clone()
    write(y)
    with pytest.raises(RuntimeError, match=f"derivative for aten::{name} is not implemented"):
        y.sum().backward()


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda x: x.cumprod(0), "Cumprod"),
        (lambda x: x.logcumsumexp(0), "Logcumsumexp"),
        (lambda x: x**x, "Pow1"),
        (lambda x: 2.0**x, "Pow2"),
        (lambda x: x.max(), "Max1"),
        (lambda x: x.prod(), "Prod"),
        (lambda x: x.exp(), "Exp"),
    ],
)
def test_results_that_backward_needs_may_not_be_written(torch, call, name):
    y = call(torch.tensor([0.5, 0.75], requires_grad=True))
    y.detach().zero_()
    with pytest.raises(RuntimeError, match=f"which is output 0 of {name}, is at version 1"):
        y.sum().backward()


def test_results_that_backward_does_not_need_may_be_written(torch):
    y = torch.tensor([0.5, 0.75], requires_grad=True).erfinv()
    y.detach().zero_()
    y.sum().backward()


def test_the_sign_of_a_real_determinant_has_no_gradient(torch):
    x = torch.eye(2, requires_grad=True)
    assert torch.autograd.grad(torch.linalg.slogdet(x).sign, x, allow_unused=True) == (None,)


def test_prelu_is_recorded_as_a_function_of_both(torch):
    x, weight = torch.tensor([-1.0, 2.0], requires_grad=True), torch.tensor([0.25], requires_grad=True)
    by_x, by_weight = torch.autograd.grad(torch.nn.functional.prelu(x, weight).sum(), (x, weight), create_graph=True)
    assert [g.tolist() for g in torch.autograd.grad(by_x.sum(), (x, weight), retain_graph=True)] == [[0, 0], [1]]
    assert [g.tolist() for g in torch.autograd.grad(by_weight.sum(), (x, weight))] == [[1, 0], [0]]


@pytest.mark.parametrize("name", ["logaddexp", "logaddexp2"])
def test_logarithms_of_sums_with_booleans_have_no_derivative(torch, name):
    x = torch.ones(2, requires_grad=True)
    y = getattr(torch, name)(x, torch.tensor([True, False]))
    with pytest.raises(RuntimeError, match="with a bool tensor is not supported"):
        y.sum().backward()


COMPLEX_REFUSED = {
    "softmax": None,
    "log_softmax": None,
    "cummax": lambda torch, x: x[:0].cummax(0),
    "cummin": lambda torch, x: x[0].cummin(0),
    "kthvalue": lambda torch, x: x[0].kthvalue(1),
    "mode": lambda torch, x: x[0].mode(),
    "median": lambda torch, x: x[:0].median(),
    "nanmedian": lambda torch, x: x[:0].nanmedian(),
    "normal": lambda torch, x: torch.normal(x, 1.0),
    "soft_margin_loss": lambda torch, x: torch.nn.functional.soft_margin_loss(x, x.detach()),
}


@pytest.mark.parametrize("name", COMPLEX_REFUSED)
def test_complex_results_without_derivative_are_refused(torch, name):
    x = torch.tensor([1 + 1j, 2.0], requires_grad=True)
    if "softmax" in name:
        with pytest.raises(
            RuntimeError, match=r"_?softmax does not support automatic differentiation for outputs with complex dtype"
        ):
            getattr(x[:0], name)(0)
        return
    with pytest.raises(RuntimeError, match=f"{name} does not support automatic differentiation for outputs with complex dtype"):
        COMPLEX_REFUSED[name](torch, x)
    COMPLEX_REFUSED[name](torch, x.detach())


def test_writes_are_not(torch):
    x = torch.tensor([1 + 1j, 2.0], requires_grad=True)
    assert x.clone().nan_to_num_().requires_grad and torch.nn.functional.silu(x.clone(), inplace=True).requires_grad
    source = torch.ones(2, dtype=x.dtype)
    assert x.clone().scatter_reduce_(0, torch.tensor([0, 1]), source, "prod").requires_grad


@pytest.mark.parametrize(("mine", "other"), [("float32", "float64"), ("float64", "float32"), ("float32", "int64")])
def test_the_huber_loss_has_derivatives_in_one_dtype(torch, mine, other):
    x, target = torch.ones(2, dtype=getattr(torch, mine), requires_grad=True), torch.ones(2, dtype=getattr(torch, other))
    with pytest.raises(RuntimeError, match=r"Found dtype .* but expected"):
        torch.nn.functional.huber_loss(x, target).backward()


@pytest.mark.parametrize("name", ["multi_margin_loss", "multilabel_margin_loss"])
def test_margin_losses_have_no_forward_mode(torch, name):
    x, target = torch.ones(1, 3), torch.tensor([1]) if name == "multi_margin_loss" else torch.tensor([[1, -1, 0]])
    with pytest.raises(NotImplementedError, match=r"Trying to use forward AD with multi.*margin_loss.* that does not support it"):
        torch.func.jvp(lambda x: getattr(torch.nn.functional, name)(x, target), (x,), (x,))


@pytest.mark.filterwarnings("ignore:.*degrees of freedom")
def test_variances_without_degrees_of_freedom(torch):
    x = torch.tensor(0.5, requires_grad=True)
    (g,) = torch.autograd.grad(x.var(), x, create_graph=True)
    assert g.isnan() and not g.requires_grad
    y = torch.tensor([0.5, 0.25], requires_grad=True)
    assert torch.autograd.grad(y.var(correction=2), y)[0].tolist() == [float("inf")] * 2
    assert torch.autograd.grad(y.var(0, correction=4), y)[0].tolist() == [-0.125, 0.125]
    assert torch.autograd.grad(y[:1].var(0, correction=2), y)[0].tolist() == [0, 0]


def test_the_derivative_of_a_number_s_determinant_is_constant(torch):
    x = torch.full((2, 1, 1), 0.5, requires_grad=True)
    (g,) = torch.autograd.grad(torch.linalg.det(x).sum(), x, create_graph=True)
    assert g.tolist() == [[[1.0]], [[1.0]]] and not g.requires_grad


def test_set_raises_in_backward_however_it_is_asked(torch):
    x = torch.ones(2, requires_grad=True)
    y = x.clone()
    y.set_(y)
    with pytest.raises(RuntimeError, match="derivative for set_ is not implemented"):
        torch.autograd.grad(y.exp().sum(), x, allow_unused=True)


@pytest.mark.parametrize("name", ["tril_", "triu_"])
def test_these_write_into_expanded_tensors(torch, name):
    x = torch.ones(2, 2).expand(3, 2, 2)
    getattr(x, name)()
    assert x[2, 0, 0] == 1 and x[0].sum() == 3


def test_ops_without_derivative_fail_before_leaves_are_reached(torch):
    x, y = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="derivative for aten::heaviside is not implemented"):
        torch.autograd.backward([y.clone(), x.heaviside(x.detach())], [torch.ones(2), torch.ones(2)])
    assert y.grad is None
    assert x.heaviside(x.detach()).grad_fn._sequence_nr() == 2**64 - 1


def test_ops_without_derivative_fail_whatever_arrives(torch):
    x = torch.tensor(1.0, requires_grad=True)
    y = torch.linalg.norm(x.heaviside(x.detach()), ord=0, dim=-1)
    with pytest.raises(RuntimeError, match="derivative for aten::heaviside is not implemented"):
        y.backward()


@pytest.mark.parametrize(
    ("leaf", "call", "stride"),
    [
        (lambda torch: torch.ones(3, 3, 1).transpose(-1, -2), lambda x: x.unflatten(0, (1, -1)), (3, 3, 1)),
        (lambda torch: torch.ones(2, 1)[::2], lambda x: x.det(), (1, 1)),
    ],
)
def test_a_gradient_in_its_layout_keeps_the_strides_of_single_rows(torch, leaf, call, stride):
    x = leaf(torch).requires_grad_()
    y = call(x)
    y.backward(torch.ones_like(y))
    assert x.grad.stride() == stride


def test_the_real_part_is_taken_before_the_sum(torch):
    x = torch.tensor([0.5], dtype=torch.float64, requires_grad=True)
    torch.addcmul(torch.ones(1), torch.tensor([[2.0 + 0j], [1 - 1j]]), x).abs().sum().backward()
    assert x.grad.stride() == (1,)


def test_running_products_of_single_elements_have_a_constant_derivative(torch):
    x = torch.ones(3, 1, requires_grad=True)
    (g,) = torch.autograd.grad(x.cumprod(1).sum(), x, create_graph=True)
    assert not g.requires_grad


def test_ranks_of_a_batch_of_duals(torch):
    x = torch.ones(2, 2, 2)
    rank, tangent = torch.func.vmap(lambda a: torch.func.jvp(torch.linalg.matrix_rank, (a,), (a,)))(x)
    assert rank.tolist() == [1, 1] and tangent.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requires_grad", "requires_grad must be a bool"),
        ("data", "Deleting tensor data is not allowed"),
        ("_grad_fn", "Deletion of _grad_fn not allowed"),
        ("_backward_hooks", "Deletion of _backwards_hooks not allowed"),
        ("_post_accumulate_grad_hooks", "Deletion of _post_accumulate_grad_hooks not allowed"),
    ],
)
def test_what_autograd_keeps_cannot_be_deleted(torch, name, text):
    with pytest.raises(RuntimeError, match=text):
        delattr(torch.ones(1, requires_grad=True), name)


def test_a_gradient_can_be_deleted_and_a_history_cut_off(torch):
    x = torch.ones(1, requires_grad=True)
    x.grad = torch.ones(1)
    del x._grad
    y = x * 2
    y._grad_fn = None
    assert x.grad is None and y.grad_fn is None and not y.requires_grad
    with pytest.raises(RuntimeError, match="_grad_fn can be only set to None"):
        y._grad_fn = 1


def test_tangents_of_running_logsumexp_from_nothing(torch):
    x = torch.tensor([-float("inf"), 1.0, 2.0])
    tangent = torch.func.jvp(lambda x: x.logcumsumexp(0), (x,), (torch.ones(3),))[1]
    assert [round(t, 5) for t in tangent.tolist()] == [0.0, 1.0, 1.0]


def test_a_number_is_no_saved_tensor(torch):
    """Interpolation by a number keeps no tensor, so its graph is walked as often as one likes."""
    weight = torch.ones(2, requires_grad=True)
    mean = torch.zeros(2).lerp_(weight, 0.25)
    mean.sum().backward()
    (2 * mean).sum().backward()
    assert weight.grad.tolist() == [0.75, 0.75]
