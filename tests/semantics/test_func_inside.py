"""torch.func: one's own operations, hooks, and writes inside of functions that are transformed."""

import pytest


def values(torch):
    return torch.tensor([0.2, -0.3, 0.7]), torch.tensor(2.0)


def raises(kind, text, function, *args, **kwargs):
    with pytest.raises(kind) as caught:
        function(*args, **kwargs)
    assert text in str(caught.value)


# ---- one's own operations ------------------------------------------------------------------------------------------------
def power(torch, **more):
    class Power(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x, k):
            return x**k

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, ctx.k = inputs
            ctx.save_for_backward(x)
            ctx.save_for_forward(x)

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * ctx.k * x ** (ctx.k - 1), None

        @staticmethod
        def jvp(ctx, x_t, k_t):
            (x,) = ctx.saved_tensors
            return x_t * ctx.k * x ** (ctx.k - 1)

    return lambda x: Power.apply(x, 3)


def test_functions_in_transforms(torch):
    func = torch.func
    x, s = values(torch)
    cube = power(torch)
    assert func.grad(cube)(s).item() == 12 and func.grad(func.grad(cube))(s).item() == 12
    assert [v.item() for v in func.jvp(cube, (s,), (s,))] == [8, 24]
    assert [v.item() for v in func.jvp(func.grad(cube), (s,), (s,))] == [12, 24]
    assert func.grad(lambda x: func.jvp(cube, (x,), (s,))[1])(s).item() == 24
    assert torch.allclose(func.vmap(cube)(x), x**3) and torch.allclose(func.vmap(func.grad(cube))(x), 3 * x**2)
    assert torch.allclose(func.grad(lambda x: func.vmap(cube)(x).sum())(x), 3 * x**2)
    assert torch.allclose(func.vmap(lambda x, t: func.jvp(cube, (x,), (t,)))(x, x)[1], 3 * x**3)
    for jacobian in (func.jacrev, func.jacfwd):
        assert torch.allclose(jacobian(cube)(x), torch.diag(3 * x**2))
    assert torch.allclose(func.hessian(lambda x: cube(x).sum())(x), torch.diag(6 * x))
    w = x.clone().requires_grad_()
    assert torch.allclose(torch.autograd.grad(func.vmap(cube)(w).sum(), w)[0], 3 * x**2)
    assert torch.allclose(torch.autograd.grad(func.vmap(func.grad(cube))(w).sum(), w)[0], 6 * x)


def test_functions_with_a_vmap_rule(torch):
    calls = []

    class Product(torch.autograd.Function):
        @staticmethod
        def forward(x, y):
            return x * y, x + 1

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, g, h):
            x, y = ctx.saved_tensors
            return g * y + h, g * x

        @staticmethod
        def vmap(info, in_dims, x, y):
            calls.append((tuple(info), in_dims))
            x, y = (v if d is None else v.movedim(d, 0) for v, d in zip((x, y), in_dims))
            return Product.apply(x, y), (0, None if in_dims[0] is None else 0)

    func = torch.func
    x, s = values(torch)
    first, second = func.vmap(Product.apply, (0, None))(x, s)
    assert torch.allclose(first, 2 * x) and torch.allclose(second, x + 1) and calls == [((3, "error"), (0, None))]
    first, second = func.vmap(Product.apply, (None, 0))(s, x)
    assert torch.allclose(first, 2 * x) and second.tolist() == [3, 3, 3]
    assert torch.allclose(func.vmap(func.grad(lambda x, y: Product.apply(x, y)[0]))(x, x), x)
    assert torch.allclose(func.grad(lambda x: func.vmap(Product.apply)(x, x)[0].sum())(x), 2 * x)
    assert torch.allclose(func.vmap(func.vmap(Product.apply))(x[None], x[None])[0], x[None] ** 2)
    calls.clear()
    assert torch.allclose(func.vmap(lambda y: Product.apply(s, s)[0] * y)(x), 4 * x) and calls == []


def test_functions_that_transforms_refuse(torch):
    class Old(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    class Plain(torch.autograd.Function):
        @staticmethod
        def forward(x):
            return x * 2

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

    class Both(Plain):
        generate_vmap_rule = True

        @staticmethod
        def vmap(info, in_dims, x):
            return x, 0

    func = torch.func
    x, s = values(torch)
    text = "In order to use an autograd.Function with functorch transforms (vmap, grad, jvp, jacrev, ...), it must override the setup_context"
    raises(RuntimeError, text, func.grad(Old.apply), s)
    raises(RuntimeError, text, func.vmap(Old.apply), x)
    raises(RuntimeError, "You tried to vmap over Plain, but it does not have vmap support.", func.vmap(Plain.apply), x)
    raises(RuntimeError, "You tried to vmap over Both, but it has both generate_vmap_rule=True and", func.vmap(Both.apply), x)
    raises(NotImplementedError, "You must implement the jvp function", func.jvp, Plain.apply, (s,), (s,))


# ---- what inputs look like inside, and what cannot be asked there --------------------------------------------------------
def test_inputs_are_leaves_inside(torch):
    x, _ = values(torch)
    seen = []

    def f(x):
        seen.append((x.requires_grad, x.is_leaf, x.grad_fn))
        return x.sum()

    torch.func.grad(f)(x)
    torch.func.grad(f)(x.clone().requires_grad_())
    assert seen == [(True, True, None)] * 2


def test_what_cannot_be_asked_inside(torch):
    grad = torch.func.grad
    x, _ = values(torch)
    raises(RuntimeError, "backward() called inside a functorch transform.", grad(lambda x: x.sum().backward()), x)
    raises(RuntimeError, "You are attempting to call Tensor.retain_grad() inside of", grad(lambda x: x.clone().retain_grad()), x)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        raises(RuntimeError, "jacrev, hessian} don't yet support saved tensor hooks.", grad(lambda x: x.sum()), x)
    assert torch.func.grad(lambda x: x.sum())(x).tolist() == [1, 1, 1]


def test_hooks_inside(torch):
    x, _ = values(torch)

    def f(x):
        y = x * 2
        y.register_hook(lambda g: g * 10)
        return y.sum()

    assert torch.func.grad(f)(x).tolist() == [20] * 3
    assert torch.func.vmap(torch.func.grad(f))(x).tolist() == [20] * 3


# ---- tensors from outside that are written -------------------------------------------------------------------------------
def test_a_fresh_tensor_is_filled(torch):
    func = torch.func
    x = torch.tensor([1.0, 2.0, 3.0])

    def filled(x):
        out = torch.zeros(3)
        out[0] = x[1]
        return out

    def scaled(x):
        out = torch.zeros_like(x)
        out[0] = x[1]
        return out.add_(x)

    expected = [[0, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert func.jacfwd(filled)(x).tolist() == expected and func.jacrev(filled)(x).tolist() == expected
    for jacobian in (func.jacfwd, func.jacrev):
        assert jacobian(scaled)(x).tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    second = torch.diag(torch.tensor([0.0, 12.0, 0.0]))
    loss = lambda x: (filled(x) ** 3).sum()  # noqa: E731
    for found in (func.hessian(loss)(x), func.jacrev(func.jacfwd(loss))(x), func.jacrev(func.jacrev(loss))(x)):
        assert torch.allclose(found, second)
    assert torch.allclose(func.vmap(func.jacfwd(scaled))(torch.stack((x, x)))[1], func.jacfwd(scaled)(x))


def test_views_of_what_is_written(torch):
    func = torch.func

    def f(x):
        y = x * 1
        row = y.t()[0]
        row.mul_(y[0, 1].clone())
        return (y.t() * x.t()).sum()

    x = torch.arange(4.0).reshape(2, 2) + 1
    w = x.clone().requires_grad_()
    (expected,) = torch.autograd.grad(f(w), w)
    assert torch.allclose(func.grad(f)(x), expected)
    assert torch.allclose(func.vmap(func.grad(f))(torch.stack((x, x + 1)))[0], expected)
    second = torch.autograd.functional.hessian(f, x)
    assert torch.allclose(func.hessian(f)(x), second)


def test_an_input_that_is_marked_dirty_may_be_kept(torch):
    class Same(torch.autograd.Function):
        @staticmethod
        def forward(x):
            return x.mul_(2)

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.mark_dirty(inputs[0])
            ctx.save_for_backward(output)

        @staticmethod
        def backward(ctx, g):
            return 2 * g * ctx.saved_tensors[0].sign()

    assert torch.func.grad(lambda x: Same.apply(x.clone()))(torch.tensor(3.0)).item() == 2.0


def test_high_orders(torch):
    func = torch.func
    x = torch.tensor([1.0, 2.0, 3.0])
    quartic = lambda x: (x**4).sum()  # noqa: E731
    third = torch.tensor([24.0, 48.0, 72.0])
    for nested in (
        func.jacfwd(func.jacfwd(func.jacfwd(quartic))),
        func.jacrev(func.jacrev(func.jacrev(quartic))),
        func.jacfwd(func.jacrev(func.jacfwd(quartic))),
    ):
        found = nested(x)
        assert found.shape == (3, 3, 3) and torch.allclose(torch.stack([found[i, i, i] for i in range(3)]), third)
    assert torch.allclose(func.grad(lambda x: func.hessian(quartic)(x).sum())(x), third)


def test_detaching_in_place_inside(torch):
    func = torch.func
    x, ones = torch.tensor([1.0, 2.0, 3.0]), torch.ones(3)

    def constant(x):
        y = x * x
        y.detach_()
        return y * x

    assert func.jvp(constant, (x,), (ones,))[1].tolist() == [1, 4, 9]
    assert func.grad(lambda x: constant(x).sum())(x).tolist() == [1, 4, 9]
    # One transform is meant, the innermost.
    assert func.jvp(lambda x: func.jvp(constant, (x,), (ones,))[1], (x,), (ones,))[1].tolist() == [2, 4, 6]
    assert func.grad(lambda x: func.jvp(constant, (x,), (ones,))[1].sum())(x).tolist() == [2, 4, 6]
    assert func.vmap(func.grad(constant))(x).tolist() == [1, 4, 9]
    for inside_vmap in (func.vmap(constant), func.grad(lambda x: func.vmap(constant)(x).sum())):
        raises(RuntimeError, "Can't detach views in-place.", inside_vmap, x)
