"""torch.func: the contract of autograd.Function inside of transforms, and the errors of grad, vjp, jvp and functional_call."""

import pytest


def raises(kind, text, function, *args, **kwargs):
    with pytest.raises(kind) as caught:
        function(*args, **kwargs)
    assert str(caught.value) == text


def make(torch, forward, setup=lambda ctx, inputs, output: None, **methods):
    """A Function of the given static methods."""
    named = {name: m if name == "generate_vmap_rule" else staticmethod(m) for name, m in methods.items()}
    return type(
        "Fn", (torch.autograd.Function,), {"forward": staticmethod(forward), "setup_context": staticmethod(setup), **named}
    )


def test_what_a_vmap_rule_receives(torch):
    seen = []

    def rule(info, in_dims, *args):
        seen.append((info.batch_size, in_dims, [tuple(a.shape) for a in args if isinstance(a, torch.Tensor)]))
        return args[0], in_dims[0]

    vmap = torch.func.vmap
    apply = make(torch, lambda x, *rest: x, vmap=rule).apply
    x = torch.ones(2, 3)
    vmap(apply, 1)(x)
    vmap(apply, -1)(x)
    vmap(apply, (0, 1))(x, torch.ones(4, 2))
    vmap(apply, (None, 1))(x, torch.ones(4, 2))
    vmap(lambda x, y: apply(x, 3, [x], {"a": y}), (0, None))(x, x)
    assert seen[:4] == [(3, (1,), [(2, 3)])] * 2 + [(2, (0, 1), [(2, 3), (4, 2)]), (2, (None, 1), [(2, 3), (4, 2)])]
    assert seen[4][1] == (0, None, [0], {"a": None})


RETURNS = [
    (lambda x: x, "Got a <class 'torch.Tensor'> instead"),
    (lambda x: [x, 0], "Got a <class 'list'> instead"),
    (lambda x: (x,), "Got 1 returns instead"),
    (lambda x: (x, 0, 0), "Got 3 returns instead"),
    (lambda x: None, "Got a <class 'NoneType'> instead"),
]


@pytest.mark.parametrize("returned, text", RETURNS)
def test_what_a_vmap_rule_must_return(torch, returned, text):
    apply = make(torch, lambda x: x, vmap=lambda info, in_dims, x: returned(x)).apply
    start = "Expected the vmap staticmethod to have two returns, an output and out_dims with pytree structure compatible with the output. "
    raises(RuntimeError, start + text, torch.func.vmap(apply), torch.ones(2, 3))


@pytest.mark.parametrize("out_dims, given", [((0,), "TreeSpec(tuple, None, [*])"), ([0], "TreeSpec(list, None, [*])")])
def test_dimensions_that_do_not_fit_the_output(torch, out_dims, given):
    apply = make(torch, lambda x: x, vmap=lambda info, in_dims, x: (x * 1, out_dims)).apply
    text = (
        f"The autograd.Function's vmap staticmethod returned an incompatible (output, out_dims) tuple. Expected out_dims={out_dims} to be "
        f"compatible with the structure of `output`. out_dims has structure {given} but output has structure *. For more details, please "
        "see https://pytorch.org/docs/main/notes/extending.func.html"
    )
    raises(RuntimeError, text, torch.func.vmap(apply), torch.ones(2, 3))


def test_what_a_vmap_rule_may_return(torch):
    vmap, x = torch.func.vmap, torch.arange(6.0).view(2, 3)

    def results(*returned):
        return vmap(
            make(torch, lambda x: x, vmap=lambda info, in_dims, x: tuple(f(x) if callable(f) else f for f in returned)).apply
        )(x)

    assert results(lambda x: x * 1, -1).shape == (3, 2)
    assert results(lambda x: x * 1, None).shape == (2, 2, 3)
    # An input is itself, whatever is said of it.
    assert results(lambda x: x, 1).tolist() == results(lambda x: x, None).tolist() == x.tolist()
    nested = results(lambda x: (x * 1, {"a": x * 2}), (0, {"a": 1}))
    assert nested[0].shape == (2, 3) and nested[1]["a"].shape == (3, 2)


def test_writes_of_functions(torch):
    def mark(ctx, inputs, output):
        ctx.mark_dirty(inputs[0])

    func, x = torch.func, torch.ones(2, 3)
    methods = dict(setup=mark, backward=lambda ctx, g: g * 2)
    double = make(torch, lambda x: x.mul_(2), vmap=lambda info, in_dims, x: (x.mul_(2), in_dims[0]), **methods).apply
    same = []
    assert func.vmap(lambda x: same.append(double(x) is x) or x)(x).tolist() == [[2] * 3] * 2 and same == [True]
    assert func.grad(lambda x: double(x.clone()).sum())(x).tolist() == [[2] * 3] * 2
    generated = make(torch, lambda x: x.mul_(2), generate_vmap_rule=True, **methods).apply
    text = "Some elements marked as dirty during the forward method were not returned as output. The inputs that are modified inplace must all be "
    raises(RuntimeError, text + "outputs of the Function.", func.vmap(generated), x)


def test_forward_runs_outside_of_derivatives(torch):
    func, seen = torch.func, []

    def forward(x):
        seen.append((x.requires_grad, torch.is_grad_enabled(), repr(x), x.numpy().tolist()))
        return x * 2

    apply = make(torch, forward, backward=lambda ctx, g: g * 2).apply
    assert func.grad(lambda x: apply(x).sum())(torch.ones(1)).tolist() == [2]
    assert func.grad(func.grad(lambda x: apply(x).sum()))(torch.ones(())).item() == 0
    assert seen[0] == (False, False, "tensor([1.])", [1])
    assert seen[1] == (False, False, "tensor(1.)", 1)


def test_outputs_inside_of_derivatives_are_no_views(torch):
    grad, x = torch.func.grad, torch.ones(3)
    same = make(torch, lambda x: x, backward=lambda ctx, g: g * 3).apply
    view = make(torch, lambda x: x.view(3, 1), backward=lambda ctx, g: g.view(3) * 3).apply

    def function(x, apply):
        assert not apply(x)._is_view()
        return apply(x).sum()

    for apply in (same, view):
        assert grad(function)(x, apply).tolist() == [3] * 3
        assert grad(lambda x, apply: apply(x.clone()).mul_(2).sum())(x, apply).tolist() == [6] * 3


def test_nodes_inside_of_derivatives(torch):
    grad, names = torch.func.grad, []
    apply = make(torch, lambda x: x * 1, backward=lambda ctx, g: g).apply
    grad(lambda x: names.append(apply(x).grad_fn.name()) or apply(x))(torch.ones(()))
    assert names == ["FnGeneratedBackward"]
    only_vjp = make(torch, lambda x: x * 1, vjp=lambda ctx, g: g * 5).apply
    text = (
        "You must implement either the backward or vjp method for your custom autograd.Function to use it with backward mode AD."
    )
    raises(NotImplementedError, text, grad(only_vjp), torch.ones(()))
    both = make(torch, lambda x: x * 1, vjp=lambda ctx, g: g * 5, backward=lambda ctx, g: g).apply
    assert grad(both)(torch.ones(())).item() == 1


def test_the_context_of_a_generated_rule(torch):
    func, seen = torch.func, []
    apply = make(
        torch, lambda x: x * 1, lambda ctx, inputs, output: seen.append(ctx.needs_input_grad), backward=lambda ctx, g: g,
        generate_vmap_rule=True,
    ).apply  # fmt: skip
    func.vmap(apply)(torch.ones(2))
    assert set(seen) == {(False,)}
    func.grad(lambda x: func.vmap(apply)(x).sum())(torch.ones(2))
    assert (True,) in seen


TANGENTS = [
    (lambda t: (t, t), "Function's jvp returned an invalid number of forward gradients (expected 1 but got 2)"),
    (lambda t: 1.0, "expected Variable or None (got float) for grad output 0."),
    (lambda t: [t], "expected Variable or None (got list) for grad output 0."),
    (
        lambda t: t.sum(),
        "Trying to set a forward gradient that has a different size than that of the original Tensor, this is not supported. Tensor is of "
        "size [3] while the given forward gradient is of size [].",
    ),
]


@pytest.mark.parametrize("rule, text", TANGENTS)
def test_what_jvp_of_a_function_may_return(torch, rule, text):
    apply = make(torch, lambda x: x * 2, jvp=lambda ctx, t: rule(t)).apply
    raises(RuntimeError, text, torch.func.jvp, apply, (torch.ones(3),), (torch.ones(3),))


def test_rules_may_call_what_transforms_refuse(torch):
    class Old(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    apply = make(torch, lambda x: x * 2, vmap=lambda info, in_dims, x: (Old.apply(x), in_dims[0])).apply
    assert torch.func.vmap(apply)(torch.ones(2)).tolist() == [2, 2]


# ---- errors of the transforms ----------------------------------------------------------------------------------------------
def test_results_that_are_none(torch):
    func, x = torch.func, torch.ones(2)
    for result, shown in ((None, "[None]"), ((), "[]"), ({}, "[]")):
        text = f": Expected f to be a function that has non-empty output (got output = {shown})"
        raises(RuntimeError, "vjp(f, *primals)" + text, func.vjp, lambda x, result=result: result, x)
        raises(RuntimeError, "jvp(f, primals, tangents)" + text, func.jvp, lambda x, result=result: result, (x,), (x,))


def test_auxiliary_results_are_tensors(torch):
    func, x = torch.func, torch.ones(2)
    text = "Expected tensors, got unsupported type <class 'int'>"
    raises(RuntimeError, text, func.jvp, lambda x: (x, 1), (x,), (x,), has_aux=True)
    raises(RuntimeError, text, func.jacfwd(lambda x: (x, [1]), has_aux=True), x)
    text = "jvp(f, primals, tangents): output of function f should be a tuple: (output, aux) if has_aux is True"
    raises(RuntimeError, text, func.jacfwd(lambda x: x, has_aux=True), x)


def test_cotangents_of_complex_results(torch):
    x = torch.ones(2, dtype=torch.complex64)
    _, pull = torch.func.vjp(lambda x: x * 2, x)
    text = "For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in dtype: grad_output[0] has a dtype of "
    raises(RuntimeError, text + "torch.float32 and output[0] has a dtype of torch.complex64.", pull, torch.ones(2))
    raises(RuntimeError, text + "torch.complex64 and output[0] has a dtype of torch.float32.", torch.func.vjp(torch.abs, x)[1], x)


def test_whole_numbers_have_no_tangent(torch):
    text = "Expected primal to be floating point or complex, but got: torch.int64"
    for transform in (torch.func.jacfwd, torch.func.hessian):
        raises(ValueError, text, transform(torch.sin), torch.arange(2))
    raises(ValueError, text, torch.func.linearize, torch.sin, torch.arange(2))


def test_forward_mode_is_on_inside_of_jvp(torch):
    x = torch.zeros(2)
    with torch.autograd.forward_ad._set_fwd_grad_enabled(False):
        assert torch.func.jvp(torch.sin, (x,), (torch.ones(2),))[1].tolist() == [1, 1]


# ---- functional_call -------------------------------------------------------------------------------------------------------
def test_names_of_functional_call(torch):
    call, layer, x = torch.func.functional_call, torch.nn.Linear(2, 1), torch.ones(1, 2)
    with pytest.raises(TypeError, match="submodule `weight`: Parameter containing:"):
        call(layer, {"weight.x": torch.ones(1)}, x)
    raises(AttributeError, "Linear has no attribute `x`", call, layer, {"x.weight": torch.ones(1)}, x)
    with pytest.raises(TypeError, match="must be Tensor, not NoneType"):
        call(layer, {"weight": None}, x)
    weight = torch.zeros(1, 2)
    assert torch.equal(call(layer, {".weight": weight}, x), call(layer, {"weight": weight}, x))
    assert type(layer.weight) is torch.nn.Parameter and layer.weight.any()


def test_attributes_of_modules_that_are_none(torch):
    class Scaled(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = None

        def forward(self, x):
            return x if self.scale is None else x * self.scale

    module, x = Scaled(), torch.ones(2)
    assert torch.func.functional_call(module, {"scale": torch.ones(1) * 3}, x).tolist() == [3, 3]
    assert module.scale is None


def test_tensors_that_a_module_sets_anew(torch):
    class Counting(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("count", torch.zeros(1))

        def forward(self, x):
            self.count = self.count + 1
            return x * self.count

    module, given = Counting(), {"count": torch.ones(1)}
    assert torch.func.functional_call(module, given, torch.ones(1)).item() == 2
    assert given["count"].item() == 2 and module.count.item() == 0
