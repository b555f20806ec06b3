"""torch.func: what a program sees of a tensor inside of a transform: its text, and what cannot be had of it."""

import copy
import pickle

import pytest


def raises(kind, text, function, *args, **kwargs):
    with pytest.raises(kind) as caught:
        function(*args, **kwargs)
    assert str(caught.value) == text


def seen(transform, look, *inputs):
    """What `look` gives for the input of a function inside of `transform`."""
    found = []

    def function(x):
        found.append(look(x))
        return x.sum()

    transform(function)(*inputs)
    return found[0]


def test_the_text_of_a_tensor_that_is_differentiated(torch):
    func = torch.func
    x = torch.tensor([1.0, 2.0])
    text = "GradTrackingTensor(lvl=1, value=\n    tensor([1., 2.])\n)"
    assert seen(func.grad, repr, x) == seen(func.jacrev, repr, x) == text
    assert seen(lambda f: lambda x: func.vjp(f, x), str, x) == text
    assert seen(lambda f: lambda x: func.jvp(f, (x,), (x,)), str, x) == text
    assert seen(func.jacfwd, repr, x) == text.replace("lvl=1", "lvl=2")
    assert seen(func.grad, lambda x: repr(x.detach()), x) == seen(func.grad, lambda x: repr(x + 0), x) == text
    # Everything that is made inside is of the transform; what comes from outside is not.
    assert seen(func.grad, lambda x: repr(torch.ones(1)), x) == "GradTrackingTensor(lvl=1, value=\n    tensor([1.])\n)"
    assert seen(func.grad, lambda _: repr(x), x) == "tensor([1., 2.])"
    assert seen(func.grad, lambda x: f"{x.sum():.1f}", x) == "3.0"


def test_the_text_of_nested_transforms(torch):
    func = torch.func
    x = torch.tensor(2.0)
    nested = "GradTrackingTensor(lvl=2, value=\n    GradTrackingTensor(lvl=1, value=\n        tensor(2.)\n    )\n)"
    assert seen(lambda f: func.grad(func.grad(f)), repr, x) == nested
    rows = torch.ones(2, 1)
    batch = "BatchedTensor(lvl=1, bdim=0, value=\n    tensor([[1.],\n            [1.]])\n)"
    assert seen(func.vmap, repr, rows) == batch
    assert seen(lambda f: func.vmap(f, 1), repr, torch.ones(1, 2)) == batch.replace("bdim=0", "bdim=1").replace(
        "tensor([[1.],\n            [1.]])", "tensor([[1., 1.]])"
    )
    inner = batch.replace("\n", "\n    ")
    assert seen(lambda f: func.vmap(func.grad(f)), repr, rows) == f"GradTrackingTensor(lvl=2, value=\n    {inner}\n)"
    outer = "BatchedTensor(lvl=2, bdim=0, value=\n    GradTrackingTensor(lvl=1, value=\n        tensor([[1.],\n                [1.]])\n    )\n)"
    assert seen(lambda f: func.grad(lambda x: func.vmap(f)(x).sum()), repr, rows) == outer


def test_the_text_tells_of_graphs_outside(torch):
    grad = torch.func.grad
    w = torch.ones(1, requires_grad=True)
    text = "GradTrackingTensor(lvl=1, value=\n    tensor([1.], {})\n)"
    assert seen(grad, repr, w) == text.format("requires_grad=True")
    assert seen(grad, repr, w * 1) == text.format("grad_fn=<MulBackward0>")
    assert seen(grad, lambda x: repr(x * w), torch.ones(1)) == text.format("grad_fn=<MulBackward0>")
    parameter = torch.nn.Parameter(torch.ones(1))
    assert seen(grad, repr, parameter) == text.format("requires_grad=True").replace("tensor", "Parameter containing:\n    tensor")


def test_the_text_when_the_transform_has_ended(torch):
    kept = []
    torch.func.grad(lambda x: kept.append(x) or x.sum())(torch.ones(1))
    assert repr(kept[0]) == "GradTrackingTensor(lvl=-2, value=\n    tensor([1.])\n)"
    kept.clear()
    torch.func.vmap(lambda x: kept.append(torch.ones(1)) or x)(torch.ones(1))
    assert repr(kept[0]) == "tensor([1.])"
    x = torch.ones(1)
    func = torch.func
    for result in (
        func.grad(torch.sum)(x), func.grad_and_value(lambda x: (x.sum(), torch.ones(1)), has_aux=True)(x)[1][1],
        func.vjp(lambda x: torch.ones(1), x)[0], func.vjp(torch.sin, x)[1](x)[0], func.jvp(lambda x: torch.ones(1), (x,), (x,))[1],
        func.jvp(lambda x: torch.ones(1), (x,), (x,))[0], func.jacrev(torch.sin)(x)[0], func.jacfwd(torch.sin)(x)[0],
        func.vmap(lambda x: torch.ones(()))(x), func.vmap(torch.sin)(x), func.hessian(torch.sum)(x)[0],
        func.vmap(func.grad(torch.sum))(x), func.grad(lambda x: func.vmap(torch.sin)(x).sum())(x),
    ):  # fmt: skip
        assert repr(result).startswith("tensor("), repr(result)
        # … and to a transform that comes later they are from outside.
        assert seen(func.grad, lambda _, y=result: repr(y), x).startswith("tensor(")


def test_memory_inside_of_transforms(torch):
    func = torch.func
    x = torch.ones(2)
    for transform in (func.grad, func.vmap, lambda f: lambda x: func.jvp(f, (x,), (x,))):
        kind = "BatchedTensorImpl" if transform is func.vmap else "TensorWrapper"

        def look(x, kind=kind):
            raises(RuntimeError, "Cannot access data pointer of Tensor that doesn't have storage", x.data_ptr)
            raises(RuntimeError, "Cannot access data pointer of Tensor that doesn't have storage", x.detach().numpy)
            for function in (copy.copy, copy.deepcopy, pickle.dumps, lambda x: x.untyped_storage()):
                raises(NotImplementedError, f"Cannot access storage of {kind}", function, x)
            where = "under vmap" if kind == "BatchedTensorImpl" else "inside functorch"
            raises(RuntimeError, f"mutating directly with `.data` {where} transform is not allowed.", setattr, x, "data", x)
            return hash(x) == id(x)

        assert seen(transform, look, x)


def test_numbers_inside_of_batches(torch):
    func = torch.func
    rows = torch.ones(2, 3)

    def number(x):
        with pytest.raises(RuntimeError) as caught:
            x.sum().item()
        return str(caught.value)

    assert seen(func.vmap, number, rows).startswith("vmap: It looks like you're calling .item() on a Tensor.")
    assert seen(lambda f: func.vmap(func.grad(f)), number, rows).startswith(
        "vmap: It looks like you're either (1) calling .item() on"
    )


def test_numpy_where_nothing_is_recorded(torch):
    x = torch.ones(2, requires_grad=True)
    with torch.no_grad():
        assert x.numpy().tolist() == [1, 1]
    raises(RuntimeError, "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.", x.numpy)


def test_leaves_made_inside_lead_nowhere(torch):
    func = torch.func
    x = torch.ones(2)
    assert not func.grad(lambda x: (x * torch.ones(2, requires_grad=True)).sum())(x).requires_grad
    value, slope = func.jvp(lambda x: x * torch.ones(2, requires_grad=True), (x,), (x,))
    assert not value.requires_grad and not slope.requires_grad
    w = torch.ones(2, requires_grad=True)
    assert func.grad(lambda x: (x * w).sum())(x).requires_grad


def test_looking_within(torch):
    func = torch.func
    x = torch.ones(2)
    assert seen(func.grad, lambda x: repr(func.debug_unwrap(x)), x) == "tensor([1., 1.])"
    assert seen(lambda f: func.vmap(func.grad(f)), lambda x: repr(func.debug_unwrap(x)), x[None]) == "tensor([[1., 1.]])"
    once = seen(lambda f: func.vmap(func.grad(f)), lambda x: repr(func.debug_unwrap(x, recurse=False)), x[None])
    assert once == "BatchedTensor(lvl=1, bdim=0, value=\n    tensor([[1., 1.]])\n)"


def test_examples_that_escaped_from_vmap(torch):
    kept = []
    torch.func.vmap(lambda x: kept.append(x) or x.sum())(torch.ones(2, 3))
    start = (
        "Either your tensor may have escaped from inside a function being vmapped and this is a user error (see "
        "https://pytorch.org/functorch/stable/ux_limitations.html), or there is an internal functorch error in "
    )
    end = " Please file an issue if it looks like the latter"
    (x,) = kept
    raises(RuntimeError, f"{start}`boxed_reduction_batch_rule`{end}", x.sum)
    for function in (x.sin, lambda: x + 1, lambda: torch.ones(3) * x, lambda: x @ torch.ones(3), lambda: x.view(3, 1)):
        raises(RuntimeError, f"{start}`gen_vmap_plumbing`{end}", function)
    torch.func.vmap(lambda x: kept.append(torch.ones(3)) or x)(torch.ones(2))
    assert kept[1].sum().item() == 3


def test_autograd_inside_of_forward_mode(torch):
    def function(x):
        w = torch.ones(2, requires_grad=True)
        return torch.autograd.grad((w * x * w).sum(), w)[0].sum()

    x = torch.tensor([1.0, 2.0])
    value, slope = torch.func.jvp(function, (x,), (x,))
    assert value.item() == slope.item() == 6 and not value.requires_grad
    assert torch.func.grad(function)(x).tolist() == [0, 0]  # (without create_graph a gradient is a constant)
