"""Where tangents lie: an in-place operation writes into the tangent that a dual was given, as into its value."""

import pytest


def level(torch):
    return torch.autograd.forward_ad.dual_level()


def parts(torch, *tensors):
    return [torch.autograd.forward_ad.unpack_dual(x).tangent for x in tensors]


def dual(torch, value, tangent):
    return torch.autograd.forward_ad.make_dual(value, tangent)


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda x: x.mul_(3), [3.0, 3.0]),
        (lambda x: x.neg_(), [-1.0, -1.0]),
        (lambda x: x.fill_(2), [0.0, 0.0]),
        (lambda x: x.zero_(), [0.0, 0.0]),
        (lambda x: x[:1].mul_(4), [4.0, 1.0]),
        (lambda x: x.copy_(x + x), [2.0, 2.0]),
    ],
)
def test_the_given_tangent_is_written(torch, write, expected):
    given = torch.ones(2)
    with level(torch):
        x = dual(torch, torch.ones(2), given)
        write(x)
        assert parts(torch, x)[0] is given
    assert given.tolist() == expected


def test_another_dual_keeps_its_own_tangent(torch):
    with level(torch):
        x = dual(torch, torch.ones(2), torch.ones(2))
        shifted, copied, added, placed = x + 1, x.clone(), torch.zeros(2), torch.zeros(2)
        added.add_(x)
        placed.copy_(x)
        for place, y in enumerate((shifted, copied, added, placed)):
            y.mul_(place + 2)
        assert [t.tolist() for t in parts(torch, x, shifted, copied, added, placed)] == [[float(n)] * 2 for n in (1, 2, 3, 4, 5)]


def test_the_other_operand_is_not_written(torch):
    a, b = torch.ones(2), torch.full((2,), 5.0)
    with level(torch):
        dual(torch, torch.ones(2), a).add_(dual(torch, torch.ones(2), b))
    assert (a.tolist(), b.tolist()) == ([6.0, 6.0], [5.0, 5.0])


def test_a_tangent_of_another_layout_is_copied(torch):
    with level(torch):
        for value in (torch.ones(3, 2), torch.ones(2, 3).t(), torch.ones(3, 4)[:, ::2]):
            given = torch.arange(6.0).view(2, 3).t() if value.is_contiguous() else torch.arange(6.0).view(3, 2)
            (tangent,) = parts(torch, dual(torch, value, given))
            assert tangent is not given and tangent.stride() == value.stride() and torch.equal(tangent, given)


def test_views_of_one_base_see_a_write(torch):
    with level(torch):
        base = torch.ones(4)
        left, middle = base[:2], base[1:3]
        left.mul_(dual(torch, torch.ones(2), torch.ones(2)))
        assert [t.tolist() for t in parts(torch, base, left, middle)] == [[1, 1, 0, 0], [1, 1], [1, 0]]


@pytest.mark.parametrize("dims", [(1, 1, 1, 1), (1, 2, 1, 1)])
def test_writes_under_vmap(torch, dims):
    def f(x, y):
        view = x[0, ::2]
        x.copy_(y)
        return x, view

    def push(x, x_t, y, y_t):
        return torch.func.jvp(f, (x, y), (x_t, y_t))

    tangent = torch.arange(24.0).view(2, 2, 6)
    zeros = torch.zeros(2, 2, 6) if dims[1] == 1 else torch.zeros(2, 6, 2)
    _, (_, moved) = torch.func.vmap(push, dims)(torch.ones(2, 2, 6), zeros, torch.ones(2, 2, 6), tangent)
    assert torch.equal(moved, tangent.movedim(1, 0)[:, 0, ::2])


def test_a_view_written_under_vmap(torch):
    def f(x, y):
        view = x[:, ::2]
        view.copy_(y)
        return view, x

    def push(x, x_t, y, y_t):
        return torch.func.jvp(f, (x, y), (x_t, y_t))[1]

    moved = torch.func.vmap(push, (2, 2, 1, 1))(
        torch.ones(2, 6, 2), torch.zeros(2, 6, 2), torch.ones(2, 2, 3), torch.ones(2, 2, 3)
    )
    assert (moved[0].sum().item(), moved[1].sum().item()) == (12.0, 12.0)


def test_jvp_of_a_written_input(torch):
    x, t = torch.ones(2), torch.ones(2)
    torch.func.jvp(lambda v: v.mul_(2), (x,), (t,))
    assert (x.tolist(), t.tolist()) == ([2.0, 2.0], [2.0, 2.0])


def test_a_function_that_writes_has_to_write_its_tangent(torch):
    def function(jvp):
        class Twice(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                made = x.mul_(2)
                ctx.mark_dirty(made)
                return made

        Twice.jvp = staticmethod(jvp)
        return Twice

    with level(torch):
        given = torch.tensor(1.0)
        x = dual(torch, torch.tensor(2.0), given)
        out = function(lambda ctx, t: t.mul_(2)).apply(x)
        assert out is x and parts(torch, out)[0] is given and given.item() == 2
        for wrong in (lambda ctx, t: t * 2, lambda ctx, t: t):
            with pytest.raises(RuntimeError, match="is not modifying the forward mode gradients inplace"):
                function(wrong).apply(dual(torch, torch.tensor(2.0), torch.tensor(1.0)))


def test_what_jvp_is_given(torch):
    seen = []

    class Watched(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, n):
            ctx.save_for_backward(x)
            seen.append(torch.autograd.forward_ad._is_fwd_grad_enabled())
            return x.clone()

        @staticmethod
        def jvp(ctx, x_t, n_t):
            seen.append((n_t, len(ctx.saved_tensors)))
            return x_t

        @staticmethod
        def backward(ctx, g):
            return g, None

    with level(torch):
        Watched.apply(dual(torch, torch.ones(1, requires_grad=True), torch.ones(1)), torch.tensor(3))
    assert seen == [False, (None, 0)]


def test_duals_are_not_made_of_examples(torch):
    value, tangent = torch.ones(3), torch.ones(2, 3)

    def push(t):
        return torch.autograd.forward_ad.unpack_dual(dual(torch, value, t) * 2).tangent

    def push_within(t):
        with level(torch):
            return push(t)

    with pytest.raises(RuntimeError, match="Batching rule not implemented for aten::_make_dual"):
        torch.func.vmap(push_within)(tangent)
    with level(torch):
        with pytest.raises(RuntimeError, match="Batching rule not implemented for aten::_make_dual"):
            torch.func.vmap(push)(tangent)
        x = dual(torch, torch.ones(2, 3), tangent)
        with pytest.raises(RuntimeError, match="Batching rule not implemented for aten::_unpack_dual"):
            torch.func.vmap(lambda v: torch.autograd.forward_ad.unpack_dual(v).tangent)(x)
        assert parts(torch, torch.func.vmap(torch.sin)(x))[0].shape == (2, 3)


def test_levels_of_the_two_ways_do_not_nest(torch):
    text = "Nested forward mode AD is not supported at the moment"
    with level(torch), pytest.raises(RuntimeError, match=text):
        torch.func.jvp(torch.sin, (torch.ones(2),), (torch.ones(2),))

    def inside(x):
        with level(torch):
            return x

    with pytest.raises(RuntimeError, match=text):
        torch.func.jvp(inside, (torch.ones(2),), (torch.ones(2),))
